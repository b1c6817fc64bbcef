/** The server's state machine (§A.2): which message is expected in which state, and what comes of it. */
import { compressed } from '../certificate-compression.js';
import type { CommandTable } from '../command.js';
import type { MessageOf, Step, Table } from '../step.js';
import { row } from '../step.js';
import { receiveCertificate, receiveCertificateVerify } from './client-auth.js';
import { receiveEndOfEarlyData } from './early-data.js';
import { receiveFinished } from './finished.js';
import { receiveClientHello, receiveClientHelloWithCookie, receiveSecondClientHello } from './hello.js';
import {
  type RequestCertificate,
  receivePostHandshakeCertificate,
  receivePostHandshakeCertificateVerify,
  receivePostHandshakeFinished,
  requestCertificate,
  requestCertificateAgain,
} from './post-handshake.js';
import type { Connected, ServerContext, ServerState } from './states.js';

export { type ServerContext, type ServerState, serverStart } from './states.js';

export const serverTransitions = {
  START: {
    client_hello: row(
      ['WAIT_SECOND_CLIENT_HELLO', 'WAIT_COOKIE', 'WAIT_CERT', 'WAIT_EOED', 'WAIT_FINISHED'],
      receiveClientHello,
    ),
  },
  WAIT_SECOND_CLIENT_HELLO: { client_hello: row(['WAIT_CERT', 'WAIT_FINISHED'], receiveSecondClientHello) },
  WAIT_COOKIE: { client_hello: row(['WAIT_CERT', 'WAIT_FINISHED'], receiveClientHelloWithCookie) },
  WAIT_CERT: {
    certificate: row(['WAIT_CV', 'WAIT_FINISHED'], receiveCertificate),
    compressed_certificate: row(['WAIT_CV', 'WAIT_FINISHED'], compressed(receiveCertificate)),
  },
  WAIT_CV: { certificate_verify: row(['WAIT_FINISHED'], receiveCertificateVerify) },
  WAIT_EOED: { end_of_early_data: row(['WAIT_FINISHED'], receiveEndOfEarlyData) },
  WAIT_FINISHED: { finished: row(['CONNECTED'], receiveFinished) },
  CONNECTED: {
    key_update: row(['CONNECTED'], receiveKeyUpdate),
    certificate: row(['WAIT_POST_HANDSHAKE_CV', 'WAIT_POST_HANDSHAKE_FINISHED'], receivePostHandshakeCertificate),
    compressed_certificate: row(
      ['WAIT_POST_HANDSHAKE_CV', 'WAIT_POST_HANDSHAKE_FINISHED'],
      compressed(receivePostHandshakeCertificate),
    ),
  },
  // Nothing comes between the messages of an answer (§4.7.2).
  WAIT_POST_HANDSHAKE_CV: {
    certificate_verify: row(['WAIT_POST_HANDSHAKE_FINISHED'], receivePostHandshakeCertificateVerify),
  },
  WAIT_POST_HANDSHAKE_FINISHED: { finished: row(['CONNECTED'], receivePostHandshakeFinished) },
} satisfies Table<ServerState, ServerContext>;

/** What the application may ask for. */
export type ServerCommand = RequestCertificate;

/** The same, by state. */
export const serverCommands = {
  CONNECTED: { 'requestCertificate()': requestCertificate },
  WAIT_POST_HANDSHAKE_CV: { 'requestCertificate()': requestCertificateAgain },
  WAIT_POST_HANDSHAKE_FINISHED: { 'requestCertificate()': requestCertificateAgain },
} as const satisfies CommandTable<ServerState, ServerCommand, ServerContext>;

/** §4.7.3. The keys are the engine's to change; decoding has refused every other value. */
function receiveKeyUpdate(state: Connected, { body }: MessageOf<'key_update'>): Step<Connected> {
  return {
    next: state,
    effects: [{ type: 'key_update', updateRequested: body.requestUpdate === 'update_requested' }],
  };
}
