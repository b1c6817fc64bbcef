/**
 * What leaves by a native socket, in its order: sealed bytes, control records and new keys as they came, before the rest
 * of the application data in hand, before a file. The kernel seals the latter two.
 */
import { type CryptoInfo, KtlsError, type KtlsSocket } from 'ktls-bind';
import { contentTypes } from 'tls13-core';
import { releaseBuffer } from 'tls13-node-crypto';
import { wipe } from '../keys.js';
import { truncated } from '../read-transfer.js';
import { byteLength, skipBytes } from './chunks.js';
import type { Control, FileTransfer } from './types.js';

export type Item = Bytes | Control;

interface Bytes {
  readonly kind: 'bytes';
  readonly chunks: readonly Uint8Array[];
  /** What the chunks are the rest of, when part of it has been written. */
  readonly whole?: readonly Uint8Array[];
}

export interface FileInHand {
  readonly transfer: FileTransfer;
  readonly done: (error?: Error) => void;
}

export class Outgoing {
  /** See Transport. */
  moreFollows = false;
  readonly #socket: KtlsSocket;
  readonly #sealed: (bytes: number) => void;
  #queue: Item[] = [];
  #data: readonly Uint8Array[] = [];
  #file: FileInHand | undefined;

  /** @param sealed told how many bytes of application data the kernel took in a call; may push what is to go next. */
  constructor(socket: KtlsSocket, sealed: (bytes: number) => void) {
    this.#socket = socket;
    this.#sealed = sealed;
  }

  get empty(): boolean {
    return this.#queue.length === 0 && this.#data.length === 0 && this.#file === undefined;
  }

  /** The socket can be written, but not yet with the next keys: a device asks for patience. */
  get waitsForDevice(): boolean {
    return this.#queue[0]?.kind === 'keys';
  }

  push(...items: readonly Item[]): void {
    this.#queue.push(...items);
  }

  setData(chunks: readonly Uint8Array[]): void {
    this.#data = chunks.filter((chunk) => chunk.length > 0);
  }

  setFile(file: FileInHand): void {
    this.#file = file;
  }

  clear(): void {
    this.#queue = [];
    this.#data = [];
    this.#file = undefined;
  }

  /** Sends what the socket takes now. @returns whether nothing is left. Throws KtlsError. */
  flush(): boolean {
    while (!this.#socket.closed) {
      if (!this.#flushQueue()) return false;
      if (this.#data.length > 0) {
        const wanted = byteLength(this.#data);
        const bytes = this.#socket.write(this.#data);
        if (bytes === 0) return false;
        this.#data = skipBytes(this.#data, bytes);
        this.#sealed(bytes);
        if (bytes < wanted && this.#queue.length === 0) return false;
      } else if (this.#file !== undefined) {
        if (!this.#flushFile(this.#file)) return false;
      } else {
        return true;
      }
    }
    return false;
  }

  /** The last words: application data in hand is dropped, and a close_notify behind it, which would hide the loss. */
  flushLast(): void {
    if (this.#data.length > 0 || this.#file !== undefined) {
      this.#queue = this.#queue.filter((item) => !isCloseNotify(item));
    }
    this.#flushQueue();
  }

  #flushQueue(): boolean {
    for (let next = this.#queue[0]; next !== undefined; next = this.#queue[0]) {
      if (next.kind === 'bytes') {
        if (!this.#flushBytes()) return false;
        continue;
      }
      const sent =
        next.kind === 'keys' ? this.#replaceKeys(next.keys) : this.#socket.sendRecord(next.contentType, next.fragment);
      if (!sent) return false;
      this.#queue.shift();
    }
    return true;
  }

  /** All bytes at the front of the queue in one call. */
  #flushBytes(): boolean {
    const [{ chunks, whole = chunks }, items] = this.#bytesInFront();
    const written = this.#socket.write(chunks, this.moreFollows);
    if (written < byteLength(chunks)) {
      this.#queue.splice(0, items, { kind: 'bytes', chunks: skipBytes(chunks, written), whole });
      return false;
    }
    // The provider may seal into this memory again.
    for (const bytes of whole) releaseBuffer(bytes);
    if (this.#queue.length === 1) this.#queue.pop();
    else this.#queue.splice(0, items);
    return true;
  }

  #bytesInFront(): readonly [Bytes, items: number] {
    const first = this.#queue[0];
    if (this.#queue.length === 1 && first?.kind === 'bytes') return [first, 1];
    const chunks: Uint8Array[] = [];
    const whole: Uint8Array[] = [];
    let items = 0;
    for (const item of this.#queue) {
      if (item.kind !== 'bytes') break;
      chunks.push(...item.chunks);
      whole.push(...(item.whole ?? item.chunks));
      items += 1;
    }
    return [{ kind: 'bytes', chunks, whole }, items];
  }

  #replaceKeys(keys: CryptoInfo): boolean {
    try {
      this.#socket.enable('send', keys);
      wipe(keys);
      return true;
    } catch (error) {
      if (error instanceof KtlsError && error.code === 'ERR_KTLS_REKEY_AGAIN') return false;
      throw error;
    }
  }

  /** One bounded step, so that a large file leaves the loop to the other connections. */
  #flushFile(file: FileInHand): boolean {
    const { transfer } = file;
    const { bytes, endOfFile } = this.#socket.sendFile(transfer.fd, transfer.offset, transfer.remaining);
    if (bytes > 0) {
      transfer.offset += bytes;
      transfer.remaining -= bytes;
      this.#sealed(bytes);
      transfer.progress(bytes);
    }
    // The connection may have ended in between.
    if (this.#file !== file) return false;
    if (transfer.remaining > 0 && !endOfFile) return false;
    this.#file = undefined;
    file.done(transfer.remaining === 0 ? undefined : truncated(transfer.remaining));
    return true;
  }
}

/** An alert whose description is 0 (§6.1). */
function isCloseNotify(item: Item): boolean {
  return item.kind === 'record' && item.contentType === contentTypes.alert && item.fragment[1] === 0;
}
