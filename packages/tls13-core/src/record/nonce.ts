/** The per-record nonce (§5.3): the sequence number, in network byte order, XORed into the end of the iv. */
import { ivLength } from '../crypto/suites.js';

/**
 * The sequence numbers of one direction under one key, and their nonces. They are exact integers: a key is replaced
 * long before 2^53 (§5.5), and `next` throws RangeError rather than ever wrap.
 */
export class NonceSequence {
  readonly #iv: Uint8Array;
  readonly #nonce = new Uint8Array(ivLength);
  #sequenceNumber: number;

  constructor(iv: Uint8Array, sequenceNumber: bigint) {
    if (iv.length !== ivLength) throw new RangeError(`an iv has ${ivLength} bytes, not ${iv.length}`);
    if (sequenceNumber < 0n || sequenceNumber > BigInt(Number.MAX_SAFE_INTEGER)) {
      throw new RangeError(`a record sequence number lies from 0 to 2^53 - 1, and ${sequenceNumber} does not`);
    }
    this.#iv = iv.slice();
    this.#sequenceNumber = Number(sequenceNumber);
  }

  /** Of the next record. */
  get sequenceNumber(): number {
    return this.#sequenceNumber;
  }

  /** The nonce of the next record: a view that the next call overwrites. */
  nonce(): Uint8Array {
    if (this.#sequenceNumber >= Number.MAX_SAFE_INTEGER) {
      throw new RangeError('the record sequence numbers of this key are used up: update the key');
    }
    this.#nonce.set(this.#iv);
    let rest = this.#sequenceNumber;
    for (let index = ivLength - 1; rest > 0; index--) {
      this.#nonce[index] = (this.#nonce[index] ?? 0) ^ (rest & 0xff);
      rest = Math.floor(rest / 256);
    }
    return this.#nonce;
  }

  /** Counts the record that `nonce` was for. */
  advance(): void {
    this.#sequenceNumber++;
  }

  destroy(): void {
    this.#iv.fill(0);
    this.#nonce.fill(0);
  }
}
