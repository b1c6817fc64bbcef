/** Looks at the ClientHello of a raw connection and leaves every byte where it was. */
import type { Duplex } from 'node:stream';
import { type Kernel, KtlsError, type KtlsSocket } from 'ktls-bind';
import { type ClientHelloInfo, readClientHello, TlsError } from 'tls13-core';
import { descriptorOf, type TransportChoice } from './open.js';

export interface Peeked {
  readonly raw: Duplex;
  readonly kernel: Kernel;
  readonly choice: TransportChoice;
  readonly signal: AbortSignal;
}

/** `gone` when the connection ended first or the signal came; `none` when it does not begin with a ClientHello. */
export type Peek = ClientHelloInfo | 'gone' | 'none';

/** Where there is a descriptor the bytes stay in the kernel; else they are put back into the stream. Never rejects. */
export function peekClientHello({ raw, kernel, choice, signal }: Peeked): Promise<Peek> {
  const fd = choice === 'stream' || !kernel.nativeAvailable ? undefined : descriptorOf(raw);
  return typeof fd === 'number' ? inKernel(kernel.open(fd), signal) : inStream(raw, signal);
}

const firstLook = 4_096;

function inKernel(socket: KtlsSocket, signal: AbortSignal): Promise<Peek> {
  let buffer = new Uint8Array(firstLook);
  return new Promise((resolve) => {
    const finish = (peek: Peek) => {
      signal.removeEventListener('abort', abort);
      if (!socket.closed) socket.setReceiveLowWater(1);
      socket.close();
      resolve(peek);
    };
    const abort = () => finish('gone');
    const look = () => {
      try {
        const length = socket.peek(buffer);
        if (length === undefined) return;
        if (length === 0) return finish('gone');
        const read = readClientHello(buffer.subarray(0, length));
        if ('hello' in read) return finish(read.hello);
        if (read.wanted > buffer.length) buffer = new Uint8Array(Math.max(2 * buffer.length, read.wanted));
        // What has come is still there: only more than that is news.
        socket.setReceiveLowWater(read.wanted);
      } catch (error) {
        finish(unreadable(error));
      }
    };
    signal.addEventListener('abort', abort, { once: true });
    socket.onReady(look);
    socket.watch(true, false);
  });
}

function inStream(raw: Duplex, signal: AbortSignal): Promise<Peek> {
  const chunks: Uint8Array[] = [];
  let received = 0;
  let wanted = 0;
  return new Promise((resolve) => {
    const finish = (peek: Peek) => {
      signal.removeEventListener('abort', gone);
      raw.off('readable', look);
      for (const event of endings) raw.off(event, gone);
      raw.pause();
      if (received > 0 && !raw.readableEnded) raw.unshift(Buffer.concat(chunks));
      resolve(peek);
    };
    const gone = () => finish('gone');
    const look = () => {
      try {
        for (let chunk: unknown = raw.read(); chunk !== null; chunk = raw.read()) {
          if (!(chunk instanceof Uint8Array)) throw new TypeError('the stream is one of objects');
          chunks.push(chunk);
          received += chunk.length;
        }
        // Looked at no oftener than it can be news: a peer may send a byte at a time.
        if (received < wanted) return;
        const read = readClientHello(Buffer.concat(chunks));
        if ('hello' in read) return finish(read.hello);
        wanted = read.wanted;
      } catch (error) {
        finish(unreadable(error));
      }
    };
    signal.addEventListener('abort', gone, { once: true });
    for (const event of endings) raw.once(event, gone);
    raw.on('readable', look);
  });
}

const endings = ['end', 'close', 'error'] as const;

function unreadable(error: unknown): Peek {
  if (error instanceof TlsError) return 'none';
  if (error instanceof KtlsError) return 'gone';
  throw error;
}
