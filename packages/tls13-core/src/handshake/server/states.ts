/** The states of a server (§A.2). RECVD_CH and NEGOTIATED are passed within one step and so have no type. */

import type { ConnectionInfo } from '../../connection-info.js';
import type { CipherSuite } from '../../crypto/suites.js';
import type { MainSecret, Secret } from '../../keys/schedule.js';
import type { Transcript } from '../../keys/transcript.js';
import type { CertificateTypeName } from '../../registry.js';
import type { ServerSettings } from '../../settings/index.js';
import type { EchOutcome } from '../ech/open.js';
import type { ClaimedIdentity } from '../peer-certificate.js';
import type { CertificateHash } from './certificate-hash.js';
import type { PostHandshake, WaitPostHandshakeCertificateVerify, WaitPostHandshakeFinished } from './post-handshake.js';
import type { Retry } from './retry.js';

export interface ServerContext {
  readonly settings: ServerSettings;
}

export type ServerState =
  | Start
  | WaitSecondClientHello
  | WaitCookie
  | WaitCertificate
  | WaitCertificateVerify
  | WaitEndOfEarlyData
  | WaitFinished
  | Connected
  | WaitPostHandshakeCertificateVerify
  | WaitPostHandshakeFinished;

export interface Start {
  readonly name: 'START';
}

/** §A.2 has this as START again; the second ClientHello is bound to the first (§4.2.2). */
export interface WaitSecondClientHello {
  readonly name: 'WAIT_SECOND_CLIENT_HELLO';
  readonly retry: Retry;
  readonly ech: EchOutcome;
}

/** As WAIT_SECOND_CLIENT_HELLO, but what binds the two hellos is in the cookie, not here (§4.3.2). */
export interface WaitCookie {
  readonly name: 'WAIT_COOKIE';
  /** The one thing that no cookie carries: who comes back on another connection cannot have been accepted. */
  readonly ech: EchOutcome;
}

export interface WaitCertificate extends ServerFlightSent {
  readonly name: 'WAIT_CERT';
}

export interface WaitCertificateVerify extends ServerFlightSent {
  readonly name: 'WAIT_CV';
  readonly claimed: ClaimedIdentity;
}

/** Early data was accepted, and is read until it ends (§4.6). */
export interface WaitEndOfEarlyData extends ServerFlightSent {
  readonly name: 'WAIT_EOED';
}

export interface WaitFinished extends ServerFlightSent {
  readonly name: 'WAIT_FINISHED';
}

export interface Connected {
  readonly name: 'CONNECTED';
  /** `undefined` when this client must not be asked for a certificate any more. */
  readonly postHandshake: PostHandshake | undefined;
}

/** What is left to know once the server's flight is out. */
export interface ServerFlightSent {
  readonly suite: CipherSuite;
  /** Through the last message that either side sent. */
  readonly transcript: Transcript;
  readonly secrets: PendingSecrets;
  /** As it will be reported, but for what the client may still show of itself. */
  readonly info: ConnectionInfo;
  /** Asked of the client (RFC 7250). */
  readonly clientCertificateType: CertificateTypeName;
  /** What the tickets of this connection will say; `undefined` when none are to be sent. */
  readonly tickets: TicketTerms | undefined;
}

/** Secrets that wait for the client's Finished. */
export interface PendingSecrets {
  readonly clientHandshakeTraffic: Secret;
  readonly clientApplicationTraffic: Secret;
  readonly exporter: Secret;
  readonly main: MainSecret;
}

export interface TicketTerms {
  /** Seconds since 1970, of the full handshake that this connection or its first ancestor made. */
  readonly authenticatedAt: number;
  /** On the wire, of the external PSK that authenticated it. */
  readonly pskIdentity: Uint8Array | undefined;
  /** Of the session that is resumed, where it has kept that in place of the client's certificates. */
  readonly clientCertificateHash: CertificateHash | undefined;
  readonly count: number;
  /** What the server showed in it (RFC 7250). */
  readonly serverCertificateType: CertificateTypeName;
}

export const serverStart: ServerState = { name: 'START' };
