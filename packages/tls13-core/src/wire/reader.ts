/** A cursor over received bytes that cannot leave them (§3): whatever does not fit is a decode_error (§6.2). */
import { TlsError } from '../alert.js';

export class Reader {
  readonly #bytes: Uint8Array;
  readonly #what: string;
  readonly #end: number;
  #position: number;

  /** `what` names the structure being read, for the messages of errors; it stands in `bytes` from `start` to `end`. */
  constructor(bytes: Uint8Array, what: string, start = 0, end = bytes.length) {
    this.#bytes = bytes;
    this.#what = what;
    this.#position = start;
    this.#end = end;
  }

  /** Bytes not read yet. */
  get remaining(): number {
    return this.#end - this.#position;
  }

  /** An unsigned number of `width` bytes, 1 to 4, in network byte order (§3.3). */
  uint(width: number): number {
    const start = this.#take(width);
    // Most numbers have two bytes.
    if (width === 2) return ((this.#bytes[start] ?? 0) << 8) | (this.#bytes[start + 1] ?? 0);
    let value = 0;
    // Multiplication, as a shift would make the fourth byte's top bit a sign.
    for (let index = start; index < start + width; index++) value = value * 256 + (this.#bytes[index] ?? 0);
    return value;
  }

  /** The next `length` bytes, as a view. */
  bytes(length: number): Uint8Array {
    const start = this.#take(length);
    return this.#bytes.subarray(start, start + length);
  }

  /** A cursor over the next `length` bytes alone; this one goes on behind them. */
  child(length: number): Reader {
    const start = this.#take(length);
    return new Reader(this.#bytes, this.#what, start, start + length);
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

  /** Moves on. @returns where it was. */
  #take(length: number): number {
    if (length > this.remaining) {
      throw this.error('decode_error', `${count(length)} wanted, ${count(this.remaining)} left`);
    }
    const start = this.#position;
    this.#position += length;
    return start;
  }
}

function count(bytes: number): string {
  return bytes === 1 ? '1 byte' : `${bytes} bytes`;
}
