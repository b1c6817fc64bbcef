/** The options of servers and clients, named as in node:tls where they mean the same; what TLS 1.3 or we lack is refused. */
import type { EventEmitter } from 'node:events';
import type { Kernel } from 'ktls-bind';
import type {
  CertificateCompressionName,
  CryptoProvider,
  DynamicRecordSizing,
  Limits,
  NamedGroupName,
  OidFilter,
  Padding,
  SessionStore,
} from 'tls13-core';
import type { PemOrDer } from 'tls13-node-crypto';
import type { CertificateOptions } from './certificate-options.js';
import type { OnClientHello } from './client-hello-first.js';
import type { SecureContextOptions, SniCallback } from './credentials.js';
import type { EarlyDataOptions } from './early-data.js';
import type { EchServerOptions } from './ech.js';
import type { OffloadPolicy } from './offload.js';
import type { PskServerOptions } from './psk.js';

/** What servers and clients have in common. */
export interface CommonOptions extends SecureContextOptions, CertificateOptions {
  /** Trusted certification authorities, instead of those bundled with Node. */
  readonly ca?: PemOrDer | readonly PemOrDer[];
  /** Revocation lists; with any, every certificate but the root needs a current one of its issuer. */
  readonly crl?: PemOrDer | readonly PemOrDer[];
  /** Whether a peer whose certificate does not verify is refused. Default true. */
  readonly rejectUnauthorized?: boolean;
  /**
   * Certificate compression (RFC 8879), best first: `zlib`, `brotli`, and `zstd` where Node has it (22.15). What it is good
   * for: a handshake that fits into fewer packets. Default: none.
   */
  readonly certificateCompression?: readonly CertificateCompressionName[];
  /** RFC 7301, best first: names, or their wire format. */
  readonly ALPNProtocols?: readonly (string | Uint8Array)[] | Uint8Array;
  /** Names of TLS 1.3 suites, best first, as a list or with colons between. */
  readonly ciphers?: string | readonly string[];
  /** Names of groups, best first, as a list or with colons between; `auto` is the default. */
  readonly ecdhCurve?: string | readonly string[];
  /** Names of signature schemes, best first, as a list or with colons between. */
  readonly sigalgs?: string | readonly string[];
  /** Send GREASE values (RFC 8701), which peers must pass over. Default false. */
  readonly grease?: boolean;
  /** Accept delegated credentials (RFC 9345) whose key signs with one of these schemes. Default: none. */
  readonly delegatedCredentialSchemes?: string | readonly string[];
  readonly minVersion?: 'TLSv1.3';
  readonly maxVersion?: 'TLSv1.3';
  /** Milliseconds that a handshake may take. Default 120,000; 0 for ever. */
  readonly handshakeTimeout?: number;
  /** Keep sending after the peer's close_notify until `end()`. Default false. */
  readonly allowHalfOpen?: boolean;
  /** Which directions the kernel protects, where it can. Default `auto`, which is `send`. */
  readonly offload?: OffloadPolicy;
  /** Kernel: seal files straight from the page cache; they must not change while they are sent. Default false. */
  readonly zeroCopy?: boolean;
  /** Kernel: expect records without padding, which are cheaper to open. Default false. */
  readonly expectNoPad?: boolean;
  /** Bytes of content in a record, 64 … 16,384 (default). */
  readonly maxSendFragment?: number;
  /** The largest record to be opened, in bytes of content, type and padding (RFC 8449), 64 … 16,385. A client asks when it is set. */
  readonly recordSizeLimit?: number;
  /** Hides lengths: `none` (default), `{ multiple }`, `{ random }`, or a function. Keeps sending in user space. */
  readonly padding?: Padding;
  /** Records that fit a packet at first: `{ initial, after, idle }`. Keeps sending in user space. Default: none. */
  readonly dynamicRecordSizing?: DynamicRecordSizing;
  /** Take a connection that ends without close_notify for ended instead of broken. Default false. */
  readonly tolerateTruncation?: boolean;
  /**
   * Where the secrets of connections are logged, for a packet analyser: a path, or false for nowhere. Default: the file
   * that the environment variable SSLKEYLOGFILE names, if it is set (RFC 9850), with a warning.
   */
  readonly keyLogFile?: string | false;
  /** Bounds of the protocol: see `Limits` of tls13-core. */
  readonly limits?: Partial<Limits>;
  /** Default `native`: OpenSSL's primitives through an addon, node:crypto where it does not load. */
  readonly provider?: 'native' | 'node' | CryptoProvider;
  /**
   * `native` takes the descriptor of the TCP socket over, `stream` leaves the socket to node:net and everything in user
   * space. Default `auto`: native where that is possible.
   */
  readonly transport?: 'auto' | 'native' | 'stream';
  /** For tests: another kernel than the running one. */
  readonly kernel?: Kernel;
  readonly noDelay?: boolean;
  readonly keepAlive?: boolean;
  /** Milliseconds. */
  readonly keepAliveInitialDelay?: number;
}

export interface TlsServerOptions extends CommonOptions, PskServerOptions {
  /** More certificates: the one that holds the name the client asks for is presented; the first is the default. */
  readonly credentials?: readonly SecureContextOptions[];
  /** Ask clients for a certificate. Default false. */
  readonly requestCert?: boolean;
  /** Clients may be asked for a certificate later on, by `connection.requestCertificate()` (§4.7.2). Default false. */
  readonly postHandshakeAuthentication?: boolean;
  /** What clients' certificates must hold (§4.3.5), e.g. `[extendedKeyUsageFilter('clientAuth')]`. Default: nothing. */
  readonly oidFilters?: readonly OidFilter[];
  readonly SNICallback?: SniCallback;
  /**
   * Sees the ClientHello before anything is answered: may choose other options for the connection, refuse it with an
   * alert, or take it back with all its bytes unread. What it throws refuses the connection.
   */
  readonly onClientHello?: OnClientHello;
  /** Chooses the protocol instead of `ALPNProtocols`; undefined refuses the client. */
  readonly ALPNCallback?: (offer: { servername: string; protocols: string[] }) => string | undefined;
  /** One key of 48 bytes, or several, newest first. Default: random ones that rotate. */
  readonly ticketKeys?: Uint8Array | readonly Uint8Array[];
  /** Keep sessions there, each for one resumption, in place of giving them to clients in tickets. */
  readonly sessionStore?: SessionStore;
  /** Seconds for which a session may be resumed. Default 7,200. */
  readonly sessionTimeout?: number;
  /** Tickets sent after a handshake. Default 2; 0 for no resumption. */
  readonly ticketCount?: number;
  /**
   * Accept early data (0-RTT, §2.3), which others can send again (§8): see the documentation before you do. `true` is
   * 16,384 bytes of it. Needs tickets, or `psks` with `earlyData` of their own. Default false.
   */
  readonly earlyData?: boolean | EarlyDataOptions;
  /** Encrypted Client Hello (RFC 9849): the keys, and which names are hidden. Default: none, and ECH is passed over. */
  readonly ech?: EchServerOptions;
  /** Keep no state between a HelloRetryRequest and its answer. Default false. */
  readonly statelessRetry?: boolean;
  /** Sets of neighbours in `ecdhCurve` among which the client's order decides. Default none. */
  readonly equalGroups?: readonly (readonly NamedGroupName[])[];
  /** Connections at once; more are refused with a `drop` event. Default: unlimited. */
  readonly maxConnections?: number;
  /**
   * Handshakes at once; more wait unanswered for their turn, and then those that take longer than five seconds give up
   * theirs, longest first. Default 1,000.
   */
  readonly maxHandshakes?: number;
  /** Milliseconds without a byte either way after which a connection is closed. Default 0: never. */
  readonly idleTimeout?: number;
}

/** Throws TypeError naming the option that TLS 1.3, or this library, does not have, and what to do instead. */
export function refuseUnsupported(options: object): void {
  for (const name of ['minVersion', 'maxVersion']) {
    const version: unknown = Reflect.get(options, name);
    if (version !== undefined && version !== null && version !== 'TLSv1.3') {
      throw new TypeError(`${name}: '${String(version)}' is not possible: this library speaks TLSv1.3 only`);
    }
  }
  for (const [name, advice] of Object.entries(unsupported)) {
    if (Reflect.get(options, name) !== undefined) throw new TypeError(`${name} is not supported: ${advice}`);
  }
}

/** Throws TypeError for a listener that would never be called, and says what to use. */
export function refuseEvents(server: EventEmitter): void {
  server.on('newListener', (event: string | symbol) => {
    if (event === 'newSession' || event === 'resumeSession') {
      throw new TypeError(
        `${event} is not emitted: sessions of TLS 1.3 have no id; give ticketKeys or a sessionStore that processes share`,
      );
    }
  });
}

/** A whole number within bounds, or the default. Throws RangeError naming the option. */
export function wholeNumber(
  name: string,
  value: number | undefined,
  defaultValue: number,
  [lowest, highest]: readonly [number, number] = [0, Number.MAX_SAFE_INTEGER],
): number {
  if (value === undefined) return defaultValue;
  if (Number.isInteger(value) && value >= lowest && value <= highest) return value;
  if (value === Number.POSITIVE_INFINITY && defaultValue === value) return value;
  throw new RangeError(`${name} must be a whole number from ${lowest} to ${highest}, not ${String(value)}`);
}

/** The value if it is one of `values`. Throws TypeError naming the option. */
export function oneOf<Value extends string>(
  name: string,
  value: Value | undefined,
  values: readonly [Value, ...Value[]],
): Value {
  if (value === undefined) return values[0];
  if (values.includes(value)) return value;
  throw new TypeError(`${name} must be one of ${values.join(', ')}, not ${String(value)}`);
}

const unsupported = {
  pfx: 'convert it to PEM (openssl pkcs12 -nodes) and give cert and key',
  secureContext: 'give cert and key, or use setCredentials()',
  secureProtocol: 'there is one protocol, TLSv1.3; leave it out',
  secureOptions: 'they are switches of OpenSSL; see ticketCount, ciphers and ecdhCurve',
  dhparam: 'groups of TLS 1.3 are named ones; see ecdhCurve',
  pskIdentityHint: 'TLS 1.3 has no hint (§4.3.11): clients send the identities of all PSKs they have',
  clientCertEngine: 'OpenSSL engines are not used; see createSecureContext({ signer })',
  privateKeyEngine: 'OpenSSL engines are not used; see createSecureContext({ signer })',
  privateKeyIdentifier: 'OpenSSL engines are not used; see createSecureContext({ signer })',
  enableTrace: 'use the event keylog and a packet analyser',
  sessionIdContext: 'tickets are bound to name, protocol and client identity by themselves',
} as const;
