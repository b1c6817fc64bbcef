/** What a client chooses. */
import type { Awaitable } from '../awaitable.js';
import type { CertificateTypeName, NamedGroupName } from '../registry.js';
import type { Session } from '../session.js';
import type { CertificateRequestInfo, Credential, VerifyPeer } from './authentication.js';
import type { CommonConfig } from './common.js';
import type { EchClientConfig } from './ech.js';
import type { Psk } from './psk.js';

export interface ClientConfig extends CommonConfig {
  /** A DNS name for server_name; an IP address must not be put there (RFC 6066 §3), but may be given to `verifyPeer`. */
  readonly serverName?: string;
  /** Without it the server must have one of `psks`: no certificate is accepted, and none is asked for. */
  readonly verifyPeer?: VerifyPeer;
  /**
   * Sent when the server requests a certificate: of several the first that is of use to it, as for a server's `credentials`.
   * Without one an empty Certificate answers (§4.5.1).
   */
  readonly credential?:
    | Credential
    | readonly Credential[]
    | ((request: CertificateRequestInfo) => Awaitable<Credential | undefined>);
  /**
   * Let the server ask for a certificate after the handshake too (post_handshake_auth, §4.3.6): `credential` answers. While
   * it decides, what comes from the server waits. Default false.
   */
  readonly postHandshakeAuthentication?: boolean;
  /**
   * Types of certificate that the server may show, best first (RFC 7250). Default `x509` alone: a raw public key is
   * believed by nobody who does not ask for it here.
   */
  readonly serverCertificateTypes?: readonly CertificateTypeName[];
  /** Types that this client can show. Default: those of its `credential`; `x509` where that is a function. */
  readonly clientCertificateTypes?: readonly CertificateTypeName[];
  /** DER distinguished names of the authorities whose certificates the server should show (§4.3.4). Default: not said. */
  readonly certificateAuthorities?: readonly Uint8Array[];
  /** Resume this session (§2.2). */
  readonly session?: Session;
  /** Ask for this number of tickets (RFC 9149), 0 to 255: after a full handshake, and after a resumption. */
  readonly ticketRequest?: { readonly newSession: number; readonly resumption: number };
  /** External PSKs to offer, best first, behind `session` (§4.3.11). */
  readonly psks?: readonly Psk[];
  /**
   * Offer early data (0-RTT, §2.3): what `sendEarly` is given leaves before the server has answered, when the session, or
   * without one the first of `psks`, permits it and its protocol is among `alpnProtocols`. Such data can be replayed by
   * others (§8). Default false.
   */
  readonly earlyData?: boolean;
  /** Groups to send a share for in the first ClientHello. Default: the first of `groups`, and beside one with ML-KEM the first without. */
  readonly keyShares?: readonly NamedGroupName[];
  /** TLS_FALLBACK_SCSV (RFC 7507): this attempt follows one with a later version that failed. Default false. */
  readonly fallbackScsv?: boolean;
  /** Middlebox compatibility mode (§E.4). Default true. */
  readonly middleboxCompatibility?: boolean;
  /**
   * Put the extensions of each connection's ClientHello in an order of its own, as browsers do, so that no server comes to
   * rely on one. Default false.
   */
  readonly permuteExtensions?: boolean;
  /** Encrypted Client Hello (RFC 9849): hides `serverName` and all else of the ClientHello from the network. */
  readonly ech?: EchClientConfig;
}
