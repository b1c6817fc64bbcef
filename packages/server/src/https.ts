/**
 * HTTPS: an http.Server whose connections come from a TLS server, with HTTP/2 beside it by ALPN. Everything that works
 * with an http.Server works with it: applications, upgrades, WebSockets, timeouts.
 */
import { Server as HttpServer, type IncomingMessage, type ServerOptions, type ServerResponse } from 'node:http';
import {
  createServer as createHttp2Server,
  type ServerOptions as Http2Options,
  type Http2Server,
  type ServerHttp2Session,
} from 'node:http2';
import type { AddressInfo } from 'node:net';
import type { TlsConnection } from './connection.js';
import type { SecureContext, SecureContextOptions } from './credentials.js';
import type { Counters } from './diagnostics.js';
import { inItsTime, requestEvents } from './https-early-data.js';
import { refuseEvents, type TlsServerOptions } from './options.js';
import { protocolNames } from './protocol-options.js';
import { TlsServer } from './server.js';

export interface HttpsServerOptions extends TlsServerOptions {
  /** Of http.createServer. */
  readonly http?: ServerOptions;
  /**
   * Offer HTTP/2 by ALPN, with these options of http2.createServer, but that `settings.maxConcurrentStreams` is 100
   * unless told. Default false.
   */
  readonly http2?: boolean | Http2Options;
}

/** Any (request, response) application: express, or a plain function. For HTTP/2 it gets node's compatible objects. */
export type HttpApplication = (request: IncomingMessage, response: ServerResponse) => void;

/** Throws TypeError or RangeError with a sentence when an option cannot be meant. */
export function createHttpsServer(options: HttpsServerOptions, application?: HttpApplication): HttpsServer {
  return new HttpsServer(options, application);
}

/** Also emits `secureConnection`, `tlsClientError`, `keylog`, `drop`, and with HTTP/2 `session` and `stream`. */
export class HttpsServer extends HttpServer {
  readonly tls: TlsServer;
  /** When HTTP/2 is offered. */
  readonly http2: Http2Server | undefined;
  readonly #sessions = new Set<ServerHttp2Session>();
  #keepAliveTimeout: number | undefined;

  constructor(options: HttpsServerOptions, application?: HttpApplication) {
    super(options.http ?? {});
    const { http2 = false } = options;
    this.tls = new TlsServer({
      // HTTP says itself where a message ends.
      tolerateTruncation: true,
      ...options,
      allowHalfOpen: true,
      ALPNProtocols: offeredProtocols(options),
    });
    this.http2 = http2 === false ? undefined : this.#createHttp2(http2 === true ? {} : http2);
    this.tls.on('secureConnection', (connection: TlsConnection) => this.#serve(connection));
    this.tls.on('listening', () => this.emit('listening'));
    for (const event of ['error', 'tlsClientError', 'drop']) {
      this.tls.on(event, (...parameters) => this.emit(event, ...parameters));
    }
    refuseEvents(this);
    // These are asked for only when somebody listens.
    this.on('newListener', (event: string) => {
      if ((event === 'keylog' || event === 'OCSPRequest') && this.listenerCount(event) === 0) {
        this.tls.on(event, (...parameters) => this.emit(event, ...parameters));
      }
    });
    // net.Server has them as properties that it keeps itself.
    Object.defineProperties(this, {
      listening: { get: () => this.tls.listening },
      maxConnections: {
        get: () => this.tls.maxConnections,
        set: (most: number) => {
          this.tls.maxConnections = most;
        },
      },
    });
    if (application !== undefined) this.on('request', application);
  }

  override listen(...parameters: unknown[]): this {
    if (this.#keepAliveTimeout !== undefined) this.keepAliveTimeout = this.#keepAliveTimeout;
    this.#keepAliveTimeout = undefined;
    Reflect.apply(this.tls.listen, this.tls, parameters);
    return this;
  }

  override address(): AddressInfo | string | null {
    return this.tls.address();
  }

  override getConnections(callback: (error: Error | null, count: number) => void): this {
    this.tls.getConnections(callback);
    return this;
  }

  override ref(): this {
    this.tls.ref();
    return this;
  }

  override unref(): this {
    this.tls.unref();
    return this;
  }

  /** Accepts no more, closes idle connections, and the others when their requests are answered; then `close` comes. */
  override close(callback?: (error?: Error) => void): this {
    this.#keepAliveTimeout ??= this.keepAliveTimeout;
    // A connection whose last answer is out is closed right after it.
    this.keepAliveTimeout = 1;
    for (const session of this.#sessions) session.close();
    this.closeIdleConnections();
    // Node does not call a connection idle that has asked for nothing yet; browsers open such ones in advance.
    for (const connection of this.tls.connections) if (connection.bytesRead === 0) connection.destroySoon();
    this.tls.close((error) => {
      if (error !== undefined) callback?.(error);
      // The HTTP part never listened itself: this ends its timers and emits `close`.
      else super.close(() => callback?.());
    });
    return this;
  }

  override closeAllConnections(): void {
    super.closeAllConnections();
    for (const session of this.#sessions) session.destroy();
    this.tls.closeAllConnections();
  }

  /** As `close`; after `timeout` milliseconds what is left is closed at once. */
  async shutdown({ timeout = 10_000 }: { readonly timeout?: number } = {}): Promise<void> {
    const timer = setTimeout(() => this.closeAllConnections(), timeout);
    await new Promise<void>((resolve) => {
      this.close(() => resolve());
    });
    clearTimeout(timer);
  }

  /** As of TlsServer. */
  setCredentials(options: SecureContextOptions & Pick<TlsServerOptions, 'credentials'>): void {
    this.tls.setCredentials(options);
  }

  /** As of TlsServer. */
  addContext(hostname: string, context: SecureContext | SecureContextOptions): void {
    this.tls.addContext(hostname, context);
  }

  /** As of TlsServer. */
  get counters(): Counters {
    return this.tls.counters;
  }

  /** Requests that came as early data wait, unless they are safe (RFC 8470). */
  override emit(event: string, ...parameters: unknown[]): boolean {
    const held = requestEvents.has(event) && !inItsTime(event, parameters[0], () => super.emit(event, ...parameters));
    return held || super.emit(event, ...parameters);
  }

  #serve(connection: TlsConnection): void {
    this.emit('secureConnection', connection);
    if (connection.destroyed) return;
    // The streams of HTTP/2 are not told apart: all of them wait.
    if (connection.alpnProtocol === 'h2' && connection.inEarlyData)
      connection.once('confirmed', () => this.#hand(connection));
    else this.#hand(connection);
  }

  #hand(connection: TlsConnection): void {
    // It was still shaking hands when close() was called.
    if (this.#keepAliveTimeout !== undefined) connection.destroy();
    else if (connection.alpnProtocol === 'h2' && this.http2 !== undefined) this.http2.emit('connection', connection);
    else this.emit('connection', connection);
  }

  #createHttp2(options: Http2Options): Http2Server {
    // Node's own default is four billion, and each may hold a descriptor (RFC 9113 §10.5).
    const settings = { maxConcurrentStreams: 100, ...options.settings };
    const server = createHttp2Server({ ...options, settings });
    server.on('session', (session) => {
      this.#sessions.add(session);
      session.once('close', () => this.#sessions.delete(session));
    });
    for (const event of ['request', 'stream', 'session', 'sessionError']) {
      server.on(event, (...parameters) => this.emit(event, ...parameters));
    }
    return server;
  }
}

function offeredProtocols({ ALPNProtocols, http2 = false }: HttpsServerOptions): readonly string[] {
  const offered = http2 === false ? ['http/1.1'] : ['h2', 'http/1.1'];
  const wanted = ALPNProtocols === undefined ? offered : protocolNames(ALPNProtocols);
  const unknown = wanted.find((name) => !offered.includes(name) && name !== 'http/1.0');
  if (unknown === undefined) return wanted;
  const advice = unknown === 'h2' ? 'set http2: true' : 'this server speaks http/1.1 and, with http2: true, h2';
  throw new TypeError(`ALPNProtocols: '${unknown}' cannot be offered: ${advice}`);
}
