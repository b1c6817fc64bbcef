/**
 * The transport over a socket of ktls-bind, on a duplicate of the descriptor: user-space records before the hand-over,
 * the kernel's afterwards.
 */
import {
  type CryptoInfo,
  type Direction,
  type EnableOptions,
  KtlsError,
  type KtlsSocket,
  type KtlsSupport,
  type Placement,
  type SocketAddress,
} from 'ktls-bind';
import { longestRecord } from 'tls13-core';
import { Outgoing } from './outgoing.js';
import type { Control, FileTransfer, KernelSide, Transport, TransportHandler } from './types.js';

export class NativeTransport implements Transport, KernelSide {
  readonly kind = 'native';
  readonly kernel: KernelSide = this;
  readonly support: KtlsSupport;
  readLimit = Number.POSITIVE_INFINITY;
  readonly #socket: KtlsSocket;
  #handler: TransportHandler | undefined;
  readonly #outgoing: Outgoing;
  #reading = false;
  #pumping = false;
  /** A caller was told to wait for `drained`. */
  #awaited = false;
  #ending: 'no' | 'asked' | 'done' = 'no';
  #ended = false;
  /** Writing failed: what is still written goes nowhere. */
  #broken = false;
  #retry: NodeJS.Timeout | undefined;
  /** The last read of a record found one: there may be more that the kernel does not report (see `#readSoon`). */
  #unread = false;
  #soon: NodeJS.Immediate | undefined;

  constructor(socket: KtlsSocket, support: KtlsSupport) {
    this.#socket = socket;
    this.support = support;
    this.#outgoing = new Outgoing(socket, (bytes) => this.#handler?.sealed(bytes));
  }

  get drained(): boolean {
    return this.#outgoing.empty;
  }

  get moreFollows(): boolean {
    return this.#outgoing.moreFollows;
  }

  set moreFollows(on: boolean) {
    this.#outgoing.moreFollows = on;
  }

  start(handler: TransportHandler): void {
    this.#handler = handler;
    this.#socket.onReady((readable, writable) => {
      if (writable && !this.#isIdle()) {
        this.#pump();
        this.#reportDrained();
      }
      if (readable && this.#reading && !this.#socket.closed) this.#handler?.readable();
    });
  }

  setReading(on: boolean): void {
    if (this.#reading === on || this.#socket.closed) return;
    this.#reading = on;
    this.#watch();
    if (on && this.#unread) this.#readSoon();
  }

  read(): void {
    if (this.#handler === undefined || !this.#reading) return;
    for (let budget = readsPerTurn; budget > 0 && this.#reading && !this.#socket.closed; budget -= 1) {
      try {
        if (!(this.#socket.enabled('receive') ? this.#readRecord() : this.#readBytes())) return;
      } catch (error) {
        this.#fail(ofSocket(error));
        return;
      }
    }
    if (this.#unread) this.#readSoon();
  }

  write(chunks: readonly Uint8Array[]): boolean {
    this.#outgoing.push({ kind: 'bytes', chunks });
    return this.#pushed();
  }

  end(): boolean {
    if (this.#ending === 'no') this.#ending = 'asked';
    return this.#pushed();
  }

  finish(): void {
    if (this.#socket.closed) return;
    this.#handler = undefined;
    try {
      if (!this.#broken) this.#outgoing.flushLast();
    } catch {
      // The wire is gone: there is nobody left to tell.
    }
    this.#discardInput();
    this.destroy();
  }

  destroy(reset = false): void {
    this.#handler = undefined;
    this.#outgoing.clear();
    clearTimeout(this.#retry);
    clearImmediate(this.#soon);
    if (reset) this.#socket.reset();
    else this.#socket.close();
  }

  setNoDelay(on: boolean): void {
    if (!this.#socket.closed) this.#socket.setNoDelay(on);
  }

  setKeepAlive(on: boolean, initialDelay: number): void {
    if (!this.#socket.closed) this.#socket.setKeepAlive(on, initialDelay);
  }

  ref(): void {
    this.#socket.ref();
  }

  unref(): void {
    this.#socket.unref();
  }

  localAddress(): SocketAddress | undefined {
    return this.#socket.closed ? undefined : this.#socket.localAddress();
  }

  remoteAddress(): SocketAddress | undefined {
    return this.#socket.closed ? undefined : this.#socket.remoteAddress();
  }

  attach(): void {
    this.#socket.attach();
  }

  enable(direction: Direction, keys: CryptoInfo, options?: EnableOptions): void {
    this.#socket.enable(direction, keys, options);
  }

  writeData(chunks: readonly Uint8Array[]): boolean {
    this.#outgoing.setData(chunks);
    return this.#pushed();
  }

  sendControl(items: readonly Control[]): boolean {
    this.#outgoing.push(...items);
    return this.#pushed();
  }

  sendFile(transfer: FileTransfer, done: (error?: Error) => void): void {
    this.#outgoing.setFile({ transfer, done });
    this.#pump();
    // `done` may have written more, from within the pump.
    if (this.#awaited) process.nextTick(() => this.#reportDrained());
  }

  placement(direction: Direction): Placement {
    return this.#socket.closed ? 'none' : this.#socket.info()[direction];
  }

  #pushed(): boolean {
    // From within the pump (`sealed` brought a KeyUpdate about): it goes on by itself.
    if (!this.#pumping) this.#pump();
    if (!this.#isIdle()) {
      this.#awaited = true;
      return false;
    }
    // The caller is in the middle of something: who waits for an earlier call is told in a turn of his own.
    if (this.#awaited) process.nextTick(() => this.#reportDrained());
    return true;
  }

  #isIdle(): boolean {
    return this.drained && this.#ending !== 'asked';
  }

  #reportDrained(): void {
    if (!this.#awaited || !this.#isIdle()) return;
    this.#awaited = false;
    this.#handler?.drained();
  }

  #pump(): void {
    if (this.#pumping || this.#broken || this.#socket.closed) return;
    this.#pumping = true;
    try {
      if (this.#outgoing.flush() && this.#ending === 'asked' && !this.#socket.closed) {
        this.#ending = 'done';
        this.#shutdown();
      }
    } catch (error) {
      this.#writeFailed(ofSocket(error));
    } finally {
      this.#pumping = false;
      if (this.#outgoing.waitsForDevice && this.#retry === undefined) this.#pumpLater();
      this.#watch();
    }
  }

  #pumpLater(): void {
    this.#retry = setTimeout(() => {
      this.#retry = undefined;
      this.#pump();
      this.#reportDrained();
    }, rekeyRetryInterval);
  }

  /** A peer that is gone already (it closed, and reset what came later) needs no FIN. */
  #shutdown(): void {
    try {
      this.#socket.shutdown();
    } catch (error) {
      if (!(error instanceof KtlsError) || error.errno !== 'ENOTCONN') throw error;
    }
  }

  /**
   * A KeyUpdate that the kernel has opened ahead, behind data, silences poll until its keys are set. So reading goes on by
   * itself until the kernel says that there is nothing.
   */
  #readSoon(): void {
    this.#soon ??= setImmediate(() => {
      this.#soon = undefined;
      this.read();
    });
  }

  /** @returns whether there may be more. */
  #readBytes(): boolean {
    const limit = Math.min(readLength, this.readLimit);
    const length = this.#socket.read(limit === readLength ? readBuffer : readBuffer.subarray(0, limit));
    if (length === undefined) return false;
    if (length === 0) return this.#endOfStream();
    this.#handler?.received(readBuffer.subarray(0, length), longestRecord);
    return length === limit;
  }

  #readRecord(): boolean {
    const read = this.#socket.readRecord(readBuffer);
    this.#unread = read?.kind === 'record';
    if (read === undefined) return false;
    if (read.kind === 'end') return this.#endOfStream();
    this.#handler?.receivedRecord(read.contentType, readBuffer.subarray(0, read.length));
    return true;
  }

  #endOfStream(): false {
    this.#ended = true;
    this.#watch();
    // After a failed write it is no news: that failure is why, and says more.
    if (!this.#broken) this.#handler?.ended();
    return false;
  }

  /** The peer may have said why it went, in an alert that is still to be read. */
  #writeFailed(error: Error): void {
    this.#broken = true;
    this.#outgoing.clear();
    if (this.#handler !== undefined && !this.#ended) {
      this.#reading = true;
      this.read();
    }
    this.#fail(error);
  }

  #fail(error: Error): void {
    const handler = this.#handler;
    if (handler === undefined) return;
    this.#handler = undefined;
    if (!this.#socket.closed) this.#socket.watch(false, false);
    handler.failed(error);
  }

  /** Closing with unread input makes Linux reset the connection, and a reset can overtake the alert before it. */
  #discardInput(): void {
    try {
      for (let budget = readsPerTurn; budget > 0 && !this.#ended; budget -= 1) {
        if (this.#socket.enabled('receive')) {
          const read = this.#socket.readRecord(readBuffer);
          if (read === undefined || read.kind === 'end') return;
        } else {
          const length = this.#socket.read(readBuffer);
          if (length === undefined || length === 0) return;
        }
      }
    } catch {
      // It is about to be closed anyway.
    }
  }

  #watch(): void {
    if (this.#socket.closed || this.#handler === undefined) return;
    this.#socket.watch(
      this.#reading && !this.#ended,
      !this.#broken && !this.#isIdle() && !this.#outgoing.waitsForDevice,
    );
  }
}

/** What listeners of the application throw is not the connection's to swallow: it goes on as it would from node:net. */
function ofSocket(error: unknown): KtlsError {
  if (error instanceof KtlsError) return error;
  throw error;
}

/** Milliseconds. */
const rekeyRetryInterval = 10;
/** A connection that always has more to read must not starve the others. */
const readsPerTurn = 4;
/** With what an earlier read left of a record, as much as is opened into one block of memory. */
const readLength = 131_072 - longestRecord;
/** Shared by all connections: what is read is handled before the next read. The room in front is for a record that began earlier. */
const readBuffer = new Uint8Array(longestRecord + readLength).subarray(longestRecord);
