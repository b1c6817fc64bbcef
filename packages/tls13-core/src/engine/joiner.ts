/** Joins handshake fragments into whole messages (§5.1): a message may span records, and a record may hold several. */
import { TlsError } from '../alert.js';
import { concat } from '../bytes.js';

const headerLength = 4;

export class HandshakeJoiner {
  readonly #limit: number;
  #held: Uint8Array = new Uint8Array(0);

  /** @param limit bytes of one message, header included. */
  constructor(limit: number) {
    this.#limit = limit;
  }

  /** Whether part of a message is held: no other content may come now, and no key may change. */
  get midMessage(): boolean {
    return this.#held.length > 0;
  }

  push(fragment: Uint8Array): void {
    this.#held = this.#held.length === 0 ? fragment.slice() : concat(this.#held, fragment);
  }

  /** The next whole message with its header; throws TlsError when the peer announces one over the limit. */
  next(): Uint8Array | undefined {
    const [, high, middle, low] = this.#held;
    if (high === undefined || middle === undefined || low === undefined) return undefined;
    const length = headerLength + ((high << 16) | (middle << 8) | low);
    if (length > this.#limit) {
      throw new TlsError(
        'illegal_parameter',
        `handshake message of ${length} bytes; at most ${this.#limit} are accepted`,
      );
    }
    if (this.#held.length < length) return undefined;
    const message = this.#held.subarray(0, length);
    this.#held = this.#held.subarray(length);
    return message;
  }
}
