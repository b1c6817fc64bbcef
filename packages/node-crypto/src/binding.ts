/** The native addon as TypeScript sees it. Outputs are written into arrays that the caller brings, of exactly the right length. */
import type { AeadName, HashName, NamedGroupName, SignatureSchemeName } from 'tls13-core';

export interface Binding {
  /** Of the OpenSSL inside the running node. */
  readonly opensslVersion: string;
  /** The groups this OpenSSL has, among those of TLS 1.3 that this library knows. */
  readonly groups: readonly NamedGroupName[];
  readonly Aead: new (aead: AeadName, key: Uint8Array) => BoundAead;
  readonly RecordSealer: new () => BoundSealer;
  readonly RecordOpener: new () => BoundOpener;
  readonly BlockPool: new () => BoundBlockPool;
  readonly sha256: BoundHash;
  readonly sha384: BoundHash;
  /**
   * Fills `keyExchange` with its public half. Fresh, or of the private key that is given (elliptic curves only), which
   * throws TypeError if it is none.
   */
  readonly EphemeralKey: new (
    group: NamedGroupName,
    keyExchange: Uint8Array,
    privateKey?: Uint8Array,
  ) => BoundEphemeralKey;
  /** Fills `keyExchange` and `secret`; false if the peer's share is not valid. */
  encapsulate(group: NamedGroupName, peerKeyExchange: Uint8Array, keyExchange: Uint8Array, secret: Uint8Array): boolean;
  /** A private key, PKCS#8 DER. Throws TypeError when it is not readable. */
  readonly SigningKey: new (
    pkcs8: Uint8Array,
  ) => BoundSigningKey;
  /** DER; throws TypeError naming what is not readable. */
  readonly RootStore: new (
    roots: readonly Uint8Array[],
    revocationLists: readonly Uint8Array[],
  ) => BoundRootStore;
}

export interface BoundAead {
  seal(nonce: Uint8Array, associatedData: Uint8Array, plaintext: Uint8Array, out: Uint8Array): void;
  /** False, and `out` wiped, when it does not authenticate. */
  open(nonce: Uint8Array, associatedData: Uint8Array, sealed: Uint8Array, out: Uint8Array): boolean;
  destroy(): void;
}

/** To be started before anything else, and again when destroyed. */
export interface BoundProtector {
  start(aead: AeadName, key: Uint8Array, iv: Uint8Array, sequenceNumber: bigint): void;
  /** With the keys of the first record under a traffic secret (§7.3). */
  startOfSecret(aead: AeadName, hash: HashName, secret: Uint8Array): void;
  /** Wipes the key. */
  destroy(): void;
}

export interface BoundSealer extends BoundProtector {
  seal(contentType: number, content: Uint8Array, maxFragment: number, out: Uint8Array): void;
}

export interface BoundOpener extends BoundProtector {
  /**
   * `results` gets: records opened, bytes consumed, bytes of application data at the front of `out`, content type of the
   * last record if it was another (or 0) and its length (it follows in `out`), and why the next record did not open:
   * 0 not so, 1 bad_record_mac, 2 record_overflow, 3 unexpected_message.
   */
  open(records: Uint8Array, out: Uint8Array, results: Int32Array): void;
}

export interface BoundBlockPool {
  /** Uninitialised; its memory comes back when it is garbage. `undefined` when there is none of that length. */
  take(length: number): Buffer | undefined;
  /** Frees memory that was not needed since the last call. @returns the bytes that the pool still has, lent or free. */
  trim(): number;
}

export interface BoundHash {
  readonly length: number;
  /** Bytes of a running hash's state, which only these functions may write. */
  readonly stateLength: number;
  digest(data: Uint8Array, out: Uint8Array): void;
  hmac(key: Uint8Array, data: Uint8Array, out: Uint8Array): void;
  /** Fills `state`. */
  start(state: Uint8Array): void;
  update(state: Uint8Array, data: Uint8Array): void;
  /** The digest so far; `state` stays. */
  finish(state: Uint8Array, out: Uint8Array): void;
}

export interface BoundEphemeralKey {
  /** Fills `secret`; false if the peer's share is not valid. */
  derive(peerKeyExchange: Uint8Array, secret: Uint8Array): boolean;
  destroy(): void;
}

export interface BoundSigningKey {
  /** `out` begins with the signature then. @returns its length. By ECDSA and RSA-PSS alone. */
  sign(scheme: SignatureSchemeName, message: Uint8Array, out: Uint8Array): number;
}

export interface BoundRootStore {
  /** `host` and `address` may be empty; `time` is in seconds since 1970, negative for now. */
  verify(
    chain: readonly Uint8Array[],
    purpose: 'server' | 'client',
    host: string,
    address: string,
    time: number,
    depth: number,
    securityLevel: number,
  ): BoundVerdict;
}

export interface BoundVerdict {
  /** Of the last fault that OpenSSL meets when it goes on behind each; as `code` where there is one. */
  readonly lastCode: string;
  /** `OK`, `MALFORMED`, or OpenSSL's name of the first fault without its prefix. */
  readonly code: string;
  readonly reason: string;
  /** Of the certificate it is about; 0 is the leaf. */
  readonly depth: number;
  /** The chain that was built, leaf first; empty unless `OK`. */
  readonly chain: readonly Uint8Array[];
}
