/** The client's states (§A.1): each holds exactly what its transitions need. START is what `startClient` leaves. */

import type { PeerEvidence, RecordSizeLimit } from '../../connection-info.js';
import type { CipherSuite } from '../../crypto/suites.js';
import type { MainSecret, Secret } from '../../keys/schedule.js';
import type { Transcript } from '../../keys/transcript.js';
import type { NamedGroupName, SignatureSchemeName } from '../../registry.js';
import type { Session } from '../../session.js';
import type { ClientSettings } from '../../settings/index.js';
import type { CertificateTypes } from '../certificate-types.js';
import type { ClaimedIdentity } from '../peer-certificate.js';
import type { ReceivedRequest } from './certificate-answer.js';
import type { EarlyDataOutcome } from './early-data.js';
import type { Offer } from './offer.js';
import type { PostHandshake } from './post-handshake.js';
import type { OfferedPsk } from './psk.js';

export interface ClientContext {
  readonly settings: ClientSettings;
}

/** A ClientHello is out. */
export interface WaitServerHello {
  readonly name: 'WAIT_SH';
  readonly offer: Offer;
}

/** The second ClientHello is out: one more HelloRetryRequest has no row here (§4.2.4). */
export interface WaitServerHelloAgain {
  readonly name: 'WAIT_SH_AFTER_HRR';
  readonly offer: Offer;
  /** Of the HelloRetryRequest: the ServerHello must keep it. */
  readonly suite: CipherSuite;
  /** Through the second ClientHello. */
  readonly transcript: Transcript;
}

/** What ServerHello settled for the rest of the handshake. */
export interface Negotiated {
  readonly offer: Offer;
  readonly suite: CipherSuite;
  /** `undefined` when the PSK alone made the keys (psk_ke). */
  readonly group: NamedGroupName | undefined;
  readonly serverRandom: Uint8Array;
  readonly helloRetryRequest: boolean;
  /** Once EncryptedExtensions are there (RFC 8449). */
  readonly recordSizeLimit: RecordSizeLimit | undefined;
  /** Of a server that rejected ECH, once its EncryptedExtensions are there. */
  readonly echRetryConfigs: Uint8Array | undefined;
  /** What authenticates both sides, when the server took one (§2.2). */
  readonly psk: OfferedPsk | undefined;
  readonly earlyData: EarlyDataOutcome;
  /** The handshake traffic secrets; the engine that seals and opens with them also wipes them. */
  readonly clientSecret: Secret;
  readonly serverSecret: Secret;
  readonly mainSecret: MainSecret;
  /** Settled in EncryptedExtensions (RFC 7250). */
  readonly certificateTypes: CertificateTypes;
}

export interface WaitEncryptedExtensions {
  readonly name: 'WAIT_EE';
  readonly negotiated: Negotiated;
  readonly transcript: Transcript;
}

export interface WaitCertificateOrRequest {
  readonly name: 'WAIT_CERT_CR';
  readonly negotiated: Negotiated;
  readonly transcript: Transcript;
  readonly alpnProtocol: string | undefined;
}

export interface WaitCertificate {
  readonly name: 'WAIT_CERT';
  readonly negotiated: Negotiated;
  readonly transcript: Transcript;
  readonly alpnProtocol: string | undefined;
  readonly request: ReceivedRequest;
}

export interface WaitCertificateVerify {
  readonly name: 'WAIT_CV';
  readonly negotiated: Negotiated;
  readonly transcript: Transcript;
  readonly alpnProtocol: string | undefined;
  /** `undefined` when the server asks for no certificate. */
  readonly request: ReceivedRequest | undefined;
  readonly claimed: ClaimedIdentity;
}

export interface WaitFinished {
  readonly name: 'WAIT_FINISHED';
  readonly negotiated: Negotiated;
  readonly transcript: Transcript;
  readonly alpnProtocol: string | undefined;
  readonly request: ReceivedRequest | undefined;
  /** Verified in this handshake, or in the one that is resumed. */
  readonly evidence: PeerEvidence;
  /** Whether its CertificateVerify is by a delegated key (RFC 9345). */
  readonly peerDelegated: boolean;
  /** What its Certificate came compressed with (RFC 8879). */
  readonly peerCompression: string | undefined;
  /** Of the server's CertificateVerify; `undefined` when a PSK authenticates it. */
  readonly signatureScheme: SignatureSchemeName | undefined;
}

export interface Connected {
  readonly name: 'CONNECTED';
  readonly suite: CipherSuite;
  readonly resumptionSecret: Secret;
  /** What a session of this connection says of it. */
  readonly identities: Pick<Session, 'alpnProtocol' | 'pskIdentity' | 'localCertificate'> & PeerEvidence;
  /** `undefined` unless post_handshake_auth was offered. */
  readonly postHandshake: PostHandshake | undefined;
  /** NewSessionTickets that have come. */
  readonly tickets: number;
}

export type ClientState =
  | WaitServerHello
  | WaitServerHelloAgain
  | WaitEncryptedExtensions
  | WaitCertificateOrRequest
  | WaitCertificate
  | WaitCertificateVerify
  | WaitFinished
  | Connected;
