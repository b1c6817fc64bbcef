/** HPKE in base mode (RFC 9180) over a provider's key exchange, hashes and AEADs. */
import { concat } from '../bytes.js';
import {
  type HpkeAeadName,
  type HpkeKdfName,
  type HpkeKemName,
  hpkeAeads,
  hpkeKdfs,
  hpkeKems,
  type NamedGroupName,
} from '../registry.js';
import { hkdfExpand, hkdfExtract } from './hkdf.js';
import type { Aead, AeadName, CryptoProvider, EphemeralKey, Hash, HashName } from './provider.js';

/** KEM, KDF and AEAD (RFC 9180 §7). */
export interface HpkeSuite {
  readonly kem: HpkeKemName;
  readonly kdf: HpkeKdfName;
  readonly aead: HpkeAeadName;
}

/** Encrypts message after message to one recipient (§5.2). */
export interface HpkeSender {
  /** The encapsulated key, which the recipient needs. */
  readonly enc: Uint8Array;
  /** Bytes by which a ciphertext is longer than its plaintext. */
  readonly overhead: number;
  seal(associatedData: Uint8Array, plaintext: Uint8Array): Uint8Array;
  /** Export(exporter_context, L) of §5.3. */
  export(exporterContext: Uint8Array, length: number): Uint8Array;
  destroy(): void;
}

/** Opens what one sender sealed, in the same order (§5.2). */
export interface HpkeRecipient {
  /** The plaintext, or `undefined` when it does not authenticate: then the next call is about the same message still. */
  open(associatedData: Uint8Array, ciphertext: Uint8Array): Uint8Array | undefined;
  export(exporterContext: Uint8Array, length: number): Uint8Array;
  destroy(): void;
}

/** SetupBaseS (§5.1.1); `undefined` if the recipient's public key is not valid. */
export function hpkeSender(
  provider: CryptoProvider,
  suite: HpkeSuite,
  publicKey: Uint8Array,
  info: Uint8Array,
): HpkeSender | undefined {
  const encapsulation = provider.encapsulate(kems[suite.kem].group, publicKey);
  if (encapsulation === undefined) return undefined;
  const { keyExchange: enc, sharedSecret: dh } = encapsulation;
  return senderOf(provider, suite, { enc, publicKey, dh }, info);
}

/** SetupBaseS with the ephemeral key given, which makes it repeatable. */
export function hpkeSenderWith(
  provider: CryptoProvider,
  suite: HpkeSuite,
  ephemeral: EphemeralKey,
  publicKey: Uint8Array,
  info: Uint8Array,
): HpkeSender | undefined {
  const dh = ephemeral.decapsulate(publicKey);
  return dh && senderOf(provider, suite, { enc: ephemeral.keyExchange, publicKey, dh }, info);
}

/** SetupBaseR (§5.1.1); `undefined` if `enc` is not valid. */
export function hpkeRecipient(
  provider: CryptoProvider,
  suite: HpkeSuite,
  privateKey: EphemeralKey,
  enc: Uint8Array,
  info: Uint8Array,
): HpkeRecipient | undefined {
  const dh = privateKey.decapsulate(enc);
  if (dh === undefined) return undefined;
  const context = new Context(provider, suite, { enc, publicKey: privateKey.keyExchange, dh }, info);
  return {
    open: (associatedData, ciphertext) => context.open(associatedData, ciphertext),
    export: (exporterContext, length) => context.export(exporterContext, length),
    destroy: () => context.destroy(),
  };
}

/** The group that a KEM's keys are of. */
export function kemGroup(kem: HpkeKemName): NamedGroupName {
  return kems[kem].group;
}

/** Whether a provider has what a suite needs. */
export function hasHpkeSuite(provider: CryptoProvider, { kem, aead }: HpkeSuite): boolean {
  return provider.groups.includes(kems[kem].group) && provider.aeads.includes(aeads[aead].name);
}

const kems = {
  DHKEM_P256_HKDF_SHA256: { group: 'secp256r1', hash: 'sha256' },
  DHKEM_P384_HKDF_SHA384: { group: 'secp384r1', hash: 'sha384' },
  DHKEM_X25519_HKDF_SHA256: { group: 'x25519', hash: 'sha256' },
} as const satisfies Record<HpkeKemName, { readonly group: NamedGroupName; readonly hash: HashName }>;

const kdfs = { HKDF_SHA256: 'sha256', HKDF_SHA384: 'sha384' } as const satisfies Record<HpkeKdfName, HashName>;

const aeads = {
  AES_128_GCM: { name: 'aes-128-gcm', keyLength: 16 },
  AES_256_GCM: { name: 'aes-256-gcm', keyLength: 32 },
  ChaCha20Poly1305: { name: 'chacha20-poly1305', keyLength: 32 },
} as const satisfies Record<HpkeAeadName, { readonly name: AeadName; readonly keyLength: number }>;

const nonceLength = 12;
const baseMode = 0;
const noBytes = new Uint8Array(0);

/** What encapsulation settled: `dh` is wiped once it has been used. */
interface Encapsulated {
  readonly enc: Uint8Array;
  /** The recipient's. */
  readonly publicKey: Uint8Array;
  readonly dh: Uint8Array;
}

function senderOf(
  provider: CryptoProvider,
  suite: HpkeSuite,
  encapsulated: Encapsulated,
  info: Uint8Array,
): HpkeSender {
  const context = new Context(provider, suite, encapsulated, info);
  return {
    enc: encapsulated.enc,
    overhead: context.overhead,
    seal: (associatedData, plaintext) => context.seal(associatedData, plaintext),
    export: (exporterContext, length) => context.export(exporterContext, length),
    destroy: () => context.destroy(),
  };
}

/** The encryption context (§5.1, §5.2): the key schedule's outcome and a sequence number. */
class Context {
  readonly #aead: Aead;
  readonly #baseNonce: Uint8Array;
  readonly #exporterSecret: Uint8Array;
  readonly #labeled: Labeled;
  #sequenceNumber = 0;

  constructor(provider: CryptoProvider, suite: HpkeSuite, encapsulated: Encapsulated, info: Uint8Array) {
    const { name, keyLength } = aeads[suite.aead];
    const labeled = new Labeled(provider.hash(kdfs[suite.kdf]), suiteId(suite));
    const sharedSecret = kemSharedSecret(provider, suite.kem, encapsulated);
    const context = concat(
      Uint8Array.of(baseMode),
      labeled.extract(noBytes, 'psk_id_hash', noBytes),
      labeled.extract(noBytes, 'info_hash', info),
    );
    const secret = labeled.extract(sharedSecret, 'secret', noBytes);
    const key = labeled.expand(secret, 'key', context, keyLength);
    this.#aead = provider.aead(name, key);
    this.#baseNonce = labeled.expand(secret, 'base_nonce', context, nonceLength);
    this.#exporterSecret = labeled.expand(secret, 'exp', context, labeled.hash.length);
    this.#labeled = labeled;
    for (const bytes of [sharedSecret, secret, key]) bytes.fill(0);
  }

  get overhead(): number {
    return this.#aead.tagLength;
  }

  seal(associatedData: Uint8Array, plaintext: Uint8Array): Uint8Array {
    const ciphertext = this.#aead.seal(this.#nonce(), associatedData, plaintext);
    this.#sequenceNumber++;
    return ciphertext;
  }

  open(associatedData: Uint8Array, ciphertext: Uint8Array): Uint8Array | undefined {
    const plaintext = this.#aead.open(this.#nonce(), associatedData, ciphertext);
    if (plaintext !== undefined) this.#sequenceNumber++;
    return plaintext;
  }

  export(exporterContext: Uint8Array, length: number): Uint8Array {
    return this.#labeled.expand(this.#exporterSecret, 'sec', exporterContext, length);
  }

  destroy(): void {
    this.#aead.destroy();
    this.#baseNonce.fill(0);
    this.#exporterSecret.fill(0);
  }

  /** ComputeNonce (§5.2). What is sealed here is a message or two: four bytes are more than enough. */
  #nonce(): Uint8Array {
    if (this.#sequenceNumber >= 2 ** 32) throw new RangeError('an HPKE context seals at most 2^32 messages here');
    const nonce = this.#baseNonce.slice();
    const view = new DataView(nonce.buffer);
    view.setUint32(nonceLength - 4, (view.getUint32(nonceLength - 4) ^ this.#sequenceNumber) >>> 0);
    return nonce;
  }
}

/** ExtractAndExpand of DHKEM (§4.1). */
function kemSharedSecret(provider: CryptoProvider, kem: HpkeKemName, { enc, publicKey, dh }: Encapsulated): Uint8Array {
  const hash = provider.hash(kems[kem].hash);
  const labeled = new Labeled(hash, concat(ascii('KEM'), twoBytes(hpkeKems[kem])));
  const extracted = labeled.extract(noBytes, 'eae_prk', dh);
  const sharedSecret = labeled.expand(extracted, 'shared_secret', concat(enc, publicKey), hash.length);
  extracted.fill(0);
  dh.fill(0);
  return sharedSecret;
}

/** LabeledExtract and LabeledExpand (§4) under one suite_id. */
class Labeled {
  readonly hash: Hash;
  readonly #suiteId: Uint8Array;

  constructor(hash: Hash, id: Uint8Array) {
    this.hash = hash;
    this.#suiteId = id;
  }

  extract(salt: Uint8Array, label: string, inputKeyingMaterial: Uint8Array): Uint8Array {
    const labeled = concat(version, this.#suiteId, ascii(label), inputKeyingMaterial);
    const extracted = hkdfExtract(this.hash, salt, labeled);
    labeled.fill(0);
    return extracted;
  }

  expand(secret: Uint8Array, label: string, info: Uint8Array, length: number): Uint8Array {
    return hkdfExpand(this.hash, secret, concat(twoBytes(length), version, this.#suiteId, ascii(label), info), length);
  }
}

function suiteId({ kem, kdf, aead }: HpkeSuite): Uint8Array {
  return concat(ascii('HPKE'), twoBytes(hpkeKems[kem]), twoBytes(hpkeKdfs[kdf]), twoBytes(hpkeAeads[aead]));
}

function twoBytes(value: number): Uint8Array {
  return Uint8Array.of(value >> 8, value & 0xff);
}

function ascii(text: string): Uint8Array {
  return Uint8Array.from(text, (character) => character.charCodeAt(0));
}

const version = ascii('HPKE-v1');
