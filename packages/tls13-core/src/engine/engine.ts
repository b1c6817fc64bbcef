/**
 * The engine: the one place where the record layer and a role's state machine meet. It turns bytes into messages and
 * lets the machine take a step; `perform` carries the step out, `content` sorts what comes. Every fault inside becomes
 * one alert and one `failed` event, here and nowhere else.
 */
import { asTlsError, TlsError } from '../alert.js';
import type { ConnectionInfo } from '../connection-info.js';
import type { TrafficKeys } from '../crypto/provider.js';
import { cipherSuite } from '../crypto/suites.js';
import type { Direction, TlsEvent } from '../events.js';
import type { Command } from '../handshake/command.js';
import type { ServerCommand } from '../handshake/server/index.js';
import type { NamedState, Transition } from '../handshake/step.js';
import { exportKeyingMaterial } from '../keys/schedule.js';
import { contentTypes } from '../registry.js';
import { refuseWithinMessage, takeContent } from './content.js';
import { exportEarly, sendEarlyData } from './early-data.js';
import { end, fail, sendAlert } from './ending.js';
import type { EngineSettings, Machine } from './machine.js';
import { logMessage } from './message-log.js';
import { connectedState, connectionParts, type Parts } from './parts.js';
import { perform } from './perform.js';
import type { CertificateRequestOptions, DetachOptions, TlsEngine } from './types.js';

export class Engine<State extends NamedState> implements TlsEngine {
  readonly #machine: Machine<State>;
  readonly #parts: Parts;
  #state: State | undefined;
  /** The application's answer to `pending`, as soon as it is there. */
  #answer: { readonly transition: Transition<State> } | { readonly error: unknown } | undefined;
  #pending = false;
  /** What the application asked for while an answer was pending: steps follow one another. */
  #commands: Command[] = [];

  constructor(machine: Machine<State>, settings: EngineSettings) {
    this.#machine = machine;
    this.#parts = connectionParts(machine.role, settings);
  }

  get role(): 'client' | 'server' {
    return this.#machine.role;
  }

  get state(): TlsEngine['state'] {
    if (this.error !== undefined) return 'failed';
    return this.info === undefined ? 'handshake' : 'connected';
  }

  get wanted(): number {
    return this.#parts.receiving.wanted;
  }

  get info(): ConnectionInfo | undefined {
    return this.#parts.progress.info;
  }

  get error(): TlsError | undefined {
    return this.#parts.progress.error;
  }

  start(): TlsEvent[] {
    if (this.#state !== undefined) throw new TypeError('start() may be called once, before anything else');
    return this.#attempt(() => this.#take(this.#machine.start()));
  }

  receive(ciphertext: Uint8Array, headroom = 0): TlsEvent[] {
    if (this.#parts.receiving.detached) {
      throw new TypeError('receiving is detached: opened records go to receiveRecord()');
    }
    return this.#attemptWith(this.#receive, ciphertext, headroom);
  }

  receiveEnd(): TlsEvent[] {
    const { progress } = this.#parts;
    return this.#attempt(() => {
      if (progress.receiveClosed) return;
      progress.receiveClosed = true;
      const when = progress.info === undefined ? 'during the handshake' : 'without close_notify: data may be missing';
      end(new TlsError('close_notify', `the stream ended ${when}`, { code: 'ERR_TLS_TRUNCATED' }), this.#parts);
    });
  }

  receiveRecord(contentType: number, fragment: Uint8Array): TlsEvent[] {
    const { receiving, progress } = this.#parts;
    if (!receiving.detached) throw new TypeError('receiving is not detached: ciphertext goes to receive()');
    return this.#attempt(() => {
      if (progress.receiveClosed) return;
      if (fragment.length === 0) throw new TlsError('unexpected_message', 'a record without content (§5.4)');
      receiving.checkLimit(fragment.length + 1);
      takeContent({ contentType, content: fragment }, this.#parts);
      this.#read();
    });
  }

  send(plaintext: Uint8Array): TlsEvent[] {
    this.#checkSendable('send()');
    if (this.#parts.sending.detached) throw new TypeError('sending is detached: whoever holds the keys sends the data');
    return this.#attemptWith(this.#send, plaintext, undefined);
  }

  get earlyDataLeft(): number {
    return this.error === undefined && !this.#parts.progress.sendClosed ? this.#parts.progress.early.sendable : 0;
  }

  sendEarly(plaintext: Uint8Array): TlsEvent[] {
    const left = this.earlyDataLeft;
    const records = Math.ceil(plaintext.length / this.#parts.sending.sizes.least);
    if (plaintext.length > left || records > this.#parts.keyUpdates.recordsLeft) {
      const text = `sendEarly() of ${plaintext.length} bytes where ${left} bytes of early data may be sent`;
      throw left === 0 ? new TypeError(text) : new RangeError(text);
    }
    return this.#attempt(() => sendEarlyData(plaintext, this.#parts));
  }

  countSent(bytes: number, recordSize: number = this.#parts.sending.sizes.protected): TlsEvent[] {
    const { sending, keyUpdates, progress } = this.#parts;
    if (!sending.detached) throw new TypeError('sending is not detached: the engine counts what it seals itself');
    return this.#attempt(() => {
      sending.countDetached(Math.ceil(bytes / recordSize));
      if (progress.sendClosed || keyUpdates.recordsLeft > 0) return;
      keyUpdates.send({ request: false, requested: false });
    });
  }

  countReceived(bytes: number): TlsEvent[] {
    return this.#attempt(() => {
      refuseWithinMessage(contentTypes.application_data, this.#parts);
      if (bytes > 0) this.#parts.floodGuard.data();
      else this.#parts.floodGuard.emptyRecord();
    });
  }

  close(): TlsEvent[] {
    const { progress } = this.#parts;
    return this.#attempt(() => {
      if (progress.sendClosed) return;
      sendAlert('close_notify', this.#parts);
      progress.sendClosed = true;
    });
  }

  abort(error: TlsError): TlsEvent[] {
    return this.#attempt(() => fail(error, this.#parts));
  }

  updateKeys(request = false): TlsEvent[] {
    const { keyUpdates } = this.#parts;
    this.#checkSendable('updateKeys()');
    if (!keyUpdates.possible) {
      throw new TypeError('updateKeys() is not possible: whoever seals this direction cannot replace its key');
    }
    return this.#attempt(() => keyUpdates.send({ request, requested: false }));
  }

  requestCertificate({ required = false }: CertificateRequestOptions = {}): TlsEvent[] {
    this.#checkSendable('requestCertificate()');
    const command: ServerCommand = { type: 'requestCertificate()', required };
    return this.command(command);
  }

  resume(): TlsEvent[] {
    return this.#attempt(() => {
      const answer = this.#answer;
      if (answer === undefined) return;
      this.#answer = undefined;
      this.#pending = false;
      if ('error' in answer) throw answer.error;
      this.#take(answer.transition);
      this.#runCommands();
      this.#read();
    });
  }

  /**
   * Takes the step of the role's machine that the application asks for, as soon as no answer is pending. Throws TypeError
   * when it is not possible in the state that the connection is in.
   */
  command(command: Command): TlsEvent[] {
    if (this.#pending) {
      this.#commands.push(command);
      return [];
    }
    const transition = this.#obey(command);
    return this.#attempt(() => this.#take(transition));
  }

  canDetach(direction: Direction): boolean {
    const { sending, receiving, joiner, keyUpdates, progress } = this.#parts;
    if (progress.info === undefined || progress.error !== undefined || this.#pending) return false;
    if (direction === 'send') return !sending.detached && !progress.sendClosed && !keyUpdates.owed;
    return (
      !receiving.detached &&
      !progress.receiveClosed &&
      progress.state === connectedState &&
      receiving.atRecordBoundary &&
      !joiner.midMessage
    );
  }

  detach(direction: Direction, options: DetachOptions = {}): TrafficKeys {
    if (!this.canDetach(direction)) {
      throw new TypeError(`${direction} cannot be detached now: not connected, detached already, or within a record`);
    }
    const { sending, receiving, keyUpdates } = this.#parts;
    keyUpdates.detached(direction, options.rekey ?? true);
    return direction === 'send' ? sending.detach() : receiving.detach();
  }

  exportKeyingMaterial(length: number, label: string, context: Uint8Array = new Uint8Array(0)): Uint8Array {
    const { progress, settings } = this.#parts;
    // A server that has accepted early data has the exporter as soon as it may answer.
    const suite = progress.info === undefined ? progress.early.keys?.suite : cipherSuite(progress.info.cipherSuite);
    if (suite === undefined || progress.exporterSecret === undefined) {
      throw new TypeError('exportKeyingMaterial() needs a connection that is open, its handshake finished');
    }
    const hash = settings.provider.hash(suite.hash);
    return exportKeyingMaterial(hash, progress.exporterSecret, label, context, length);
  }

  exportEarlyKeyingMaterial(length: number, label: string, context: Uint8Array = new Uint8Array(0)): Uint8Array {
    return exportEarly(this.#parts, length, label, context);
  }

  #receive(ciphertext: Uint8Array, headroom: number): void {
    const { receiving, progress, settings } = this.#parts;
    // §6.1: whatever comes behind a close_notify is ignored.
    if (progress.receiveClosed) return;
    receiving.push(ciphertext, headroom);
    if (this.#pending) receiving.keep();
    const { pendingInput } = settings.limits;
    if (this.#pending && receiving.buffered > pendingInput) {
      throw new TlsError('internal_error', `more than ${pendingInput} bytes came while the application was deciding`);
    }
    this.#read();
  }

  #send(plaintext: Uint8Array): void {
    const { sending, keyUpdates, outbox } = this.#parts;
    keyUpdates.answer();
    for (let start = 0; start < plaintext.length; ) {
      if (keyUpdates.recordsLeft <= 0) keyUpdates.send({ request: false, requested: false });
      const end = Math.min(plaintext.length, start + keyUpdates.recordsLeft * sending.sizes.least);
      const whole = end - start === plaintext.length;
      outbox.put(sending.write(contentTypes.application_data, whole ? plaintext : plaintext.subarray(start, end)));
      start = end;
    }
  }

  #attempt(call: () => void): TlsEvent[] {
    return this.#attemptWith(call, undefined, undefined);
  }

  /**
   * Runs one call: the one catch of the core. What happens for every record is a method: V8 takes longer to call a
   * function that was made for this one call.
   */
  #attemptWith<First, Second>(call: (first: First, second: Second) => void, first: First, second: Second): TlsEvent[] {
    const { sending, keyUpdates, progress, outbox } = this.#parts;
    if (progress.error === undefined) {
      try {
        call.call(this, first, second);
        // Whoever else sends the data does not say when.
        if (sending.detached && !progress.sendClosed) keyUpdates.answer();
      } catch (error) {
        fail(asTlsError(error), this.#parts);
      }
    }
    return outbox.take();
  }

  /** Goes on with what has come until more bytes, or the application's answer, are wanted. */
  #read(): void {
    const { joiner, receiving, progress } = this.#parts;
    while (!this.#pending && !progress.receiveClosed && progress.error === undefined) {
      const message = joiner.next();
      if (message !== undefined) {
        this.#takeMessage(message);
        continue;
      }
      const fragment = receiving.next();
      if (fragment === undefined) return;
      takeContent(fragment, this.#parts);
    }
  }

  #takeMessage(message: Uint8Array): void {
    if (this.#state === undefined) throw new TypeError('start() must come before anything else');
    this.#parts.progress.peerHasSpoken = true;
    this.#parts.floodGuard.message();
    logMessage('receive', 'handshake', message, this.#parts);
    this.#take(this.#machine.advance(this.#state, message));
  }

  #obey(command: Command): Transition<State> {
    if (this.#state === undefined || this.error !== undefined) {
      throw new TypeError(`${command.type} needs a connection that is open`);
    }
    return this.#machine.command(this.#state, command);
  }

  #runCommands(): void {
    while (!this.#pending) {
      const command = this.#commands.shift();
      if (command === undefined) return;
      this.#take(this.#obey(command));
    }
  }

  #take(transition: Transition<State>): void {
    if ('waiting' in transition) {
      this.#pending = true;
      this.#parts.receiving.keep();
      const settled = transition.waiting.then(
        (answer) => {
          this.#answer = { transition: answer };
        },
        (error: unknown) => {
          this.#answer = { error };
        },
      );
      this.#parts.outbox.put({ type: 'pending', settled });
      return;
    }
    this.#state = transition.next;
    this.#parts.progress.state = transition.next.name;
    perform(transition.effects, this.#parts);
  }

  #checkSendable(call: string): void {
    const { info, sendClosed, early } = this.#parts.progress;
    if (info === undefined && !early.answerable) throw new TypeError(`${call} needs a finished handshake`);
    if (sendClosed) throw new TypeError(`${call} after close()`);
  }
}
