/**
 * The transport over any Duplex: where there is no descriptor to take, or no native part. Everything stays in user
 * space.
 */
import { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import type { SocketAddress } from 'ktls-bind';
import type { Refusal } from '../offload.js';
import type { Transport, TransportHandler } from './types.js';

export class StreamTransport implements Transport {
  readonly kind = 'stream';
  readonly kernel: Refusal;
  readLimit = Number.POSITIVE_INFINITY;
  moreFollows = false;
  readonly #stream: Duplex;
  #handler: TransportHandler | undefined;
  /** What the stream has let go of, and nobody has read. */
  readonly #inHand: Uint8Array[] = [];
  #awaited = false;
  #ended = false;

  /** @param why no kernel takes over. */
  constructor(stream: Duplex, why: Refusal) {
    this.kernel = why;
    this.#stream = stream;
    // The FIN of one side must not end the other: close_notify decides.
    stream.allowHalfOpen = true;
  }

  get drained(): boolean {
    return !this.#stream.writableNeedDrain;
  }

  start(handler: TransportHandler): void {
    this.#handler = handler;
    const stream = this.#stream;
    stream.on('data', (bytes: Uint8Array) => {
      this.#inHand.push(bytes);
      this.#handler?.readable();
    });
    stream.on('end', () => {
      this.#ended = true;
      this.#handler?.ended();
    });
    stream.on('drain', () => this.#reportDrained());
    stream.on('error', (error) => this.#fail(error));
    stream.on('close', () => {
      if (!this.#ended) this.#handler?.ended();
      this.#handler = undefined;
    });
    stream.pause();
    // One that is over already has told whoever listened then.
    if (stream.destroyed) process.nextTick(() => this.#handler?.ended());
  }

  setReading(on: boolean): void {
    if (on) this.#stream.resume();
    else this.#stream.pause();
  }

  read(): void {
    for (const bytes of this.#inHand.splice(0)) this.#handler?.received(bytes, 0);
  }

  write(chunks: readonly Uint8Array[]): boolean {
    const stream = this.#stream;
    if (stream.destroyed || stream.writableEnded) return true;
    if (chunks.length > 1) stream.cork();
    for (const chunk of chunks) stream.write(chunk);
    if (chunks.length > 1) stream.uncork();
    if (!stream.writableNeedDrain) return true;
    this.#awaited = true;
    return false;
  }

  end(): boolean {
    const stream = this.#stream;
    if (stream.destroyed || stream.writableFinished) return true;
    this.#awaited = true;
    stream.end(() => this.#reportDrained());
    return false;
  }

  finish(): void {
    this.#handler = undefined;
    const stream = this.#stream;
    if (stream.destroyed) return;
    const timer = setTimeout(() => stream.destroy(), finishTimeout);
    timer.unref();
    stream.once('close', () => clearTimeout(timer));
    stream.end(() => stream.destroy());
  }

  destroy(reset = false): void {
    this.#handler = undefined;
    if (reset && this.#stream instanceof Socket) this.#stream.resetAndDestroy();
    else this.#stream.destroy();
  }

  setNoDelay(on: boolean): void {
    if (this.#stream instanceof Socket) this.#stream.setNoDelay(on);
  }

  setKeepAlive(on: boolean, initialDelay: number): void {
    if (this.#stream instanceof Socket) this.#stream.setKeepAlive(on, initialDelay);
  }

  ref(): void {
    if (this.#stream instanceof Socket) this.#stream.ref();
  }

  unref(): void {
    if (this.#stream instanceof Socket) this.#stream.unref();
  }

  localAddress(): SocketAddress | undefined {
    if (!(this.#stream instanceof Socket)) return undefined;
    const { localAddress, localPort, localFamily } = this.#stream;
    return socketAddress(localAddress, localPort, localFamily);
  }

  remoteAddress(): SocketAddress | undefined {
    if (!(this.#stream instanceof Socket)) return undefined;
    const { remoteAddress, remotePort, remoteFamily } = this.#stream;
    return socketAddress(remoteAddress, remotePort, remoteFamily);
  }

  #reportDrained(): void {
    if (!this.#awaited) return;
    this.#awaited = false;
    this.#handler?.drained();
  }

  #fail(error: Error): void {
    const handler = this.#handler;
    this.#handler = undefined;
    handler?.failed(error);
  }
}

/** Milliseconds that the last flight may take to leave. */
const finishTimeout = 1000;

function socketAddress(address?: string, port?: number, family?: string): SocketAddress | undefined {
  if (address === undefined || port === undefined) return undefined;
  return { address, port, family: family === 'IPv6' ? 'IPv6' : 'IPv4' };
}
