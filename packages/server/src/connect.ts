/** The TLS client: a TCP connection, or one that is given, with a handshake on it. Options as of tls.connect. */
import { connect as connectTcp, isIP, type LookupFunction, type NetConnectOpts, Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { kernel as runningKernel } from 'ktls-bind';
import {
  type CertificateRequestInfo,
  type ClientConfig,
  createClientEngine,
  type NamedGroupName,
  parseSession,
  type Session,
} from 'tls13-core';
import { clientCertificateConfig } from './certificate-options.js';
import { TlsConnection } from './connection.js';
import type { ConnectionHost } from './connection-types.js';
import { createSecureContext, readCredentials, SecureContext, type SecureContextOptions } from './credentials.js';
import { clientTelemetry } from './diagnostics.js';
import { type EchClientOptions, echClientConfig } from './ech.js';
import { ConnectionError } from './errors.js';
import { type KeyLogSink, keyLogSink } from './key-log.js';
import { type CommonOptions, refuseUnsupported, wholeNumber } from './options.js';
import { type CheckServerIdentity, expectedKeys, PeerCheck, rootStore } from './peer.js';
import { commonConfig } from './protocol-options.js';
import { acceptsCertificate, clientPskConfig, type PskClientOptions } from './psk.js';
import { driverSettings, transportChoice } from './settings.js';
import { openTransport, requireNative } from './transport/open.js';

/** Chooses a client's certificate: `request` says what the server accepts. */
export type OnCertificateRequest = (
  request: CertificateRequestInfo,
) => SecureContext | SecureContextOptions | undefined | Promise<SecureContext | SecureContextOptions | undefined>;

export interface ConnectOptions extends CommonOptions, PskClientOptions {
  /** Default `localhost`. */
  readonly host?: string;
  readonly port?: number;
  /** A Unix socket, instead of host and port. */
  readonly path?: string;
  /** A connection that is there already, instead of host and port; it belongs to the TLS connection from now on. */
  readonly socket?: Duplex;
  /** The name asked for, and checked in the certificate. Default: the host, if it is a name. An empty one asks for none. */
  readonly servername?: string;
  /** Of an earlier connection to the same server, to be resumed. */
  readonly session?: Uint8Array | Session;
  /** Ask for this number of tickets (RFC 9149): after a full handshake, and after a resumption. */
  readonly ticketRequest?: { readonly newSession: number; readonly resumption: number };
  /**
   * Sent at once with `session`, or with the first of `psks`, before the server has answered (0-RTT, §2.3), when that permits
   * all of it. Others can send it again (§8). Whether it arrived, `earlyDataAccepted` of the connection says after `secureConnect`.
   */
  readonly earlyData?: string | Uint8Array;
  /** Instead of the check that the certificate holds the name. */
  readonly checkServerIdentity?: CheckServerIdentity;
  /** Groups to send key shares for at once. Default: the first of the groups. */
  readonly keyShares?: readonly NamedGroupName[];
  /** Encrypted Client Hello (RFC 9849): hides `servername` from the network. An `EchRejectedError` may bring other configs. */
  readonly ech?: EchClientOptions;
  /** Put the extensions of the ClientHello in an order of each connection's own. Default false. */
  readonly permuteExtensions?: boolean;
  /** Let the server ask for our certificate after the handshake too (§4.7.2). Default false. */
  readonly postHandshakeAuthentication?: boolean;
  /**
   * Chooses the certificate when the server asks for one, instead of `cert` and `key`; undefined shows none. What comes from
   * the server waits until it has answered.
   */
  readonly onCertificateRequest?: OnCertificateRequest;
  /** Look like TLS 1.2 to boxes on the way (§E.4). Default true. */
  readonly middleboxCompatibility?: boolean;
  readonly lookup?: LookupFunction;
  readonly family?: number;
  readonly localAddress?: string;
  readonly localPort?: number;
  /** As `setTimeout`. */
  readonly timeout?: number;
}

/**
 * Connects. The listener is for `secureConnect`. Throws TypeError or RangeError with a sentence when an option cannot be
 * meant; everything else comes as `error`.
 */
export function connect(options: ConnectOptions, listener?: () => void): TlsConnection {
  refuseUnsupported(options);
  const kernel = options.kernel ?? runningKernel;
  const choice = transportChoice(options);
  requireNative(kernel, choice);
  const host = options.servername || options.host || 'localhost';
  const check = new PeerCheck({
    store: rootStore(options),
    host,
    checkServerIdentity: options.checkServerIdentity,
    rejectUnauthorized: options.rejectUnauthorized ?? true,
    ...expectedKeys(options),
  });
  const config = clientConfig(options, host, check);
  // Finds what is wrong with the configuration now.
  createClientEngine(config);
  const raw = options.socket ?? connectTcp(socketOptions(options));
  const timeout = wholeNumber('handshakeTimeout', options.handshakeTimeout, 120_000, [0, 2 ** 31 - 1]);
  const sink = keyLogSink(options.keyLogFile);
  const connecting = new Connecting(raw, timeout, sink);
  const connection = new TlsConnection({
    driver: driverSettings(options),
    allowHalfOpen: options.allowHalfOpen ?? false,
    telemetry: clientTelemetry,
    check,
    host: connecting,
    servername: config.serverName,
    earlyData: typeof options.earlyData === 'string' ? Buffer.from(options.earlyData) : options.earlyData,
  });
  connecting.watch(connection);
  if (listener !== undefined) connection.once('secureConnect', listener);
  if (options.timeout !== undefined) connection.setTimeout(options.timeout);
  const begin = () => {
    raw.off('error', fail);
    const keyLog = sink !== undefined || connection.listenerCount('keylog') > 0 ? { keyLog: true } : {};
    connection.start(createClientEngine({ ...config, ...keyLog }), openTransport(raw, kernel, choice));
    connection.emit('connect');
  };
  const fail = (error: Error) => connection.destroy(error);
  raw.on('error', fail);
  // What libuv reads is lost to the descriptor.
  raw.pause();
  if (raw instanceof Socket && raw.connecting) raw.once('connect', begin);
  else process.nextTick(begin);
  return connection;
}

/** What happens before there is a transport, and how long it may take. */
class Connecting implements ConnectionHost {
  readonly #raw: Duplex;
  readonly #timeout: number;
  readonly #sink: KeyLogSink | undefined;
  #timer: NodeJS.Timeout | undefined;

  constructor(raw: Duplex, timeout: number, sink: KeyLogSink | undefined) {
    this.#raw = raw;
    this.#sink = sink;
    this.#timeout = timeout;
  }

  watch(connection: TlsConnection): void {
    if (this.#timeout === 0) return;
    const text = `no secure connection after ${this.#timeout} ms (handshakeTimeout)`;
    this.#timer = setTimeout(
      () => connection.abandon(new ConnectionError('ERR_TLS_HANDSHAKE_TIMEOUT', text)),
      this.#timeout,
    );
  }

  secured(): void {
    clearTimeout(this.#timer);
  }

  handshakeFailed(): boolean {
    return false;
  }

  closed(): void {
    clearTimeout(this.#timer);
    this.#raw.destroy();
  }

  keyLogged(_connection: TlsConnection, line: Buffer): void {
    this.#sink?.(line);
  }
}

function clientConfig(options: ConnectOptions, host: string, check: PeerCheck): ClientConfig {
  const [credential, ...others] = readCredentials(options);
  if (others.length > 0) throw new TypeError('a client has one certificate chain and one key');
  const { servername, keyShares, middleboxCompatibility, permuteExtensions } = options;
  const { postHandshakeAuthentication, onCertificateRequest } = options;
  const choice = onCertificateRequest === undefined ? credential : clientChoice(onCertificateRequest);
  const session = options.session instanceof Uint8Array ? parseSession(options.session) : options.session;
  const serverName = servername === '' || isIP(host) !== 0 ? undefined : host;
  const psk = clientPskConfig(options);
  // A session that a PSK made has no certificates to judge; the core asks whether that PSK is still there.
  const resumable = session !== undefined && (session.pskIdentity !== undefined || check.takes(session));
  return {
    ...commonConfig(options),
    ...clientCertificateConfig(options),
    ...psk,
    ...(acceptsCertificate(options, psk.psks) ? { verifyPeer: check.verify } : {}),
    ...(serverName === undefined ? {} : { serverName }),
    ...(choice === undefined ? {} : { credential: choice }),
    ...(postHandshakeAuthentication === undefined ? {} : { postHandshakeAuthentication }),
    ...(resumable ? { session } : {}),
    ...(options.ticketRequest === undefined ? {} : { ticketRequest: options.ticketRequest }),
    ...(keyShares === undefined ? {} : { keyShares }),
    ...(options.earlyData === undefined ? {} : { earlyData: true }),
    ...(options.ech === undefined ? {} : { ech: echClientConfig(options.ech) }),
    ...(permuteExtensions === undefined ? {} : { permuteExtensions }),
    ...(middleboxCompatibility === undefined ? {} : { middleboxCompatibility }),
  };
}

function clientChoice(choose: OnCertificateRequest): NonNullable<ClientConfig['credential']> {
  return async (request) => {
    const context = await choose(request);
    if (context === undefined || context === null) return undefined;
    const { credentials } = context instanceof SecureContext ? context : createSecureContext(context);
    return credentials[0];
  };
}

function socketOptions(options: ConnectOptions): NetConnectOpts {
  const common = {
    allowHalfOpen: true,
    noDelay: options.noDelay ?? true,
    keepAlive: options.keepAlive ?? false,
    keepAliveInitialDelay: options.keepAliveInitialDelay ?? 0,
  };
  const { path, host = 'localhost', port, lookup, family, localAddress, localPort } = options;
  if (path !== undefined) return { ...common, path };
  if (port === undefined) throw new TypeError('port is missing: connect needs host and port, a path, or a socket');
  return {
    ...common,
    host,
    port,
    ...(lookup === undefined ? {} : { lookup }),
    ...(family === undefined ? {} : { family }),
    ...(localAddress === undefined ? {} : { localAddress }),
    ...(localPort === undefined ? {} : { localPort }),
  };
}
