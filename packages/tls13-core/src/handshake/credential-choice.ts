/** Which of this side's credentials a peer can make use of (§4.5.1.2), for both roles. */
import { TlsError } from '../alert.js';
import { equal } from '../bytes.js';
import type { ClientHelloInfo, Credential } from '../config/index.js';
import { type CertificateTypeName, type SignatureSchemeName, signatureSchemes } from '../registry.js';
import { decodeDelegatedCredential } from '../wire/index.js';
import { certificateFields, certificateSignatureSchemes } from '../x509/certificate.js';
import { typeOf } from './certificate-types.js';
import { chooseSignatureScheme } from './certificate-verify.js';
import { expiryFault } from './delegation.js';
import type { ChosenCredential } from './own-certificate.js';

/** What a peer accepts, as code points. */
export interface Acceptance {
  /** RFC 7250 */
  readonly certificateTypes: readonly CertificateTypeName[];
  /** signature_algorithms */
  readonly signatureSchemes: readonly number[];
  /** signature_algorithms_cert, or the same again (§4.3.3). */
  readonly certificateSignatureSchemes: readonly number[];
  /** delegated_credential (RFC 9345) */
  readonly delegatedCredentialSchemes: readonly number[];
  /** certificate_authorities (§4.3.4): DER names; empty when the peer names none. */
  readonly certificateAuthorities: readonly Uint8Array[];
  /** Milliseconds since 1970. */
  readonly now: number;
}

/**
 * The first credential that can sign for the peer; among those, the first whose chain is signed as the peer accepts it
 * comes before the others (§4.5.1.2), and of these one by an authority that the peer names (§4.3.4).
 */
export function firstUsable(credentials: readonly Credential[], accepted: Acceptance): ChosenCredential | undefined {
  const usable = credentials.flatMap((credential): readonly ChosenCredential[] => {
    const scheme = usableScheme(credential, accepted);
    return scheme === undefined ? [] : [{ credential, scheme }];
  });
  const [first, ...others] = usable;
  if (others.length === 0) return first;
  const signed = usable.filter(({ credential }) => chainIsAccepted(credential, accepted));
  const candidates = signed.length === 0 ? usable : signed;
  return candidates.find(({ credential }) => isOfNamedAuthority(credential, accepted)) ?? candidates[0];
}

/**
 * The first credential that can sign for a client, as a server without a choice of its own takes it: one whose chain is
 * signed as the client accepts it comes before others. `now` is in milliseconds since 1970, by default `Date.now()`.
 */
export function firstUsableCredential(
  credentials: readonly Credential[],
  hello: Pick<
    ClientHelloInfo,
    'certificateTypes' | 'signatureSchemes' | 'certificateSignatureSchemes' | 'delegatedCredentialSchemes'
  > &
    Partial<Pick<ClientHelloInfo, 'certificateAuthorities'>>,
  now = Date.now(),
): Credential | undefined {
  const {
    certificateTypes,
    signatureSchemes: handshake,
    certificateSignatureSchemes,
    delegatedCredentialSchemes,
    certificateAuthorities = [],
  } = hello;
  const accepted = {
    certificateTypes,
    signatureSchemes: handshake,
    certificateSignatureSchemes,
    delegatedCredentialSchemes,
    certificateAuthorities,
    now,
  };
  return firstUsable(credentials, accepted)?.credential;
}

/** The scheme to sign with under this credential, or `undefined` when the peer has no use for it. */
function usableScheme(credential: Credential, accepted: Acceptance): SignatureSchemeName | undefined {
  const { signer, delegatedCredential, certificateChain } = credential;
  if (!accepted.certificateTypes.includes(typeOf(credential))) return undefined;
  if (delegatedCredential === undefined) return chooseSignatureScheme(signer, accepted.signatureSchemes);
  const [leaf] = certificateChain;
  if (leaf === undefined) return undefined;
  // Both of its schemes are the peer's to accept, each in a list of its own (RFC 9345 §4.1.1).
  const delegated = decodeDelegatedCredential(delegatedCredential);
  if (!accepted.signatureSchemes.includes(delegated.algorithm)) return undefined;
  const scheme = chooseSignatureScheme(signer, accepted.delegatedCredentialSchemes);
  const fits = scheme !== undefined && signatureSchemes[scheme] === delegated.cred.dcCertVerifyAlgorithm;
  return fits && expiryFault(delegated, leaf, accepted.now) === undefined ? scheme : undefined;
}

/** Whether each certificate that is not self-issued is signed in a way that the peer accepts. */
function chainIsAccepted(
  { certificateChain }: Credential,
  { certificateSignatureSchemes: accepted }: Acceptance,
): boolean {
  return certificateChain.every((certificate) => {
    const schemes = schemesOfSignature(certificate);
    return schemes === undefined || schemes.some((scheme) => accepted.includes(signatureSchemes[scheme]));
  });
}

/** Whether a certificate of the chain is issued by one of the authorities that the peer names (§4.3.4). */
function isOfNamedAuthority({ certificateChain }: Credential, { certificateAuthorities: named }: Acceptance): boolean {
  if (named.length === 0) return false;
  return certificateChain.some((certificate) => {
    const issuer = issuerOf(certificate);
    return issuer !== undefined && named.some((name) => equal(name, issuer));
  });
}

function issuerOf(certificate: Uint8Array): Uint8Array | undefined {
  try {
    return certificateFields(certificate).issuer?.bytes;
  } catch (error) {
    if (error instanceof TlsError) return undefined;
    throw error;
  }
}

/** Read once for each certificate of ours. */
const known = new WeakMap<Uint8Array, readonly SignatureSchemeName[] | 'any'>();

function schemesOfSignature(certificate: Uint8Array): readonly SignatureSchemeName[] | undefined {
  const schemes = known.get(certificate) ?? readSchemes(certificate);
  known.set(certificate, schemes);
  return schemes === 'any' ? undefined : schemes;
}

function readSchemes(certificate: Uint8Array): readonly SignatureSchemeName[] | 'any' {
  try {
    return certificateSignatureSchemes(certificateFields(certificate)) ?? 'any';
  } catch (error) {
    // What this side presents is its own affair: a certificate that is not readable here is shown as it is.
    if (error instanceof TlsError) return 'any';
    throw error;
  }
}
