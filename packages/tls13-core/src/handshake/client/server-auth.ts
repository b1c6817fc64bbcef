/** EncryptedExtensions and CertificateRequest (§4.4), and the server's Certificate and CertificateVerify (§4.5). */
import { TlsError } from '../../alert.js';
import type { CertificateRequestInfo } from '../../config/index.js';
import { type CertificateEntry, decodeCertificateStatus } from '../../wire/index.js';
import { verifySignature } from '../certificate-verify.js';
import { leafKey } from '../peer-certificate.js';
import { type MessageOf, type Step, type Transition, whenReady } from '../step.js';
import { checkOffered } from './offer.js';
import type {
  ClientContext,
  WaitCertificate,
  WaitCertificateOrRequest,
  WaitCertificateVerify,
  WaitEncryptedExtensions,
  WaitFinished,
} from './states.js';

export function receiveEncryptedExtensions(
  { negotiated, transcript }: WaitEncryptedExtensions,
  { body, bytes }: MessageOf<'encrypted_extensions'>,
  { settings }: ClientContext,
): Transition<WaitCertificateOrRequest | WaitFinished> {
  const { offer, psk } = negotiated;
  checkOffered(offer, 'EncryptedExtensions', body.extensions.types);
  const alpnProtocol = body.extensions.alpn;
  const offered = offer.hello.extensions.alpn ?? [];
  if (alpnProtocol !== undefined && !offered.includes(alpnProtocol)) {
    const names = offered.map((name) => JSON.stringify(name)).join(', ');
    throw new TlsError(
      'illegal_parameter',
      `the server selects the protocol ${JSON.stringify(alpnProtocol)}; offered were ${names} (RFC 7301 §3.2)`,
    );
  }
  const common = { negotiated, transcript: transcript.append(bytes), alpnProtocol };
  if (psk === undefined) return { next: { name: 'WAIT_CERT_CR', ...common }, effects: [] };
  const { peerCertificates: certificates } = psk.session;
  const authenticated = { request: undefined, peerCertificates: certificates, signatureScheme: undefined };
  // Judged anew: whoever took the session may have trusted anybody, and certificates expire.
  const verdict = settings.verifyPeer({
    role: 'server',
    certificates,
    serverName: settings.serverName,
    ocspResponse: undefined,
    resumed: true,
  });
  return whenReady(verdict, () => ({ next: { name: 'WAIT_FINISHED', ...common, ...authenticated }, effects: [] }));
}

export function receiveCertificateRequest(
  { negotiated, transcript, alpnProtocol }: WaitCertificateOrRequest,
  { body, bytes }: MessageOf<'certificate_request'>,
): Step<WaitCertificate> {
  checkContext('CertificateRequest', body.certificateRequestContext);
  const { signatureAlgorithms, certificateAuthorities = [] } = body.extensions;
  if (signatureAlgorithms === undefined) {
    throw new TlsError('missing_extension', 'the CertificateRequest has no signature_algorithms (§4.4.2)');
  }
  const request: CertificateRequestInfo = {
    signatureSchemes: signatureAlgorithms,
    certificateAuthorities: certificateAuthorities.map((name) => name.slice()),
  };
  return {
    next: { name: 'WAIT_CERT', negotiated, transcript: transcript.append(bytes), alpnProtocol, request },
    effects: [],
  };
}

export function receiveCertificate(
  state: WaitCertificateOrRequest | WaitCertificate,
  { body, bytes }: MessageOf<'certificate'>,
  { settings }: ClientContext,
): Step<WaitCertificateVerify> {
  const { negotiated, transcript, alpnProtocol } = state;
  checkContext('Certificate', body.certificateRequestContext);
  for (const { extensions } of body.certificateList) checkOffered(negotiated.offer, 'Certificate', extensions.types);
  const [leaf] = body.certificateList;
  if (leaf === undefined) {
    throw new TlsError('decode_error', "the server's Certificate is empty; it must hold a chain (§4.5.1.3)");
  }
  const certificates = body.certificateList.map(({ certData }) => certData.slice());
  return {
    next: {
      name: 'WAIT_CV',
      negotiated,
      transcript: transcript.append(bytes),
      alpnProtocol,
      request: state.name === 'WAIT_CERT' ? state.request : undefined,
      certificates,
      ocspResponse: ocspResponse(leaf),
      key: leafKey(settings.provider, 'server', leaf.certData),
    },
    effects: [],
  };
}

/** The signature comes first: nobody is asked about a certificate whose key the peer has not shown to hold. */
export function receiveCertificateVerify(
  state: WaitCertificateVerify,
  { body, bytes }: MessageOf<'certificate_verify'>,
  { settings }: ClientContext,
): Transition<WaitFinished> {
  const { negotiated, transcript, alpnProtocol, request, certificates, ocspResponse } = state;
  const signatureScheme = verifySignature({
    role: 'server',
    key: state.key,
    offered: settings.signatureSchemes,
    algorithm: body.algorithm,
    signature: body.signature,
    transcriptHash: transcript.digest(),
  });
  const next: WaitFinished = {
    name: 'WAIT_FINISHED',
    negotiated,
    transcript: transcript.append(bytes),
    alpnProtocol,
    request,
    peerCertificates: certificates,
    signatureScheme,
  };
  const { serverName } = settings;
  const verdict = settings.verifyPeer({ role: 'server', certificates, serverName, ocspResponse, resumed: false });
  return whenReady(verdict, () => ({ next, effects: [] }));
}

/** §4.4.2, §4.5.1: a context is for authentication after the handshake only. */
function checkContext(message: string, context: Uint8Array): void {
  if (context.length > 0) {
    throw new TlsError(
      'illegal_parameter',
      `the ${message}'s certificate_request_context has ${context.length} bytes; in the handshake it is empty (§4.4.2)`,
    );
  }
}

const ocspStatusType = 1;

/** The stapled OCSP response of the leaf (§4.5.1.1). */
function ocspResponse({ extensions }: CertificateEntry): Uint8Array | undefined {
  if (extensions.statusRequest === undefined) return undefined;
  const { statusType, response } = decodeCertificateStatus(extensions.statusRequest);
  if (statusType !== ocspStatusType) {
    throw new TlsError(
      'bad_certificate_status_response',
      `the Certificate's status_request is of type ${statusType}; asked for was ocsp (1) (§4.5.1.1)`,
    );
  }
  return response.slice();
}
