/** Connected TCP sockets for the tests: one end the binding's, the other the binding's too but never given keys. */

import { KtlsError } from '../src/errors.js';
import { kernel } from '../src/index.js';
import { native } from '../src/load.js';
import type { KtlsSocket } from '../src/types.js';

/** Two connected sockets of the running kernel, made without the event loop. */
export function socketPair(): readonly [KtlsSocket, KtlsSocket] {
  if (native instanceof KtlsError) throw native;
  const pair = native.loopbackPair();
  if (typeof pair === 'number') throw new Error(`no loopback pair: errno ${-pair}`);
  return [kernel.open(pair[0], { adopt: true }), kernel.open(pair[1], { adopt: true })];
}

/** Resolves when the socket is ready, false when `milliseconds` went by first. */
export function ready(
  socket: KtlsSocket,
  readable: boolean,
  writable: boolean,
  milliseconds = 10_000,
): Promise<boolean> {
  return new Promise((resolve) => {
    const finish = (result: boolean): void => {
      clearTimeout(timer);
      socket.onReady(undefined);
      socket.watch(false, false);
      resolve(result);
    };
    const timer = setTimeout(() => finish(false), milliseconds);
    socket.onReady(() => finish(true));
    socket.watch(readable, writable);
  });
}

/** Reads exactly `length` plain TCP bytes. */
export async function readBytes(socket: KtlsSocket, length: number): Promise<Buffer> {
  const into = Buffer.alloc(length);
  let filled = 0;
  while (filled < length) {
    const count = socket.read(into.subarray(filled));
    if (count === 0) throw new Error(`the stream ended after ${filled} of ${length} bytes`);
    if (count === undefined && !(await ready(socket, true, false)))
      throw new Error(`only ${filled} of ${length} bytes came`);
    filled += count ?? 0;
  }
  return into;
}

/** Reads plain TCP bytes to the end of the stream. */
export async function readToEnd(socket: KtlsSocket): Promise<Buffer> {
  const chunks: Buffer[] = [];
  const into = Buffer.alloc(65536);
  for (;;) {
    const count = socket.read(into);
    if (count === 0) return Buffer.concat(chunks);
    if (count === undefined && !(await ready(socket, true, false))) throw new Error('nothing more came');
    if (count !== undefined) chunks.push(Buffer.from(into.subarray(0, count)));
  }
}

/** Writes all of it, waiting where the socket would block. */
export async function writeAll(socket: KtlsSocket, bytes: Uint8Array): Promise<void> {
  let written = 0;
  while (written < bytes.length) {
    const count = socket.write([bytes.subarray(written)]);
    written += count;
    if (count === 0 && !(await ready(socket, false, true))) throw new Error('the socket stayed full');
  }
}
