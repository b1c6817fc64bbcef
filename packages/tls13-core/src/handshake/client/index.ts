/** The client's state machine (§A.1) as a table: what is not listed for a state is an unexpected_message there. */
import { compressed } from '../certificate-compression.js';
import type { CommandTable } from '../command.js';
import { row, type Step, type Table, type Transition, whenReady } from '../step.js';
import { receiveKeyUpdate, receiveNewSessionTicket } from './connected.js';
import { startEarlyData } from './early-data.js';
import { innerSent } from './ech-answer.js';
import { receiveFinished } from './finished.js';
import { firstOffer } from './offer.js';
import { receivePostHandshakeRequest } from './post-handshake.js';
import {
  judgeSession,
  receiveCertificate,
  receiveCertificateRequest,
  receiveCertificateVerify,
  receiveEncryptedExtensions,
} from './server-auth.js';
import { receiveHelloRetryRequest, receiveServerHello, receiveServerHelloAgain } from './server-hello.js';
import type { ClientContext, ClientState } from './states.js';

export type { ClientContext, ClientState } from './states.js';

/** START: sends the ClientHello; with early data as soon as the server's certificates of last time have been judged. */
export function startClient({ settings }: ClientContext): Transition<ClientState> {
  const offer = firstOffer(settings);
  const start = (): Step<ClientState> => ({
    next: { name: 'WAIT_SH', offer },
    effects: [...innerSent(offer), { type: 'send', message: offer.sent.message }, ...startEarlyData(offer, settings)],
  });
  const { earlyData } = offer;
  if (!earlyData.offered || earlyData.psk.kind === 'external') return start();
  return whenReady(judgeSession(earlyData.psk.session, settings), start);
}

export const clientTransitions = {
  WAIT_SH: {
    server_hello: row(['WAIT_EE'], receiveServerHello),
    hello_retry_request: row(['WAIT_SH_AFTER_HRR'], receiveHelloRetryRequest),
  },
  WAIT_SH_AFTER_HRR: {
    server_hello: row(['WAIT_EE'], receiveServerHelloAgain),
  },
  WAIT_EE: {
    encrypted_extensions: row(['WAIT_CERT_CR', 'WAIT_FINISHED'], receiveEncryptedExtensions),
  },
  WAIT_CERT_CR: {
    certificate_request: row(['WAIT_CERT'], receiveCertificateRequest),
    certificate: row(['WAIT_CV'], receiveCertificate),
    compressed_certificate: row(['WAIT_CV'], compressed(receiveCertificate)),
  },
  WAIT_CERT: {
    certificate: row(['WAIT_CV'], receiveCertificate),
    compressed_certificate: row(['WAIT_CV'], compressed(receiveCertificate)),
  },
  WAIT_CV: {
    certificate_verify: row(['WAIT_FINISHED'], receiveCertificateVerify),
  },
  WAIT_FINISHED: {
    finished: row(['CONNECTED'], receiveFinished),
  },
  CONNECTED: {
    new_session_ticket: row(['CONNECTED'], receiveNewSessionTicket),
    key_update: row(['CONNECTED'], receiveKeyUpdate),
    certificate_request: row(['CONNECTED'], receivePostHandshakeRequest),
  },
} as const satisfies Table<ClientState, ClientContext>;

/** What the application may ask for, by state. */
export const clientCommands = {} as const satisfies CommandTable<ClientState, never, ClientContext>;
