/** The part of net.Socket's interface that has nothing to do with TLS: addresses, timeouts, socket options, closing. */
import type { AddressInfo } from 'node:net';
import { Duplex } from 'node:stream';
import type { SocketAddress } from 'ktls-bind';
import type { Transport } from './transport/types.js';

export abstract class SocketDuplex extends Duplex {
  /** Application data received and sent so far, in bytes. */
  bytesRead = 0;
  bytesWritten = 0;
  /** Milliseconds of `setTimeout`. */
  timeout = 0;
  /** The peer is to see a reset. */
  protected resetting = false;
  #timer: NodeJS.Timeout | undefined;
  /** Milliseconds of `#timer`. */
  #timerLength = 0;
  #localAddress: SocketAddress | undefined;
  #remoteAddress: SocketAddress | undefined;

  /** Undefined until the TCP connection is there. */
  protected abstract get transport(): Transport | undefined;

  /** Until the TCP connection is there. */
  get connecting(): boolean {
    return this.transport === undefined && !this.destroyed;
  }

  get pending(): boolean {
    return this.connecting;
  }

  get readyState(): 'opening' | 'open' | 'readOnly' | 'writeOnly' | 'closed' {
    if (this.connecting) return 'opening';
    if (this.readable && this.writable) return 'open';
    if (this.readable) return 'readOnly';
    return this.writable ? 'writeOnly' : 'closed';
  }

  get remoteAddress(): string | undefined {
    return this.#remote?.address;
  }

  get remotePort(): number | undefined {
    return this.#remote?.port;
  }

  get remoteFamily(): string | undefined {
    return this.#remote?.family;
  }

  get localAddress(): string | undefined {
    return this.#local?.address;
  }

  get localPort(): number | undefined {
    return this.#local?.port;
  }

  get localFamily(): string | undefined {
    return this.#local?.family;
  }

  address(): AddressInfo | Record<string, never> {
    return this.#local === undefined ? {} : { ...this.#local };
  }

  setNoDelay(on = true): this {
    this.transport?.setNoDelay(on);
    return this;
  }

  /** @param initialDelay milliseconds. */
  setKeepAlive(on = false, initialDelay = 0): this {
    this.transport?.setKeepAlive(on, initialDelay);
    return this;
  }

  /** Emits `timeout` after this many milliseconds without a byte; 0 for never. Nothing is closed by itself. */
  setTimeout(milliseconds: number, listener?: () => void): this {
    this.timeout = milliseconds;
    if (milliseconds > 0 && !this.destroyed) {
      this.#startTimer(milliseconds);
      if (listener !== undefined) this.once('timeout', listener);
    } else if (listener !== undefined) {
      this.removeListener('timeout', listener);
    }
    return this;
  }

  ref(): this {
    this.transport?.ref();
    return this;
  }

  unref(): this {
    this.transport?.unref();
    return this;
  }

  /** Ends, and closes when everything has been sent. */
  destroySoon(): void {
    if (this.writable) this.end();
    if (this.writableFinished) this.destroy();
    else this.once('finish', () => this.destroy());
  }

  /** Closes without a word: the peer sees a broken connection. */
  resetAndDestroy(): this {
    this.resetting = true;
    return this.destroy();
  }

  /** A byte has moved. */
  protected touch(): void {
    if (this.timeout > 0) this.#timer?.refresh();
  }

  protected clearTimeout(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
  }

  /**
   * HTTP sets its timeouts anew with every request, and mostly the same: one timer serves them all, and stays when there
   * is none for a while.
   */
  #startTimer(milliseconds: number): void {
    if (this.#timer !== undefined && this.#timerLength === milliseconds) {
      this.#timer.refresh();
      return;
    }
    clearTimeout(this.#timer);
    this.#timerLength = milliseconds;
    const out = () => {
      if (this.timeout > 0) this.emit('timeout');
    };
    this.#timer = setTimeout(out, milliseconds).unref();
  }

  /** Remembered: they are asked for when the connection is gone, too. */
  get #remote(): SocketAddress | undefined {
    this.#remoteAddress ??= this.transport?.remoteAddress();
    return this.#remoteAddress;
  }

  get #local(): SocketAddress | undefined {
    this.#localAddress ??= this.transport?.localAddress();
    return this.#localAddress;
  }
}
