/** How a certificate's key delegates to another (RFC 9345): for whoever holds the key of the certificate. */
import { type Awaitable, whenKnown } from '../awaitable.js';
import type { Credential } from '../config/index.js';
import { type SignatureSchemeName, signatureSchemes } from '../registry.js';
import { decodeDelegatedCredential, encodeDelegatedCredential } from '../wire/index.js';
import { certificateFields, certificateValidity } from '../x509/certificate.js';
import { handshakeSchemes, type SigningRole } from './certificate-verify.js';
import { delegableSchemes, delegatedContent, delegationFault, maximumDelegation } from './delegation.js';

export interface DelegationOptions {
  /** The certificate that delegates, first of its chain, and a signer over its key. */
  readonly credential: Pick<Credential, 'certificateChain' | 'signer'>;
  /** DER SubjectPublicKeyInfo of the key that is delegated to. */
  readonly publicKey: Uint8Array;
  /** What that key will sign with; not one of `rsa_pss_rsae_*`. */
  readonly scheme: SignatureSchemeName;
  /** Seconds from now. Default 86,400; at most 604,800, and not as long as the certificate. */
  readonly lifetime?: number;
  /** Which side will present it. Default `server`. */
  readonly role?: 'server' | 'client';
  /** What the certificate's key signs with. Default: its signer's best. */
  readonly signatureScheme?: SignatureSchemeName;
  /** Milliseconds since 1970. Default `Date.now()`. */
  readonly now?: number;
}

/**
 * A delegated credential (RFC 9345 §4), for `Credential.delegatedCredential`. Throws TypeError or RangeError with a
 * sentence when the certificate may not delegate, or not for so long; in a promise where the signer answers in one.
 */
export function createDelegatedCredential(options: DelegationOptions): Awaitable<Uint8Array> {
  const { credential, publicKey, scheme, lifetime = 86_400, role = 'server', now = Date.now() } = options;
  const { signer, certificateChain } = credential;
  const [certificate] = certificateChain;
  if (certificate === undefined) throw new TypeError('credential: the certificateChain is empty');
  if (!delegableSchemes([scheme]).includes(scheme)) {
    throw new TypeError(`scheme: no delegated key may sign with ${scheme} (RFC 9345 §4.2)`);
  }
  const [best] = handshakeSchemes(signer.schemes);
  const signatureScheme = options.signatureScheme ?? best;
  if (signatureScheme === undefined || !handshakeSchemes(signer.schemes).includes(signatureScheme)) {
    throw new TypeError(`signatureScheme: the certificate's key signs with ${signer.schemes.join(', ')}`);
  }
  const fault = delegationFault(certificateFields(certificate));
  if (fault !== undefined) throw new TypeError(`credential: ${fault}, so it cannot delegate (RFC 9345 §4.2)`);
  const cred = {
    validTime: validTime(certificate, lifetime, now),
    dcCertVerifyAlgorithm: signatureSchemes[scheme],
    subjectPublicKeyInfo: publicKey,
  };
  const algorithm = signatureSchemes[signatureScheme];
  const signed = signer.sign(signatureScheme, delegatedContent(signingRole(role), certificate, cred, algorithm));
  return whenKnown(signed, (signature) => encodeDelegatedCredential({ cred, algorithm, signature }));
}

/** What a delegated credential says of itself. */
export interface DelegatedCredentialInfo {
  /** DER SubjectPublicKeyInfo. */
  readonly publicKey: Uint8Array;
  /** Of SignatureScheme: what the delegated key signs with, and what the certificate's key has signed with. */
  readonly schemeCode: number;
  readonly signatureSchemeCode: number;
  /** Seconds behind the certificate's notBefore. */
  readonly validTime: number;
}

/** Reads a delegated credential; nothing is verified. Throws TlsError decode_error for what is none. */
export function parseDelegatedCredential(bytes: Uint8Array): DelegatedCredentialInfo {
  const { cred, algorithm } = decodeDelegatedCredential(bytes);
  return {
    publicKey: cred.subjectPublicKeyInfo.slice(),
    schemeCode: cred.dcCertVerifyAlgorithm,
    signatureSchemeCode: algorithm,
    validTime: cred.validTime,
  };
}

function signingRole(role: string): SigningRole {
  if (role === 'server' || role === 'client') return role;
  throw new TypeError(`role must be 'server' or 'client', not '${role}'`);
}

/** Seconds between the certificate's notBefore and the end. */
function validTime(certificate: Uint8Array, lifetime: number, now: number): number {
  if (!Number.isInteger(lifetime) || lifetime < 1 || lifetime > maximumDelegation) {
    throw new RangeError(`lifetime must be 1 to ${maximumDelegation} seconds (RFC 9345 §4.1.3), not ${lifetime}`);
  }
  const { notBefore, notAfter } = certificateValidity(certificateFields(certificate));
  const end = now + lifetime * 1000;
  if (now < notBefore || end >= notAfter) {
    const [from, until] = [notBefore, notAfter].map((time) => new Date(time).toISOString());
    throw new RangeError(
      `the certificate is valid from ${from} to ${until}, and the delegation must end before it does`,
    );
  }
  return Math.floor((end - notBefore) / 1000);
}
