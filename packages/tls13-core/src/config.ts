/** What an application chooses. Defaults and refusals are in `configuration.ts`: a wrong configuration never reaches a peer. */
import type { Awaitable } from './awaitable.js';
import type { CryptoProvider, Signer } from './crypto/provider.js';
import type { CipherSuiteName, NamedGroupName, SignatureSchemeName } from './registry.js';
import type { Session } from './session.js';

/** A certificate chain and the means to sign with its key. */
export interface Credential {
  /** DER, leaf first (§4.5.1). */
  readonly certificateChain: readonly Uint8Array[];
  readonly signer: Signer;
}

/** What both roles choose. */
export interface CommonConfig {
  readonly provider: CryptoProvider;
  /** Best first. Default: all but TLS_AES_128_CCM_8_SHA256. */
  readonly cipherSuites?: readonly CipherSuiteName[];
  /** Best first. Default: the provider's. A server takes its own order, but avoids a HelloRetryRequest where it can. */
  readonly groups?: readonly NamedGroupName[];
  /** Schemes accepted from the peer, best first. Default: the provider's. */
  readonly signatureSchemes?: readonly SignatureSchemeName[];
  /**
   * Schemes accepted in the signatures of certificates, which `verifyPeer` judges (signature_algorithms_cert). Default:
   * `signatureSchemes`, and RSA with PKCS#1, which is in use there still.
   */
  readonly certificateSignatureSchemes?: readonly SignatureSchemeName[];
  /** RFC 7301, best first. */
  readonly alpnProtocols?: readonly string[];
  /** Milliseconds since 1970. Default `Date.now`. */
  readonly now?: () => number;
  /** Ask for `secret` events, for an NSS key log. Default false: the secrets of a connection open all of it. */
  readonly keyLog?: boolean;
  readonly limits?: Partial<Limits>;
}

/** Bounds against a peer that costs too much; each breach is a fatal alert. */
export interface Limits {
  /** Bytes of one handshake message. Default 131,072. */
  readonly handshakeMessage: number;
  /** Bytes of rejected early data that a server skips (§4.3.10). Default 65,536. */
  readonly skippedEarlyData: number;
  /** KeyUpdates in a row without application data between them. Default 32. */
  readonly keyUpdates: number;
  /** Empty application_data and change_cipher_spec records in a row. Default 32. */
  readonly emptyRecords: number;
  /** Bytes of ciphertext held while the application has not answered yet. Default 262,144. */
  readonly pendingInput: number;
  /** NewSessionTickets a client accepts on one connection. Default 64. */
  readonly tickets: number;
  /**
   * Records a key may seal before it is replaced (§5.5). Default: the cipher suite's own limit, which is also the
   * ceiling for this value.
   */
  readonly recordsPerKey: number;
}

/** Judges a peer's certificate chain. To refuse, throws (or rejects with) a TlsError naming the alert of §6.2. */
export type VerifyPeer = (peer: PeerCertificates) => Awaitable<void>;

export interface PeerCertificates {
  readonly role: 'client' | 'server';
  /** DER, leaf first; never empty. */
  readonly certificates: readonly Uint8Array[];
  /** The name asked for, which a server's certificate must hold. */
  readonly serverName: string | undefined;
  /** `status_request` response of the leaf, if stapled (§4.5.1.1). */
  readonly ocspResponse: Uint8Array | undefined;
  /**
   * Whether they come from the session that is resumed: presented in an earlier handshake, under whatever was trusted
   * then. A client's that are refused cost a full handshake; a server's the connection.
   */
  readonly resumed: boolean;
}

export interface ClientConfig extends CommonConfig {
  /** A DNS name for server_name; an IP address must not be put there (RFC 6066 §3), but may be given to `verifyPeer`. */
  readonly serverName?: string;
  readonly verifyPeer: VerifyPeer;
  /** Sent when the server requests a certificate; without one an empty Certificate answers (§4.5.1). */
  readonly credential?: Credential | ((request: CertificateRequestInfo) => Awaitable<Credential | undefined>);
  /** Resume this session (§2.2). */
  readonly session?: Session;
  /** Groups to send a share for in the first ClientHello. Default: the first of `groups`, and beside a hybrid the first classical one. */
  readonly keyShares?: readonly NamedGroupName[];
  /** Middlebox compatibility mode (§E.4). Default true. */
  readonly middleboxCompatibility?: boolean;
  /** Ask the server for a stapled OCSP response (status_request, §4.5.1.1). Default true. */
  readonly ocspStapling?: boolean;
}

export interface CertificateRequestInfo {
  readonly signatureSchemes: readonly number[];
  /** DER distinguished names; empty when the server names none. */
  readonly certificateAuthorities: readonly Uint8Array[];
}

export interface ServerConfig extends CommonConfig {
  /** The first whose signer shares a scheme with the client is presented; or a choice made from the ClientHello. */
  readonly credentials: readonly Credential[] | ((hello: ClientHelloInfo) => Awaitable<Credential | undefined>);
  /** Chooses the protocol instead of `alpnProtocols`; `undefined` refuses with no_application_protocol. */
  readonly selectAlpnProtocol?: (offered: readonly string[], serverName: string | undefined) => string | undefined;
  /** Default `none`. `require` refuses a client without a certificate with certificate_required. */
  readonly clientAuthentication?: 'none' | 'request' | 'require';
  /** Needed unless `clientAuthentication` is `none`. */
  readonly verifyPeer?: VerifyPeer;
  /** DER distinguished names sent in the CertificateRequest (§4.3.4). */
  readonly certificateAuthorities?: readonly Uint8Array[];
  /** Resumption (§2.2). Without it no ticket is sent and none is read. */
  readonly tickets?: TicketConfig;
  /** Keeps no state across a HelloRetryRequest: the cookie carries it, sealed by this (§4.3.2). */
  readonly cookies?: Protector;
  /**
   * Ask for the best group in common by a HelloRetryRequest even if the client sent a share for another: a round trip,
   * where the order of `groups` is one of security (post-quantum before classical). Default false.
   */
  readonly insistOnGroups?: boolean;
  /** Prefer ChaCha20-Poly1305 with clients that put it first, as those without hardware for AES do. Default false. */
  readonly prioritizeChaCha?: boolean;
  /** Middlebox compatibility mode (§E.4) also for clients that do not ask for it. Default false. */
  readonly middleboxCompatibility?: boolean;
}

export interface TicketConfig {
  readonly protector: Protector;
  /** Tickets sent after a full or resumed handshake. Default 2. */
  readonly count?: number;
  /** Seconds. Default 7,200; at most 604,800 (§4.7.1). */
  readonly lifetime?: number;
}

/** Authenticated encryption of state that is given to the peer to keep: tickets and cookies. See `createTicketKeys`. */
export interface Protector {
  protect(state: Uint8Array): Uint8Array;
  /** The state, or `undefined` for anything this side did not protect or no longer honours. */
  unprotect(sealed: Uint8Array): Awaitable<Uint8Array | undefined>;
}

/** The ClientHello as an application may look at it before anything is answered. */
export interface ClientHelloInfo {
  readonly serverName: string | undefined;
  readonly alpnProtocols: readonly string[];
  readonly cipherSuites: readonly number[];
  readonly groups: readonly number[];
  readonly signatureSchemes: readonly number[];
  readonly certificateAuthorities: readonly Uint8Array[];
  /** The message as it came, header included. */
  readonly bytes: Uint8Array;
}
