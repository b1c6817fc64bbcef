/** Key agreement of the portable provider (§4.3.8, §7.4.2): X25519, X448, the NIST curves, and the hybrids with ML-KEM. */
import { x448 } from '@noble/curves/ed448.js';
import { x25519 } from '@noble/curves/ed25519.js';
import { p256, p384, p521 } from '@noble/curves/nist.js';
import { isKemGroup, type KemGroupName, type NamedGroupName } from '../registry.js';
import { curveOf, kemEncapsulate, kemKeyShare, kemPrivateKey } from './noble-kems.js';
import type { Encapsulation, EphemeralKey } from './provider.js';

/** Best first: the hybrids also withstand somebody who records now and has a quantum computer later. */
export const nobleGroups: readonly NamedGroupName[] = [
  'X25519MLKEM768',
  'SecP256r1MLKEM768',
  'SecP384r1MLKEM1024',
  'x25519',
  'secp256r1',
  'secp384r1',
  'secp521r1',
  'x448',
  'MLKEM768',
  'MLKEM1024',
];

/** A fresh key share. */
export function nobleKeyShare(group: NamedGroupName): EphemeralKey {
  if (!isKemGroup(group)) return nobleKeyShareOf(group, curves[group].randomSecretKey());
  const curve = curveOf(group);
  return nobleKeyShareOf(group, kemPrivateKey(curve && curves[curve].randomSecretKey()));
}

/** See `CryptoProvider.importKeyShare`. */
export function nobleImportKeyShare(group: NamedGroupName, privateKey: Uint8Array): EphemeralKey {
  if (!isEcdhe(group) || !curves[group].isSecretKey(privateKey)) {
    throw new TypeError(`these ${privateKey.length} bytes are not a private key of ${group}`);
  }
  return nobleKeyShareOf(group, privateKey.slice());
}

export function nobleEncapsulate(group: NamedGroupName, peerKeyExchange: Uint8Array): Encapsulation | undefined {
  if (isKemGroup(group)) return kemEncapsulate(group, peerKeyExchange, nobleEncapsulate);
  const share = nobleKeyShare(group);
  const sharedSecret = share.decapsulate(peerKeyExchange);
  share.destroy();
  return sharedSecret && { keyExchange: share.keyExchange, sharedSecret };
}

/**
 * The key share of a given private key, which `destroy` wipes: a scalar; with ML-KEM, its 64-byte seed (FIPS 203
 * §7.1), followed in a hybrid by the scalar.
 */
export function nobleKeyShareOf(group: NamedGroupName, privateKey: Uint8Array): EphemeralKey {
  if (isKemGroup(group)) return kemKeyShare(group, privateKey, nobleKeyShareOf);
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

type EcdheGroupName = Exclude<NamedGroupName, KemGroupName>;

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

function montgomeryCurve(curve: typeof x25519, length: number): Curve {
  return {
    isSecretKey: (secretKey) => secretKey.length === length,
    randomSecretKey: () => curve.utils.randomSecretKey(),
    publicKey: (secretKey) => curve.getPublicKey(secretKey),
    sharedSecret(secretKey, peerKeyExchange) {
      if (peerKeyExchange.length !== length) return undefined;
      const sharedSecret = valid(() => curve.getSharedSecret(secretKey, peerKeyExchange));
      // The library rejects points that give the all-zero secret (§7.4.2); the check is the RFC's, so it stands here too.
      return sharedSecret?.some((byte) => byte !== 0) ? sharedSecret : undefined;
    },
  };
}

const curves: Readonly<Record<EcdheGroupName, Curve>> = {
  x25519: montgomeryCurve(x25519, 32),
  x448: montgomeryCurve(x448, 56),
  secp256r1: nistCurve(p256),
  secp384r1: nistCurve(p384),
  secp521r1: nistCurve(p521),
};

/** `undefined` where the library throws: with our own half known to be good, the peer's share is at fault. */
function valid<Result>(compute: () => Result): Result | undefined {
  try {
    return compute();
  } catch {
    return undefined;
  }
}
