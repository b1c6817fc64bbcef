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
  /** certificate_authorities, empty when the peer names none (§4.3.4). */
  readonly certificateAuthorities: readonly Uint8Array[];
  /** delegated_credential (RFC 9345) */
  readonly delegatedCredentialSchemes: readonly number[];
  /** Milliseconds since 1970. */
  readonly now: number;
}

/**
 * The first credential that can sign for the peer; among those, one whose chain is signed as the peer accepts it comes
 * before the others, and one with an issuer that the peer names before those without (§4.5.1.2).
 */
export function firstUsable(credentials: readonly Credential[], accepted: Acceptance): ChosenCredential | undefined {
  const usable = credentials.flatMap((credential): readonly ChosenCredential[] => {
    const scheme = usableScheme(credential, accepted);
    return scheme === undefined ? [] : [{ credential, scheme }];
  });
  const [first, ...others] = usable;
  if (others.length === 0) return first;
  const signed = usable.filter(({ credential }) => chainIsAccepted(credential, accepted));
  const best = signed.length === 0 ? usable : signed;
  return best.find(({ credential }) => suitsAuthorities(credential, accepted)) ?? best[0];
}

/**
 * The first credential that can sign for a client, as a server without a choice of its own takes it: one whose chain the
 * client says it can judge (§4.5.1.2) comes before others. `now` is in milliseconds since 1970, by default `Date.now()`.
 */
export function firstUsableCredential(
  credentials: readonly Credential[],
  hello: Pick<ClientHelloInfo, Exclude<keyof Acceptance, 'now' | 'certificateAuthorities'>> &
    Partial<Pick<ClientHelloInfo, 'certificateAuthorities'>>,
  now = Date.now(),
): Credential | undefined {
  return firstUsable(credentials, { certificateAuthorities: [], ...hello, now })?.credential;
}

/** Whether a peer may be shown the credential, as far as its certificate_authorities goes (§4.3.4). */
export function mayBeShown(credential: Credential, accepted: Pick<Acceptance, 'certificateAuthorities'>): boolean {
  return credential.mustMatchIssuer !== true || hasNamedIssuer(credential, accepted);
}

/** The scheme to sign with under this credential, or `undefined` when the peer has no use for it. */
function usableScheme(credential: Credential, accepted: Acceptance): SignatureSchemeName | undefined {
  const { signer, delegatedCredential, certificateChain } = credential;
  if (!accepted.certificateTypes.includes(typeOf(credential)) || !mayBeShown(credential, accepted)) return undefined;
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
    const { schemes } = madeBy(certificate);
    return schemes === undefined || schemes.some((scheme) => accepted.includes(signatureSchemes[scheme]));
  });
}

/** §4.5.1.2: of a peer that names authorities, one of which should have issued a certificate of the chain. */
function suitsAuthorities(credential: Credential, accepted: Acceptance): boolean {
  const asksForNone = accepted.certificateAuthorities.length === 0 || credential.rawPublicKey !== undefined;
  return asksForNone || hasNamedIssuer(credential, accepted);
}

function hasNamedIssuer(
  { certificateChain }: Credential,
  { certificateAuthorities }: Pick<Acceptance, 'certificateAuthorities'>,
): boolean {
  return certificateChain.some((certificate) => {
    const { issuer } = madeBy(certificate);
    return issuer !== undefined && certificateAuthorities.some((name) => equal(name, issuer));
  });
}

/** Who made a certificate and how. */
interface Making {
  /** `undefined` when it makes no difference (§4.5.1.2). */
  readonly schemes: readonly SignatureSchemeName[] | undefined;
  /** The name in DER. */
  readonly issuer: Uint8Array | undefined;
}

/** Read once for each certificate of ours. */
const known = new WeakMap<Uint8Array, Making>();

function madeBy(certificate: Uint8Array): Making {
  const making = known.get(certificate) ?? readMaking(certificate);
  known.set(certificate, making);
  return making;
}

function readMaking(certificate: Uint8Array): Making {
  try {
    const fields = certificateFields(certificate);
    return { schemes: certificateSignatureSchemes(fields), issuer: fields.issuer?.bytes };
  } catch (error) {
    // What this side presents is its own affair: a certificate that is not readable here is shown as it is.
    if (error instanceof TlsError) return { schemes: undefined, issuer: undefined };
    throw error;
  }
}
