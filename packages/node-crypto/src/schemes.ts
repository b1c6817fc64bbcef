/** Signature schemes (§4.3.3) over node:crypto's keys: which a key allows, signing, verifying. */
import { constants, type KeyObject, sign, verify } from 'node:crypto';
import type { SignatureSchemeName } from 'tls13-core';
import { plainBytes } from './node-hash.js';

/** All that can be verified in a CertificateVerify, best first. */
export const verifiableSchemes = [
  'ecdsa_secp256r1_sha256',
  'ed25519',
  'ecdsa_secp384r1_sha384',
  'ecdsa_secp521r1_sha512',
  'ed448',
  'rsa_pss_rsae_sha256',
  'rsa_pss_rsae_sha384',
  'rsa_pss_rsae_sha512',
  'rsa_pss_pss_sha256',
  'rsa_pss_pss_sha384',
  'rsa_pss_pss_sha512',
  'mldsa44',
  'mldsa65',
  'mldsa87',
  'rsa_pkcs1_sha256_legacy',
  'rsa_pkcs1_sha384_legacy',
  'rsa_pkcs1_sha512_legacy',
] as const satisfies readonly SignatureSchemeName[];

export type KeySchemes =
  | { readonly schemes: readonly SignatureSchemeName[]; readonly reason?: undefined }
  | { readonly schemes?: undefined; readonly reason: string };

/** The schemes that TLS 1.3 has for a key, best first, or a sentence saying why there is none. */
export function schemesOfKey(key: KeyObject): KeySchemes {
  switch (key.asymmetricKeyType) {
    case 'ec':
      return curveSchemes(key.asymmetricKeyDetails?.namedCurve);
    case 'ed25519':
      return { schemes: ['ed25519'] };
    case 'ed448':
      return { schemes: ['ed448'] };
    case 'rsa':
    case 'rsa-pss':
      return rsaSchemes(key);
    default:
      return { reason: `TLS 1.3 has no signature scheme here for a key of type ${key.asymmetricKeyType ?? key.type}` };
  }
}

export function signMessage(key: KeyObject, scheme: SignatureSchemeName, message: Uint8Array): Uint8Array {
  const { hash, options } = parametersOf(scheme);
  return plainBytes(sign(hash, message, { key, ...options }));
}

/** The same on the thread pool: for RSA, whose signatures hold up the event loop. */
export function signMessageAside(
  key: KeyObject,
  scheme: SignatureSchemeName,
  message: Uint8Array,
): Promise<Uint8Array> {
  const { hash, options } = parametersOf(scheme);
  return new Promise((resolve, reject) => {
    sign(hash ?? undefined, message, { key, ...options }, (error, signature) => {
      if (error === null) resolve(plainBytes(signature));
      else reject(error);
    });
  });
}

export function verifyMessage(
  key: KeyObject,
  scheme: SignatureSchemeName,
  message: Uint8Array,
  signature: Uint8Array,
): boolean {
  const { hash, options } = parametersOf(scheme);
  const { modulusLength } = key.asymmetricKeyDetails ?? {};
  // OpenSSL takes an RSA-PSS signature without its leading zeros; RFC 8017 §8.1.2 wants all of it.
  if (modulusLength !== undefined && signature.length !== Math.ceil(modulusLength / 8)) return false;
  return verify(hash, message, { key, ...options }, signature);
}

/** Bits of a modulus: too small to be read as a signature at all, and too costly for a peer to impose on us. */
const smallestModulus = 1024;
const largestModulus = 8192;

const schemesOfCurve: ReadonlyMap<string, SignatureSchemeName> = new Map([
  ['prime256v1', 'ecdsa_secp256r1_sha256'],
  ['secp384r1', 'ecdsa_secp384r1_sha384'],
  ['secp521r1', 'ecdsa_secp521r1_sha512'],
]);

function curveSchemes(curve: string | undefined): KeySchemes {
  const scheme = schemesOfCurve.get(curve ?? '');
  if (scheme !== undefined) return { schemes: [scheme] };
  return { reason: `TLS 1.3 signs with P-256, P-384 or P-521, and the key is on ${curve ?? 'a curve without a name'}` };
}

function rsaSchemes(key: KeyObject): KeySchemes {
  const { modulusLength = 0, hashAlgorithm, mgf1HashAlgorithm, saltLength } = key.asymmetricKeyDetails ?? {};
  if (modulusLength < smallestModulus || modulusLength > largestModulus) {
    return { reason: `an RSA key has ${smallestModulus} to ${largestModulus} bits here, this one ${modulusLength}` };
  }
  // Digest, salt, a padding byte and a trailer must fit beneath the modulus (RFC 8017 §9.1.1).
  const fitting = pssSchemes.filter(({ length }) => modulusLength - 1 > 8 * (2 * length + 1));
  if (key.asymmetricKeyType === 'rsa') {
    // Behind all others: who can do better does.
    return { schemes: [...fitting.map(({ rsae }) => rsae), ...fitting.map(({ legacy }) => legacy)] };
  }
  // The parameters of a key, where it has them, are those of its signatures (§4.3.3).
  const allowed = fitting.filter(
    ({ hash, length }) =>
      hashAlgorithm === undefined ||
      (hashAlgorithm === hash && mgf1HashAlgorithm === hash && Number(saltLength) === length),
  );
  if (allowed.length > 0) return { schemes: allowed.map(({ pss }) => pss) };
  return { reason: `TLS 1.3 has no RSA-PSS of ${hashAlgorithm}, MGF1 ${mgf1HashAlgorithm}, salt ${saltLength}` };
}

const pssSchemes = [
  {
    rsae: 'rsa_pss_rsae_sha256',
    pss: 'rsa_pss_pss_sha256',
    legacy: 'rsa_pkcs1_sha256_legacy',
    hash: 'sha256',
    length: 32,
  },
  {
    rsae: 'rsa_pss_rsae_sha384',
    pss: 'rsa_pss_pss_sha384',
    legacy: 'rsa_pkcs1_sha384_legacy',
    hash: 'sha384',
    length: 48,
  },
  {
    rsae: 'rsa_pss_rsae_sha512',
    pss: 'rsa_pss_pss_sha512',
    legacy: 'rsa_pkcs1_sha512_legacy',
    hash: 'sha512',
    length: 64,
  },
] as const;

interface Parameters {
  readonly hash: string | null;
  readonly options: { readonly dsaEncoding?: 'der'; readonly padding?: number; readonly saltLength?: number };
}

function parametersOf(scheme: SignatureSchemeName): Parameters {
  const hash = scheme.replace('_legacy', '').slice(-'sha256'.length);
  if (scheme === 'ed25519' || scheme === 'ed448') return { hash: null, options: {} };
  if (scheme.startsWith('ecdsa_')) return { hash, options: { dsaEncoding: 'der' } };
  if (scheme.startsWith('rsa_pss_')) return { hash, options: pssOptions };
  if (scheme.endsWith('_legacy')) return { hash, options: { padding: constants.RSA_PKCS1_PADDING } };
  throw new TypeError(`${scheme} signs no TLS 1.3 handshake (§4.3.3)`);
}

/** §4.3.3: the salt is as long as the digest. */
const pssOptions = { padding: constants.RSA_PKCS1_PSS_PADDING, saltLength: constants.RSA_PSS_SALTLEN_DIGEST };
