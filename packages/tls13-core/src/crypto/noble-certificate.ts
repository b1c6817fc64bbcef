/** The portable provider's view of a certificate: its public key, and the signature schemes §4.3.3 allows with it. */
import { ed448 } from '@noble/curves/ed448.js';
import { ed25519 } from '@noble/curves/ed25519.js';
import { p256, p384, p521 } from '@noble/curves/nist.js';
import { ECParameters, id_ecPublicKey, id_secp256r1, id_secp384r1, id_secp521r1 } from '@peculiar/asn1-ecc';
import {
  id_mgf1,
  id_RSASSA_PSS,
  id_rsaEncryption,
  id_sha256,
  id_sha384,
  id_sha512,
  RSAPublicKey,
  RsaSaPssParams,
} from '@peculiar/asn1-rsa';
import { AsnConvert } from '@peculiar/asn1-schema';
import { AlgorithmIdentifier, Certificate, SubjectPublicKeyInfo } from '@peculiar/asn1-x509';
import { TlsError } from '../alert.js';
import type { SignatureSchemeName } from '../registry.js';
import { mlDsaCertificateKey, mlDsaPublicKey } from './noble-ml-dsa.js';
import { verifyRsaPkcs1, verifyRsaPss } from './noble-rsa.js';
import type { PublicKey } from './provider.js';

/** EdDSA's curves, each with the one scheme it may be used with (§4.3.3). Bytes of a private key as RFC 8410 has it. */
const edwardsCurves = new Map([
  ['1.3.101.112', { scheme: 'ed25519', name: 'Ed25519', curve: ed25519, length: 32 }],
  ['1.3.101.113', { scheme: 'ed448', name: 'Ed448', curve: ed448, length: 57 }],
] as const);

/** The curves of ECDSA in TLS 1.3, each with the one scheme it may be used with (§4.3.3). */
const ecdsaCurves = new Map([
  [id_secp256r1, { scheme: 'ecdsa_secp256r1_sha256', curve: p256 }],
  [id_secp384r1, { scheme: 'ecdsa_secp384r1_sha384', curve: p384 }],
  [id_secp521r1, { scheme: 'ecdsa_secp521r1_sha512', curve: p521 }],
] as const);

export function nobleCertificateKey(certificate: Uint8Array): PublicKey {
  const mlDsa = mlDsaCertificateKey(certificate);
  if (mlDsa !== undefined) return mlDsa;
  return keyOf(parse('the certificate', certificate, Certificate).tbsCertificate.subjectPublicKeyInfo);
}

export function noblePublicKey(subjectPublicKeyInfo: Uint8Array): PublicKey {
  const mlDsa = mlDsaPublicKey(subjectPublicKeyInfo);
  if (mlDsa !== undefined) return mlDsa;
  return keyOf(parse('the public key', subjectPublicKeyInfo, SubjectPublicKeyInfo));
}

function keyOf(info: SubjectPublicKeyInfo): PublicKey {
  const { algorithm } = info.algorithm;
  if (algorithm === id_ecPublicKey) return ecdsaKey(info);
  const edwards = findEdwardsCurve(algorithm);
  if (edwards !== undefined) return edwardsKey(info, edwards);
  if (algorithm === id_rsaEncryption || algorithm === id_RSASSA_PSS) return rsaKey(info);
  throw new TlsError('unsupported_certificate', `the key is of a type that TLS 1.3 has no signature for: ${algorithm}`);
}

function parse<T>(what: string, der: Uint8Array, type: new () => T): T {
  return wellFormed(what, () => {
    const parsed = AsnConvert.parse(der, type);
    // The parser stops at the end of the first value; nothing may come after it.
    if (derLength(der) !== der.length) throw new RangeError('bytes follow its end');
    return parsed;
  });
}

function ecdsaKey(info: SubjectPublicKeyInfo): PublicKey {
  const { parameters } = info.algorithm;
  const named = wellFormed("the key's curve", () =>
    parameters ? AsnConvert.parse(parameters, ECParameters).namedCurve : undefined,
  );
  const known = named === undefined ? undefined : findCurve(named);
  if (known === undefined) {
    throw new TlsError(
      'unsupported_certificate',
      `the key is on ${named ?? 'a curve without a name'}, not on P-256, P-384 or P-521`,
    );
  }
  const { curve, scheme } = known;
  const point = new Uint8Array(info.subjectPublicKey);
  if (!curve.utils.isValidPublicKey(point)) {
    throw new TlsError('bad_certificate', 'the key is not a point of its curve');
  }
  return publicKey([scheme], (_, message, signature) =>
    curve.verify(signature, message, point, { format: 'der', lowS: false }),
  );
}

function edwardsKey(info: SubjectPublicKeyInfo, { curve, name, scheme }: EdwardsCurve): PublicKey {
  const point = new Uint8Array(info.subjectPublicKey);
  if (info.algorithm.parameters !== undefined || !curve.utils.isValidPublicKey(point)) {
    throw new TlsError('bad_certificate', `the key is not an ${name} key (RFC 8410)`);
  }
  return publicKey([scheme], (_, message, signature) => curve.verify(signature, message, point, { zip215: false }));
}

const rsaHashes = [
  {
    hash: 'sha256',
    oid: id_sha256,
    length: 32,
    rsae: 'rsa_pss_rsae_sha256',
    legacy: 'rsa_pkcs1_sha256_legacy',
    pss: 'rsa_pss_pss_sha256',
  },
  {
    hash: 'sha384',
    oid: id_sha384,
    length: 48,
    rsae: 'rsa_pss_rsae_sha384',
    legacy: 'rsa_pkcs1_sha384_legacy',
    pss: 'rsa_pss_pss_sha384',
  },
  {
    hash: 'sha512',
    oid: id_sha512,
    length: 64,
    rsae: 'rsa_pss_rsae_sha512',
    legacy: 'rsa_pkcs1_sha512_legacy',
    pss: 'rsa_pss_pss_sha512',
  },
] as const;

const rsaBits = { least: 1024, most: 8192 } as const;

function rsaKey(info: SubjectPublicKeyInfo): PublicKey {
  const parsed = wellFormed('the RSA key', () => AsnConvert.parse(info.subjectPublicKey, RSAPublicKey));
  const n = integer(parsed.modulus);
  const e = integer(parsed.publicExponent);
  const bits = n.toString(2).length;
  // A huge modulus or exponent would make one verification take seconds.
  if (bits < rsaBits.least || bits > rsaBits.most || e < 3n || e >= 2n ** 64n || (e & 1n) === 0n) {
    throw new TlsError(
      'unsupported_certificate',
      `the RSA key has ${bits} bits and exponent ${e < 2n ** 64n ? e : 'over 2^64'}: wanted are ${rsaBits.least} to ${rsaBits.most} bits and an odd exponent from 3 to 2^64`,
    );
  }
  const pss = info.algorithm.algorithm === id_RSASSA_PSS;
  const allowed = pss ? pssRestriction(info.algorithm) : undefined;
  const usable = rsaHashes.filter(
    // EMSA-PSS with a salt as long as the hash needs room for both (RFC 8017 §9.1.1).
    ({ hash, length }) => (allowed === undefined || allowed === hash) && bits - 1 >= 8 * (2 * length + 1) + 1,
  );
  if (usable.length === 0) {
    throw new TlsError('unsupported_certificate', 'the RSA key is too small for its hash');
  }
  return publicKey(
    pss ? usable.map((each) => each.pss) : [...usable.map(({ rsae }) => rsae), ...usable.map(({ legacy }) => legacy)],
    (scheme, message, signature) => {
      const old = usable.find((each) => each.legacy === scheme);
      if (old !== undefined) return verifyRsaPkcs1(old.hash, { n, e }, message, signature);
      const used = usable.find((each) => each.rsae === scheme || each.pss === scheme);
      return used !== undefined && verifyRsaPss(used.hash, { n, e }, message, signature);
    },
  );
}

/** The one hash that an id-RSASSA-PSS key's parameters allow (RFC 4055 §3.1), or `undefined` where it has none. */
function pssRestriction(algorithm: AlgorithmIdentifier): (typeof rsaHashes)[number]['hash'] | undefined {
  const { parameters } = algorithm;
  if (!parameters) return undefined;
  return wellFormed("the key's RSASSA-PSS parameters", () => {
    const pss = AsnConvert.parse(parameters, RsaSaPssParams);
    const mask = pss.maskGenAlgorithm;
    const maskHash = mask.parameters ? AsnConvert.parse(mask.parameters, AlgorithmIdentifier).algorithm : undefined;
    const found = rsaHashes.find(({ oid }) => oid === pss.hashAlgorithm.algorithm);
    const tlsUses =
      found !== undefined &&
      mask.algorithm === id_mgf1 &&
      maskHash === found.oid &&
      pss.saltLength === found.length &&
      pss.trailerField === 1;
    if (!tlsUses) {
      throw new TlsError(
        'unsupported_certificate',
        "the key's RSASSA-PSS key is restricted to parameters that no TLS 1.3 signature scheme has",
      );
    }
    return found.hash;
  });
}

function publicKey(
  schemes: readonly SignatureSchemeName[],
  verify: (scheme: SignatureSchemeName, message: Uint8Array, signature: Uint8Array) => boolean,
): PublicKey {
  return {
    schemes,
    verify(scheme, message, signature) {
      if (!schemes.includes(scheme)) return false;
      try {
        return verify(scheme, message, signature);
      } catch {
        // The key is known to be good: the libraries throw at a signature that is not even well-formed.
        return false;
      }
    },
  };
}

export function findCurve(oid: string) {
  for (const [known, curve] of ecdsaCurves) if (known === oid) return curve;
  return undefined;
}

export type EdwardsCurve = NonNullable<ReturnType<typeof findEdwardsCurve>>;

export function findEdwardsCurve(oid: string) {
  for (const [known, curve] of edwardsCurves) if (known === oid) return curve;
  return undefined;
}

function wellFormed<Result>(what: string, parse: () => Result): Result {
  try {
    return parse();
  } catch (cause) {
    if (cause instanceof TlsError) throw cause;
    throw new TlsError('bad_certificate', `${what} is not well-formed DER`, { cause });
  }
}

/** Bytes of the DER value that `der` begins with, header included. */
function derLength(der: Uint8Array): number {
  const first = der[1] ?? 0;
  if (first < 0x80) return 2 + first;
  let length = 0;
  for (let index = 0; index < (first & 0x7f); index++) length = length * 256 + (der[2 + index] ?? 0);
  return 2 + (first & 0x7f) + length;
}

/** A positive INTEGER; 0 for a negative one, which no bound accepts. */
function integer(bytes: ArrayBuffer): bigint {
  const digits = new Uint8Array(bytes);
  if ((digits[0] ?? 0) >= 0x80) return 0n;
  let value = '0x0';
  for (const digit of digits) value += digit.toString(16).padStart(2, '0');
  return BigInt(value);
}
