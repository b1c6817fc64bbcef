/** What the tests of the server share: certificates, servers that end with the test, and waiting. */
import { once } from 'node:events';
import { readdirSync } from 'node:fs';
import type { AddressInfo } from 'node:net';
import type { Readable } from 'node:stream';
import { afterEach } from 'vitest';
import { authority, clientLeaf, curveKey, type Issued, Pki } from '../../node-crypto/test/pki.js';
import {
  type ConnectionListener,
  type ConnectOptions,
  connect,
  createServer,
  type TlsConnection,
  type TlsServer,
  type TlsServerOptions,
} from '../src/index.js';

export interface Certificates {
  readonly root: Issued;
  /** For localhost and 127.0.0.1. */
  readonly server: Issued;
  /** For other.example. */
  readonly other: Issued;
  readonly client: Issued;
}

let made: Certificates | undefined;

export function certificates(): Certificates {
  if (made !== undefined) return made;
  const pki = new Pki();
  const leaf = (names: string) => [
    'basicConstraints=CA:FALSE',
    'extendedKeyUsage=serverAuth',
    `subjectAltName=${names}`,
  ];
  const root = pki.issue({ name: 'test root', extensions: authority });
  made = {
    root,
    server: pki.issue({ name: 'localhost', issuer: root, extensions: leaf('DNS:localhost,IP:127.0.0.1') }),
    other: pki.issue({ name: 'other.example', issuer: root, key: curveKey(), extensions: leaf('DNS:other.example') }),
    client: pki.issue({ name: 'a client', issuer: root, extensions: clientLeaf }),
  };
  pki.remove();
  return made;
}

export function serverCredentials() {
  const { server } = certificates();
  return { cert: server.pem, key: server.keyPem };
}

const cleanups: (() => unknown)[] = [];

/** Runs at the end of the test. */
export function cleanUp(task: () => unknown): void {
  cleanups.push(task);
}

afterEach(async () => {
  for (const task of cleanups.splice(0).reverse()) await task();
});

/** A server on a free port of the loopback interface; ends with the test. */
export async function serve(options: Partial<TlsServerOptions>, listener: ConnectionListener): Promise<TlsServer> {
  const server = createServer({ ...serverCredentials(), ...options }, listener);
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  cleanUp(async () => {
    server.closeAllConnections();
    if (server.listening) await new Promise((resolve) => server.close(resolve));
  });
  return server;
}

export function portOf(server: { address(): AddressInfo | string | null }): number {
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('the server does not listen on TCP');
  return address.port;
}

/** A client of a server of `serve`, not yet secure; ends with the test. */
export function dial(
  server: { address(): AddressInfo | string | null },
  options: Partial<ConnectOptions> = {},
): TlsConnection {
  const port = portOf(server);
  const connection = connect({ host: 'localhost', family: 4, port, ca: certificates().root.pem, ...options });
  cleanUp(() => connection.destroy());
  return connection;
}

export async function dialed(...parameters: Parameters<typeof dial>): Promise<TlsConnection> {
  const connection = dial(...parameters);
  await once(connection, 'secureConnect');
  return connection;
}

/** Everything until the end; unlike iterating, it leaves the writing side of a Duplex alone. */
export async function readAll(stream: Readable): Promise<Buffer> {
  const chunks: Uint8Array[] = [];
  stream.on('data', (chunk) => chunks.push(chunk));
  stream.resume();
  await once(stream, 'end');
  return Buffer.concat(chunks);
}

/** The next `length` bytes. */
export async function readBytes(stream: Readable, length: number): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let missing = length;
  while (missing > 0) {
    const chunk: Buffer | null = stream.read(Math.min(missing, Math.max(stream.readableLength, 1)));
    if (chunk === null) {
      await once(stream, 'readable');
    } else {
      chunks.push(chunk);
      missing -= chunk.length;
    }
  }
  return Buffer.concat(chunks);
}

export async function eventually(condition: () => boolean, what: string, timeout = 5000): Promise<void> {
  const limit = Date.now() + timeout;
  while (!condition()) {
    if (Date.now() > limit) throw new Error(`${what}: not within ${timeout} ms`);
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

/** Of this process. */
export function openDescriptors(): number {
  return readdirSync('/proc/self/fd').length;
}

export function pattern(length: number, seed = 7): Buffer {
  const bytes = Buffer.allocUnsafe(length);
  let state = seed;
  for (let index = 0; index < length; index += 1) {
    state = (state * 1_103_515_245 + 12_345) & 0x7fffffff;
    bytes[index] = state >> 16;
  }
  return bytes;
}
