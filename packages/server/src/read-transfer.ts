/** A file in user space: read a bounded part, have it sealed and taken by TCP, read the next. */
import { read } from 'node:fs';
import { ConnectionError } from './errors.js';
import type { FileTransfer } from './transport/types.js';

/** What a transfer needs of a connection. */
export interface TransferSink {
  write(chunks: readonly Uint8Array[], done: (error?: Error) => void): void;
  /** Whether this transfer still has its turn. */
  isSending(transfer: FileTransfer): boolean;
}

export function readTransfer(transfer: FileTransfer, sink: TransferSink, done: (error?: Error) => void): void {
  const buffer = Buffer.allocUnsafeSlow(Math.min(transfer.remaining, partLength));
  const next = () => {
    const wanted = Math.min(buffer.length, transfer.remaining);
    read(transfer.fd, buffer, 0, wanted, transfer.offset, (error, length) => {
      if (!sink.isSending(transfer)) return;
      if (error !== null) return done(error);
      if (length === 0) return done(truncated(transfer.remaining));
      sink.write([buffer.subarray(0, length)], (failure) => {
        if (failure !== undefined) return done(failure);
        transfer.offset += length;
        transfer.remaining -= length;
        transfer.progress(length);
        if (!sink.isSending(transfer)) return;
        if (transfer.remaining === 0) done();
        else next();
      });
    });
  };
  next();
}

export function truncated(missing: number): ConnectionError {
  return new ConnectionError(
    'ERR_TLS_FILE_TRUNCATED',
    `the file ended ${missing} bytes early: it was truncated while it was sent`,
  );
}

const partLength = 262_144;
