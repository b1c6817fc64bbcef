/**
 * The TLS server: a TCP listener whose connections are taken over, shaken hands with, and handed out. Options, methods
 * and events are those of tls.Server where they mean the same.
 */
import { EventEmitter } from 'node:events';
import type { AddressInfo, ListenOptions } from 'node:net';
import type { Duplex } from 'node:stream';
import { type KtlsSocket, kernel as runningKernel } from 'ktls-bind';
import type { TlsError } from 'tls13-core';
import { ClientHelloFirst, type OnClientHello } from './client-hello-first.js';
import { TlsConnection } from './connection.js';
import { createSecureContext, SecureContext, type SecureContextOptions } from './credentials.js';
import { type Counters, Telemetry } from './diagnostics.js';
import { HandshakeQueue } from './handshake-queue.js';
import { IdleWatch } from './idle.js';
import { type KeyLogSink, keyLogSink } from './key-log.js';
import { Listener } from './listener.js';
import { refuseEvents, refuseUnsupported, type TlsServerOptions, wholeNumber } from './options.js';
import { PeerCheck } from './peer.js';
import { createProfile, credentialStore, type Profile, withStore } from './profile.js';
import { connectionPsks } from './psk.js';
import { transportChoice } from './settings.js';
import { OcspRequests } from './stapling.js';
import { keyList } from './tickets.js';
import { openTransport, requireNative } from './transport/open.js';
import { addressesOf, drop, isStream, type Raw } from './transport/raw.js';

export type ConnectionListener = (connection: TlsConnection) => void;

/** Throws TypeError or RangeError with a sentence when an option cannot be meant. */
export function createServer(options: TlsServerOptions, listener?: ConnectionListener): TlsServer {
  return new TlsServer(options, listener);
}

/**
 * Events: `secureConnection` (connection), `tlsClientError` (error, connection), `keylog` (line, connection),
 * `OCSPRequest` (certificate, issuer, callback), `connection` (raw socket), `drop`, `listening`, `close`, `error`.
 */
export class TlsServer extends EventEmitter {
  readonly #options: TlsServerOptions;
  readonly #listener: Listener;
  readonly #telemetry = new Telemetry();
  readonly #connections = new Set<TlsConnection>();
  readonly #handshakes: HandshakeQueue<Waiting>;
  /** Raw connections whose ClientHello is looked at first. */
  readonly #greeting = new Map<Duplex, AbortController>();
  readonly #clientHelloFirst = new ClientHelloFirst();
  readonly #idle: IdleWatch;
  readonly #ocsp = new OcspRequests(this);
  readonly #keyLogSink: KeyLogSink | undefined;
  readonly #handshakeTimeout: number;
  maxConnections: number;
  #profile: Profile;
  #closing = false;
  /** `shutdown` was called: new connections end as soon as they may. */
  #draining = false;
  /** The descriptor that listens is still there, or its connections are. */
  #listenerOpen = false;

  constructor(options: TlsServerOptions, listener?: ConnectionListener) {
    super();
    refuseEvents(this);
    refuseUnsupported(options);
    requireNative(kernelOf(options), transportChoice(options));
    this.#options = options;
    this.#handshakeTimeout = wholeNumber('handshakeTimeout', options.handshakeTimeout, 120_000, [0, 2 ** 31 - 1]);
    this.#handshakes = new HandshakeQueue(
      {
        maxHandshakes: wholeNumber('maxHandshakes', options.maxHandshakes, 1000, [1, Number.MAX_SAFE_INTEGER]),
        handshakeTimeout: this.#handshakeTimeout,
      },
      (turn) => this.#begin(turn),
    );
    this.maxConnections = wholeNumber('maxConnections', options.maxConnections, Number.POSITIVE_INFINITY);
    this.#idle = new IdleWatch(wholeNumber('idleTimeout', options.idleTimeout, 0, [0, 2 ** 31 - 1]));
    this.#profile = createProfile(options);
    this.#keyLogSink = keyLogSink(options.keyLogFile);
    this.#listener = this.#createListener();
    this.on('connection', (raw: Duplex) => this.#accept(raw));
    // Whoever else listens is shown net.Sockets, and so is onClientHello.
    this.on('newListener', (event) => event === 'connection' && this.#listener.wantSockets());
    if (options.onClientHello !== undefined) this.#listener.wantSockets();
    if (listener !== undefined) this.on('secureConnection', listener);
  }

  // --- as net.Server

  get listening(): boolean {
    return this.#listener.listening;
  }

  listen(port?: number, host?: string, backlog?: number, listener?: () => void): this;
  listen(port?: number, host?: string, listener?: () => void): this;
  listen(port?: number, listener?: () => void): this;
  listen(path: string, listener?: () => void): this;
  listen(options: ListenOptions, listener?: () => void): this;
  listen(handle: object, listener?: () => void): this;
  listen(...parameters: readonly unknown[]): this {
    this.#closing = false;
    const callback = parameters.at(-1);
    if (typeof callback === 'function') this.once('listening', () => Reflect.apply(callback, this, []));
    this.#listener.listen(typeof callback === 'function' ? parameters.slice(0, -1) : parameters);
    return this;
  }

  address(): AddressInfo | string | null {
    return this.#listener.address();
  }

  getConnections(callback: (error: Error | null, count: number) => void): this {
    process.nextTick(callback, null, this.#open);
    return this;
  }

  ref(): this {
    this.#listener.ref();
    return this;
  }

  unref(): this {
    this.#listener.unref();
    return this;
  }

  /**
   * Accepts no more and drops connections that have said nothing yet; `close` comes, and the callback, when the last
   * connection has ended. See {@link shutdown}.
   */
  close(callback?: (error?: Error) => void): this {
    if (!this.#listener.listening && !this.#listenerOpen && this.#open === 0) {
      const error = Object.assign(new Error('the server is not running'), { code: 'ERR_SERVER_NOT_RUNNING' });
      if (callback !== undefined) process.nextTick(callback, error);
      return this;
    }
    if (callback !== undefined) this.once('close', () => callback());
    this.#closing = true;
    this.#dropWaiting();
    // A client whose handshake is under way may believe that it is complete.
    for (const connection of this.#handshakes.underWay) if (!connection.shaking) connection.destroy();
    if (this.#listener.listening) this.#listener.close();
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
    this.#dropWaiting();
    for (const connection of this.#connections) connection.destroy();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.shutdown();
  }

  // --- as tls.Server

  /**
   * New connections present these; the ones that are open go on as they are, and contexts that were added stay. Throws
   * TypeError and changes nothing when they do not fit.
   */
  setCredentials(options: SecureContextOptions & Pick<TlsServerOptions, 'credentials'>): void {
    this.#profile = withStore(this.#profile, credentialStore(options, this.#profile.store));
  }

  /** As `setCredentials`, for one certificate. */
  setSecureContext(options: SecureContextOptions): void {
    this.setCredentials(options);
  }

  /** Presents this to clients that ask for the name, in which a star stands for one label. */
  addContext(hostname: string, context: SecureContext | SecureContextOptions): void {
    const made = context instanceof SecureContext ? context : createSecureContext(context);
    this.#profile = withStore(this.#profile, this.#profile.store.withContext(hostname, made));
  }

  /** The newest key, 48 bytes. Secret. */
  getTicketKeys(): Buffer {
    const [newest] = this.#profile.ticketKeys.exportKeys();
    return Buffer.from(newest ?? new Uint8Array());
  }

  /** Newest first; sessions under other keys end in full handshakes. */
  setTicketKeys(keys: Uint8Array | readonly Uint8Array[]): void {
    this.#profile.ticketKeys.setKeys(keyList(keys));
  }

  // --- what node:tls has not

  /** Totals since the start, and gauges: a snapshot. */
  get counters(): Counters {
    this.#telemetry.connections.open = this.#open;
    this.#telemetry.connections.handshaking = this.#handshakes.size + this.#greeting.size;
    return this.#telemetry.snapshot();
  }

  /** The open connections whose handshake is complete. */
  get connections(): readonly TlsConnection[] {
    return [...this.#connections].filter((connection) => !this.#handshakes.has(connection));
  }

  get #open(): number {
    return this.#connections.size + this.#handshakes.waiting + this.#greeting.size;
  }

  #createListener(): Listener {
    const { noDelay = true, keepAlive = false, keepAliveInitialDelay = 0 } = this.#options;
    const host = {
      listening: () => {
        this.#listenerOpen = true;
        this.emit('listening');
      },
      connection: (raw: Duplex) => this.emit('connection', raw),
      accepted: (socket: KtlsSocket) => this.#accept(socket),
      failed: (error: Error) => this.emit('error', error),
      closed: () => {
        this.#listenerOpen = false;
        this.#emitClosed();
      },
    };
    const settings = { noDelay, keepAlive, keepAliveInitialDelay };
    return new Listener(host, settings, kernelOf(this.#options), transportChoice(this.#options));
  }

  #accept(raw: Raw): void {
    if (this.#closing) {
      drop(raw);
      return;
    }
    if (this.#open >= this.maxConnections) {
      this.#telemetry.connections.dropped += 1;
      try {
        this.emit('drop', addressesOf(raw));
      } finally {
        drop(raw);
      }
      return;
    }
    this.#telemetry.connections.accepted += 1;
    const { onClientHello } = this.#options;
    if (onClientHello !== undefined && isStream(raw)) this.#greet(raw, onClientHello);
    else this.#handshakes.admit({ raw, profile: this.#profile });
  }

  /** Looks at the ClientHello first, which takes no place among the handshakes. */
  #greet(raw: Duplex, onClientHello: OnClientHello): void {
    const controller = new AbortController();
    const { signal } = controller;
    this.#greeting.set(raw, controller);
    const drop = () => controller.abort();
    const timer = this.#handshakeTimeout === 0 ? undefined : setTimeout(drop, this.#handshakeTimeout);
    raw.on('error', drop);
    const asking = {
      raw,
      kernel: kernelOf(this.#options),
      choice: transportChoice(this.#options),
      onClientHello,
      signal,
    };
    this.#clientHelloFirst.ask(asking, this.#profile).then((verdict) => {
      clearTimeout(timer);
      raw.off('error', drop);
      this.#greeting.delete(raw);
      if (verdict.kind === 'gone') raw.destroy();
      else if (verdict.kind === 'refuse')
        this.#handshakes.admit({ raw, profile: this.#profile, refusal: verdict.error });
      else if (verdict.kind === 'go on') this.#handshakes.admit({ raw, profile: verdict.profile });
      if (this.#closing) this.#emitClosed();
    });
  }

  #dropWaiting(): void {
    this.#handshakes.dropWaiting();
    for (const controller of this.#greeting.values()) controller.abort();
  }

  #begin({ raw, profile, refusal }: Waiting): void {
    const { peerPolicy, driver, engine, options } = profile;
    const transport = openTransport(raw, kernelOf(this.#options), transportChoice(this.#options));
    const check = peerPolicy === undefined ? undefined : new PeerCheck(peerPolicy);
    const connection = new TlsConnection({
      driver,
      allowHalfOpen: this.#options.allowHalfOpen ?? false,
      telemetry: this.#telemetry,
      check,
      host: this.#host,
    });
    this.#connections.add(connection);
    this.#handshakes.started(connection);
    const own = {
      ...(check === undefined ? undefined : { verifyPeer: check.verify }),
      ...(this.#keyLogSink !== undefined || this.listenerCount('keylog') > 0 ? { keyLog: true } : undefined),
      ...connectionPsks(options, connection),
      ...this.#ocsp.asking(profile.credentials),
    };
    connection.start(engine(own), transport);
    if (refusal !== undefined) connection.refuse(refusal);
  }

  /** How this server's connections fare. */
  readonly #host = {
    early: (connection: TlsConnection) => this.emit('secureConnection', connection),
    secured: (connection: TlsConnection) => {
      this.#handshakes.over(connection);
      this.#idle.add(connection);
      if (connection.info?.earlyData !== 'accepted') this.emit('secureConnection', connection);
      if (this.#draining) connection.end();
    },
    handshakeFailed: (connection: TlsConnection, error: Error) => {
      this.emit('tlsClientError', error, connection);
      return true;
    },
    closed: (connection: TlsConnection) => {
      this.#handshakes.over(connection);
      this.#idle.delete(connection);
      this.#connections.delete(connection);
      if (this.#closing) this.#emitClosed();
    },
    keyLogged: (connection: TlsConnection, line: Buffer) => {
      this.#keyLogSink?.(line);
      this.emit('keylog', line, connection);
    },
  };

  /** Once, when nothing listens any more and the last connection is gone. */
  #emitClosed(): void {
    if (!this.#closing || this.#listenerOpen || this.#open > 0) return;
    this.#closing = false;
    process.nextTick(() => this.emit('close'));
  }
}

/** A raw connection, how it is to be shaken hands with, and with what it is refused, if so. */
interface Waiting {
  readonly raw: Raw;
  readonly profile: Profile;
  readonly refusal?: TlsError;
}

function kernelOf({ kernel }: TlsServerOptions) {
  return kernel ?? runningKernel;
}
