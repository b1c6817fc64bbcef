/** A server's ECH keys (RFC 9849 §7.1): configs with their private keys, which may be replaced while the server runs. */
import { TlsError } from '../alert.js';
import { equal } from '../bytes.js';
import { type HpkeRecipient, hpkeRecipient, kemGroup } from '../crypto/hpke.js';
import type { CryptoProvider, EphemeralKey } from '../crypto/provider.js';
import { hpkeKems, knownName } from '../registry.js';
import { decodeEchConfig, type EchClientHelloOuter, type EchConfigContents, encodeEchConfigList } from '../wire/ech.js';
import { hpkeInfo, isMandatory, isPublicName, isReserved, supportedSuite } from './config.js';

/** One config and the key that opens what is encrypted to it. */
export interface EchKey {
  /** One ECHConfig (not a list), as it is published. */
  readonly config: Uint8Array;
  /** Of the KEM: for X25519 its 32 bytes, for P-256 the scalar. */
  readonly privateKey: Uint8Array;
  /**
   * Whether clients whose ECH this server cannot open are told of this config. `false` for a key that is on its way out:
   * what is encrypted to it is still opened. Default true.
   */
  readonly retry?: boolean;
}

/** The keys in force, from `createEchKeys`. */
export interface EchKeys {
  /** The ECHConfigList that clients get whose ECH cannot be opened. */
  readonly retryConfigs: Uint8Array;
  /**
   * New keys for connections to come: publish a new config, keep the old key with `retry: false` for as long as DNS answers
   * with the old config live, then leave it out. Throws TypeError as `createEchKeys`.
   */
  replace(keys: readonly EchKey[]): void;
}

/** Throws TypeError with a sentence for a config that this server could not honour, and for a key that is not its key. */
export function createEchKeys(provider: CryptoProvider, keys: readonly EchKey[]): EchKeys {
  return new KeySet(provider, keys);
}

/** The keys behind what `createEchKeys` gave. Throws TypeError for anything else. */
export function echKeySet(keys: EchKeys): EchKeySet {
  if (!(keys instanceof KeySet)) throw new TypeError('ech.keys must come from createEchKeys()');
  return keys;
}

/** What the handshake asks. */
export interface EchKeySet {
  readonly retryConfigs: Uint8Array;
  /** What opens the payload, and what it opened to; `undefined` when no key does. */
  open(
    extension: EchClientHelloOuter,
    associatedData: Uint8Array,
  ): { readonly recipient: HpkeRecipient; readonly encoded: Uint8Array } | undefined;
}

/** Keys of one config_id that are tried on one ClientHello: config_ids of 256 collide, and trying costs a multiplication. */
const mostTried = 4;

interface ReadyKey {
  readonly contents: EchConfigContents;
  readonly bytes: Uint8Array;
  readonly key: EphemeralKey;
  readonly retry: boolean;
}

class KeySet implements EchKeys, EchKeySet {
  readonly #provider: CryptoProvider;
  #ready: readonly ReadyKey[];

  constructor(provider: CryptoProvider, keys: readonly EchKey[]) {
    this.#provider = provider;
    this.#ready = readyKeys(provider, keys);
  }

  get retryConfigs(): Uint8Array {
    return encodeEchConfigList(this.#ready.filter(({ retry }) => retry).map(({ bytes }) => bytes));
  }

  replace(keys: readonly EchKey[]): void {
    const replaced = this.#ready;
    this.#ready = readyKeys(this.#provider, keys);
    for (const { key } of replaced) key.destroy();
  }

  open(extension: EchClientHelloOuter, associatedData: Uint8Array): ReturnType<EchKeySet['open']> {
    const candidates = this.#ready.filter(({ contents }) => contents.configId === extension.configId);
    for (const { contents, bytes, key } of candidates.slice(0, mostTried)) {
      if (
        !contents.cipherSuites.some(({ kdf, aead }) => kdf === extension.suite.kdf && aead === extension.suite.aead)
      ) {
        continue;
      }
      const suite = supportedSuite(contents.kem, extension.suite, this.#provider);
      if (suite === undefined) continue;
      const recipient = hpkeRecipient(this.#provider, suite, key, extension.enc, hpkeInfo(bytes));
      const encoded = recipient?.open(associatedData, extension.payload);
      if (recipient !== undefined && encoded !== undefined) return { recipient, encoded };
      recipient?.destroy();
    }
    return undefined;
  }
}

function readyKeys(provider: CryptoProvider, keys: readonly EchKey[]): readonly ReadyKey[] {
  const ready = keys.map((key, index) => readyKey(provider, key, `ech key ${index}`));
  if (!ready.some(({ retry }) => retry)) {
    throw new TypeError('of the ech keys at least one must have retry: without it no client can be told of a config');
  }
  return ready;
}

function readyKey(provider: CryptoProvider, given: EchKey, name: string): ReadyKey {
  const { contents, bytes } = parsed(given.config, name);
  if (!isPublicName(contents.publicName)) {
    throw new TypeError(`${name}: the config's public_name ${JSON.stringify(contents.publicName)} is no host name`);
  }
  const unknown = contents.extensions.find(({ type }) => !isReserved(type) || isMandatory(type));
  if (unknown !== undefined) {
    throw new TypeError(`${name}: the config has the extension 0x${unknown.type.toString(16)}, unknown to this server`);
  }
  for (const suite of contents.cipherSuites) {
    if (supportedSuite(contents.kem, suite, provider) === undefined) {
      const codes = `KEM ${contents.kem}, KDF ${suite.kdf}, AEAD ${suite.aead}`;
      throw new TypeError(`${name}: the config promises ${codes}, which provider ${provider.name} does not have`);
    }
  }
  const key = importedKey(provider, contents, given.privateKey, name);
  if (!equal(key.keyExchange, contents.publicKey)) {
    throw new TypeError(`${name}: the private key does not go with the public key of the config`);
  }
  return { contents, bytes, key, retry: given.retry ?? true };
}

function parsed(config: Uint8Array, name: string): { contents: EchConfigContents; bytes: Uint8Array } {
  try {
    const { contents, bytes, version } = decodeEchConfig(config.slice());
    if (contents !== undefined) return { contents, bytes };
    throw new TypeError(`${name}: the config is of version 0x${version.toString(16)}; wanted is 0xfe0d`);
  } catch (error) {
    if (!(error instanceof TlsError)) throw error;
    throw new TypeError(`${name}: config is not one ECHConfig: ${error.message}`, { cause: error });
  }
}

function importedKey(
  provider: CryptoProvider,
  { kem: code }: EchConfigContents,
  privateKey: Uint8Array,
  name: string,
): EphemeralKey {
  const kem = knownName(hpkeKems, code);
  if (kem === undefined) throw new TypeError(`${name}: there is no KEM 0x${code.toString(16)} here`);
  try {
    return provider.importKeyShare(kemGroup(kem), privateKey);
  } catch (cause) {
    throw new TypeError(`${name}: privateKey is not a private key of ${kem}`, { cause });
  }
}
