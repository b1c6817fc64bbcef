/** EncryptedExtensions and CertificateRequest (§4.4), and the server's Certificate and CertificateVerify (§4.5). */
import { asTlsError, TlsError } from '../../alert.js';
import { type Awaitable, isPromised } from '../../awaitable.js';
import type { VerifyPeer } from '../../config/index.js';
import type { Session } from '../../session.js';
import type { EncryptedExtensions } from '../../wire/index.js';
import { type CertificateTypes, defaultCertificateTypes, selectedType } from '../certificate-types.js';
import { evidenceOf, judge, noEvidence, peerOf, readCertificate } from '../peer-certificate.js';
import { agreedLimit, limitEffects } from '../record-size-limit.js';
import { type MessageOf, type Step, type Transition, whenReady } from '../step.js';
import { receivedRequest } from './certificate-answer.js';
import { effectsOfEncryptedExtensions, outcomeOfEncryptedExtensions } from './early-data.js';
import { peerVerifier, retryConfigs } from './ech-answer.js';
import { refuseMisplaced } from './misplaced.js';
import { checkOffered, offeredTypes } from './offer.js';
import type {
  ClientContext,
  Negotiated,
  WaitCertificate,
  WaitCertificateOrRequest,
  WaitCertificateVerify,
  WaitEncryptedExtensions,
  WaitFinished,
} from './states.js';

export function receiveEncryptedExtensions(
  { negotiated: before, transcript }: WaitEncryptedExtensions,
  message: MessageOf<'encrypted_extensions'>,
  { settings }: ClientContext,
): Transition<WaitCertificateOrRequest | WaitFinished> {
  const { body, bytes } = message;
  const { offer, psk } = before;
  refuseMisplaced(body.extensions.types, settings.deviations.misplacedExtensions);
  checkOffered(offer, 'EncryptedExtensions', body.extensions.types);
  const recordSizeLimit = agreedLimit(body.extensions.recordSizeLimit, settings.recordSizeLimit);
  const limited = limitEffects(recordSizeLimit);
  const negotiated: Negotiated = {
    ...before,
    recordSizeLimit,
    echRetryConfigs: retryConfigs(offer, message),
    certificateTypes: psk === undefined ? certificateTypes(body, settings) : defaultCertificateTypes,
  };
  const alpnProtocol = body.extensions.alpn;
  const offered = settings.alpnProtocols;
  const strange = alpnProtocol !== undefined && !offered.includes(alpnProtocol);
  if (strange && !settings.deviations.unofferedProtocols) {
    const names = offered.map((name) => JSON.stringify(name)).join(', ');
    throw new TlsError(
      'illegal_parameter',
      `the server selects the protocol ${JSON.stringify(alpnProtocol)}; offered were ${names} (RFC 7301 §3.2)`,
    );
  }
  const earlyData = outcomeOfEncryptedExtensions(negotiated, body.extensions.earlyData === true, alpnProtocol);
  const common = { negotiated: { ...negotiated, earlyData }, transcript: transcript.append(bytes), alpnProtocol };
  if (psk === undefined) return { next: { name: 'WAIT_CERT_CR', ...common }, effects: limited };
  const evidence = psk.kind === 'resumption' ? evidenceOf(psk.session) : noEvidence;
  const authenticated = {
    request: undefined,
    evidence,
    signatureScheme: undefined,
    peerDelegated: false,
    peerCompression: undefined,
  };
  const resume = (): Step<WaitFinished> => ({
    next: { name: 'WAIT_FINISHED', ...common, ...authenticated },
    effects: [...limited, ...effectsOfEncryptedExtensions(common.negotiated, settings, { alpnProtocol, ...evidence })],
  });
  // With early data they were judged before it was offered.
  if (psk.kind === 'external' || earlyData.status === 'accepted') return resume();
  const verdict = judged(psk.session, settings);
  return whenReady(verdict, (refusal) => (refusal === undefined ? resume() : withRefusal(resume(), refusal)));
}

/** The keys have changed already where early data was rejected: the alert goes under those that the server reads. */
function withRefusal({ next, effects }: Step<WaitFinished>, error: TlsError): Step<WaitFinished> {
  return { next, effects: [...effects, { type: 'fail', error }] };
}

/** Why the certificates of a session are refused, if they are. */
function judged(session: Session, settings: ClientContext['settings']): Awaitable<TlsError | undefined> {
  try {
    const verdict = judgeSession(session, settings);
    return isPromised(verdict) ? Promise.resolve(verdict).then(() => undefined, asTlsError) : undefined;
  } catch (error) {
    return asTlsError(error);
  }
}

/**
 * What a session says of the server is judged anew: whoever took the session may have trusted anybody, and certificates
 * expire.
 */
export function judgeSession(session: Session, settings: ClientContext['settings']): Awaitable<void> {
  if (session.pskIdentity !== undefined) return;
  const { serverName } = settings;
  return verifier(settings)(peerOf(evidenceOf(session), { role: 'server', serverName, resumed: true }));
}

export function receiveCertificateRequest(
  { negotiated, transcript, alpnProtocol }: WaitCertificateOrRequest,
  { body, bytes }: MessageOf<'certificate_request'>,
): Step<WaitCertificate> {
  const { length } = body.certificateRequestContext;
  if (length > 0) {
    throw new TlsError(
      'illegal_parameter',
      `the CertificateRequest's certificate_request_context has ${length} bytes; in the handshake it is empty (§4.4.2)`,
    );
  }
  const request = receivedRequest(body, negotiated.certificateTypes.client);
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
  const claimed = readCertificate(body, {
    role: 'server',
    context: new Uint8Array(0),
    asked: offeredTypes(negotiated.offer),
    certificateType: negotiated.certificateTypes.server,
    settings,
  });
  if (claimed === undefined) {
    throw new TlsError('decode_error', "the server's Certificate is empty; it must hold a chain (§4.5.1.3)");
  }
  return {
    next: {
      name: 'WAIT_CV',
      negotiated,
      transcript: transcript.append(bytes),
      alpnProtocol,
      request: state.name === 'WAIT_CERT' ? state.request : undefined,
      claimed,
    },
    effects: [],
  };
}

export function receiveCertificateVerify(
  state: WaitCertificateVerify,
  { body, bytes }: MessageOf<'certificate_verify'>,
  { settings }: ClientContext,
): Transition<WaitFinished> {
  const { negotiated, transcript, alpnProtocol, request, claimed } = state;
  const { serverName, signatureSchemes: offered } = settings;
  const verdict = judge(body, {
    role: 'server',
    claimed,
    transcriptHash: transcript.digest(),
    offered,
    serverName,
    verifyPeer: peerVerifier(negotiated.offer, verifier(settings)),
  });
  return whenReady(verdict, (signatureScheme) => ({
    next: {
      name: 'WAIT_FINISHED',
      negotiated,
      transcript: transcript.append(bytes),
      alpnProtocol,
      request,
      evidence: claimed.evidence,
      peerDelegated: claimed.delegated,
      peerCompression: claimed.compression,
      signatureScheme,
    },
    effects: [],
  }));
}

/** There is always one where a certificate comes: without it the ServerHello had to select a PSK. */
function verifier({ verifyPeer }: ClientContext['settings']): VerifyPeer {
  if (verifyPeer === undefined) throw new TypeError('verifyPeer is missing, so no certificate can be judged');
  return verifyPeer;
}

/** What the server has selected (RFC 7250 §4.2). That it asks for a type that the client lacks by saying nothing is no fault. */
function certificateTypes({ extensions }: EncryptedExtensions, settings: ClientContext['settings']): CertificateTypes {
  const { serverCertificateType, clientCertificateType } = extensions;
  return {
    server: selectedType('server', serverCertificateType, settings.serverCertificateTypes),
    client:
      clientCertificateType === undefined
        ? 'x509'
        : selectedType('client', clientCertificateType, settings.clientCertificateTypes),
  };
}
