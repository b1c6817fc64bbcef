/** What the connections of one process share: the provider, keys out of files, the clock, and the keys of tickets. */
import { readFileSync } from 'node:fs';
import type { CryptoProvider, Protector, Signer } from 'tls13-core';
import { createTicketKeys } from 'tls13-core';

export interface Backend {
  readonly provider: CryptoProvider;
  /** A signer over a PKCS#8 DER key. */
  readonly signer: (pkcs8: Uint8Array) => Signer;
}

export interface World extends Backend {
  /** Milliseconds since 1970: a clock that stands still, but where the runner moves it on. */
  readonly now: () => number;
  readonly advance: (seconds: number) => void;
  readonly ticketKeys: Protector;
}

export function createWorld(backend: Backend): World {
  let time = Date.now();
  const now = () => time;
  return {
    ...backend,
    now,
    advance(seconds) {
      time += seconds * 1000;
    },
    ticketKeys: createTicketKeys(backend.provider, { now, rotationInterval: Number.POSITIVE_INFINITY }),
  };
}

/** The blocks of a PEM file, as DER. */
export function readPem(path: string): readonly Uint8Array[] {
  const blocks = readFileSync(path, 'latin1').matchAll(/-----BEGIN [^-]+-----([^-]*)-----END/g);
  return [...blocks].map(([, body = '']) => new Uint8Array(Buffer.from(body, 'base64')));
}

/** The same later, when the runner asks for asynchronous callbacks. */
export function answerer(asynchronous: boolean): <T>(answer: () => T | Promise<T>) => T | Promise<T> {
  if (!asynchronous) return (answer) => answer();
  return (answer) => new Promise<void>((resolve) => setImmediate(resolve)).then(answer);
}
