/** Joins handshake fragments into whole messages (§5.1): a message may span records, and a record may hold several. */
import { TlsError } from '../alert.js';
import { handshakeTypes, nameOf } from '../registry.js';

const headerLength = 4;

export class HandshakeJoiner {
  readonly #limit: number;
  /** Written once and never moved: messages that were handed out are views of it. */
  #buffer: Uint8Array = noBytes;
  #start = 0;
  #end = 0;

  /** @param limit bytes of one message, header included. */
  constructor(limit: number) {
    this.#limit = limit;
  }

  /** Whether part of a message is held: no other content may come now, and no key may change. */
  get midMessage(): boolean {
    return this.#end > this.#start;
  }

  push(fragment: Uint8Array): void {
    if (this.#end + fragment.length > this.#buffer.length) this.#makeRoom(fragment.length);
    this.#buffer.set(fragment, this.#end);
    this.#end += fragment.length;
  }

  /**
   * The next whole message with its header. Throws TlsError when the peer announces one over the limit, and when more
   * handshake data came in the record of a message that a key change may follow (§5.1).
   */
  next(): Uint8Array | undefined {
    const held = this.#end - this.#start;
    if (held < headerLength) return undefined;
    const start = this.#start;
    const length =
      headerLength + ((this.#byte(start + 1) << 16) | (this.#byte(start + 2) << 8) | this.#byte(start + 3));
    if (length > this.#limit) {
      throw new TlsError(
        'illegal_parameter',
        `handshake message of ${length} bytes; at most ${this.#limit} are accepted`,
      );
    }
    if (held < length) return undefined;
    this.#start += length;
    const type = this.#byte(start);
    if (this.midMessage && endsItsRecord.has(type)) {
      const name = nameOf(handshakeTypes, type);
      throw new TlsError('unexpected_message', `handshake data behind a message that ends its record, ${name} (§5.1)`);
    }
    const buffer = this.#buffer;
    if (!this.midMessage) this.#forget();
    // Most messages come alone.
    return length === buffer.length ? buffer : buffer.subarray(start, start + length);
  }

  /** Nothing is held, and a connection may be idle for long. */
  #forget(): void {
    this.#buffer = noBytes;
    this.#start = 0;
    this.#end = 0;
  }

  #byte(index: number): number {
    return this.#buffer[index] ?? 0;
  }

  /** Twice what is held, so that a message in records of one byte each is not copied once for every record. */
  #makeRoom(length: number): void {
    const held = this.#buffer.subarray(this.#start, this.#end);
    this.#buffer = new Uint8Array(held.length === 0 ? length : 2 * (held.length + length));
    this.#buffer.set(held);
    this.#start = 0;
    this.#end = held.length;
  }
}

const noBytes = new Uint8Array(0);

const endsItsRecord: ReadonlySet<number> = new Set([
  handshakeTypes.client_hello,
  handshakeTypes.server_hello,
  handshakeTypes.end_of_early_data,
  handshakeTypes.finished,
  handshakeTypes.key_update,
]);
