/** What a finished handshake has negotiated. */
import type { CipherSuiteName, NamedGroupName, SignatureSchemeName } from './registry.js';

export interface ConnectionInfo {
  readonly role: 'client' | 'server';
  readonly protocol: 'TLSv1.3';
  readonly cipherSuite: CipherSuiteName;
  /** `undefined` when a PSK alone made the keys (psk_ke, §4.3.9). */
  readonly group: NamedGroupName | undefined;
  /** The scheme the server signed with; `undefined` when a PSK authenticated it (§2.2). */
  readonly signatureScheme: SignatureSchemeName | undefined;
  /** The scheme the client signed with, when it presented a certificate in this handshake. */
  readonly clientSignatureScheme: SignatureSchemeName | undefined;
  /** The name the client asked for (RFC 6066). */
  readonly serverName: string | undefined;
  /** RFC 7301 */
  readonly alpnProtocol: string | undefined;
  readonly resumed: boolean;
  /** What authenticated the server in this handshake; a resumption stands for whatever did in the first one (§2.2). */
  readonly authentication: 'certificate' | 'resumption' | 'psk';
  /**
   * The identity of the external PSK of this handshake, or of the one that is resumed, as configured (of an imported one
   * the external identity); both sides have shown that they have its key.
   */
  readonly pskIdentity: Uint8Array | undefined;
  readonly helloRetryRequest: boolean;
  /** The ClientHello was encrypted (RFC 9849), and the server opened it: nobody on the way has seen `serverName`. */
  readonly echAccepted: boolean;
  /** Whether the client offered early data (0-RTT, §2.3) in this ClientHello, and what became of it. */
  readonly earlyData: 'none' | 'accepted' | 'rejected';
  readonly earlyDataReason: EarlyDataReason;
  /**
   * Seconds by which the client takes its ticket for older than this server does (§4.3.11.1), negative for younger;
   * `undefined` for clients, and where no ticket was taken.
   */
  readonly ticketAgeSkew?: number | undefined;
  /** What records may hold (RFC 8449); `undefined` where no limits were negotiated. */
  readonly recordSizeLimit: RecordSizeLimit | undefined;
  /** DER, leaf first; of the original handshake when resumed; empty when the peer showed none. */
  readonly peerCertificates: readonly Uint8Array[];
  /**
   * SHA-256 of the client's leaf at a server with `tickets.retainOnlySha256OfClientCerts`, whether the client has shown it
   * or resumes a session that has kept it; `undefined` elsewhere.
   */
  readonly peerCertificateSha256?: Uint8Array | undefined;
  /** DER SubjectPublicKeyInfo that the peer showed instead of certificates (RFC 7250); of the original handshake when resumed. */
  readonly peerRawPublicKey: Uint8Array | undefined;
  /** A DER OCSPResponse stapled to the peer's leaf (§4.5.1.1); of the original handshake when resumed. */
  readonly ocspResponse: Uint8Array | undefined;
  /** SCTs of the peer's leaf, as its logs made them (RFC 6962); of the original handshake when resumed. */
  readonly signedCertificateTimestamps: readonly Uint8Array[];
  /** DER, leaf first, as presented in this handshake; empty when none was. */
  readonly localCertificates: readonly Uint8Array[];
  /** DER SubjectPublicKeyInfo that was presented instead (RFC 7250). */
  readonly localRawPublicKey: Uint8Array | undefined;
  /** Whether the peer signed with a key that its certificate has delegated to (RFC 9345). */
  readonly peerDelegatedCredential: boolean;
  /** Whether this side did. */
  readonly localDelegatedCredential: boolean;
  /**
   * Whether the client may be asked for a certificate later on (§4.3.6): it has offered that, and it is not known by an
   * external PSK.
   */
  readonly postHandshakeAuthentication: boolean;
  /** What the peer's Certificate came compressed with (RFC 8879). */
  readonly peerCertificateCompression: string | undefined;
  /** What this side's went out with. */
  readonly localCertificateCompression: string | undefined;
  readonly clientRandom: Uint8Array;
  readonly serverRandom: Uint8Array;
}

/** Bytes of content, type and padding: 64 to 16,385. */
export interface RecordSizeLimit {
  /** In records to the peer. */
  readonly send: number;
  /** In records of the peer's. */
  readonly receive: number;
}

/** What a peer has shown of itself; the same when its session is resumed. */
export type PeerEvidence = Pick<
  ConnectionInfo,
  'peerCertificates' | 'peerRawPublicKey' | 'ocspResponse' | 'signedCertificateTimestamps'
>;

/** Why early data was accepted, was not, or was not offered. */
export type EarlyDataReason =
  | 'accepted'
  /** This side is not configured for it. */
  | 'disabled'
  /** A server's reason: the client may, but did not. */
  | 'not_offered'
  | 'no_session_offered'
  | 'session_not_resumed'
  /** The ticket, or the external PSK, permits none, none any longer, or more than this server accepts now. */
  | 'unsupported_for_session'
  | 'hello_retry_request'
  /** The session was made with another cipher suite, or the external PSK goes with another. */
  | 'cipher_suite_mismatch'
  /** The session was made with another protocol of RFC 7301, or the external PSK goes with another. */
  | 'alpn_mismatch'
  /** The ticket is not as old as the client says (§8.3). */
  | 'ticket_age_skew'
  /** The ticket, or the ClientHello with an external PSK, has been seen before, or that could not be told (§8.1, §8.2). */
  | 'replay_suspected'
  /** A client's reason: the server does not say why. */
  | 'peer_declined';
