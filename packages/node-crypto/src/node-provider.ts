/** The crypto provider over node:crypto alone. The core builds its record protection from `aead`. */
import {
  createCipheriv,
  createDecipheriv,
  createECDH,
  createPrivateKey,
  createPublicKey,
  createSecretKey,
  diffieHellman,
  generateKeyPairSync,
  type KeyObject,
} from 'node:crypto';
import type { Aead, AeadName, CryptoProvider, Encapsulation, EphemeralKey, NamedGroupName } from 'tls13-core';
import { type KeyExchange, kemKeyExchange, shareLengths } from './groups.js';
import { allAeads, groupsWithoutMlKem } from './native-provider.js';
import { nodeHashes, plainBytes } from './node-hash.js';
import { certificateKey, pkcs8Signer, publicKey } from './public-keys.js';
import { randomBytes } from './randomness.js';
import { verifiableSchemes } from './schemes.js';

export const nodeProvider: CryptoProvider = {
  name: 'node',
  aeads: allAeads,
  groups: groupsWithoutMlKem,
  signatureSchemes: verifiableSchemes,
  random: randomBytes,
  hash: (name) => nodeHashes[name],
  aead: (name, key) => new NodeAead(name, key),
  generateKeyShare: (group) => keyExchangeOf(group).generateKeyShare(group),
  importKeyShare: importedKey,
  encapsulate: (group, peerKeyExchange) => keyExchangeOf(group).encapsulate(group, peerKeyExchange),
  certificateKey,
  publicKey,
  signer: pkcs8Signer,
};

const nonceLength = 12;
/** Empty, yet somewhere in memory: node 20 takes a null pointer for CCM's final step and throws. */
const nothing = new Uint8Array(new ArrayBuffer(1), 0, 0);

const ciphers = {
  'aes-128-gcm': { keyLength: 16, authTagLength: 16 },
  'aes-256-gcm': { keyLength: 32, authTagLength: 16 },
  'chacha20-poly1305': { keyLength: 32, authTagLength: 16 },
  'aes-128-ccm': { keyLength: 16, authTagLength: 16 },
  'aes-128-ccm-8': { keyLength: 16, authTagLength: 8 },
} as const satisfies Record<AeadName, object>;

class NodeAead implements Aead {
  readonly tagLength: number;
  readonly #name: AeadName;
  #key: KeyObject | undefined;

  constructor(name: AeadName, key: Uint8Array) {
    const { keyLength, authTagLength } = ciphers[name];
    if (key.length !== keyLength) {
      throw new RangeError(`a key of ${name} has ${keyLength} bytes, this one has ${key.length}`);
    }
    this.#name = name;
    this.tagLength = authTagLength;
    this.#key = createSecretKey(key);
  }

  seal(nonce: Uint8Array, associatedData: Uint8Array, plaintext: Uint8Array): Uint8Array {
    const cipher = this.#cipher(nonce);
    cipher.setAAD(associatedData, { plaintextLength: plaintext.length });
    const sealed = new Uint8Array(plaintext.length + this.tagLength);
    sealed.set(cipher.update(plaintext.length === 0 ? nothing : plaintext));
    cipher.final();
    sealed.set(cipher.getAuthTag(), plaintext.length);
    return sealed;
  }

  open(nonce: Uint8Array, associatedData: Uint8Array, sealed: Uint8Array): Uint8Array | undefined {
    const length = sealed.length - this.tagLength;
    if (length < 0) return undefined;
    const decipher = this.#decipher(nonce);
    decipher.setAuthTag(sealed.subarray(length));
    decipher.setAAD(associatedData, { plaintextLength: length });
    // node:crypto throws when the tag is wrong: CCM at once, the others at the end.
    let plaintext: Buffer | undefined;
    try {
      plaintext = decipher.update(sealed.subarray(0, length));
      decipher.final();
      return plainBytes(plaintext);
    } catch {
      plaintext?.fill(0);
      return undefined;
    }
  }

  destroy(): void {
    this.#key = undefined;
  }

  // The three kinds have types of their own in node:crypto, which agree in all that is used here.
  #cipher(nonce: Uint8Array) {
    const { key, authTagLength } = this.#settings(nonce);
    if (this.#name === 'chacha20-poly1305') return createCipheriv('chacha20-poly1305', key, nonce, { authTagLength });
    if (this.#name === 'aes-128-gcm' || this.#name === 'aes-256-gcm') {
      return createCipheriv(this.#name, key, nonce, { authTagLength });
    }
    return createCipheriv('aes-128-ccm', key, nonce, { authTagLength });
  }

  #decipher(nonce: Uint8Array) {
    const { key, authTagLength } = this.#settings(nonce);
    if (this.#name === 'chacha20-poly1305') return createDecipheriv('chacha20-poly1305', key, nonce, { authTagLength });
    if (this.#name === 'aes-128-gcm' || this.#name === 'aes-256-gcm') {
      return createDecipheriv(this.#name, key, nonce, { authTagLength });
    }
    return createDecipheriv('aes-128-ccm', key, nonce, { authTagLength });
  }

  #settings(nonce: Uint8Array): { readonly key: KeyObject; readonly authTagLength: number } {
    if (this.#key === undefined) throw new TypeError('this key has been destroyed');
    if (nonce.length !== nonceLength) throw new RangeError(`a nonce has ${nonceLength} bytes, not ${nonce.length}`);
    return { key: this.#key, authTagLength: this.tagLength };
  }
}

const curveNames: Readonly<Partial<Record<NamedGroupName, string>>> = {
  secp256r1: 'prime256v1',
  secp384r1: 'secp384r1',
  secp521r1: 'secp521r1',
};

const montgomery: KeyExchange = {
  generateKeyShare: (group) => new MontgomeryKey(group),
  encapsulate: (group, peerKeyExchange) => encapsulateBy(new MontgomeryKey(group), peerKeyExchange),
};

const weierstrass: KeyExchange = {
  generateKeyShare: (group) => new CurveKey(group),
  encapsulate: (group, peerKeyExchange) => encapsulateBy(new CurveKey(group), peerKeyExchange),
};

const elliptic: KeyExchange = {
  generateKeyShare: (group) => ellipticOf(group).generateKeyShare(group),
  encapsulate: (group, peerKeyExchange) => ellipticOf(group).encapsulate(group, peerKeyExchange),
};

const kem = kemKeyExchange(elliptic);

function ellipticOf(group: NamedGroupName): KeyExchange {
  return curveNames[group] === undefined ? montgomery : weierstrass;
}

function keyExchangeOf(group: NamedGroupName): KeyExchange {
  return group.includes('MLKEM') ? kem : elliptic;
}

function importedKey(group: NamedGroupName, privateKey: Uint8Array): EphemeralKey {
  if (privateKey.length !== shareLengths[group].secret) throw notAKey(group);
  if (group === 'x25519' || group === 'x448') return new MontgomeryKey(group, privateKey);
  try {
    return new CurveKey(group, privateKey);
  } catch {
    throw notAKey(group);
  }
}

function notAKey(group: NamedGroupName): TypeError {
  return new TypeError(`not a private key of ${group}`);
}

function encapsulateBy(own: EphemeralKey, peerKeyExchange: Uint8Array): Encapsulation | undefined {
  const sharedSecret = own.decapsulate(peerKeyExchange);
  return sharedSecret === undefined ? undefined : { keyExchange: own.keyExchange, sharedSecret };
}

class MontgomeryKey implements EphemeralKey {
  readonly group: NamedGroupName;
  readonly keyExchange: Uint8Array;
  readonly #privateKey: KeyObject;

  constructor(group: NamedGroupName, given?: Uint8Array) {
    const { privateKey, publicKey } = given === undefined ? freshPair(group) : givenPair(group, given);
    this.group = group;
    this.#privateKey = privateKey;
    // As JWK: the DER forms take node:crypto ten times as long.
    this.keyExchange = new Uint8Array(Buffer.from(publicKey.export({ format: 'jwk' }).x ?? '', 'base64url'));
  }

  decapsulate(peerKeyExchange: Uint8Array): Uint8Array | undefined {
    if (peerKeyExchange.length !== shareLengths[this.group].server) return undefined;
    const x = Buffer.from(peerKeyExchange).toString('base64url');
    const publicKey = createPublicKey({
      key: { kty: 'OKP', crv: this.group === 'x448' ? 'X448' : 'X25519', x },
      format: 'jwk',
    });
    try {
      return plainBytes(diffieHellman({ privateKey: this.#privateKey, publicKey }));
    } catch {
      // An all-zero secret (§7.4.2).
      return undefined;
    }
  }

  /** node:crypto wipes the key when it is collected. */
  destroy(): void {}
}

/** The rest of a PKCS#8 PrivateKeyInfo (RFC 8410 §7), which ends with the key. */
const prefixes: Readonly<Record<string, Buffer>> = {
  x25519: Buffer.from('302e020100300506032b656e04220420', 'hex'),
  x448: Buffer.from('3046020100300506032b656f043a0438', 'hex'),
};

interface Pair {
  readonly privateKey: KeyObject;
  readonly publicKey: KeyObject;
}

function freshPair(group: NamedGroupName): Pair {
  return group === 'x448' ? generateKeyPairSync('x448') : generateKeyPairSync('x25519');
}

function givenPair(group: NamedGroupName, given: Uint8Array): Pair {
  const prefix = prefixes[group];
  if (prefix === undefined) throw notAKey(group);
  const der = Buffer.concat([prefix, given]);
  const privateKey = createPrivateKey({ key: der, format: 'der', type: 'pkcs8' });
  der.fill(0);
  return { privateKey, publicKey: createPublicKey(privateKey) };
}

class CurveKey implements EphemeralKey {
  readonly group: NamedGroupName;
  readonly keyExchange: Uint8Array;
  readonly #ecdh: ReturnType<typeof createECDH>;

  constructor(group: NamedGroupName, given?: Uint8Array) {
    const curve = curveNames[group];
    if (curve === undefined) throw new RangeError(`there is no curve for the group ${group}`);
    this.group = group;
    this.#ecdh = createECDH(curve);
    if (given !== undefined) this.#ecdh.setPrivateKey(given);
    this.keyExchange = plainBytes(given === undefined ? this.#ecdh.generateKeys() : this.#ecdh.getPublicKey());
  }

  decapsulate(peerKeyExchange: Uint8Array): Uint8Array | undefined {
    // Only the uncompressed form exists in TLS 1.3 (§4.3.8.2).
    if (peerKeyExchange.length !== shareLengths[this.group].server || peerKeyExchange[0] !== 4) return undefined;
    try {
      return plainBytes(this.#ecdh.computeSecret(peerKeyExchange));
    } catch {
      // Not a point of the curve.
      return undefined;
    }
  }

  /** node:crypto wipes the key when it is collected. */
  destroy(): void {}
}
