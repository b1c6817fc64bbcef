/** A growing buffer for structures to send; the length of a vector (§3.4) is patched in once its content is written. */

export class Writer {
  #bytes = new Uint8Array(256);
  #length = 0;

  /** An unsigned number of `width` bytes, 1 to 4, in network byte order (§3.3). Throws RangeError if it does not fit. */
  uint(width: number, value: number): void {
    if (!Number.isInteger(value) || value < 0 || value >= 256 ** width) {
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

  /** What `content` writes, behind its length in `width` bytes. Throws RangeError outside the bounds, in bytes. */
  vector(width: number, floor: number, ceiling: number, content: () => void): void {
    const start = this.#extend(width);
    content();
    const length = this.#length - start - width;
    if (length < floor || length > ceiling) {
      throw new RangeError(`a vector of ${length} bytes where <${floor}..${ceiling}> is allowed`);
    }
    this.#put(start, width, length);
  }

  /** A copy of everything written. */
  finish(): Uint8Array {
    return this.#bytes.slice(0, this.#length);
  }

  #extend(length: number): number {
    const start = this.#length;
    this.#length += length;
    if (this.#length > this.#bytes.length) {
      const grown = new Uint8Array(Math.max(this.#bytes.length * 2, this.#length));
      grown.set(this.#bytes.subarray(0, start));
      this.#bytes = grown;
    }
    return start;
  }

  #put(start: number, width: number, value: number): void {
    let left = value;
    for (let index = start + width - 1; index >= start; index--) {
      this.#bytes[index] = left % 256;
      left = Math.floor(left / 256);
    }
  }
}
