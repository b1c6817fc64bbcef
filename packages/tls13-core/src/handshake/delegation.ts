/** Delegated credentials (RFC 9345): what is signed, what makes a certificate fit, and how long one holds. For both sides. */
import { TlsError } from '../alert.js';
import type { CryptoProvider, PublicKey } from '../crypto/provider.js';
import { nameOf, type SignatureSchemeName, signatureSchemes } from '../registry.js';
import {
  type DelegatedCredential,
  type DelegatedCredentialFields,
  decodeDelegatedCredential,
  delegatedCredentialSignedPart,
} from '../wire/index.js';
import {
  type CertificateFields,
  certificateExtension,
  certificateExtensionOids,
  certificateFields,
  certificateValidity,
  keyUsageBits,
} from '../x509/certificate.js';
import { handshakeSchemes, type SigningRole } from './certificate-verify.js';

/** What a peer's delegated credential is held against. */
export interface DelegationTrial {
  /** The peer's. */
  readonly role: SigningRole;
  /** DER: the peer's end-entity certificate. */
  readonly certificate: Uint8Array;
  /** Of that certificate. */
  readonly certificateKey: PublicKey;
  /** What this side offered in delegated_credential. */
  readonly offered: readonly SignatureSchemeName[];
  /** What this side offered in signature_algorithms. */
  readonly signatureSchemes: readonly SignatureSchemeName[];
  readonly provider: Pick<CryptoProvider, 'publicKey'>;
  /** Milliseconds since 1970. */
  readonly now: number;
}

/**
 * The key that a peer's certificate has delegated to, with the one scheme that its CertificateVerify must be signed with.
 * Throws illegal_parameter for a credential that is not valid (RFC 9345 §4.1.3).
 */
export function delegatedKey(bytes: Uint8Array, trial: DelegationTrial): PublicKey {
  const { role, certificate, certificateKey } = trial;
  const delegated = decodeDelegatedCredential(bytes);
  const { cred, algorithm, signature } = delegated;
  const refuse = (reason: string) => new TlsError('illegal_parameter', `the ${role}'s delegated credential: ${reason}`);

  const scheme = schemeAmong(trial.offered, cred.dcCertVerifyAlgorithm);
  if (scheme === undefined) {
    const seen = nameOf(signatureSchemes, cred.dcCertVerifyAlgorithm);
    throw refuse(`its key is for ${seen}; offered were ${trial.offered.join(', ')} (RFC 9345 §4.1.1)`);
  }
  const fault = delegationFault(certificateFields(certificate)) ?? expiryFault(delegated, certificate, trial.now);
  if (fault !== undefined) throw refuse(`${fault} (RFC 9345 §4.1.3)`);

  const signedWith = schemeAmong(handshakeSchemes(trial.signatureSchemes), algorithm);
  if (signedWith === undefined || !certificateKey.schemes.includes(signedWith)) {
    const seen = nameOf(signatureSchemes, algorithm);
    throw refuse(`it is signed with ${seen}, which was not offered or does not suit the key (RFC 9345 §4.1.1)`);
  }
  if (!certificateKey.verify(signedWith, delegatedContent(role, certificate, cred, algorithm), signature)) {
    throw refuse(`its signature (${signedWith}) does not verify (RFC 9345 §4.1.3)`);
  }
  const key = trial.provider.publicKey(cred.subjectPublicKeyInfo);
  if (!key.schemes.includes(scheme)) {
    throw refuse(`its key is said to be for ${scheme}, and allows ${key.schemes.join(', ')} (RFC 9345 §4)`);
  }
  return { schemes: [scheme], verify: (used, message, proof) => used === scheme && key.verify(used, message, proof) };
}

/** Seconds: the longest that a delegated credential may hold from now on (RFC 9345 §4.1.3). */
export const maximumDelegation = 604_800;

/** The schemes that a delegated key may sign with: an RSA key must say that it is for PSS (RFC 9345 §4.2). */
export function delegableSchemes(schemes: readonly SignatureSchemeName[]): readonly SignatureSchemeName[] {
  return handshakeSchemes(schemes).filter((scheme) => !scheme.startsWith('rsa_pss_rsae_'));
}

/** What the certificate's key signs to delegate (RFC 9345 §4). `role` is the side that will present the credential. */
export function delegatedContent(
  role: SigningRole,
  certificate: Uint8Array,
  cred: DelegatedCredentialFields,
  algorithm: number,
): Uint8Array {
  const prefix = prefixes[role];
  const part = delegatedCredentialSignedPart(cred, algorithm);
  const content = new Uint8Array(prefix.length + certificate.length + part.length);
  content.set(prefix);
  content.set(certificate, prefix.length);
  content.set(part, prefix.length + certificate.length);
  return content;
}

/** Why a certificate may not delegate (RFC 9345 §4.2), or `undefined` when it may. Throws decode_error. */
export function delegationFault(fields: CertificateFields): string | undefined {
  if (certificateExtension(fields, certificateExtensionOids.delegationUsage) === undefined) {
    return 'the certificate is without the extension DelegationUsage';
  }
  const usage = certificateExtension(fields, certificateExtensionOids.keyUsage);
  if (usage === undefined || ((keyUsageBits(usage)[0] ?? 0) & digitalSignature) === 0) {
    return "the certificate's Key Usage is without digitalSignature";
  }
  return undefined;
}

/**
 * Why a delegated credential does not hold at `now`, in milliseconds since 1970 (RFC 9345 §4.1.3), or `undefined` when it
 * does. Throws decode_error for what is no certificate.
 */
export function expiryFault(
  { cred }: Pick<DelegatedCredential, 'cred'>,
  certificate: Uint8Array,
  now: number,
): string | undefined {
  // That the certificate itself holds until then is for its issuer to see to (§3); it is judged for itself.
  const { notBefore } = certificateValidity(certificateFields(certificate));
  const expiry = notBefore + cred.validTime * 1000;
  if (now > expiry) return `it ended at ${date(expiry)}`;
  if (expiry > now + maximumDelegation * 1000) return `it holds until ${date(expiry)}, more than seven days from now`;
  return undefined;
}

/** The first bit of Key Usage. */
const digitalSignature = 0x80;

const prefixes = { client: contentPrefix('client'), server: contentPrefix('server') } as const;

/** 64 spaces, the context string, and a zero byte. */
function contentPrefix(role: SigningRole): Uint8Array {
  const text = `${' '.repeat(64)}TLS, ${role} delegated credentials\0`;
  return Uint8Array.from(text, (character) => character.charCodeAt(0));
}

function schemeAmong(schemes: readonly SignatureSchemeName[], code: number): SignatureSchemeName | undefined {
  return schemes.find((scheme) => signatureSchemes[scheme] === code);
}

function date(milliseconds: number): string {
  return new Date(milliseconds).toISOString();
}
