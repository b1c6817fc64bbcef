/** Key agreement of the portable provider (§4.3.8, §7.4.2): X25519, the NIST curves, and X25519MLKEM768 (RFC 9954). */
import { x25519 } from '@noble/curves/ed25519.js';
import { p256, p384, p521 } from '@noble/curves/nist.js';
import { randomBytes } from '@noble/hashes/utils.js';
import { ml_kem768 } from '@noble/post-quantum/ml-kem.js';
import { concat } from '../bytes.js';
import type { NamedGroupName } from '../registry.js';
import type { Encapsulation, EphemeralKey } from './provider.js';

/** Best first: the hybrid also withstands somebody who records now and has a quantum computer later. */
export const nobleGroups: readonly NamedGroupName[] = [
  'X25519MLKEM768',
  'x25519',
  'secp256r1',
  'secp384r1',
  'secp521r1',
];

/** A fresh key share. */
export function nobleKeyShare(group: NamedGroupName): EphemeralKey {
  return nobleKeyShareOf(group, group === 'X25519MLKEM768' ? randomHybridKey() : curves[group].randomSecretKey());
}

/** See `CryptoProvider.importKeyShare`. */
export function nobleImportKeyShare(group: NamedGroupName, privateKey: Uint8Array): EphemeralKey {
  if (!isEcdhe(group) || !curves[group].isSecretKey(privateKey)) {
    throw new TypeError(`these ${privateKey.length} bytes are not a private key of ${group}`);
  }
  return nobleKeyShareOf(group, privateKey.slice());
}

export function nobleEncapsulate(group: NamedGroupName, peerKeyExchange: Uint8Array): Encapsulation | undefined {
  if (group === 'X25519MLKEM768') return hybridEncapsulate(peerKeyExchange);
  const share = nobleKeyShare(group);
  const sharedSecret = share.decapsulate(peerKeyExchange);
  share.destroy();
  return sharedSecret && { keyExchange: share.keyExchange, sharedSecret };
}

/**
 * The key share of a given private key, which `destroy` wipes: a scalar; for the hybrid, the 64-byte seed of ML-KEM
 * (FIPS 203 §7.1) followed by the X25519 key.
 */
export function nobleKeyShareOf(group: NamedGroupName, privateKey: Uint8Array): EphemeralKey {
  if (group === 'X25519MLKEM768') return hybridKeyShare(privateKey);
  const curve = curves[group];
  let destroyed = false;
  return {
    group,
    keyExchange: curve.publicKey(privateKey),
    decapsulate(peerKeyExchange) {
      if (destroyed) throw new TypeError(`this ${group} key was destroyed`);
      return curve.sharedSecret(privateKey, peerKeyExchange);
    },
    destroy() {
      privateKey.fill(0);
      destroyed = true;
    },
  };
}

type EcdheGroupName = Exclude<NamedGroupName, 'X25519MLKEM768'>;

function isEcdhe(group: NamedGroupName): group is EcdheGroupName {
  return Object.hasOwn(curves, group);
}

interface Curve {
  isSecretKey(secretKey: Uint8Array): boolean;
  randomSecretKey(): Uint8Array;
  publicKey(secretKey: Uint8Array): Uint8Array;
  /** `undefined` for a peer's share that is not valid. */
  sharedSecret(secretKey: Uint8Array, peerKeyExchange: Uint8Array): Uint8Array | undefined;
}

/** UncompressedPointRepresentation and nothing else (§4.3.8.2); the library checks that the point is on the curve. */
function nistCurve(curve: typeof p256): Curve {
  const coordinate = curve.Point.Fp.BYTES;
  return {
    isSecretKey: (secretKey) => curve.utils.isValidSecretKey(secretKey),
    randomSecretKey: () => curve.utils.randomSecretKey(),
    publicKey: (secretKey) => curve.getPublicKey(secretKey, false),
    sharedSecret(secretKey, peerKeyExchange) {
      if (peerKeyExchange.length !== 1 + 2 * coordinate || peerKeyExchange[0] !== 4) return undefined;
      // Z is the x-coordinate, of constant length (§7.4.2): the point's compressed form without its first byte.
      return valid(() => curve.getSharedSecret(secretKey, peerKeyExchange, true).slice(1));
    },
  };
}

const x25519Length = 32;

const curves: Readonly<Record<EcdheGroupName, Curve>> = {
  x25519: {
    isSecretKey: (secretKey) => secretKey.length === x25519Length,
    randomSecretKey: () => x25519.utils.randomSecretKey(),
    publicKey: (secretKey) => x25519.getPublicKey(secretKey),
    sharedSecret(secretKey, peerKeyExchange) {
      if (peerKeyExchange.length !== x25519Length) return undefined;
      const sharedSecret = valid(() => x25519.getSharedSecret(secretKey, peerKeyExchange));
      // The library rejects points that give the all-zero secret (§7.4.2); the check is the RFC's, so it stands here too.
      return sharedSecret?.some((byte) => byte !== 0) ? sharedSecret : undefined;
    },
  },
  secp256r1: nistCurve(p256),
  secp384r1: nistCurve(p384),
  secp521r1: nistCurve(p521),
};

const seedLength = 64;
const encapsulationKeyLength = 1184;
const ciphertextLength = 1088;

function randomHybridKey(): Uint8Array {
  return randomBytes(seedLength + x25519Length);
}

/** The client's half of the hybrid: the ML-KEM part comes first in both shares and in the secret (RFC 9954). */
function hybridKeyShare(privateKey: Uint8Array): EphemeralKey {
  const { publicKey, secretKey } = ml_kem768.keygen(privateKey.subarray(0, seedLength));
  const classical = nobleKeyShareOf('x25519', privateKey.subarray(seedLength));
  return {
    group: 'X25519MLKEM768',
    keyExchange: concat(publicKey, classical.keyExchange),
    decapsulate(peerKeyExchange) {
      if (peerKeyExchange.length !== ciphertextLength + x25519Length) return undefined;
      const second = classical.decapsulate(peerKeyExchange.subarray(ciphertextLength));
      if (second === undefined) return undefined;
      return joinSecrets(ml_kem768.decapsulate(peerKeyExchange.subarray(0, ciphertextLength), secretKey), second);
    },
    destroy() {
      secretKey.fill(0);
      privateKey.fill(0);
      classical.destroy();
    },
  };
}

function hybridEncapsulate(peerKeyExchange: Uint8Array): Encapsulation | undefined {
  if (peerKeyExchange.length !== encapsulationKeyLength + x25519Length) return undefined;
  const classical = nobleEncapsulate('x25519', peerKeyExchange.subarray(encapsulationKeyLength));
  if (classical === undefined) return undefined;
  // Throws for an encapsulation key that fails the modulus check of FIPS 203 §7.2.
  const first = valid(() => ml_kem768.encapsulate(peerKeyExchange.subarray(0, encapsulationKeyLength)));
  return (
    first && {
      keyExchange: concat(first.cipherText, classical.keyExchange),
      sharedSecret: joinSecrets(first.sharedSecret, classical.sharedSecret),
    }
  );
}

function joinSecrets(first: Uint8Array, second: Uint8Array): Uint8Array {
  const joined = concat(first, second);
  first.fill(0);
  second.fill(0);
  return joined;
}

/** `undefined` where the library throws: with our own half known to be good, the peer's share is at fault. */
function valid<Result>(compute: () => Result): Result | undefined {
  try {
    return compute();
  } catch {
    return undefined;
  }
}
