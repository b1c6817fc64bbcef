/**
 * A file in user space: read a bounded part, have it sealed and taken by TCP, read the next. What the page cache has is
 * read at once, on the event loop, as a change to another thread and back would cost more; only what the disk has to be
 * waited for is read by the thread pool.
 */
import { read } from 'node:fs';
import { readCached } from 'ktls-bind';
import { ConnectionError } from './errors.js';
import type { FileTransfer } from './transport/types.js';

/** What a transfer needs of a connection. */
export interface TransferSink {
  /** Seals the chunks before it returns. */
  write(chunks: readonly Uint8Array[], done: (error?: Error) => void): void;
  /** Whether this transfer still has its turn. */
  isSending(transfer: FileTransfer): boolean;
}

/** @param fromCache reads what is there at once, or nothing. */
export function readTransfer(
  transfer: FileTransfer,
  sink: TransferSink,
  done: (error?: Error) => void,
  fromCache: typeof readCached = readCached,
): void {
  const send = (part: Uint8Array, next: () => void) => {
    sink.write([part], (failure) => {
      if (failure !== undefined) return done(failure);
      transfer.offset += part.length;
      transfer.remaining -= part.length;
      transfer.progress(part.length);
      if (!sink.isSending(transfer)) return;
      if (transfer.remaining === 0) done();
      else next();
    });
  };
  /** @param parts that may still be read in this turn of the event loop. */
  const sendCached = (parts: number) => {
    if (parts === 0) {
      setImmediate(() => {
        if (sink.isSending(transfer)) sendCached(partsPerTurn);
      });
      return;
    }
    const room = cachedPart.subarray(0, transfer.remaining);
    const length = fromCache(transfer.fd, room, transfer.offset);
    if (length === undefined || length === 0) sendAwaited();
    else send(room.subarray(0, length), () => sendCached(parts - 1));
  };
  let awaitedPart: Uint8Array | undefined;
  const sendAwaited = () => {
    awaitedPart ??= roomOf(Math.min(awaitedLength, transfer.remaining));
    const room = awaitedPart.subarray(0, transfer.remaining);
    read(transfer.fd, room, 0, room.length, transfer.offset, (error, length) => {
      if (!sink.isSending(transfer)) return;
      if (error !== null) done(error);
      else if (length === 0) done(truncated(transfer.remaining));
      else send(room.subarray(0, length), () => sendCached(partsPerTurn));
    });
  };
  sendCached(partsPerTurn);
}

export function truncated(missing: number): ConnectionError {
  return new ConnectionError(
    'ERR_TLS_FILE_TRUNCATED',
    `the file ended ${missing} bytes early: it was truncated while it was sent`,
  );
}

/**
 * Large memory of malloc begins 16 bytes into a page, and processors may copy six times as slowly to where is that little
 * behind the beginning of a page, from the beginning of another: where the page cache has it.
 */
function roomOf(length: number): Uint8Array {
  return Buffer.allocUnsafeSlow(cacheLine + length).subarray(cacheLine);
}

const cacheLine = 64;
/** So many parts, and the other connections have their turn. */
const partsPerTurn = 4;
/** A part and what it is sealed into stay in a processor's own cache. */
const cachedPart = roomOf(65_536);
/** Fewer changes of threads. */
const awaitedLength = 262_144;
