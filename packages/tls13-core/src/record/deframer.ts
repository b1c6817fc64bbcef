/** Collects the byte stream into whole records (§5.1), copying only a record that two chunks share. */
import { contentTypes } from '../registry.js';
import { hasVersion, headerLength, maxCiphertextLength, parseHeader } from './header.js';

/** Neighbouring whole records of one content type. */
export interface RecordRun {
  readonly contentType: number;
  /** Whole records, headers included: a view. */
  readonly records: Uint8Array;
  /** More than one only for application_data, so that protected records can be opened in batches. */
  readonly count: number;
}

export class Deframer {
  /** Bytes not looked at yet, from `#offset` on; the chunks as they were pushed. */
  #input: Uint8Array = noBytes;
  #offset = 0;
  /** A record that began in a chunk before `#input`: its first `#partialLength` bytes are there. */
  #partial: Uint8Array = noBytes;
  #partialLength = 0;
  /** `next` has handed `#partial` out: it is not to be written any more. */
  #partialShown = false;
  /** What `next` handed out last. */
  #last: { readonly run: RecordRun; readonly fromInput: boolean } | undefined;

  /**
   * Takes bytes of the stream, cut anywhere. They must stay as they are until `next` has returned `undefined` or `keep`
   * was called.
   * @param headroom bytes in front of them, in the same memory, that may be overwritten until then: a record that began
   *   earlier is joined there, and is handed out with the others.
   */
  push(bytes: Uint8Array, headroom = 0): void {
    this.#last = undefined;
    let rest = this.#joined(bytes, headroom);
    if (this.#partialLength > 0 && this.#offset === this.#input.length) {
      rest = this.#complete(rest, headerLength);
      if (this.#partialLength >= headerLength) rest = this.#complete(rest, recordLength(this.#partial, 0));
    }
    if (rest.length === 0) return;
    if (this.#offset === this.#input.length) {
      this.#input = rest;
    } else {
      const joined = new Uint8Array(this.#input.length - this.#offset + rest.length);
      joined.set(this.#input.subarray(this.#offset));
      joined.set(rest, this.#input.length - this.#offset);
      this.#input = joined;
    }
    this.#offset = 0;
  }

  /**
   * The next record, or all whole application_data records up to the next other one, or the next of another version than
   * 0x0303, which stands first if anywhere; `undefined` when no record is complete. Throws TlsError as `parseHeader` does, as soon as a header is wrong.
   */
  next(): RecordRun | undefined {
    return this.#partialLength > 0 ? this.#nextFromPartial() : this.#nextFromInput();
  }

  /**
   * Takes back the last `length` bytes of what `next` handed out last (whole records that were not opened): `next`
   * hands them out again. Not possible any more after `push`.
   */
  unread(length: number): void {
    if (length === 0) return;
    const last = this.#last;
    if (last === undefined || length < 0 || length > last.run.records.length) {
      throw new RangeError(`${length} bytes cannot be taken back: the last call of next() handed out fewer`);
    }
    if (last.fromInput) this.#offset -= length;
    else this.#partialLength = last.run.records.length;
    this.#last = undefined;
  }

  /** Copies what `next` has not handed out, so that the memory given to `push` is its owner's again. */
  keep(): void {
    this.#input = this.#input.slice(this.#offset);
    this.#offset = 0;
    this.#last = undefined;
  }

  /** How many more bytes complete the header or the record at the end of the stream so far; 5 at a record boundary. */
  get wanted(): number {
    let bytes = this.#input;
    let start = this.#offset;
    let length = bytes.length;
    if (start === length && this.#partialLength > 0) {
      bytes = this.#partial;
      start = 0;
      length = this.#partialLength;
    }
    while (length - start >= headerLength) {
      const total = recordLength(bytes, start);
      if (length - start < total) return total - (length - start);
      start += total;
    }
    return headerLength - (length - start);
  }

  /** Bytes pushed that `next` has not handed out. 0 only at a record boundary. */
  get buffered(): number {
    return this.#partialLength + this.#input.length - this.#offset;
  }

  /** The bytes behind the partial record, if there is one for which there is room. */
  #joined(bytes: Uint8Array, headroom: number): Uint8Array {
    const held = this.#partialLength;
    if (held === 0 || held > headroom || this.#offset < this.#input.length) return bytes;
    const whole = new Uint8Array(bytes.buffer, bytes.byteOffset - held, held + bytes.length);
    whole.set(this.#partial.subarray(0, held));
    this.#partialLength = 0;
    return whole;
  }

  /** Fills the partial record from the front of `bytes` up to `total` bytes, and returns what is left of them. */
  #complete(bytes: Uint8Array, total: number): Uint8Array {
    const taken = Math.min(Math.max(total - this.#partialLength, 0), bytes.length);
    this.#hold(bytes.subarray(0, taken), total);
    return bytes.subarray(taken);
  }

  #hold(bytes: Uint8Array, total: number): void {
    if (this.#partial.length < total || this.#partialShown) {
      const grown = new Uint8Array(total);
      grown.set(this.#partial.subarray(0, this.#partialLength));
      this.#partial = grown;
      this.#partialShown = false;
    }
    this.#partial.set(bytes, this.#partialLength);
    this.#partialLength += bytes.length;
  }

  #nextFromPartial(): RecordRun | undefined {
    if (this.#partialLength < headerLength) return undefined;
    const { contentType, length } = parseHeader(this.#partial);
    if (this.#partialLength < headerLength + length) return undefined;
    const total = headerLength + length;
    const run = { contentType, records: this.#partial.subarray(0, total), count: 1 };
    this.#partialLength = 0;
    this.#partialShown = true;
    this.#last = { run, fromInput: false };
    return run;
  }

  #nextFromInput(): RecordRun | undefined {
    const start = this.#offset;
    let end = start;
    let count = 0;
    let contentType: number = contentTypes.invalid;
    while (this.#input.length - end >= headerLength) {
      const applicationData = this.#input[end] === contentTypes.application_data;
      if (count > 0 && !applicationData) break;
      const total = recordLength(this.#input, end);
      // A wrong header behind good records is found when those have been handed out.
      if (count === 0) contentType = parseHeader(this.#input, end).contentType;
      else if (total > headerLength + maxCiphertextLength || !hasVersion(this.#input, end)) break;
      if (this.#input.length - end < total) break;
      end += total;
      count++;
      if (!applicationData) break;
    }
    if (count === 0) {
      this.#holdRest();
      return undefined;
    }
    const whole = start === 0 && end === this.#input.length;
    const run = { contentType, records: whole ? this.#input : this.#input.subarray(start, end), count };
    this.#offset = end;
    this.#last = { run, fromInput: true };
    return run;
  }

  /** Copies an incomplete record out of the chunk, which is the caller's again. */
  #holdRest(): void {
    const rest = this.#offset === this.#input.length ? noBytes : this.#input.subarray(this.#offset);
    this.#input = noBytes;
    this.#offset = 0;
    this.#last = undefined;
    if (rest.length === 0) this.#partial = noBytes;
    else this.#hold(rest, rest.length < headerLength ? headerLength : recordLength(rest, 0));
  }
}

function recordLength(bytes: Uint8Array, offset: number): number {
  return headerLength + (((bytes[offset + 3] ?? 0) << 8) | (bytes[offset + 4] ?? 0));
}

const noBytes = new Uint8Array(0);
