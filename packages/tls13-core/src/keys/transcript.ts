/** The transcript hash (§4.1) as a value: a name for "everything up to this message". */
import type { Hash, RunningHash } from '../crypto/provider.js';
import { handshakeTypes } from '../registry.js';

export class Transcript {
  readonly hash: Hash;
  readonly #running: RunningHash;
  #digest: Uint8Array | undefined;

  private constructor(hash: Hash, running: RunningHash) {
    this.hash = hash;
    this.#running = running;
  }

  /** The transcript of no message. */
  static start(hash: Hash): Transcript {
    return new Transcript(hash, hash.start());
  }

  /**
   * The transcript a server that kept no state goes on with after HelloRetryRequest: it begins with the synthetic
   * message_hash over the hash of ClientHello1, as a cookie carried it (§4.1).
   */
  static fromClientHello1Hash(hash: Hash, clientHello1Hash: Uint8Array): Transcript {
    if (clientHello1Hash.length !== hash.length) {
      throw new RangeError(
        `a ${hash.name} hash of ClientHello1 has ${hash.length} bytes, not ${clientHello1Hash.length}`,
      );
    }
    const message = new Uint8Array(4 + hash.length);
    message[0] = handshakeTypes.message_hash;
    message[3] = hash.length;
    message.set(clientHello1Hash, 4);
    return Transcript.start(hash).append(message);
  }

  /** The transcript with one more handshake message (header included); this one stays as it is. */
  append(message: Uint8Array): Transcript {
    const running = this.#running.copy();
    running.update(message);
    return new Transcript(this.hash, running);
  }

  /** Transcript-Hash of the messages so far. The bytes belong to the transcript: do not write to them. */
  digest(): Uint8Array {
    this.#digest ??= this.#running.digest();
    return this.#digest;
  }

  /** For a transcript that holds ClientHello1 alone: the one that replaces it by message_hash on HelloRetryRequest (§4.1). */
  messageHash(): Transcript {
    return Transcript.fromClientHello1Hash(this.hash, this.digest());
  }
}
