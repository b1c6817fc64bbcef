/**
 * A TLS connection as people hold it: a Duplex with the methods, events and properties of node:tls's TLSSocket, and
 * what goes beyond them: `offload`, `sendFile`, `updateKeys`.
 */
import type { X509Certificate } from 'node:crypto';
import {
  type ConnectionInfo,
  channelBinding,
  type KeyLogLabel,
  type Session,
  serializeSession,
  type TlsEngine,
  type TlsError,
} from 'tls13-core';
import { CertificateRequests, type RequestCertificateOptions } from './certificate-requests.js';
import type { ConnectionSettings } from './connection-types.js';
import { Driver } from './driver.js';
import type { Done, DriverOwner } from './driver-owner.js';
import { asError, ConnectionError } from './errors.js';
import { keyLogLine } from './key-log.js';
import { NegotiatedDuplex } from './negotiated-duplex.js';
import { type ConnectionOffload, describe, refused } from './offload.js';
import type { PeerCheck } from './peer.js';
import { FileJob, type FileSource, type SendFileOptions } from './send-file.js';
import { stapledResponse } from './stapling.js';
import { asBytes, asChunks, type Written } from './transport/chunks.js';
import type { FileTransfer, Transport } from './transport/types.js';

export class TlsConnection extends NegotiatedDuplex {
  /** One for all connections, to which it is told what is whose. */
  static readonly #events: DriverOwner<TlsConnection> = {
    early: (connection, info) => connection.#onEarly(info),
    secured: (connection, info) => connection.#onSecured(info),
    data: (connection, bytes) => connection.#onData(bytes),
    ended: (connection) => connection.#onEnded(),
    session: (connection, session) => connection.#onSession(session),
    secret: (connection, label, random, secret) => connection.#onSecret(label, random, secret),
    keyUpdated: (connection, direction, requested) => connection.emit('keyUpdate', { direction, requested }),
    authentication: (connection, event) => connection.#requests?.take(event),
    placed: (connection, direction, verdict) => connection.#settings.telemetry.placed(connection, direction, verdict),
    failed: (connection, error) => connection.#onFailed(error),
  };
  /** Set by node:http and others. */
  server: unknown;
  readonly #settings: ConnectionSettings;
  #driver: Driver<TlsConnection> | undefined;
  #secured = false;
  /** Server: what is known before the handshake is complete, when early data was accepted. */
  #earlyInfo: ConnectionInfo | undefined;
  /** A write or end that waits for the handshake. */
  #held: { readonly run: () => void; readonly callback: Done } | undefined;
  /** Data, and its end, that came before `secured`. */
  readonly #early: (() => void)[] = [];
  #files: Map<Uint8Array, FileJob> | undefined;
  #session: Session | undefined;
  #requests: CertificateRequests | undefined;

  /** Connections are made by servers and by `connect`. */
  constructor(settings: ConnectionSettings) {
    super({
      allowHalfOpen: settings.allowHalfOpen,
      decodeStrings: false,
      readableHighWaterMark: 65_536,
      writableHighWaterMark: 65_536,
    });
    this.#settings = settings;
  }

  /** Hands the connection its engine and its transport; once. */
  start(engine: TlsEngine, transport: Transport): void {
    if (this.destroyed) return transport.destroy();
    this.#driver = new Driver(engine, transport, this, TlsConnection.#events, this.#settings.driver);
    this.#driver.start(this.#settings.earlyData);
  }

  // --- what node:tls has too

  /** Client: the newest session, to resume with the option `session`; also in the event `session`. Keep it like a key. */
  getSession(): Buffer | undefined {
    return this.#session === undefined ? undefined : Buffer.from(serializeSession(this.#session));
  }

  /** §7.5. Throws before the handshake is complete. */
  exportKeyingMaterial(length: number, label: string, context?: Uint8Array): Buffer {
    return Buffer.from(this.#opened().engine.exportKeyingMaterial(length, label, context));
  }

  /** The channel binding `tls-exporter` (RFC 9266): 32 bytes, the same at both ends. Throws before the handshake is complete. */
  channelBinding(): Buffer {
    return Buffer.from(channelBinding(this.#opened().engine));
  }

  /** @returns false when it is too late: the kernel seals, and keeps its record size. */
  setMaxSendFragment(size = 16_384): boolean {
    if (!Number.isInteger(size) || size < 64 || size > 16_384) return false;
    return this.#driver?.handOver.setMaxSendFragment(size) ?? false;
  }

  // --- what it has not

  override get info(): ConnectionInfo | undefined {
    return this.#driver?.engine.info ?? this.#earlyInfo;
  }

  /**
   * Server: what is read now came as early data, and the client has not shown yet that it is there: anybody may have sent
   * it again (§8). Over when the event `confirmed` comes.
   */
  override get inEarlyData(): boolean {
    return this.#earlyInfo !== undefined && this.#driver?.engine.info === undefined;
  }

  /** Client: the option `earlyData` reached the server; what did not is to be written again if it is wanted still. */
  get earlyDataAccepted(): boolean {
    return this.#driver?.early?.sent === true && this.info?.earlyData === 'accepted';
  }

  /** As `exportKeyingMaterial`, of early data (§7.5): no proof that the peer is there now. Throws without early data. */
  exportEarlyKeyingMaterial(length: number, label: string, context?: Uint8Array): Buffer {
    return Buffer.from(this.#opened().engine.exportEarlyKeyingMaterial(length, label, context));
  }

  /** Where the records of each direction are protected and, if in user space, why. */
  get offload(): ConnectionOffload {
    const none = describe(refused('handshake'), () => 'none');
    return this.#driver?.handOver.offload ?? { send: none, receive: none };
  }

  /**
   * Sends a range of a file in its turn among the writes: by sendfile(2) when the kernel seals, else read and sealed in
   * bounded parts. Rejects when the file cannot be sent; a file that becomes shorter meanwhile (`ERR_TLS_FILE_TRUNCATED`)
   * or is aborted under way ends the connection too.
   * @returns the bytes sent.
   */
  sendFile(source: FileSource, options: SendFileOptions = {}): Promise<number> {
    return new Promise((resolve, reject) => {
      if (this.destroyed || this.writableEnded) {
        throw new ConnectionError('ERR_TLS_NOT_CONNECTED', 'the connection is closed for writing');
      }
      const job = new FileJob(source, options);
      // Its place in the order of writes is held by an empty chunk that nobody else has.
      const place = Buffer.alloc(0);
      this.#files ??= new Map();
      this.#files.set(place, job);
      this.write(place, (error) => {
        this.#files?.delete(place);
        const failure = job.error ?? error ?? undefined;
        job.close().then(() => (failure === undefined ? resolve(job.sent) : reject(failure)));
      });
    });
  }

  /**
   * Replaces the sending key (§4.7.3); with `requestPeer` the peer is asked to replace its own. Throws
   * `ERR_TLS_REKEY_UNSUPPORTED` where the kernel seals and cannot.
   */
  updateKeys({ requestPeer = false } = {}): void {
    this.#opened().updateKeys(requestPeer);
  }

  /**
   * Server: asks the client for a certificate after the handshake (§4.7.2). Fulfilled with its certificate, or with
   * undefined when it shows none; `authorized` and `getPeerCertificate` tell of it from then on. Rejects when the client
   * cannot be asked (`info.postHandshakeAuthentication` says whether it can), when its certificate is refused, which ends
   * the connection too, and after `timeout`.
   */
  requestCertificate(options: RequestCertificateOptions = {}): Promise<X509Certificate | undefined> {
    this.#requests ??= new CertificateRequests();
    return this.#requests.ask((required) => this.#opened().requestCertificate(required), options);
  }

  /** Whether the handshake has begun: a peer may connect and say nothing. */
  get shaking(): boolean {
    return (!this.#secured || this.inEarlyData) && (this.#driver?.heard ?? false);
  }

  /** Ends the handshake with an error of the host's: it took too long, say. */
  abandon(error: Error): void {
    if (!this.#secured || this.inEarlyData) this.#onFailed(error);
  }

  /** Ends the handshake with an alert of the host's. */
  refuse(error: TlsError): void {
    if (!this.#secured) this.#driver?.abort(error);
  }

  protected override get transport(): Transport | undefined {
    return this.#driver?.transport;
  }

  protected override get secured(): boolean {
    return this.#secured;
  }

  protected override get check(): PeerCheck | undefined {
    return this.#settings.check;
  }

  protected override get wantedName(): string | undefined {
    return this.#settings.servername;
  }

  // --- Duplex

  override _read(): void {
    this.#driver?.read();
  }

  override _write(chunk: Uint8Array | string, encoding: BufferEncoding, callback: Done): void {
    this.#sendSecured([asBytes({ chunk, encoding })], callback);
  }

  override _writev(items: readonly Written[], callback: Done): void {
    // The places of files are chunks by themselves.
    const apart = this.#files !== undefined && this.#files.size > 0;
    this.#sendSecured(apart ? items.map(asBytes) : asChunks(items), callback);
  }

  override _final(callback: Done): void {
    this.#whenSecured(() => this.#opened().end(callback), callback);
  }

  override _destroy(error: Error | null, callback: Done): void {
    this.clearTimeout();
    const clean = error === null && this.writableLength === 0;
    this.#driver?.destroy(this.resetting ? 'reset' : clean ? 'clean' : 'cut');
    if (this.#held !== undefined || this.#requests !== undefined) this.#disappoint(error ?? closedMeanwhile());
    this.#settings.host.closed(this);
    callback(error ?? undefined);
  }

  /** Those who wait for what will not come. */
  #disappoint(error: Error): void {
    const held = this.#held;
    this.#held = undefined;
    held?.callback(error);
    this.#requests?.fail(error);
  }

  #sendSecured(chunks: readonly Uint8Array[], callback: Done): void {
    if (this.#secured) this.#send(chunks, callback);
    else this.#held = { run: () => this.#send(chunks, callback), callback };
  }

  #whenSecured(run: () => void, callback: Done): void {
    if (this.#secured) run();
    else this.#held = { run, callback };
  }

  /** Files are where their empty chunks are. */
  #send(chunks: readonly Uint8Array[], callback: Done): void {
    const files = this.#files;
    if (files === undefined || files.size === 0) return this.#sendBytes(chunks, callback);
    const index = chunks.findIndex((chunk) => files.has(chunk));
    const place = chunks[index];
    const job = place === undefined ? undefined : files.get(place);
    if (job === undefined) return this.#sendBytes(chunks, callback);
    this.#sendBytes(chunks.slice(0, index), (failure) => {
      if (failure !== undefined) return callback(failure);
      this.#sendJob(job, (error) => {
        if (error !== undefined || index === chunks.length - 1) return callback(error);
        this.#send(chunks.slice(index + 1), callback);
      });
    });
  }

  #sendBytes(chunks: readonly Uint8Array[], callback: Done): void {
    if (chunks.length === 0) return callback();
    for (const chunk of chunks) this.bytesWritten += chunk.length;
    this.touch();
    this.#opened().write(chunks, callback);
  }

  /** A file that never started is no fault of the connection: only its promise fails. */
  #sendJob(job: FileJob, callback: Done): void {
    const moved = (bytes: number) => {
      this.bytesWritten += bytes;
      this.touch();
    };
    const started = (transfer: FileTransfer) => {
      const stop = () => {
        job.error = asError(job.signal?.reason);
        this.destroy(job.error);
      };
      job.signal?.addEventListener('abort', stop);
      this.#opened().sendFile(transfer, (error) => {
        job.signal?.removeEventListener('abort', stop);
        callback(error);
      });
    };
    const unusable = (error: unknown) => {
      job.error = asError(error);
      callback(this.destroyed ? job.error : undefined);
    };
    job.transfer(moved).then(started, unusable);
  }

  // --- what the driver says

  #onEarly(info: ConnectionInfo): void {
    this.#secured = true;
    this.#earlyInfo = info;
    this.#settings.host.early?.(this);
  }

  #onSecured(info: ConnectionInfo): void {
    if (this.#secured) {
      this.#settings.telemetry.handshakeDone(this, info.resumed);
      this.#settings.host.secured(this);
      if (!this.destroyed) this.emit('confirmed');
      return;
    }
    this.#secured = true;
    this.#settings.telemetry.handshakeDone(this, info.resumed);
    this.#settings.host.secured(this);
    if (this.destroyed) return;
    if (info.role === 'client') {
      // As node:tls: before the connection is secure, so that whoever judges the response can end it.
      if (info.authentication === 'certificate') this.emit('OCSPResponse', stapledResponse(info));
      if (this.destroyed) return;
      this.emit('secureConnect');
    }
    const held = this.#held;
    this.#held = undefined;
    held?.run();
    for (const tell of this.#early.splice(0)) if (!this.destroyed) tell();
  }

  #onData(bytes: Buffer): boolean {
    this.bytesRead += bytes.length;
    this.touch();
    if (this.#secured) return this.#hand(bytes);
    this.#early.push(() => this.push(bytes));
    return false;
  }

  /** `push`, without what it does for those who wait, where somebody listens and nothing is held for him. */
  #hand(chunk: Buffer): boolean {
    const flowing = this.readableFlowing === true && this.readableLength === 0 && this.readableDidRead;
    if (!flowing || this.readableEncoding !== null || this.listenerCount('data') === 0) return this.push(chunk);
    this.emit('data', chunk);
    return true;
  }

  #onEnded(): void {
    this.#onceSecured(() => {
      this.push(null);
      // As node:net: lets `end` come although nobody asked for more.
      this.read(0);
    });
  }

  #onSession(session: Session): void {
    this.#session = session;
    this.#onceSecured(() => {
      if (this.listenerCount('session') > 0) this.emit('session', Buffer.from(serializeSession(session)));
    });
  }

  /** Not before the application has heard of the connection: it may look at the peer and refuse it. */
  #onceSecured(tell: () => void): void {
    if (this.#secured) tell();
    else this.#early.push(tell);
  }

  #onSecret(label: KeyLogLabel, clientRandom: Uint8Array, secret: Uint8Array): void {
    const line = keyLogLine(label, clientRandom, secret);
    this.emit('keylog', line);
    this.#settings.host.keyLogged(this, line);
  }

  #onFailed(error: Error): void {
    this.#settings.telemetry.failed(this, error);
    if (!this.#secured || this.inEarlyData) this.#settings.telemetry.handshakeFailed(this, error);
    if (this.#secured) {
      this.destroy(error);
      return;
    }
    let reported = true;
    try {
      reported = this.#settings.host.handshakeFailed(this, error);
    } finally {
      this.destroy(reported ? undefined : error);
    }
  }

  #opened(): Driver<TlsConnection> {
    if (this.#driver === undefined) throw new ConnectionError('ERR_TLS_NOT_CONNECTED', 'the connection is not open');
    return this.#driver;
  }
}

function closedMeanwhile(): ConnectionError {
  return new ConnectionError('ERR_TLS_CONNECTION_CLOSED', 'the connection was closed');
}
