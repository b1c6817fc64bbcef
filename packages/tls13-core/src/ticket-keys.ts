/**
 * The keys that protect what a server gives its clients to keep: tickets (§4.7.1) and cookies (§4.3.2). AES-256-GCM
 * under named keys: the newest seals, all of them open, and several processes may share them.
 */
import { equal } from './bytes.js';
import type { Protector } from './config/index.js';
import type { Aead, CryptoProvider } from './crypto/provider.js';

export interface TicketKeysOptions {
  /**
   * Keys to start with, newest first: 48 bytes each, a name of 16 bytes and a key of 32 (the length of node's
   * `ticketKeys`). Give every process the same ones and each opens the tickets of the others. Default: one random key.
   */
  readonly keys?: readonly Uint8Array[];
  /**
   * Seconds after which a new random key takes over. Default 43,200; never when `keys` is given, because then whoever
   * gave them rotates them, with `setKeys`.
   */
  readonly rotationInterval?: number;
  /**
   * Older keys that still open after a rotation. Default 2. A ticket is honoured for all of its lifetime when
   * `keep * rotationInterval` is at least that.
   */
  readonly keep?: number;
  /** Milliseconds since 1970. Default `Date.now`. */
  readonly now?: () => number;
}

export interface TicketKeys extends Protector {
  unprotect(sealed: Uint8Array): Uint8Array | undefined;
  /** A new random key seals from here on; the `keep` newest of the others still open. */
  rotate(): void;
  /** Replaces all keys, newest first, in the form of `TicketKeysOptions.keys`. Throws TypeError and changes nothing when one is malformed. */
  setKeys(keys: readonly Uint8Array[]): void;
  /** Copies of the keys in force, newest first, as `setKeys` takes them. Secret. */
  exportKeys(): Uint8Array[];
}

/** Bytes of one key's material: its name, then the AES key. */
export const ticketKeyLength = 48;

/** Throws TypeError or RangeError naming the option. */
export function createTicketKeys(provider: CryptoProvider, options: TicketKeysOptions = {}): TicketKeys {
  if (!provider.aeads.includes('aes-256-gcm')) {
    throw new TypeError(`ticket keys need aes-256-gcm, which provider ${provider.name} does not have`);
  }
  const { keep = 2, now = Date.now } = options;
  if (!Number.isInteger(keep) || keep < 0)
    throw new RangeError(`keep must be a whole number of at least 0, not ${keep}`);
  const interval = options.rotationInterval ?? (options.keys === undefined ? 43_200 : Number.POSITIVE_INFINITY);
  if (!(interval > 0)) throw new RangeError(`rotationInterval must be more than 0 seconds, not ${interval}`);
  return new RotatingKeys(provider, options.keys, interval * 1000, keep, now);
}

const nameLength = 16;
const nonceLength = 12;
/**
 * Random nonces under one key: NIST SP 800-38D §8.3 allows 2^32. The bound leaves room for sixteen processes that
 * share a key without knowing of each other.
 */
const sealsPerKey = 2 ** 28;

interface Key {
  readonly material: Uint8Array;
  readonly name: Uint8Array;
  readonly aead: Aead;
}

class RotatingKeys implements TicketKeys {
  readonly #provider: CryptoProvider;
  readonly #interval: number;
  readonly #keep: number;
  readonly #now: () => number;
  #newest: Key;
  #older: readonly Key[];
  #since: number;
  #seals = 0;

  constructor(
    provider: CryptoProvider,
    keys: readonly Uint8Array[] | undefined,
    interval: number,
    keep: number,
    now: () => number,
  ) {
    this.#provider = provider;
    this.#interval = interval;
    this.#keep = keep;
    this.#now = now;
    [this.#newest, ...this.#older] = this.#load(keys ?? [provider.random(ticketKeyLength)]);
    this.#since = now();
  }

  protect(state: Uint8Array): Uint8Array {
    this.#rotateInTime();
    if (this.#seals >= sealsPerKey) this.rotate();
    this.#seals += 1;
    const { name, aead } = this.#newest;
    const sealed = new Uint8Array(nameLength + nonceLength + state.length + aead.tagLength);
    sealed.set(name);
    sealed.set(this.#provider.random(nonceLength), nameLength);
    const nonce = sealed.subarray(nameLength, nameLength + nonceLength);
    const room = sealed.subarray(nameLength + nonceLength);
    const made = aead.seal(nonce, sealed.subarray(0, nameLength), state, room);
    if (made !== room) room.set(made);
    return sealed;
  }

  unprotect(sealed: Uint8Array): Uint8Array | undefined {
    this.#rotateInTime();
    if (sealed.length < nameLength + nonceLength + this.#newest.aead.tagLength) return undefined;
    const name = sealed.subarray(0, nameLength);
    const key = [this.#newest, ...this.#older].find((candidate) => equal(candidate.name, name));
    const nonce = sealed.subarray(nameLength, nameLength + nonceLength);
    return key?.aead.open(nonce, name, sealed.subarray(nameLength + nonceLength));
  }

  rotate(): void {
    this.#since = this.#now();
    this.#replace([this.#provider.random(ticketKeyLength), ...this.#materials().slice(0, this.#keep)]);
  }

  setKeys(keys: readonly Uint8Array[]): void {
    this.#replace(keys);
    this.#since = this.#now();
  }

  exportKeys(): Uint8Array[] {
    this.#rotateInTime();
    return this.#materials().map((material) => material.slice());
  }

  #materials(): Uint8Array[] {
    return [this.#newest, ...this.#older].map((key) => key.material);
  }

  /** No timer: whoever seals or opens after the time is up finds the new key, and the old ones gone that outlived theirs. */
  #rotateInTime(): void {
    const intervals = Math.floor((this.#now() - this.#since) / this.#interval);
    for (let done = 0; done < intervals && done <= this.#keep; done += 1) this.rotate();
  }

  #replace(materials: readonly Uint8Array[]): void {
    const [newest, ...older] = this.#load(materials);
    const replaced = [this.#newest, ...this.#older];
    if (!equal(newest.name, this.#newest.name)) this.#seals = 0;
    this.#newest = newest;
    this.#older = older;
    for (const key of replaced) {
      key.aead.destroy();
      key.material.fill(0);
    }
  }

  #load(materials: readonly Uint8Array[]): readonly [Key, ...Key[]] {
    for (const material of materials) {
      if (!(material instanceof Uint8Array) || material.length !== ticketKeyLength) {
        throw new TypeError(`a ticket key must be ${ticketKeyLength} bytes: 16 of name and 32 of key`);
      }
    }
    const [newest, ...older] = materials.map((given): Key => {
      const material = given.slice();
      const name = material.subarray(0, nameLength);
      return { material, name, aead: this.#provider.aead('aes-256-gcm', material.subarray(nameLength)) };
    });
    if (newest === undefined) throw new TypeError('ticket keys must hold at least one key');
    return [newest, ...older];
  }
}
