/** The crypto provider over the native addon; what a native call would not make faster is node:crypto's. */
import type {
  Aead,
  AeadName,
  CryptoProvider,
  Encapsulation,
  EphemeralKey,
  Hash,
  HashName,
  NamedGroupName,
  RunningHash,
} from 'tls13-core';
import type { Binding, BoundAead, BoundEphemeralKey, BoundHash } from './binding.js';
import { type KeyExchange, kemKeyExchange, shareLengths } from './groups.js';
import { nativeRecordProtection } from './native-records.js';
import { certificateKey, pkcs8Signer, publicKey } from './public-keys.js';
import { randomBytes } from './randomness.js';
import { outside, roomOutside } from './room.js';
import { verifiableSchemes } from './schemes.js';

export const allAeads: readonly AeadName[] = [
  'aes-128-gcm',
  'aes-256-gcm',
  'chacha20-poly1305',
  'aes-128-ccm',
  'aes-128-ccm-8',
];

export function providerOver(binding: Binding): CryptoProvider {
  const hashes: Readonly<Record<HashName, Hash>> = {
    sha256: new NativeHash('sha256', binding.sha256),
    sha384: new NativeHash('sha384', binding.sha384),
  };
  const native = nativeKeyExchange(binding);
  const kem = kemKeyExchange(native);
  const keyExchange = (group: NamedGroupName) => (binding.groups.includes(group) ? native : kem);
  return {
    name: 'native',
    aeads: allAeads,
    groups: preferredGroups(binding.groups),
    signatureSchemes: verifiableSchemes,
    random: randomBytes,
    hash: (name) => hashes[name],
    aead: (name, key) => new NativeAead(binding, name, key),
    recordProtection: nativeRecordProtection(binding),
    generateKeyShare: (group) => keyExchange(group).generateKeyShare(group),
    importKeyShare: (group, privateKey) => new NativeEphemeralKey(binding, group, privateKey),
    encapsulate: (group, peerKeyExchange) => keyExchange(group).encapsulate(group, peerKeyExchange),
    certificateKey,
    publicKey,
    signer: pkcs8Signer,
  };
}

/** The hybrids come first where they cost as little as a curve does, and behind X25519 where JavaScript computes them. */
function preferredGroups(native: readonly NamedGroupName[]): readonly NamedGroupName[] {
  return native.includes('X25519MLKEM768') ? [...hybrids, 'x25519', ...curves, ...pure] : groupsWithoutMlKem;
}

const hybrids: readonly NamedGroupName[] = ['X25519MLKEM768', 'SecP256r1MLKEM768', 'SecP384r1MLKEM1024'];
const pure: readonly NamedGroupName[] = ['MLKEM768', 'MLKEM1024'];
const curves: readonly NamedGroupName[] = ['secp256r1', 'secp384r1', 'secp521r1', 'x448'];
export const groupsWithoutMlKem: readonly NamedGroupName[] = ['x25519', ...hybrids, ...curves, ...pure];

function nativeKeyExchange(binding: Binding): KeyExchange {
  const rooms = new Map(
    binding.groups.map((group) => {
      const { server, secret } = shareLengths[group];
      return [group, { keyExchange: roomOutside(server), secret: roomOutside(secret) }];
    }),
  );
  return {
    generateKeyShare: (group) => new NativeEphemeralKey(binding, group),
    encapsulate(group, peerKeyExchange): Encapsulation | undefined {
      const room = rooms.get(group);
      if (room === undefined) throw new RangeError(`this OpenSSL has no group ${group}`);
      const { keyExchange, secret } = room;
      if (!binding.encapsulate(group, peerKeyExchange, keyExchange, secret)) return undefined;
      const sharedSecret = secret.slice();
      secret.fill(0);
      return { keyExchange: keyExchange.slice(), sharedSecret };
    },
  };
}

class NativeEphemeralKey implements EphemeralKey {
  readonly group: NamedGroupName;
  readonly keyExchange: Uint8Array;
  readonly #native: BoundEphemeralKey;

  constructor(binding: Binding, group: NamedGroupName, privateKey?: Uint8Array) {
    this.group = group;
    this.keyExchange = new Uint8Array(shareLengths[group].client);
    this.#native =
      privateKey === undefined
        ? new binding.EphemeralKey(group, this.keyExchange)
        : new binding.EphemeralKey(group, this.keyExchange, privateKey);
  }

  decapsulate(peerKeyExchange: Uint8Array): Uint8Array | undefined {
    const secret = new Uint8Array(shareLengths[this.group].secret);
    return this.#native.derive(peerKeyExchange, secret) ? secret : undefined;
  }

  destroy(): void {
    this.#native.destroy();
  }
}

class NativeHash implements Hash {
  readonly name: HashName;
  readonly length: number;
  readonly #native: BoundHash;
  readonly #states: States;
  readonly #key: Uint8Array;
  readonly #data: Uint8Array;
  readonly #out: Uint8Array;

  constructor(name: HashName, native: BoundHash) {
    this.name = name;
    this.length = native.length;
    this.#native = native;
    this.#states = new States(native.stateLength);
    this.#key = roomOutside(native.length);
    this.#data = roomOutside(native.length);
    this.#out = roomOutside(native.length);
  }

  digest(data: Uint8Array): Uint8Array {
    this.#native.digest(outside(data), this.#out);
    return this.#out.slice();
  }

  start(): RunningHash {
    const state = this.#states.take();
    this.#native.start(state);
    return new NativeRunningHash(this.#native, this.#states, state, this.#out);
  }

  hmac(key: Uint8Array, data: Uint8Array): Uint8Array {
    // Secrets and digests have the length of the hash: nearly every key, and the data of a Finished.
    const short = key.length === this.length;
    if (short) this.#key.set(key);
    const digest = data.length === this.length;
    if (digest) this.#data.set(data);
    this.#native.hmac(short ? this.#key : key, digest ? this.#data : data, this.#out);
    if (short) this.#key.fill(0);
    if (digest) this.#data.fill(0);
    const code = this.#out.slice();
    this.#out.fill(0);
    return code;
  }
}

/** Memory for the states of running hashes, many in one piece: each by itself would have the system's allocator called for it. */
class States {
  readonly #length: number;
  #piece = new Uint8Array(0);
  #taken = 0;

  /** @param length bytes of one. */
  constructor(length: number) {
    this.#length = length;
  }

  take(): Uint8Array {
    const start = this.#taken;
    const end = start + this.#length;
    if (end > this.#piece.length) {
      this.#piece = new Uint8Array(statesTogether * this.#length);
      this.#taken = 0;
      return this.take();
    }
    this.#taken = end;
    return this.#piece.subarray(start, end);
  }
}

/** Those of a few handshakes: they are garbage together. */
const statesTogether = 32;

class NativeRunningHash implements RunningHash {
  readonly #native: BoundHash;
  readonly #states: States;
  readonly #state: Uint8Array;
  readonly #out: Uint8Array;

  constructor(native: BoundHash, states: States, state: Uint8Array, out: Uint8Array) {
    this.#native = native;
    this.#states = states;
    this.#state = state;
    this.#out = out;
  }

  update(data: Uint8Array): void {
    this.#native.update(this.#state, outside(data));
  }

  copy(): RunningHash {
    const state = this.#states.take();
    state.set(this.#state);
    return new NativeRunningHash(this.#native, this.#states, state, this.#out);
  }

  digest(): Uint8Array {
    this.#native.finish(this.#state, this.#out);
    return this.#out.slice();
  }
}

class NativeAead implements Aead {
  readonly tagLength: number;
  readonly #native: BoundAead;

  constructor(binding: Binding, name: AeadName, key: Uint8Array) {
    this.tagLength = name === 'aes-128-ccm-8' ? 8 : 16;
    this.#native = new binding.Aead(name, key);
  }

  seal(
    nonce: Uint8Array,
    associatedData: Uint8Array,
    plaintext: Uint8Array,
    sealed = new Uint8Array(plaintext.length + this.tagLength),
  ): Uint8Array {
    this.#native.seal(nonce, associatedData, plaintext, sealed);
    return sealed;
  }

  open(nonce: Uint8Array, associatedData: Uint8Array, sealed: Uint8Array): Uint8Array | undefined {
    if (sealed.length < this.tagLength) return undefined;
    const plaintext = new Uint8Array(sealed.length - this.tagLength);
    return this.#native.open(nonce, associatedData, sealed, plaintext) ? plaintext : undefined;
  }

  destroy(): void {
    this.#native.destroy();
  }
}
