/** Certificate-based authentication after the handshake (§4.7.2): the server asks, and judges what the client answers. */
import { TlsError } from '../../alert.js';
import { equal } from '../../bytes.js';
import type { Transcript } from '../../keys/transcript.js';
import type { CertificateTypeName } from '../../registry.js';
import type { Effect, ShownIdentity } from '../effects.js';
import type { ClaimedIdentity } from '../peer-certificate.js';
import { type MessageOf, type Step, type Transition, whenReady } from '../step.js';
import { claimOf, identityInfo, judgeClient } from './client-identity.js';
import { certificateRequest } from './messages.js';
import type { Connected, ServerContext } from './states.js';
import { type TicketSource, ticketsFor } from './ticket.js';

/** What a server keeps whose client has offered post_handshake_auth (§4.3.6). */
export interface PostHandshake {
  /** ClientHello … client Finished: what every answer's transcript begins with (§4.5). */
  readonly transcript: Transcript;
  /** In any order a client may answer them. */
  readonly outstanding: readonly OutstandingRequest[];
  /** What the client shows when it is asked (RFC 7250). */
  readonly certificateType: CertificateTypeName;
  /** For tickets that name whoever the client has shown to be; `undefined` when none are to be sent. */
  readonly tickets: TicketSource | undefined;
}

export interface OutstandingRequest {
  /** certificate_request_context */
  readonly context: Uint8Array;
  readonly required: boolean;
  /** Through the CertificateRequest. */
  readonly transcript: Transcript;
}

/** The client's Certificate has come, and its CertificateVerify must follow. */
export interface WaitPostHandshakeCertificateVerify {
  readonly name: 'WAIT_POST_HANDSHAKE_CV';
  readonly connected: Connected;
  readonly context: Uint8Array;
  readonly claimed: ClaimedIdentity;
  /** Through the Certificate. */
  readonly transcript: Transcript;
}

/** The client's Finished must follow. */
export interface WaitPostHandshakeFinished {
  readonly name: 'WAIT_POST_HANDSHAKE_FINISHED';
  readonly connected: Connected;
  readonly context: Uint8Array;
  readonly identity: ShownIdentity | undefined;
  readonly transcript: Transcript;
}

/** What the application asks for. */
export interface RequestCertificate {
  readonly type: 'requestCertificate()';
  readonly required: boolean;
}

/** Sends a CertificateRequest. Throws TypeError when this client cannot be asked. */
export function requestCertificate(
  state: Connected,
  asked: RequestCertificate,
  context: ServerContext,
): Step<Connected> {
  const { settings } = context;
  const { postHandshake } = state;
  if (settings.verifyPeer === undefined) throw new TypeError('verifyPeer must be a function to judge certificates');
  if (postHandshake === undefined) {
    throw new TypeError(
      'the client cannot be asked: it did not offer post_handshake_auth, or none of clientCertificateTypes (RFC 7250), or is known by a PSK (§4.4.2)',
    );
  }
  const limit = settings.limits.certificateRequests;
  if (postHandshake.outstanding.length >= limit) {
    throw new TypeError(`${limit} requests are not answered yet (limits.certificateRequests)`);
  }
  const requestContext = settings.provider.random(contextLength);
  const message = certificateRequest(context, requestContext);
  const request: OutstandingRequest = {
    context: requestContext,
    required: asked.required,
    transcript: postHandshake.transcript.append(message),
  };
  return {
    next: { ...state, postHandshake: { ...postHandshake, outstanding: [...postHandshake.outstanding, request] } },
    effects: [
      { type: 'send', message },
      { type: 'certificate_requested', context: requestContext },
    ],
  };
}

/** The same between the messages of an answer to an earlier request. */
export function requestCertificateAgain<State extends WithinAnswer>(
  state: State,
  asked: RequestCertificate,
  context: ServerContext,
): Step<State> {
  const { next, effects } = requestCertificate(state.connected, asked, context);
  return { next: { ...state, connected: next }, effects };
}

type WithinAnswer = WaitPostHandshakeCertificateVerify | WaitPostHandshakeFinished;

export function receivePostHandshakeCertificate(
  state: Connected,
  { body, bytes }: MessageOf<'certificate'>,
  { settings }: ServerContext,
): Step<WaitPostHandshakeCertificateVerify | WaitPostHandshakeFinished> {
  const { postHandshake } = state;
  const context = body.certificateRequestContext.slice();
  const request = postHandshake?.outstanding.find((asked) => equal(asked.context, context));
  if (postHandshake === undefined || request === undefined) {
    const none = (postHandshake?.outstanding.length ?? 0) === 0;
    throw none
      ? new TlsError('unexpected_message', 'a Certificate after the handshake, and none was asked for (§4.7.2)')
      : new TlsError('illegal_parameter', "a certificate_request_context that is no CertificateRequest's (§4.5.1)");
  }
  const outstanding = postHandshake.outstanding.filter((asked) => asked !== request);
  const common = {
    connected: { ...state, postHandshake: { ...postHandshake, outstanding } },
    context,
    transcript: request.transcript.append(bytes),
  };
  const claimed = claimOf(body, context, settings, postHandshake.certificateType);
  if (claimed !== undefined) return { next: { name: 'WAIT_POST_HANDSHAKE_CV', ...common, claimed }, effects: [] };
  if (request.required) {
    throw new TlsError('certificate_required', 'the client shows no certificate, and one is required (§4.5.1.3)');
  }
  return { next: { name: 'WAIT_POST_HANDSHAKE_FINISHED', ...common, identity: undefined }, effects: [] };
}

export function receivePostHandshakeCertificateVerify(
  { connected, context, claimed, transcript }: WaitPostHandshakeCertificateVerify,
  { body, bytes }: MessageOf<'certificate_verify'>,
  { settings }: ServerContext,
): Transition<WaitPostHandshakeFinished> {
  return whenReady(judgeClient(body, claimed, transcript.digest(), settings), (scheme) => ({
    next: {
      name: 'WAIT_POST_HANDSHAKE_FINISHED',
      connected,
      context,
      identity: { certificates: claimed.evidence.peerCertificates, info: identityInfo(claimed, scheme, settings) },
      transcript: transcript.append(bytes),
    },
    effects: [],
  }));
}

/** Its key is the client's application traffic secret in force, which is the engine's (§4.5). */
export function receivePostHandshakeFinished(
  { connected, context, identity, transcript }: WaitPostHandshakeFinished,
  { body }: MessageOf<'finished'>,
  serverContext: ServerContext,
): Transition<Connected> {
  const effects: Effect[] = [
    { type: 'verify_finished', verifyData: body.verifyData, transcript },
    { type: 'authenticated', context, identity },
  ];
  const { postHandshake } = connected;
  if (identity === undefined || postHandshake?.tickets === undefined) return { next: connected, effects };
  // Earlier tickets do not say who the client is.
  const source = { ...postHandshake.tickets, info: { ...postHandshake.tickets.info, ...identity.info } };
  return whenReady(ticketsFor(source, serverContext), ({ tickets, messages }) => ({
    next: { ...connected, postHandshake: { ...postHandshake, tickets } },
    effects: [...effects, ...messages.map((message) => ({ type: 'send', message }) as const)],
  }));
}

/** Bytes: not to be foreseen by the client (§4.4.2). */
const contextLength = 32;
