/** CertificateVerify (§4.5.2), for both roles: what is signed, which scheme signs it, and whether a signature holds. */
import { TlsError } from '../alert.js';
import type { PublicKey, Signer } from '../crypto/provider.js';
import { knownName, nameOf, type SignatureSchemeName, signatureSchemes } from '../registry.js';

/** Who signs: the context string differs (§4.5.2). */
export type SigningRole = 'client' | 'server';

/**
 * The schemes that may sign a handshake: PKCS#1 is for certificates alone (§4.3.3), its legacy schemes for clients. SHA-1 has no name in this
 * library's registry, so it is never offered and never accepted.
 */
export function handshakeSchemes(
  schemes: readonly SignatureSchemeName[],
  signer: SigningRole = 'server',
): readonly SignatureSchemeName[] {
  return schemes.filter((scheme) => maySign(scheme, signer));
}

function maySign(scheme: SignatureSchemeName, signer: SigningRole): boolean {
  return !certificateOnly.has(scheme) && (signer === 'client' || !clientOnly.has(scheme));
}

/** signature_algorithms_cert: left out where it would repeat signature_algorithms (§4.3.3). */
export function certificateSchemes(settings: {
  readonly signatureSchemes: readonly SignatureSchemeName[];
  readonly certificateSignatureSchemes: readonly SignatureSchemeName[];
}): readonly number[] | undefined {
  const handshake = handshakeSchemes(settings.signatureSchemes);
  const certificates = settings.certificateSignatureSchemes;
  const same = handshake.length === certificates.length && handshake.every((scheme, i) => scheme === certificates[i]);
  return same ? undefined : certificates.map((scheme) => signatureSchemes[scheme]);
}

/** delegated_credential (RFC 9345 §4.1.1): left out where none is accepted. */
export function delegatedCredentials(settings: {
  readonly delegatedCredentialSchemes: readonly SignatureSchemeName[];
}): readonly number[] | undefined {
  const schemes = settings.delegatedCredentialSchemes;
  return schemes.length === 0 ? undefined : schemes.map((scheme) => signatureSchemes[scheme]);
}

/** The signer's best scheme that the peer accepts, or `undefined`. `accepted` are the peer's signature_algorithms. */
export function chooseSignatureScheme(signer: Signer, accepted: readonly number[]): SignatureSchemeName | undefined {
  return signer.schemes.find((scheme) => maySign(scheme, 'client') && accepted.includes(signatureSchemes[scheme]));
}

/** The content that a CertificateVerify signs; `transcriptHash` runs through the signer's Certificate (§4.5.2). */
export function signedContent(role: SigningRole, transcriptHash: Uint8Array): Uint8Array {
  const prefix = prefixes[role];
  const content = new Uint8Array(prefix.length + transcriptHash.length);
  content.set(prefix);
  content.set(transcriptHash, prefix.length);
  return content;
}

/** What is needed to judge a peer's CertificateVerify. */
export interface SignatureToVerify {
  /** The peer's role. */
  readonly role: SigningRole;
  /** The key of the peer's end-entity certificate. */
  readonly key: PublicKey;
  /** What this side offered in signature_algorithms. */
  readonly offered: readonly SignatureSchemeName[];
  /** CertificateVerify.algorithm */
  readonly algorithm: number;
  readonly signature: Uint8Array;
  /** Through the peer's Certificate. */
  readonly transcriptHash: Uint8Array;
}

/**
 * The scheme the peer signed with, once its signature holds. Throws illegal_parameter for a scheme that was not
 * offered, may not sign a handshake or does not suit the key, decrypt_error for a wrong signature (§4.5.2).
 */
export function verifySignature(given: SignatureToVerify): SignatureSchemeName {
  const { role, key, algorithm } = given;
  const scheme = knownName(signatureSchemes, algorithm);
  const offered = handshakeSchemes(given.offered, role);
  if (scheme === undefined || !offered.includes(scheme)) {
    const seen = nameOf(signatureSchemes, algorithm);
    throw new TlsError(
      'illegal_parameter',
      `the ${role}'s CertificateVerify is signed with ${seen}; offered were ${offered.join(', ')} (§4.5.2)`,
    );
  }
  if (!key.schemes.includes(scheme)) {
    throw new TlsError(
      'illegal_parameter',
      `the ${role}'s CertificateVerify is signed with ${scheme}; its certificate's key allows ${key.schemes.join(', ')} (§4.5.2)`,
    );
  }
  if (!key.verify(scheme, signedContent(role, given.transcriptHash), given.signature)) {
    throw new TlsError(
      'decrypt_error',
      `the ${role}'s CertificateVerify signature (${scheme}) does not verify (§4.5.2)`,
    );
  }
  return scheme;
}

const certificateOnly: ReadonlySet<SignatureSchemeName> = new Set([
  'rsa_pkcs1_sha256',
  'rsa_pkcs1_sha384',
  'rsa_pkcs1_sha512',
]);

const clientOnly: ReadonlySet<SignatureSchemeName> = new Set([
  'rsa_pkcs1_sha256_legacy',
  'rsa_pkcs1_sha384_legacy',
  'rsa_pkcs1_sha512_legacy',
]);

/** What a server may sign with, of the code points that a client accepts. */
export function forServers(accepted: readonly number[]): readonly number[] {
  return accepted.filter((code) => !clientOnlyCodes.has(code));
}

const clientOnlyCodes = new Set<number>([...clientOnly].map((scheme) => signatureSchemes[scheme]));

const prefixes = { client: contentPrefix('client'), server: contentPrefix('server') } as const;

/** 64 spaces, the context string, and the zero byte that separates it from the hash. */
function contentPrefix(role: SigningRole): Uint8Array {
  const text = `${' '.repeat(64)}TLS 1.3, ${role} CertificateVerify\0`;
  return Uint8Array.from(text, (character) => character.charCodeAt(0));
}
