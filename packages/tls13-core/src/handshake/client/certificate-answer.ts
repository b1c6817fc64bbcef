/** How a client reads a CertificateRequest (§4.4.2) and which of its credentials answers it (§4.5.1.2). */
import { TlsError } from '../../alert.js';
import { type Awaitable, whenKnown } from '../../awaitable.js';
import type { CertificateRequestInfo, Credential } from '../../config/index.js';
import type { Transcript } from '../../keys/transcript.js';
import type { CertificateTypeName } from '../../registry.js';
import { type ClientSettings, checkCredential } from '../../settings/index.js';
import type { CertificateRequest } from '../../wire/index.js';
import { matchesOidFilters, oidFiltersReceived } from '../../x509/oid-filters.js';
import { firstUsable } from '../credential-choice.js';
import { type Authentication, authenticate, authenticateAsNobody, type ChosenCredential } from '../own-certificate.js';

/** A CertificateRequest that came. */
export interface ReceivedRequest {
  readonly info: CertificateRequestInfo;
  /** Types of its extensions, some of which ask for one in the Certificate (§4.3). */
  readonly asked: readonly number[];
  readonly acceptedCompression: readonly number[];
}

export function receivedRequest(
  { extensions }: CertificateRequest,
  certificateType: CertificateTypeName,
): ReceivedRequest {
  const { signatureAlgorithms, signatureAlgorithmsCert, certificateAuthorities = [], oidFilters = [] } = extensions;
  if (signatureAlgorithms === undefined) {
    throw new TlsError('missing_extension', 'the CertificateRequest has no signature_algorithms (§4.4.2)');
  }
  const info: CertificateRequestInfo = {
    certificateType,
    signatureSchemes: signatureAlgorithms,
    certificateSignatureSchemes: signatureAlgorithmsCert ?? signatureAlgorithms,
    certificateAuthorities: certificateAuthorities.map((name) => name.slice()),
    oidFilters: oidFiltersReceived(oidFilters),
    delegatedCredentialSchemes: extensions.delegatedCredential ?? [],
  };
  return { info, asked: extensions.types, acceptedCompression: extensions.compressCertificate ?? [] };
}

export interface ClientAuthentication extends Authentication {
  /** `undefined` when the client shows no certificate. */
  readonly presented: ChosenCredential | undefined;
}

/** Certificate, and CertificateVerify behind it unless it is empty. `context` is that of the request. */
export function answerRequest(
  { info, asked, acceptedCompression }: ReceivedRequest,
  context: Uint8Array,
  transcript: Transcript,
  { credential, now, certificateCompression: compressors }: ClientSettings,
): Awaitable<ClientAuthentication> {
  const answer = { role: 'client', context, transcript, asked, acceptedCompression, compressors } as const;
  return whenKnown(given(credential, info), (credentials) => {
    const presented = usable(credentials, info, now());
    if (presented === undefined) return { ...authenticateAsNobody(answer), presented };
    return whenKnown(authenticate(presented, answer), (made) => ({ ...made, presented }));
  });
}

/** What this client has for the request: checked when it was configured, or now. */
function given(
  credential: ClientSettings['credential'],
  info: CertificateRequestInfo,
): Awaitable<readonly Credential[]> {
  if (typeof credential !== 'function') return credential;
  return whenKnown(credential(info), (one) => {
    if (one === undefined) return [];
    checkCredential(one, 'credential');
    return [one];
  });
}

function usable(
  credentials: readonly Credential[],
  request: CertificateRequestInfo,
  now: number,
): ChosenCredential | undefined {
  const matching = credentials.filter(({ rawPublicKey, certificateChain: [leaf] }) => {
    if (rawPublicKey !== undefined) return true;
    return leaf !== undefined && matchesOidFilters(leaf, request.oidFilters);
  });
  return firstUsable(matching, { ...request, certificateTypes: [request.certificateType], now });
}
