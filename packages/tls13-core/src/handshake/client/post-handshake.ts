/** Certificate-based authentication after the handshake (§4.7.2): the client answers a CertificateRequest. */
import { TlsError } from '../../alert.js';
import { equal } from '../../bytes.js';
import type { Credential } from '../../config/index.js';
import type { Transcript } from '../../keys/transcript.js';
import type { CertificateTypeName } from '../../registry.js';
import type { ShownIdentity } from '../effects.js';
import type { ChosenCredential } from '../own-certificate.js';
import { type MessageOf, type Transition, whenReady } from '../step.js';
import { answerRequest, receivedRequest } from './certificate-answer.js';
import type { ClientContext, Connected } from './states.js';

/** What a client keeps that has offered post_handshake_auth (§4.3.6). */
export interface PostHandshake {
  /** ClientHello … client Finished: what every answer's transcript begins with (§4.5). */
  readonly transcript: Transcript;
  /** certificate_request_contexts that were used: each serves once (§4.4.2). */
  readonly contexts: readonly Uint8Array[];
  /** What this client shows when it is asked (RFC 7250). */
  readonly certificateType: CertificateTypeName;
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
  const asked = { ...state, postHandshake: { ...postHandshake, contexts: [...postHandshake.contexts, context] } };
  const transcript = postHandshake.transcript.append(bytes);
  const answer = answerRequest(receivedRequest(body, postHandshake.certificateType), context, transcript, settings);
  return whenReady(answer, ({ messages, transcript: throughAnswer, presented, compression }) => ({
    // Tickets that come from here on are for whoever this client now is.
    next: presented === undefined ? asked : withIdentity(asked, presented.credential),
    effects: [
      { type: 'send_authentication', messages, transcript: throughAnswer },
      {
        type: 'authenticated',
        context,
        identity: presented && shownBy(presented, compression),
      },
    ],
  }));
}

function withIdentity(state: Connected, { rawPublicKey, certificateChain: [leaf] }: Credential): Connected {
  return { ...state, identities: { ...state.identities, localCertificate: rawPublicKey ?? leaf } };
}

function shownBy({ credential, scheme }: ChosenCredential, compression: string | undefined): ShownIdentity {
  return {
    certificates: credential.certificateChain,
    info: {
      clientSignatureScheme: scheme,
      localCertificates: credential.certificateChain,
      localRawPublicKey: credential.rawPublicKey,
      localDelegatedCredential: credential.delegatedCredential !== undefined,
      localCertificateCompression: compression,
    },
  };
}
