/** What a server chooses. */
import type { Awaitable } from '../awaitable.js';
import type { CertificateTypeName, NamedGroupName } from '../registry.js';
import type { OidFilter } from '../x509/oid-filters.js';
import type { Credential, VerifyPeer } from './authentication.js';
import type { CommonConfig } from './common.js';
import type { EarlyDataConfig } from './early-data.js';
import type { EchServerConfig } from './ech.js';
import type { Psk, PskLookup } from './psk.js';

export interface ServerConfig extends CommonConfig {
  /**
   * The first that is of use to the client is presented, by its type of certificate and its signer's schemes; among those
   * one whose chain the client says it can judge, by the signatures in it and by the issuers (§4.5.1.2). Or a choice made
   * from the ClientHello: see `firstUsableCredential`. Without any, only clients with one of `psks` are served.
   */
  readonly credentials?: readonly Credential[] | ((hello: ClientHelloInfo) => Awaitable<Credential | undefined>);
  /** External PSKs (§4.3.11), best first, or how to find one. They go before certificates. */
  readonly psks?: readonly Psk[] | PskLookup;
  /**
   * Without credentials: answer an identity that is unknown like one whose binder is wrong, so that nobody can try which
   * there are (§F.6). Default true.
   */
  readonly concealPskIdentities?: boolean;
  /** Chooses the protocol instead of `alpnProtocols`; `undefined` refuses with no_application_protocol. */
  readonly selectAlpnProtocol?: (offered: readonly string[], serverName: string | undefined) => string | undefined;
  /** Default `none`. `require` refuses a client without a certificate with certificate_required. */
  readonly clientAuthentication?: 'none' | 'request' | 'require';
  /** Needed unless `clientAuthentication` is `none`. */
  readonly verifyPeer?: VerifyPeer;
  /**
   * Types of certificate that clients may show, best first (RFC 7250). Default `x509` alone: a raw public key is believed
   * by nobody who does not ask for it here.
   */
  readonly clientCertificateTypes?: readonly CertificateTypeName[];
  /** DER distinguished names sent in the CertificateRequest (§4.3.4). */
  readonly certificateAuthorities?: readonly Uint8Array[];
  /**
   * What a client's certificate must hold (§4.3.5), e.g. `[extendedKeyUsageFilter('clientAuth')]`. One that does not, as
   * far as this library knows the extension, is refused with unsupported_certificate. Default: nothing.
   */
  readonly oidFilters?: readonly OidFilter[];
  /** Resumption (§2.2). Without it no ticket is sent and none is read. */
  readonly tickets?: TicketConfig;
  /** Accept early data (0-RTT, §2.3), and say so in the tickets; needs `tickets` or `psks`. Default: none is accepted. */
  readonly earlyData?: EarlyDataConfig;
  /** Keeps no state across a HelloRetryRequest: the cookie carries it, sealed by this (§4.3.2). */
  readonly cookies?: Protector;
  /**
   * Ask for the best group in common by a HelloRetryRequest even if the client sent a share for another: a round trip,
   * where the order of `groups` is one of security (post-quantum before classical). Default false.
   */
  readonly insistOnGroups?: boolean;
  /**
   * Sets of groups as good as each other, each a row of neighbours in `groups`: among them the client's order decides.
   * Default none.
   */
  readonly equalGroups?: readonly (readonly NamedGroupName[])[];
  /** Prefer ChaCha20-Poly1305 with clients that put it first, as those without hardware for AES do. Default false. */
  readonly prioritizeChaCha?: boolean;
  /** Answer server_name (RFC 6066 §3): false for a server that makes no use of names. Default true. */
  readonly acknowledgeServerName?: boolean;
  /** Middlebox compatibility mode (§E.4) also for clients that do not ask for it. Default false. */
  readonly middleboxCompatibility?: boolean;
  /** Encrypted Client Hello (RFC 9849). Without it the outer ClientHello is answered, as by a server that does not know ECH. */
  readonly ech?: EchServerConfig;
}

/** Either tickets that hold the session, sealed, or tickets that name one which this side keeps. */
export interface TicketConfig {
  readonly protector?: Protector;
  /** Each session serves once. See `createSessionStore`. */
  readonly store?: SessionStore;
  /** Tickets sent after a full or resumed handshake. Default 2. */
  readonly count?: number;
  /** Tickets sent at most to a client that asks for a number of them (RFC 9149). Default 8, or `count` if that is more. */
  readonly countLimit?: number;
  /** Seconds. Default 7,200; at most 604,800 (§4.7.1). */
  readonly lifetime?: number;
  /**
   * Tickets of one server name resume connections to any other, and say so to clients (resumption_across_names of
   * draft-ietf-tls-cross-sni-resumption): only where one certificate is good for all names. Default false.
   */
  readonly acrossNames?: boolean;
  /** Asked before a session is resumed: false makes a full handshake. Default: none is refused. */
  readonly accept?: (hello: ClientHelloInfo) => Awaitable<boolean>;
  /**
   * Of a client's certificates a session keeps the SHA-256 hash of the leaf alone: a resumed connection has
   * `peerCertificateSha256` in place of `peerCertificates`, `verifyPeer` is asked about the hash, and no ticket outlives
   * the leaf. A ticket made under the other setting is not taken. Default false.
   */
  readonly retainOnlySha256OfClientCerts?: boolean;
}

/**
 * Keeps sessions by a name of 32 random bytes. What it keeps is secret: it holds the key of a session, and its memory is
 * the store's to wipe. A call that fails costs a resumption, not the connection.
 */
export interface SessionStore {
  /** `lifetime` in seconds. The tickets go out when it has answered. */
  set(id: Uint8Array, state: Uint8Array, lifetime: number): Awaitable<void>;
  /** Gives it once, and never again: `undefined` when it is unknown, too old, or has been taken. */
  take(id: Uint8Array): Awaitable<Uint8Array | undefined>;
}

/** Authenticated encryption of state that is given to the peer to keep: tickets and cookies. See `createTicketKeys`. */
export interface Protector {
  protect(state: Uint8Array): Uint8Array;
  /** The state, or `undefined` for anything this side did not protect or no longer honours. */
  unprotect(sealed: Uint8Array): Awaitable<Uint8Array | undefined>;
}

/** The ClientHello as an application may look at it before anything is answered. */
export interface ClientHelloInfo {
  /** legacy_version: the highest that a client of before TLS 1.3 speaks. */
  readonly legacyVersion: number;
  /** supported_versions, as they stand there; empty from a client of before TLS 1.3. */
  readonly versions: readonly number[];
  readonly serverName: string | undefined;
  /** Types of certificate that the server may show (RFC 7250), as far as they are known. */
  readonly certificateTypes: readonly CertificateTypeName[];
  readonly alpnProtocols: readonly string[];
  readonly cipherSuites: readonly number[];
  readonly groups: readonly number[];
  readonly signatureSchemes: readonly number[];
  /** For the signatures of certificates; those of `signatureSchemes` when the client makes no difference (§4.3.3). */
  readonly certificateSignatureSchemes: readonly number[];
  readonly certificateAuthorities: readonly Uint8Array[];
  /** Of every extension, unknown ones included, in order of appearance. */
  readonly extensionTypes: readonly number[];
  /** Schemes that a delegated key may sign with (RFC 9345); empty when none is accepted. */
  readonly delegatedCredentialSchemes: readonly number[];
  /** The message as it came, header included. */
  readonly bytes: Uint8Array;
}
