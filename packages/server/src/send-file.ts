/**
 * A file on its way through a connection: opened, measured, and given its turn among the writes. Who moves the bytes,
 * sendfile(2) or a loop that reads and seals, is the driver's to know.
 */

import { constants, fstat } from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';
import { promisify } from 'node:util';
import { asError } from './errors.js';
import type { FileTransfer } from './transport/types.js';

/** Opening a pipe would hold a thread until somebody writes to it; a regular file knows no waiting. */
export const openFlags = constants.O_RDONLY | constants.O_NONBLOCK;

/** A path, an open descriptor, or a FileHandle; the latter two stay the caller's, and their position is not moved. */
export type FileSource = number | string | URL | FileHandle;

export interface SendFileOptions {
  /** First byte, as in fs.createReadStream. Default 0. */
  readonly start?: number;
  /** Last byte, inclusive, as in fs.createReadStream. Default: the last of the file. */
  readonly end?: number;
  /**
   * Stops. A file whose turn has not come is left out; one under way ends the connection, because its peer was
   * promised the rest.
   */
  readonly signal?: AbortSignal;
  /** Bytes that were sent, of how many. */
  readonly onProgress?: (sent: number, total: number) => void;
}

/** A file and its place in the order of writes. */
export class FileJob {
  readonly signal: AbortSignal | undefined;
  /** Why it was not sent, though nothing is wrong with the connection. */
  error: Error | undefined;
  readonly #options: SendFileOptions;
  readonly #ready: Promise<OpenFile>;
  #sent = 0;

  /** Throws TypeError or RangeError when the range or the source makes no sense. */
  constructor(source: FileSource, options: SendFileOptions) {
    checkRange(options);
    this.signal = options.signal;
    this.#options = options;
    this.#ready = openFile(source, options);
    // Looked at when the turn of this file comes; until then a failure must not count as unhandled.
    this.#ready.catch(() => undefined);
  }

  get sent(): number {
    return this.#sent;
  }

  /** What is to be sent. Rejects when the file cannot be opened, is none, or is shorter than the range. */
  async transfer(moved: (bytes: number) => void): Promise<FileTransfer> {
    const { fd, start, length } = await this.#ready;
    this.signal?.throwIfAborted();
    return {
      fd,
      offset: start,
      remaining: length,
      progress: (bytes) => {
        this.#sent += bytes;
        moved(bytes);
        this.#options.onProgress?.(this.#sent, length);
      },
    };
  }

  /** Closes what was opened here. Never rejects. */
  async close(): Promise<void> {
    try {
      await (await this.#ready).handle?.close();
    } catch {
      // It never opened, or its bytes are gone already.
    }
  }
}

interface OpenFile {
  readonly fd: number;
  /** Ours to close. */
  readonly handle: FileHandle | undefined;
  readonly start: number;
  readonly length: number;
}

const stat = promisify(fstat);

async function openFile(source: FileSource, options: SendFileOptions): Promise<OpenFile> {
  options.signal?.throwIfAborted();
  const handle = typeof source === 'string' || source instanceof URL ? await open(source, openFlags) : undefined;
  const fd = handle?.fd ?? descriptorOf(source);
  try {
    const stats = await stat(fd);
    if (!stats.isFile()) throw new TypeError('sendFile needs a regular file');
    const start = options.start ?? 0;
    const end = options.end ?? stats.size - 1;
    if (start > stats.size || end >= stats.size) {
      throw new RangeError(`the file has ${stats.size} bytes, which do not hold the range ${start} to ${end}`);
    }
    return { fd, handle, start, length: end - start + 1 };
  } catch (error) {
    await handle?.close();
    throw asError(error);
  }
}

function descriptorOf(source: FileSource): number {
  if (typeof source === 'number') return source;
  if (typeof source === 'object' && 'fd' in source) return source.fd;
  throw new TypeError('sendFile takes a path, a descriptor or a FileHandle');
}

function checkRange({ start = 0, end }: SendFileOptions): void {
  if (!Number.isSafeInteger(start) || start < 0) throw new RangeError(`start must be a whole number, not ${start}`);
  if (end === undefined) return;
  if (!Number.isSafeInteger(end) || end < start - 1) {
    throw new RangeError(`end must be a whole number of at least start - 1 (for no bytes), not ${end}`);
  }
}
