/**
 * What the protocol needs of cryptography, as interfaces: a provider is passed in, so that the same engine runs on
 * portable JavaScript and on a platform's native code. Everything here is synchronous except a signer, which may be
 * an HSM, a KMS or another process.
 */
import type { AlertName } from '../alert.js';
import type { Awaitable } from '../awaitable.js';
import type { NamedGroupName, SignatureSchemeName } from '../registry.js';

export type HashName = 'sha256' | 'sha384';

export type AeadName = 'aes-128-gcm' | 'aes-256-gcm' | 'chacha20-poly1305' | 'aes-128-ccm' | 'aes-128-ccm-8';

export interface CryptoProvider {
  /** For people and logs, e.g. `noble`, `native`, `node`. */
  readonly name: string;
  readonly aeads: readonly AeadName[];
  /** Groups it can agree keys in, best first. */
  readonly groups: readonly NamedGroupName[];
  /** Schemes it can verify, best first. */
  readonly signatureSchemes: readonly SignatureSchemeName[];
  /** `length` bytes from a cryptographically secure source (§C.1). */
  random(length: number): Uint8Array;
  hash(name: HashName): Hash;
  /** One AEAD key, for tickets, cookies and portable records. Throws RangeError on a key of the wrong length. */
  aead(name: AeadName, key: Uint8Array): Aead;
  /** The provider's own batched record protection, where it has one; otherwise the core builds it from `aead`. */
  readonly recordProtection?: RecordProtection;
  /** A fresh ephemeral key, the client's half of a key exchange (§4.3.8). */
  generateKeyShare(group: NamedGroupName): EphemeralKey;
  /**
   * The half of a key exchange whose private key is given, as HPKE needs it (RFC 9180 §7.1): for X25519 its 32 bytes, for
   * a NIST curve the scalar, as long as the curve's field. `privateKey` is copied. Throws TypeError for one that is none,
   * and for a group that is no elliptic curve.
   */
  importKeyShare(group: NamedGroupName, privateKey: Uint8Array): EphemeralKey;
  /** The server's half: its own share and the shared secret, or `undefined` if the peer's share is not valid (§4.3.8.2, §7.4.2). */
  encapsulate(group: NamedGroupName, peerKeyExchange: Uint8Array): Encapsulation | undefined;
  /**
   * The key of a DER certificate, to verify a CertificateVerify with. No chain is verified here.
   * Throws TlsError `bad_certificate` or `unsupported_certificate`.
   */
  certificateKey(certificate: Uint8Array): PublicKey;
  /**
   * A key that comes without a certificate, as a DER SubjectPublicKeyInfo: a raw public key (RFC 7250), or the key of a
   * delegated credential (RFC 9345). Throws TlsError `bad_certificate` or `unsupported_certificate`.
   */
  publicKey(subjectPublicKeyInfo: Uint8Array): PublicKey;
  /** A signer over a PKCS#8 DER private key. Throws TypeError with a sentence when the provider cannot sign with such a key. */
  signer(pkcs8: Uint8Array): Signer;
}

export interface Hash {
  readonly name: HashName;
  /** Bytes of a digest. */
  readonly length: number;
  digest(data: Uint8Array): Uint8Array;
  /** A running hash, empty. */
  start(): RunningHash;
  hmac(key: Uint8Array, data: Uint8Array): Uint8Array;
}

export interface RunningHash {
  update(data: Uint8Array): void;
  /** An independent copy of the state so far. */
  copy(): RunningHash;
  /** The digest of everything so far; the running hash may go on. */
  digest(): Uint8Array;
}

export interface Aead {
  readonly tagLength: number;
  /**
   * Ciphertext followed by tag. `room` is of exactly that length and may be what is returned, to save memory of its own; it may
   * begin with the plaintext.
   */
  seal(nonce: Uint8Array, associatedData: Uint8Array, plaintext: Uint8Array, room?: Uint8Array): Uint8Array;
  /** The plaintext, or `undefined` when it does not authenticate. */
  open(nonce: Uint8Array, associatedData: Uint8Array, sealed: Uint8Array): Uint8Array | undefined;
  /** Wipes what can be wiped. The object must not be used afterwards. */
  destroy(): void;
}

/** One direction's keys as they leave for somebody else to seal or open records with (§7.3). */
export interface TrafficKeys {
  readonly aead: AeadName;
  readonly key: Uint8Array;
  /** 12 bytes. */
  readonly iv: Uint8Array;
  /** Of the next record. */
  readonly sequenceNumber: bigint;
}

export interface RecordProtection {
  sealer(keys: TrafficKeys): RecordSealer;
  opener(keys: TrafficKeys): RecordOpener;
  /**
   * The same for the first record under a traffic secret, where the provider derives the keys (§7.3) itself: they never
   * are JavaScript's then. The secret is left as it is.
   */
  readonly ofSecret?: {
    sealer(aead: AeadName, hash: HashName, secret: Uint8Array): RecordSealer;
    opener(aead: AeadName, hash: HashName, secret: Uint8Array): RecordOpener;
  };
}

/** Protects one direction's records under one key (§5.2). */
export interface RecordSealer {
  /** Of the next record. */
  readonly sequenceNumber: number;
  /**
   * The content as whole TLSCiphertext records of at most `maxFragment` bytes of content each, one after another.
   * Empty content makes one empty record. The result is the caller's until it is written.
   */
  seal(contentType: number, content: Uint8Array, maxFragment: number): Uint8Array;
  destroy(): void;
}

/** Opens one direction's records under one key (§5.2). */
export interface RecordOpener {
  /** Of the next record. */
  readonly sequenceNumber: number;
  /**
   * Opens whole TLSCiphertext records from the front of `records` until one has been opened that holds no application
   * data (it is the last fragment: keys may change behind it), none is left, or one fails.
   */
  open(records: Uint8Array): OpenedRecords;
  destroy(): void;
}

export interface OpenedRecords {
  /** In order; neighbouring application data may come merged into one fragment. The memory is the caller's. */
  readonly fragments: readonly Fragment[];
  /** Number of records opened. */
  readonly count: number;
  /** Bytes of `records` that were opened. */
  readonly consumed: number;
  /** Why the record after those did not open: `bad_record_mac`, `record_overflow` or `unexpected_message` (§5.2, §5.4). */
  readonly failure: AlertName | undefined;
}

/** The inside of a record: TLSInnerPlaintext without its padding. */
export interface Fragment {
  readonly contentType: number;
  readonly content: Uint8Array;
}

export interface EphemeralKey {
  readonly group: NamedGroupName;
  /** As it goes into KeyShareEntry.key_exchange. */
  readonly keyExchange: Uint8Array;
  /** The shared secret, or `undefined` if the peer's share is not valid. */
  decapsulate(peerKeyExchange: Uint8Array): Uint8Array | undefined;
  destroy(): void;
}

export interface Encapsulation {
  readonly keyExchange: Uint8Array;
  readonly sharedSecret: Uint8Array;
}

export interface PublicKey {
  /** The signature schemes that §4.3.3 allows with this very key (curve and RSA key type included). */
  readonly schemes: readonly SignatureSchemeName[];
  verify(scheme: SignatureSchemeName, message: Uint8Array, signature: Uint8Array): boolean;
}

export interface Signer {
  /** Best first. */
  readonly schemes: readonly SignatureSchemeName[];
  sign(scheme: SignatureSchemeName, message: Uint8Array): Awaitable<Uint8Array>;
}
