/** Certificate-based authentication after the handshake (§4.7.2): the client answers a CertificateRequest. */
import { TlsError } from '../../alert.js';
import { equal } from '../../bytes.js';
import type { Transcript } from '../../keys/transcript.js';
import { type MessageOf, type Transition, whenReady } from '../step.js';
import { answerRequest, receivedRequest } from './certificate-answer.js';
import type { ClientContext, Connected } from './states.js';

/** What a client keeps that has offered post_handshake_auth (§4.3.6). */
export interface PostHandshake {
  /** ClientHello … client Finished: what every answer's transcript begins with (§4.5). */
  readonly transcript: Transcript;
  /** certificate_request_contexts that were used: each serves once (§4.4.2). */
  readonly contexts: readonly Uint8Array[];
}

export function receivePostHandshakeRequest(
  state: Connected,
  { body, bytes }: MessageOf<'certificate_request'>,
  { settings }: ClientContext,
): Transition<Connected> {
  const { postHandshake } = state;
  if (postHandshake === undefined) {
    throw new TlsError('unexpected_message', 'a CertificateRequest, and post_handshake_auth was not offered (§4.7.2)');
  }
  const limit = settings.limits.certificateRequests;
  if (postHandshake.contexts.length >= limit) {
    throw new TlsError(
      'unexpected_message',
      `more than ${limit} CertificateRequests on one connection (limits.certificateRequests)`,
    );
  }
  const context = body.certificateRequestContext.slice();
  if (postHandshake.contexts.some((used) => equal(used, context))) {
    throw new TlsError('illegal_parameter', 'a certificate_request_context that was used before (§4.4.2)');
  }
  const next = { ...state, postHandshake: { ...postHandshake, contexts: [...postHandshake.contexts, context] } };
  const transcript = postHandshake.transcript.append(bytes);
  const answer = answerRequest(receivedRequest(body, 'x509'), context, transcript, settings);
  return whenReady(answer, ({ messages, transcript: throughAnswer, presented }) => ({
    next,
    effects: [
      { type: 'send_authentication', messages, transcript: throughAnswer },
      {
        type: 'authenticated',
        context,
        identity: presented && {
          certificates: presented.credential.certificateChain,
          scheme: presented.scheme,
          delegated: presented.credential.delegatedCredential !== undefined,
        },
      },
    ],
  }));
}
