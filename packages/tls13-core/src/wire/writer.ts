/** A growing buffer for structures to send; the length of a vector (§3.4) is patched in once its content is written. */

export class Writer {
  #bytes: Uint8Array;
  #length = 0;

  constructor() {
    this.#bytes = spare ?? new Uint8Array(spareLength);
    // Writers may be nested.
    spare = undefined;
  }

  /** An unsigned number of `width` bytes, 1 to 4, in network byte order (§3.3). Throws RangeError if it does not fit. */
  uint(width: number, value: number): void {
    if (!Number.isInteger(value) || value < 0 || value > (greatest[width] ?? -1)) {
      throw new RangeError(`${value} is not an unsigned number of ${width * 8} bits`);
    }
    const start = this.#extend(width);
    this.#put(start, width, value);
  }

  bytes(bytes: Uint8Array): void {
    // Extending first: it may replace the buffer.
    const start = this.#extend(bytes.length);
    this.#bytes.set(bytes, start);
  }

  /** Leaves room for a vector's length of `width` bytes. @returns where it stands, for `end` behind the content. */
  begin(width: number): number {
    return this.#extend(width);
  }

  /** Writes the length of the vector that began at `start`. Throws RangeError outside the bounds, in bytes. */
  end(start: number, width: number, floor: number, ceiling: number): void {
    const length = this.#length - start - width;
    if (length < floor || length > ceiling) {
      throw new RangeError(`a vector of ${length} bytes where <${floor}..${ceiling}> is allowed`);
    }
    this.#put(start, width, length);
  }

  /** A copy of everything written; the writer is not to be used again. */
  finish(): Uint8Array {
    const bytes = this.#bytes.slice(0, this.#length);
    // There may have been secrets among it, as there may when it grows.
    this.#bytes.fill(0, 0, this.#length);
    if (this.#bytes.length === spareLength) spare = this.#bytes;
    return bytes;
  }

  #extend(length: number): number {
    const start = this.#length;
    this.#length += length;
    if (this.#length > this.#bytes.length) {
      const grown = new Uint8Array(Math.max(this.#bytes.length * 2, this.#length));
      grown.set(this.#bytes.subarray(0, start));
      this.#bytes.fill(0, 0, start);
      this.#bytes = grown;
    }
    return start;
  }

  #put(start: number, width: number, value: number): void {
    for (let index = 0; index < width; index++) this.#bytes[start + index] = value >>> (8 * (width - 1 - index));
  }
}

/** Of so many bytes. */
const greatest: readonly number[] = [-1, 2 ** 8 - 1, 2 ** 16 - 1, 2 ** 24 - 1, 2 ** 32 - 1];
/** Whole flights seldom are longer. */
const spareLength = 4096;
/** The buffer of the writer that finished last: most structures are a few bytes, and making room would cost more than writing. */
let spare: Uint8Array | undefined;
