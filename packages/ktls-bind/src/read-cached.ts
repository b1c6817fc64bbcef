/** What a file has in the page cache, read without a thread of its own (preadv2 with RWF_NOWAIT). */
import { KtlsError } from './errors.js';
import { native } from './load.js';

/**
 * Reads from a regular file what is in memory already; never waits for a disk.
 * @param fd a readable descriptor; its own position is neither used nor moved.
 * @param offset bytes from the start of the file, 0 … 2^53−1.
 * @returns bytes read into the start of `into`, perhaps fewer than are there; 0 at the end of the file; undefined when
 *   nothing can be had at once, or not like this (the file system, the kernel or the native part does not know how, the
 *   descriptor cannot be read): then an ordinary read brings it, or says why not.
 */
export function readCached(fd: number, into: Uint8Array, offset: number): number | undefined {
  if (!Number.isInteger(fd) || fd < 0) throw new TypeError(`not a file descriptor: ${fd}`);
  if (!Number.isSafeInteger(offset) || offset < 0) {
    throw new RangeError(`an offset is a safe integer from 0, not ${offset}`);
  }
  if (into.length === 0) throw new RangeError('readCached needs a buffer of at least one byte');
  if (native instanceof KtlsError) return undefined;
  const result = native.readCached?.(fd, into, offset) ?? -1;
  return result < 0 ? undefined : result;
}
