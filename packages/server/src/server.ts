/**
 * The TLS server: a TCP listener whose connections are taken over, shaken hands with, and handed out. Options, methods
 * and events are those of tls.Server where they mean the same.
 */
import { EventEmitter } from 'node:events';
import { type AddressInfo, createServer as createTcpServer, type ListenOptions, type Server, Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { kernel as runningKernel } from 'ktls-bind';
import { type CommonConfig, createServerEngine, type ServerConfig } from 'tls13-core';
import { TlsConnection } from './connection.js';
import { CredentialStore, createSecureContext, SecureContext, type SecureContextOptions } from './credentials.js';
import { type Counters, Telemetry } from './diagnostics.js';
import type { DriverSettings } from './driver.js';
import { ConnectionError } from './errors.js';
import { IdleWatch } from './idle.js';
import { refuseUnsupported, type TlsServerOptions, wholeNumber } from './options.js';
import { PeerCheck, type PeerPolicy, rootStore } from './peer.js';
import { commonConfig } from './protocol-options.js';
import { serverConfig } from './server-config.js';
import { driverSettings, transportChoice } from './settings.js';
import { keyList, type TicketKeys, ticketKeys } from './tickets.js';
import { openTransport, requireNative } from './transport/open.js';

export type ConnectionListener = (connection: TlsConnection) => void;

/** Throws TypeError or RangeError with a sentence when an option cannot be meant. */
export function createServer(options: TlsServerOptions, listener?: ConnectionListener): TlsServer {
  return new TlsServer(options, listener);
}

/**
 * Events: `secureConnection` (connection), `tlsClientError` (error, connection), `keylog` (line, connection),
 * `connection` (raw socket), `drop`, `listening`, `close`, `error`.
 */
export class TlsServer extends EventEmitter {
  readonly #options: TlsServerOptions;
  readonly #tcp: Server;
  readonly #telemetry = new Telemetry();
  readonly #connections = new Set<TlsConnection>();
  /** The longest under way comes first. */
  readonly #handshaking = new Map<TlsConnection, Handshake>();
  /** Raw connections whose handshake waits for its turn, paused. */
  readonly #waiting: Duplex[] = [];
  #hurrying: NodeJS.Timeout | undefined;
  readonly #driver: DriverSettings;
  readonly #peerPolicy: PeerPolicy | undefined;
  readonly #ticketKeys: TicketKeys;
  readonly #idle: IdleWatch;
  readonly #handshakeTimeout: number;
  readonly #maxHandshakes: number;
  maxConnections: number;
  readonly #protocol: CommonConfig;
  #store: CredentialStore;
  #config: ServerConfig;
  #closing = false;
  /** `shutdown` was called: new connections end as soon as they may. */
  #draining = false;
  /** The descriptor that listens is still there, or its connections are. */
  #tcpOpen = false;

  constructor(options: TlsServerOptions, listener?: ConnectionListener) {
    super();
    refuseUnsupported(options);
    requireNative(kernelOf(options), transportChoice(options));
    this.#options = options;
    this.#driver = driverSettings(options);
    this.#handshakeTimeout = wholeNumber('handshakeTimeout', options.handshakeTimeout, 120_000, [0, 2 ** 31 - 1]);
    this.#maxHandshakes = wholeNumber('maxHandshakes', options.maxHandshakes, 1000, [1, Number.MAX_SAFE_INTEGER]);
    this.maxConnections = wholeNumber('maxConnections', options.maxConnections, Number.POSITIVE_INFINITY);
    this.#idle = new IdleWatch(wholeNumber('idleTimeout', options.idleTimeout, 0, [0, 2 ** 31 - 1]));
    this.#peerPolicy = peerPolicy(options);
    this.#protocol = commonConfig(options);
    this.#ticketKeys = ticketKeys(this.#protocol.provider, options);
    this.#store = credentialStore(options);
    this.#config = this.#configOf(this.#store);
    this.#tcp = createTcpServer({
      pauseOnConnect: true,
      allowHalfOpen: true,
      noDelay: options.noDelay ?? true,
      keepAlive: options.keepAlive ?? false,
      keepAliveInitialDelay: options.keepAliveInitialDelay ?? 0,
    });
    this.#tcp.on('connection', (raw) => this.emit('connection', raw));
    this.#tcp.on('listening', () => {
      this.#tcpOpen = true;
      this.emit('listening');
    });
    this.#tcp.on('error', (error) => this.emit('error', error));
    this.#tcp.on('close', () => {
      this.#tcpOpen = false;
      this.#emitClosed();
    });
    this.on('connection', (raw: Duplex) => this.#accept(raw));
    if (listener !== undefined) this.on('secureConnection', listener);
  }

  // --- as net.Server

  get listening(): boolean {
    return this.#tcp.listening;
  }

  listen(port?: number, host?: string, backlog?: number, listener?: () => void): this;
  listen(port?: number, host?: string, listener?: () => void): this;
  listen(port?: number, listener?: () => void): this;
  listen(path: string, listener?: () => void): this;
  listen(options: ListenOptions, listener?: () => void): this;
  listen(handle: object, listener?: () => void): this;
  listen(...parameters: readonly unknown[]): this {
    this.#closing = false;
    Reflect.apply(this.#tcp.listen, this.#tcp, parameters);
    return this;
  }

  address(): AddressInfo | string | null {
    return this.#tcp.address();
  }

  getConnections(callback: (error: Error | null, count: number) => void): this {
    process.nextTick(callback, null, this.#open);
    return this;
  }

  ref(): this {
    this.#tcp.ref();
    return this;
  }

  unref(): this {
    this.#tcp.unref();
    return this;
  }

  /**
   * Accepts no more and drops connections that have said nothing yet; `close` comes, and the callback, when the last
   * connection has ended. See {@link shutdown}.
   */
  close(callback?: (error?: Error) => void): this {
    if (!this.#tcp.listening && !this.#tcpOpen && this.#open === 0) {
      const error = Object.assign(new Error('the server is not running'), { code: 'ERR_SERVER_NOT_RUNNING' });
      if (callback !== undefined) process.nextTick(callback, error);
      return this;
    }
    if (callback !== undefined) this.once('close', () => callback());
    this.#closing = true;
    for (const raw of this.#waiting.splice(0)) raw.destroy();
    // A client whose handshake is under way may believe that it is complete.
    for (const connection of this.#handshaking.keys()) if (!connection.shaking) connection.destroy();
    if (this.#tcp.listening) this.#tcp.close();
    else this.#emitClosed();
    return this;
  }

  /**
   * Closes gracefully: accepts no more, lets handshakes end and everything written be sent, says close_notify, and
   * after `timeout` milliseconds closes what is left.
   */
  async shutdown({ timeout = 10_000 }: { readonly timeout?: number } = {}): Promise<void> {
    const closed = new Promise<void>((resolve) => {
      this.close(() => resolve());
    });
    this.#draining = true;
    for (const connection of this.connections) connection.end();
    const timer = setTimeout(() => this.closeAllConnections(), timeout);
    await closed;
    clearTimeout(timer);
    this.#draining = false;
  }

  /** Closes every connection at once. */
  closeAllConnections(): void {
    for (const raw of this.#waiting.splice(0)) raw.destroy();
    for (const connection of this.#connections) connection.destroy();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.shutdown();
  }

  // --- as tls.Server

  /** New connections present these; the ones that are open go on as they are. Throws TypeError and changes nothing when they do not fit. */
  setCredentials(options: SecureContextOptions & Pick<TlsServerOptions, 'credentials'>): void {
    this.#reconfigure(credentialStore({ ...options, credentials: options.credentials ?? [] }));
  }

  /** As `setCredentials`, for one certificate. */
  setSecureContext(options: SecureContextOptions): void {
    this.setCredentials(options);
  }

  /** Presents this to clients that ask for the name, in which a star stands for one label. */
  addContext(hostname: string, context: SecureContext | SecureContextOptions): void {
    const made = context instanceof SecureContext ? context : createSecureContext(context);
    this.#reconfigure(this.#store.withContext(hostname, made));
  }

  /** The newest key, 48 bytes. Secret. */
  getTicketKeys(): Buffer {
    const [newest] = this.#ticketKeys.exportKeys();
    return Buffer.from(newest ?? new Uint8Array());
  }

  /** Newest first; sessions under other keys end in full handshakes. */
  setTicketKeys(keys: Uint8Array | readonly Uint8Array[]): void {
    this.#ticketKeys.setKeys(keyList(keys));
  }

  // --- what node:tls has not

  /** Totals since the start, and gauges: a snapshot. */
  get counters(): Counters {
    this.#telemetry.connections.open = this.#open;
    this.#telemetry.connections.handshaking = this.#handshaking.size + this.#waiting.length;
    return this.#telemetry.snapshot();
  }

  /** The open connections whose handshake is complete. */
  get connections(): readonly TlsConnection[] {
    return [...this.#connections].filter((connection) => !this.#handshaking.has(connection));
  }

  get #open(): number {
    return this.#connections.size + this.#waiting.length;
  }

  #reconfigure(store: CredentialStore): void {
    this.#config = this.#configOf(store);
    this.#store = store;
  }

  /** Finds what is wrong with a configuration now, not at the first connection. */
  #configOf(store: CredentialStore): ServerConfig {
    const config = serverConfig(this.#options, this.#protocol, store, this.#ticketKeys);
    const verifyPeer = () => undefined;
    createServerEngine({ ...config, verifyPeer });
    return config;
  }

  #accept(raw: Duplex): void {
    if (this.#closing) {
      raw.destroy();
      return;
    }
    if (this.#open >= this.maxConnections) {
      this.#telemetry.connections.dropped += 1;
      this.emit('drop', addressesOf(raw));
      raw.destroy();
      return;
    }
    this.#telemetry.connections.accepted += 1;
    if (this.#handshaking.size < this.#maxHandshakes) return this.#begin(raw);
    raw.on('error', () => raw.destroy());
    this.#waiting.push(raw);
    this.#hurry();
  }

  /**
   * While somebody waits, whoever takes longest gives up his place when he has had a few seconds: as many clients as
   * there are places, which connect and say nothing, would keep all others out until `handshakeTimeout`.
   */
  #hurry(): void {
    const [eldest] = this.#handshaking;
    if (this.#hurrying !== undefined || this.#waiting.length === 0 || eldest === undefined) return;
    const [connection, { since }] = eldest;
    this.#hurrying = setTimeout(
      () => {
        this.#hurrying = undefined;
        if (this.#waiting.length > 0 && this.#handshaking.has(connection)) {
          connection.abandon(tookTooLong(`others waited, and it took more than ${patience} ms (maxHandshakes)`));
        }
        this.#hurry();
      },
      Math.max(since + patience - performance.now(), 0),
    ).unref();
  }

  #begin(raw: Duplex): void {
    if (raw.destroyed) return;
    const transport = openTransport(raw, kernelOf(this.#options), transportChoice(this.#options));
    const check = this.#peerPolicy === undefined ? undefined : new PeerCheck(this.#peerPolicy);
    const connection = new TlsConnection({
      driver: this.#driver,
      allowHalfOpen: this.#options.allowHalfOpen ?? false,
      telemetry: this.#telemetry,
      check,
      host: this.#host,
    });
    this.#connections.add(connection);
    this.#handshaking.set(connection, { since: performance.now(), timer: this.#handshakeTimer(connection) });
    const verify = check === undefined ? {} : { verifyPeer: check.verify };
    const keyLog = this.listenerCount('keylog') > 0 ? { keyLog: true } : {};
    connection.start(createServerEngine({ ...this.#config, ...verify, ...keyLog }), transport);
  }

  #handshakeTimer(connection: TlsConnection): NodeJS.Timeout | undefined {
    if (this.#handshakeTimeout === 0) return undefined;
    return setTimeout(
      () => connection.abandon(tookTooLong(`it took more than ${this.#handshakeTimeout} ms (handshakeTimeout)`)),
      this.#handshakeTimeout,
    );
  }

  /** How this server's connections fare. */
  readonly #host = {
    secured: (connection: TlsConnection) => {
      this.#handshakeOver(connection);
      this.#idle.add(connection);
      this.emit('secureConnection', connection);
      if (this.#draining) connection.end();
    },
    handshakeFailed: (connection: TlsConnection, error: Error) => {
      this.emit('tlsClientError', error, connection);
      return true;
    },
    closed: (connection: TlsConnection) => {
      this.#handshakeOver(connection);
      this.#idle.delete(connection);
      this.#connections.delete(connection);
      if (this.#closing) this.#emitClosed();
    },
    keyLogged: (connection: TlsConnection, line: Buffer) => {
      this.emit('keylog', line, connection);
    },
  };

  #handshakeOver(connection: TlsConnection): void {
    clearTimeout(this.#handshaking.get(connection)?.timer);
    this.#handshaking.delete(connection);
    while (this.#waiting.length > 0 && this.#handshaking.size < this.#maxHandshakes) {
      const raw = this.#waiting.shift();
      if (raw !== undefined) this.#begin(raw);
    }
  }

  /** Once, when nothing listens any more and the last connection is gone. */
  #emitClosed(): void {
    if (!this.#closing || this.#tcpOpen || this.#open > 0) return;
    this.#closing = false;
    process.nextTick(() => this.emit('close'));
  }
}

interface Handshake {
  /** As performance.now() has it. */
  readonly since: number;
  readonly timer: NodeJS.Timeout | undefined;
}

/** Milliseconds of a handshake for which others wait at most, once there are too many. */
const patience = 5_000;

function tookTooLong(why: string): ConnectionError {
  return new ConnectionError('ERR_TLS_HANDSHAKE_TIMEOUT', `the handshake was given up: ${why}`);
}

function kernelOf({ kernel }: TlsServerOptions) {
  return kernel ?? runningKernel;
}

function credentialStore({
  credentials = [],
  ...options
}: SecureContextOptions & Pick<TlsServerOptions, 'credentials'>) {
  const contexts = [options, ...credentials].map(createSecureContext);
  return new CredentialStore(contexts);
}

function peerPolicy(options: TlsServerOptions): PeerPolicy | undefined {
  if (options.requestCert !== true) return undefined;
  return {
    store: rootStore(options),
    host: undefined,
    checkServerIdentity: undefined,
    rejectUnauthorized: options.rejectUnauthorized ?? true,
  };
}

function addressesOf(raw: Duplex) {
  if (!(raw instanceof Socket)) return {};
  const { localAddress, localPort, localFamily, remoteAddress, remotePort, remoteFamily } = raw;
  return { localAddress, localPort, localFamily, remoteAddress, remotePort, remoteFamily };
}
