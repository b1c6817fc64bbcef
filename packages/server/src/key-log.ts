/** The NSS key log (RFC 9850): with these lines anybody can read the connection they come from. */
import { closeSync, openSync, writeSync } from 'node:fs';
import type { KeyLogLabel } from 'tls13-core';
import { asError } from './errors.js';

/** One line, newline included, as the event `keylog` carries it. */
export function keyLogLine(label: KeyLogLabel, clientRandom: Uint8Array, secret: Uint8Array): Buffer {
  return Buffer.from(`${label} ${hex(clientRandom)} ${hex(secret)}\n`, 'latin1');
}

/**
 * A listener for `keylog` that appends to a file, readable by its owner alone; `close` ends it. Each line is written
 * before the event returns, so that a packet capture never runs ahead of its keys.
 */
export function keyLogFile(path: string): { readonly listener: (line: Buffer) => void; close(): void } {
  let fd: number | undefined = openSync(path, 'a', 0o600);
  return {
    listener: (line) => {
      if (fd !== undefined) writeSync(fd, line);
    },
    close: () => {
      if (fd !== undefined) closeSync(fd);
      fd = undefined;
    },
  };
}

/** Takes a line of the key log. */
export type KeyLogSink = (line: Buffer) => void;

/**
 * Where the secrets of an application's connections go besides the event `keylog`: the file that the option names, or
 * the one in the environment variable SSLKEYLOGFILE (RFC 9850 §2.1), which a privileged process does not believe
 * and of which the process warns. Undefined: nowhere. Throws what opening the option's file throws.
 */
export function keyLogSink(option: string | false | undefined): KeyLogSink | undefined {
  if (option === false) return undefined;
  if (option !== undefined) return opened(option);
  const path = process.env.SSLKEYLOGFILE;
  if (path === undefined || path === '' || isPrivileged()) return undefined;
  if (refusedPaths.has(path)) return undefined;
  try {
    const known = sinks.has(path);
    const sink = opened(path);
    if (!known)
      warn('SSLKEYLOGFILE is set: the secrets of TLS connections are written to a file, which makes them insecure');
    return sink;
  } catch (error) {
    refusedPaths.add(path);
    warn(`SSLKEYLOGFILE names a file that cannot be written: ${asError(error).message}`);
    return undefined;
  }
}

const sinks = new Map<string, KeyLogSink>();
const refusedPaths = new Set<string>();

/** Once a process: all connections share the file. */
function opened(path: string): KeyLogSink {
  const sink = sinks.get(path) ?? keyLogFile(path).listener;
  sinks.set(path, sink);
  return sink;
}

/** Whoever runs a set-uid program must not read its connections by setting a variable. */
function isPrivileged(): boolean {
  return process.getuid?.() !== process.geteuid?.() || process.getgid?.() !== process.getegid?.();
}

function warn(text: string): void {
  process.emitWarning(text, { code: 'TLS13_KEYLOG' });
}

function hex(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('hex');
}
