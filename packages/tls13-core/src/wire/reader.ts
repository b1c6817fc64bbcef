/** A cursor over received bytes that cannot leave them (§3): whatever does not fit is a decode_error (§6.2). */
import { TlsError } from '../alert.js';

export class Reader {
  readonly #bytes: Uint8Array;
  readonly #what: string;
  #position = 0;

  /** `what` names the structure being read, for the messages of errors. */
  constructor(bytes: Uint8Array, what: string) {
    this.#bytes = bytes;
    this.#what = what;
  }

  /** Bytes not read yet. */
  get remaining(): number {
    return this.#bytes.length - this.#position;
  }

  /** An unsigned number of `width` bytes, 1 to 4, in network byte order (§3.3). */
  uint(width: number): number {
    let value = 0;
    // Multiplication, as a shift would make the fourth byte's top bit a sign.
    for (const byte of this.bytes(width)) value = value * 256 + byte;
    return value;
  }

  /** The next `length` bytes, as a view. */
  bytes(length: number): Uint8Array {
    if (length > this.remaining) {
      throw this.error('decode_error', `${count(length)} wanted, ${count(this.remaining)} left`);
    }
    const start = this.#position;
    this.#position += length;
    return this.#bytes.subarray(start, this.#position);
  }

  /** A cursor over the next `length` bytes alone; this one goes on behind them. */
  child(length: number): Reader {
    return new Reader(this.bytes(length), this.#what);
  }

  /** Everything that is left, as a view. */
  rest(): Uint8Array {
    return this.bytes(this.remaining);
  }

  /** Refuses trailing bytes (§4.3, §6.2). */
  end(): void {
    if (this.remaining > 0) throw this.error('decode_error', `${count(this.remaining)} after its end`);
  }

  /** An error that says which structure was being read. */
  error(alert: 'decode_error' | 'illegal_parameter', message: string): TlsError {
    return new TlsError(alert, `${this.#what}: ${message}`);
  }
}

function count(bytes: number): string {
  return bytes === 1 ? '1 byte' : `${bytes} bytes`;
}
