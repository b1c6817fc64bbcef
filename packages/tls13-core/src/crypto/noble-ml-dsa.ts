/**
 * ML-DSA (FIPS 204): its keys in certificates and PKCS#8 (RFC 9881), its signatures in the handshake (draft-ietf-tls-mldsa).
 * By itself, for providers whose own cryptography lacks it.
 */
import { ml_dsa44, ml_dsa65, ml_dsa87 } from '@noble/post-quantum/ml-dsa.js';
import { TlsError } from '../alert.js';
import { equal } from '../bytes.js';
import type { SignatureSchemeName } from '../registry.js';
import { certificateFields } from '../x509/certificate.js';
import { type DerElement, derElements, derTags, objectIdentifier } from '../x509/der.js';
import type { PublicKey, Signer } from './provider.js';

/** A parameter set, and the one scheme it may be used with. */
interface MlDsa {
  readonly scheme: SignatureSchemeName;
  readonly algorithm: typeof ml_dsa44;
}

/** The parameter set that the dotted name of an algorithm stands for. */
function findMlDsa(oid: string | undefined): MlDsa | undefined {
  return parameterSets.get(oid ?? '');
}

/** The key of a DER certificate; `undefined` for one of another kind. Throws TlsError as `CryptoProvider.certificateKey`. */
export function mlDsaCertificateKey(certificate: Uint8Array): PublicKey | undefined {
  return keyOf(spkiOf(certificate));
}

/** A SubjectPublicKeyInfo's key; `undefined` for one of another kind. Throws TlsError as `CryptoProvider.publicKey`. */
export function mlDsaPublicKey(subjectPublicKeyInfo: Uint8Array): PublicKey | undefined {
  const [whole, ...others] = elementsWithin(subjectPublicKeyInfo) ?? [];
  return others.length === 0 ? keyOf(whole) : undefined;
}

/** The key of such a length, given as FIPS 204 writes it. */
function mlDsaKey({ scheme, algorithm }: MlDsa, key: Uint8Array): PublicKey {
  const { publicKey: length, signature: signatureLength } = algorithm.lengths;
  if (key.length !== length) {
    throw new TlsError('bad_certificate', `the ${scheme} key has ${key.length} bytes; wanted are ${length} (RFC 9881)`);
  }
  const own = key.slice();
  return {
    schemes: [scheme],
    verify: (used, message, signature) =>
      used === scheme && signature.length === signatureLength && algorithm.verify(signature, message, own),
  };
}

/** A signer over a PKCS#8 DER key: its seed, its expanded form, or both. `undefined` for a key of another kind. */
export function mlDsaSigner(pkcs8: Uint8Array): Signer | undefined {
  const fields = elementsOf(pkcs8);
  const [, algorithmIdentifier, wrapped] = fields ?? [];
  const found = findMlDsa(nameOf(algorithmIdentifier));
  if (found === undefined || wrapped?.tag !== derTags.octetString) return undefined;
  const { scheme, algorithm } = found;
  const secretKey = expandedKey(found, wrapped.content);
  return {
    schemes: [scheme],
    sign(used, message) {
      if (used !== scheme) throw new TypeError(`this key signs with ${scheme}, not with ${used}`);
      return algorithm.sign(message, secretKey);
    },
  };
}

const parameterSets: ReadonlyMap<string, MlDsa> = new Map([
  ['2.16.840.1.101.3.4.3.17', { scheme: 'mldsa44', algorithm: ml_dsa44 }],
  ['2.16.840.1.101.3.4.3.18', { scheme: 'mldsa65', algorithm: ml_dsa65 }],
  ['2.16.840.1.101.3.4.3.19', { scheme: 'mldsa87', algorithm: ml_dsa87 }],
]);

/** RFC 9881 §6: the CHOICE of a private key. */
const seedTag = 0x80;

function keyOf(info: DerElement | undefined): PublicKey | undefined {
  const [algorithmIdentifier, bits] = (info?.tag === derTags.sequence && elementsWithin(info.content)) || [];
  const found = findMlDsa(nameOf(algorithmIdentifier));
  if (found === undefined) return undefined;
  // Whole bytes: the number of unused bits is 0.
  if (bits?.tag !== derTags.bitString || bits.content[0] !== 0) {
    throw new TlsError('bad_certificate', `the ${found.scheme} key is not as RFC 9881 §4 has it`);
  }
  return mlDsaKey(found, bits.content.subarray(1));
}

/** The name of an AlgorithmIdentifier without parameters, as RFC 9881 §2 wants it. */
function nameOf(identifier: DerElement | undefined): string | undefined {
  if (identifier?.tag !== derTags.sequence) return undefined;
  const [name, ...parameters] = elementsWithin(identifier.content) ?? [];
  return name?.tag === derTags.objectIdentifier && parameters.length === 0 ? objectIdentifier(name.content) : undefined;
}

function expandedKey({ scheme, algorithm }: MlDsa, choice: Uint8Array): Uint8Array {
  const [key, ...others] = elementsWithin(choice) ?? [];
  const [seed, expanded] = key?.tag === derTags.sequence ? (elementsWithin(key.content) ?? []) : [key, undefined];
  const { secretKey: length, seed: seedLength } = algorithm.lengths;
  if (others.length === 0 && seed?.tag === derTags.octetString && seed.content.length === length) {
    return seed.content.slice();
  }
  const isSeed = seed?.tag === (expanded === undefined ? seedTag : derTags.octetString);
  if (others.length > 0 || !isSeed || seed?.content.length !== seedLength) {
    throw new TypeError(`the private key of ${scheme} is not as RFC 9881 §6 has it`);
  }
  const { secretKey } = algorithm.keygen(seed.content);
  if (expanded !== undefined && !equal(expanded.content, secretKey)) {
    throw new TypeError(`the seed and the expanded key of ${scheme} are not of one key (RFC 9881 §6)`);
  }
  return secretKey;
}

/** What cannot be read is not for this file to judge. */
function spkiOf(certificate: Uint8Array): DerElement | undefined {
  try {
    return certificateFields(certificate).subjectPublicKeyInfo;
  } catch {
    return undefined;
  }
}

/** What is in the one SEQUENCE that `der` is; `undefined` for what is none. */
function elementsOf(der: Uint8Array): readonly DerElement[] | undefined {
  const [whole, ...others] = elementsWithin(der) ?? [];
  return whole?.tag === derTags.sequence && others.length === 0 ? elementsWithin(whole.content) : undefined;
}

function elementsWithin(bytes: Uint8Array): readonly DerElement[] | undefined {
  try {
    return derElements(bytes);
  } catch {
    return undefined;
  }
}
