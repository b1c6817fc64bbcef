/**
 * Joins an engine to a transport, and is the only place where they meet: carries out the engine's events, hands
 * directions over to the kernel at the right moments (hand-over.ts), and keeps the order of what leaves.
 */
import {
  type ConnectionInfo,
  contentTypes,
  type Direction,
  type TlsEngine,
  type TlsError,
  type TlsEvent,
} from 'tls13-core';
import { carryOut, sealInRecords } from './carry-out.js';
import type { Done, DriverOwner, DriverSettings } from './driver-owner.js';
import { EarlySending } from './early-sending.js';
import { abandoned, asSystemError, cannotRekey, closedUnsent, neverRead, notConnected, recordFault } from './errors.js';
import { HandOver, type HandOverOwner } from './hand-over.js';
import { handshakeTurns, type TurnTaker } from './handshake-turns.js';
import type { Verdict } from './offload.js';
import { readTransfer } from './read-transfer.js';
import { ownBuffer, takeBytes } from './transport/chunks.js';
import type { FileTransfer, Transport, TransportHandler } from './transport/types.js';

export class Driver<Connection> implements TransportHandler, HandOverOwner, TurnTaker {
  readonly engine: TlsEngine;
  readonly transport: Transport;
  readonly handOver: HandOver;
  /** Whether the peer has said anything yet. */
  heard = false;
  turns = 0;
  readonly #connection: Connection;
  readonly #owner: DriverOwner<Connection>;
  readonly #settings: DriverSettings;
  /** `early`: a server has accepted early data, and may be answering it; the handshake goes on. */
  #phase: 'handshake' | 'early' | 'handing over' | 'open' | 'over' = 'handshake';
  early: EarlySending | undefined;
  /** What the application asked for between early data and its turn, while sending goes over. */
  #later: (() => void) | undefined;
  #wanted = true;
  #pending = false;
  #waitsForTurn = false;
  #peerClosed = false;
  /** Our own close_notify is on its way. */
  #closed = false;
  /** The application's data that is not sealed yet; one write at a time. */
  #unsealed = nothing;
  #done: Done | undefined;
  /** KeyUpdates that the peer asked for since anything last left: it may read none of them. */
  #unread = 0;
  #file: { readonly transfer: FileTransfer; readonly done: Done } | undefined;

  constructor(
    engine: TlsEngine,
    transport: Transport,
    connection: Connection,
    owner: DriverOwner<Connection>,
    settings: DriverSettings,
  ) {
    this.engine = engine;
    this.transport = transport;
    this.#connection = connection;
    this.#owner = owner;
    this.#settings = settings;
    this.handOver = new HandOver(engine, transport, settings, this);
  }

  /** @param earlyData of a client: sent before the server has answered, if the session permits all of it. */
  start(earlyData?: Uint8Array): void {
    if (earlyData !== undefined) this.early = new EarlySending(this.engine, earlyData);
    this.transport.start(this);
    this.#handle(this.engine.start());
    this.#sendEarly();
    this.#updateReading();
  }

  /** Sends application data; the next call only after `done`. */
  write(chunks: readonly Uint8Array[], done: Done): void {
    if (this.#isLater(() => this.write(chunks, done))) return;
    if (!this.#isWritable()) return done(notConnected());
    this.#done = done;
    const kernel = this.handOver.sendingKernel;
    if (kernel === undefined) {
      this.#unsealed = chunks;
      this.#seal();
    } else if (kernel.writeData(chunks)) {
      this.#finishWrite();
    }
  }

  /** Sends a range of a file, as `write` would its content; the next call only after `done`. */
  sendFile(transfer: FileTransfer, done: Done): void {
    if (this.#isLater(() => this.sendFile(transfer, done))) return;
    if (!this.#isWritable()) return done(notConnected());
    this.#file = { transfer, done };
    const finish: Done = (error) => this.#finishFile(transfer, error);
    const kernel = this.handOver.sendingKernel;
    if (transfer.remaining === 0) finish();
    else if (kernel === undefined) readTransfer(transfer, this, finish);
    else kernel.sendFile(transfer, finish);
  }

  isSending(transfer: FileTransfer): boolean {
    return this.#file?.transfer === transfer;
  }

  /** Sends close_notify, then the FIN; the last call. */
  end(done: Done): void {
    if (this.#isLater(() => this.end(done))) return;
    if (!this.#isWritable()) return done(notConnected());
    this.#closed = true;
    this.#handle(this.engine.close());
    if (this.#isOver()) return done();
    this.#done = done;
    if (this.transport.end()) this.#finishWrite();
  }

  /** More data is welcome. */
  read(): void {
    this.#wanted = true;
    this.#updateReading();
  }

  /** Throws ConnectionError `ERR_TLS_REKEY_UNSUPPORTED` or `ERR_TLS_NOT_CONNECTED`. */
  updateKeys(request: boolean): void {
    if (this.#phase !== 'open') throw notConnected();
    if (this.handOver.sendingKernel?.support.rekey.send === false) throw cannotRekey();
    this.#handle(this.engine.updateKeys(request));
  }

  /** Sends a CertificateRequest (§4.7.2). Throws TypeError when the client cannot be asked. */
  requestCertificate(required: boolean): void {
    if (this.#phase !== 'open') throw notConnected();
    this.#handle(this.engine.requestCertificate({ required }));
  }

  /** Ends the connection with an alert of the application's choice. */
  abort(error: TlsError): void {
    if (!this.#isOver()) this.#handle(this.engine.abort(error));
  }

  /** Ends it all at once. `clean` says close_notify first, if nothing that was written is lost by ending now. */
  destroy(how: 'clean' | 'cut' | 'reset'): void {
    if (this.#isOver()) return;
    const idle = this.#done === undefined && this.#file === undefined && this.transport.drained;
    const polite = how === 'clean' && idle && this.#isWritable();
    if (polite) this.#handle(this.engine.close());
    if (this.#isOver()) return;
    this.#phase = 'over';
    if (polite) this.transport.finish();
    else this.transport.destroy(how === 'reset');
    // Its events go nowhere: this wipes the secrets.
    this.engine.abort(abandoned);
    // An error costs a stack trace: only for somebody who waits.
    if (!idle) this.#settle(closedUnsent());
  }

  // --- what the transport and the hand-over report

  readable(): void {
    this.heard = true;
    if (this.#phase === 'handshake') handshakeTurns.take(this);
    else this.transport.read();
  }

  wait(on: boolean): void {
    this.#waitsForTurn = on;
    this.#updateReading();
  }

  takeTurn(): void {
    if (!this.#isOver()) this.transport.read();
  }

  received(bytes: Uint8Array, headroom: number): void {
    if (this.#isOver()) return;
    this.#handle(this.engine.receive(bytes, headroom));
    if (this.#phase === 'open') this.handOver.receive(this.#peerClosed);
  }

  receivedRecord(contentType: number, fragment: Uint8Array): void {
    if (this.#isOver() || this.#peerClosed) return;
    if (contentType === contentTypes.application_data) {
      this.#handle(this.engine.countReceived(fragment.length));
      if (!this.#isOver() && fragment.length > 0) this.#deliver(Buffer.from(fragment));
    } else {
      this.#handle(this.engine.receiveRecord(contentType, fragment));
    }
  }

  sealed(bytes: number): void {
    this.#unread = 0;
    if (!this.#isOver()) this.#handle(this.engine.countSent(bytes, this.handOver.maxSendFragment));
  }

  drained(): void {
    this.#unread = 0;
    if (this.#phase === 'handing over') this.#giveAway();
    else if (this.#unsealed.length > 0) this.#seal();
    else this.#finishWrite();
  }

  ended(): void {
    if (this.#isOver() || this.#peerClosed) return;
    if (this.#settings.tolerateTruncation && this.engine.state === 'connected') {
      this.#peerClosed = true;
      this.#owner.ended(this.#connection);
    } else {
      this.#handle(this.engine.receiveEnd());
    }
  }

  failed(error: Error): void {
    if (this.#isOver()) return;
    const fault = recordFault(error);
    if (fault !== undefined) this.#handle(this.engine.abort(fault));
    else if (this.#closed && this.#peerClosed) this.#finishAlone();
    else this.fail(asSystemError(error));
  }

  placed(direction: Direction, verdict: Verdict): void {
    this.#owner.placed(this.#connection, direction, verdict);
  }

  answer(): void {
    this.#handle(this.engine.send(new Uint8Array(0)));
  }

  // --- what the engine says

  /** First what leaves: the application, told the rest, may write at once. @returns whether all that left is with TCP. */
  #handle(events: readonly TlsEvent[]): boolean {
    const flushed = carryOut(events, this.transport, this.handOver);
    let connected: ConnectionInfo | undefined;
    for (const event of events) {
      if (this.#isOver()) return true;
      if (event.type === 'connected') connected = event.info;
      else this.#tell(event);
    }
    if (connected !== undefined && !this.#isOver() && this.#phase === 'handshake') this.#giveAway();
    else this.#confirm();
    return flushed;
  }

  #tell(event: TlsEvent): void {
    switch (event.type) {
      case 'data':
      case 'early_data':
        return this.#deliver(ownBuffer(event.data));
      case 'early_data_accepted':
        if (this.engine.role === 'client') return;
        this.#phase = 'early';
        return this.#owner.early(this.#connection, event.info);
      case 'ticket':
        return this.#owner.session(this.#connection, event.session);
      case 'secret':
        return this.#owner.secret(this.#connection, event.label, event.clientRandom, event.secret);
      case 'key_update':
        if (event.direction === 'send' && event.requested && !this.transport.drained) this.#unread += 1;
        if (this.#unread > mostUnread) return this.abort(neverRead(mostUnread));
        return this.#owner.keyUpdated(this.#connection, event.direction, event.requested);
      case 'certificate_requested':
      case 'authenticated':
        return this.#owner.authentication(this.#connection, event);
      case 'pending':
        return this.#await(event.settled);
      case 'closed':
        this.#peerClosed = true;
        return this.#owner.ended(this.#connection);
      case 'failed':
        return this.fail(event.error);
      default:
        return;
    }
  }

  #deliver(data: Buffer): void {
    if (this.#owner.data(this.#connection, data)) return;
    this.#wanted = false;
    this.#updateReading();
  }

  #await(settled: Promise<void>): void {
    this.#pending = true;
    this.#updateReading();
    settled.then(() => {
      this.#pending = false;
      if (this.#isOver()) return;
      this.#handle(this.engine.resume());
      this.#sendEarly();
      this.#updateReading();
    });
  }

  #updateReading(): void {
    if (!this.#isOver()) this.transport.setReading(this.#wanted && !this.#pending && !this.#waitsForTurn);
  }

  #sendEarly(): void {
    if (this.early !== undefined && !this.#pending && !this.#isOver()) this.#handle(this.early.send());
  }

  /** Behind early data: the handshake is complete, and what was being written is written. */
  #confirm(): void {
    if (this.#phase !== 'early' || this.engine.state !== 'connected') return;
    if (this.#done === undefined && this.#file === undefined) this.#giveAway();
  }

  #isLater(run: () => void): boolean {
    if (this.#phase !== 'handing over') return false;
    this.#later = run;
    return true;
  }

  #isWritable(): boolean {
    return this.#phase === 'open' || this.#phase === 'early';
  }

  /** The application writes only when it is decided who seals. */
  #giveAway(): void {
    this.#phase = 'handing over';
    const { info } = this.engine;
    if (info === undefined) return;
    // Who has said close_notify already seals nothing more.
    if (!this.#closed) {
      if (!this.handOver.send() || this.#isOver()) return;
      this.handOver.planReceiving();
      if (this.#isOver()) return;
    }
    this.#phase = 'open';
    this.#owner.secured(this.#connection, info);
    const later = this.#later;
    this.#later = undefined;
    later?.();
  }

  // --- sending

  /** A bounded part at a time, so that a large write neither doubles its memory nor holds the loop. */
  #seal(): void {
    while (this.#unsealed.length > 0 && !this.#isOver()) {
      const [bytes, rest] = takeBytes(this.#unsealed, sealedAtOnce);
      this.#unsealed = rest;
      if (!this.#handle(sealInRecords(this.engine, bytes, this.handOver.maxSendFragment))) return;
    }
    this.#finishWrite();
  }

  #finishWrite(): void {
    const done = this.#done;
    this.#done = undefined;
    this.#confirm();
    done?.();
  }

  #finishFile(transfer: FileTransfer, error?: Error): void {
    const file = this.#file;
    if (file?.transfer !== transfer) return;
    this.#file = undefined;
    this.#confirm();
    file.done(error);
  }

  // --- the end

  #isOver(): boolean {
    return this.#phase === 'over';
  }

  fail(error: Error): void {
    if (this.#isOver()) return;
    this.#phase = 'over';
    this.transport.finish();
    this.engine.abort(abandoned);
    this.#owner.failed(this.#connection, error);
    this.#settle(error);
  }

  /** Both have said all they wanted; the peer did not wait for our close_notify, and nothing is lost by that. */
  #finishAlone(): void {
    this.#phase = 'over';
    this.transport.destroy();
    this.engine.abort(abandoned);
    this.#finishWrite();
  }

  /** Whoever waits for something to be sent waits no longer. */
  #settle(error: Error): void {
    const [done, file, later] = [this.#done, this.#file, this.#later];
    this.#done = undefined;
    this.#file = undefined;
    this.#later = undefined;
    done?.(error);
    file?.done(error);
    later?.();
  }
}

const nothing: readonly Uint8Array[] = [];
const sealedAtOnce = 262_144;
const mostUnread = 32;
