/**
 * The engine: the one place where the record layer and a role's state machine meet. It turns bytes into messages,
 * lets the machine take a step, and performs the step's effects in order. Every fault inside becomes one alert and
 * one `failed` event, here and nowhere else.
 */
import { type AlertName, asTlsError, TlsError } from '../alert.js';
import { concat } from '../bytes.js';
import type { ConnectionInfo } from '../connection-info.js';
import type { Fragment, TrafficKeys } from '../crypto/provider.js';
import { cipherSuite } from '../crypto/suites.js';
import type { Direction, TlsEvent } from '../events.js';
import type { Effect } from '../handshake/effects.js';
import type { NamedState, Transition } from '../handshake/step.js';
import { exportKeyingMaterial, type Secret } from '../keys/schedule.js';
import { contentTypes, nameOf } from '../registry.js';
import { decodeAlert, encodeAlert } from '../wire/index.js';
import { FloodGuard } from './flood-guard.js';
import { HandshakeJoiner } from './joiner.js';
import { KeyUpdates } from './key-updates.js';
import type { EngineSettings, Machine } from './machine.js';
import { Outbox } from './outbox.js';
import { ReceivingHalf } from './receiving.js';
import { SendingHalf } from './sending.js';
import type { DetachOptions, TlsEngine } from './types.js';

const bytesPerRecord = 16_384;
const connectedState = 'CONNECTED';

export class Engine<State extends NamedState> implements TlsEngine {
  readonly #machine: Machine<State>;
  readonly #settings: EngineSettings;
  readonly #sending: SendingHalf;
  readonly #receiving: ReceivingHalf;
  readonly #joiner: HandshakeJoiner;
  readonly #floodGuard: FloodGuard;
  readonly #keyUpdates: KeyUpdates;
  readonly #outbox = new Outbox();
  #state: State | undefined;
  #info: ConnectionInfo | undefined;
  #error: TlsError | undefined;
  #exporterSecret: Secret | undefined;
  /** The application's answer to `pending`, as soon as it is there. */
  #answer: { readonly transition: Transition<State> } | { readonly error: unknown } | undefined;
  #pending = false;
  #sendClosed = false;
  #receiveClosed = false;
  #firstHelloSeen = false;

  constructor(machine: Machine<State>, settings: EngineSettings) {
    this.#machine = machine;
    this.#settings = settings;
    this.#sending = new SendingHalf(settings.provider, machine.role);
    this.#receiving = new ReceivingHalf(settings.provider, settings.limits.skippedEarlyData);
    const { recordsPerKey } = settings.limits;
    this.#keyUpdates = new KeyUpdates(this.#sending, this.#receiving, this.#outbox, recordsPerKey);
    this.#floodGuard = new FloodGuard(settings.limits);
    this.#joiner = new HandshakeJoiner(settings.limits.handshakeMessage);
  }

  get role(): 'client' | 'server' {
    return this.#machine.role;
  }

  get state(): TlsEngine['state'] {
    if (this.#error !== undefined) return 'failed';
    return this.#info === undefined ? 'handshake' : 'connected';
  }

  get wanted(): number {
    return this.#receiving.wanted;
  }

  get info(): ConnectionInfo | undefined {
    return this.#info;
  }

  get error(): TlsError | undefined {
    return this.#error;
  }

  start(): TlsEvent[] {
    if (this.#state !== undefined) throw new TypeError('start() may be called once, before anything else');
    return this.#attempt(() => this.#take(this.#machine.start()));
  }

  receive(ciphertext: Uint8Array): TlsEvent[] {
    if (this.#receiving.detached) throw new TypeError('receiving is detached: opened records go to receiveRecord()');
    return this.#attempt(() => {
      // §6.1: whatever comes behind a close_notify is ignored.
      if (this.#receiveClosed) return;
      this.#receiving.push(ciphertext);
      if (this.#pending) this.#receiving.keep();
      const { pendingInput } = this.#settings.limits;
      if (this.#pending && this.#receiving.buffered > pendingInput) {
        throw new TlsError('internal_error', `more than ${pendingInput} bytes came while the application was deciding`);
      }
      this.#read();
    });
  }

  receiveEnd(): TlsEvent[] {
    return this.#attempt(() => {
      if (this.#receiveClosed) return;
      this.#receiveClosed = true;
      const when = this.#info === undefined ? 'during the handshake' : 'without close_notify: data may be missing';
      this.#end(new TlsError('close_notify', `the stream ended ${when}`, { code: 'ERR_TLS_TRUNCATED' }));
    });
  }

  receiveRecord(contentType: number, fragment: Uint8Array): TlsEvent[] {
    if (!this.#receiving.detached) throw new TypeError('receiving is not detached: ciphertext goes to receive()');
    return this.#attempt(() => {
      if (this.#receiveClosed) return;
      if (fragment.length === 0) throw new TlsError('unexpected_message', 'a record without content (§5.4)');
      this.#takeFragment({ contentType, content: fragment });
      this.#read();
    });
  }

  send(plaintext: Uint8Array): TlsEvent[] {
    this.#checkSendable('send()');
    if (this.#sending.detached) throw new TypeError('sending is detached: whoever holds the keys sends the data');
    return this.#attempt(() => {
      this.#keyUpdates.answer();
      let rest = plaintext;
      while (rest.length > 0) {
        if (this.#keyUpdates.recordsLeft <= 0) this.#keyUpdates.send({ request: false, requested: false });
        const room = this.#keyUpdates.recordsLeft * bytesPerRecord;
        this.#outbox.put(this.#sending.write(contentTypes.application_data, rest.subarray(0, room)));
        rest = rest.subarray(room);
      }
    });
  }

  countSent(bytes: number, recordSize: number = bytesPerRecord): TlsEvent[] {
    if (!this.#sending.detached) throw new TypeError('sending is not detached: the engine counts what it seals itself');
    return this.#attempt(() => {
      this.#sending.countDetached(Math.ceil(bytes / recordSize));
      if (this.#sendClosed || this.#keyUpdates.recordsLeft > 0) return;
      this.#keyUpdates.send({ request: false, requested: false });
    });
  }

  countReceived(bytes: number): TlsEvent[] {
    return this.#attempt(() => {
      if (this.#joiner.midMessage) throw interleaved(contentTypes.application_data);
      if (bytes > 0) this.#floodGuard.data();
      else this.#floodGuard.emptyRecord();
    });
  }

  close(): TlsEvent[] {
    return this.#attempt(() => {
      if (this.#sendClosed) return;
      this.#sendAlert('close_notify');
      this.#sendClosed = true;
    });
  }

  abort(error: TlsError): TlsEvent[] {
    return this.#attempt(() => this.#fail(error));
  }

  updateKeys(request = false): TlsEvent[] {
    this.#checkSendable('updateKeys()');
    if (!this.#keyUpdates.possible) {
      throw new TypeError('updateKeys() is not possible: whoever seals this direction cannot replace its key');
    }
    return this.#attempt(() => this.#keyUpdates.send({ request, requested: false }));
  }

  resume(): TlsEvent[] {
    return this.#attempt(() => {
      const answer = this.#answer;
      if (answer === undefined) return;
      this.#answer = undefined;
      this.#pending = false;
      if ('error' in answer) throw answer.error;
      this.#take(answer.transition);
      this.#read();
    });
  }

  canDetach(direction: Direction): boolean {
    if (this.#info === undefined || this.#error !== undefined || this.#pending) return false;
    if (direction === 'send') return !this.#sending.detached && !this.#sendClosed && !this.#keyUpdates.owed;
    return (
      !this.#receiving.detached &&
      !this.#receiveClosed &&
      this.#state?.name === connectedState &&
      this.#receiving.atRecordBoundary &&
      !this.#joiner.midMessage
    );
  }

  detach(direction: Direction, options: DetachOptions = {}): TrafficKeys {
    if (!this.canDetach(direction)) {
      throw new TypeError(`${direction} cannot be detached now: not connected, detached already, or within a record`);
    }
    this.#keyUpdates.detached(direction, options.rekey ?? true);
    return direction === 'send' ? this.#sending.detach() : this.#receiving.detach();
  }

  exportKeyingMaterial(length: number, label: string, context: Uint8Array = new Uint8Array(0)): Uint8Array {
    if (this.#info === undefined || this.#exporterSecret === undefined) {
      throw new TypeError('exportKeyingMaterial() needs a connection that is open, its handshake finished');
    }
    const hash = this.#settings.provider.hash(cipherSuite(this.#info.cipherSuite).hash);
    return exportKeyingMaterial(hash, this.#exporterSecret, label, context, length);
  }

  /** Runs one call: the one catch of the core. */
  #attempt(call: () => void): TlsEvent[] {
    if (this.#error === undefined) {
      try {
        call();
        // Whoever else sends the data does not say when.
        if (this.#sending.detached && !this.#sendClosed) this.#keyUpdates.answer();
      } catch (error) {
        this.#fail(asTlsError(error));
      }
    }
    return this.#outbox.take();
  }

  /** Goes on with what has come until more bytes, or the application's answer, are wanted. */
  #read(): void {
    while (!this.#pending && !this.#receiveClosed && this.#error === undefined) {
      const message = this.#joiner.next();
      if (message !== undefined) {
        this.#takeMessage(message);
        continue;
      }
      const fragment = this.#receiving.next();
      if (fragment === undefined) return;
      this.#takeFragment(fragment);
    }
  }

  #takeMessage(message: Uint8Array): void {
    if (this.#state === undefined) throw new TypeError('start() must come before anything else');
    this.#firstHelloSeen = true;
    this.#floodGuard.message();
    this.#take(this.#machine.advance(this.#state, message));
  }

  #takeFragment({ contentType, content }: Fragment): void {
    if (contentType !== contentTypes.handshake && this.#joiner.midMessage) throw interleaved(contentType);
    switch (contentType) {
      case contentTypes.handshake:
        return this.#joiner.push(content);
      case contentTypes.application_data:
        return this.#takeData(content);
      case contentTypes.alert:
        return this.#takeAlert(content);
      case contentTypes.change_cipher_spec:
        return this.#takeChangeCipherSpec(content);
      default:
        throw new TlsError('unexpected_message', `record of content type ${contentType}`);
    }
  }

  #takeData(data: Uint8Array): void {
    if (this.#state?.name !== connectedState) {
      throw new TlsError('unexpected_message', 'application data before the handshake is complete');
    }
    if (data.length === 0) return this.#floodGuard.emptyRecord();
    this.#floodGuard.data();
    this.#outbox.put({ type: 'data', data });
  }

  /** §5: a single byte 0x01 between the first ClientHello and the peer's Finished is dropped, all else is refused. */
  #takeChangeCipherSpec(content: Uint8Array): void {
    const begun = this.#firstHelloSeen || this.role === 'client' || this.#settings.stateless;
    const allowed = begun && this.#state?.name !== connectedState;
    if (!allowed || this.#receiving.detached || content.length !== 1 || content[0] !== 1) {
      throw new TlsError('unexpected_message', 'a change_cipher_spec record that §5 does not allow');
    }
    this.#floodGuard.emptyRecord();
  }

  #takeAlert(content: Uint8Array): void {
    const { name, description } = decodeAlert(content);
    if (name === 'user_canceled') return this.#floodGuard.warningAlert();
    if (name !== 'close_notify' || this.#info === undefined) {
      const text = `the peer sent the alert ${name ?? description}`;
      return this.#end(new TlsError(name ?? 'general_error', text, { received: true }));
    }
    this.#receiveClosed = true;
    this.#outbox.put({ type: 'closed' });
  }

  #take(transition: Transition<State>): void {
    if ('waiting' in transition) {
      this.#pending = true;
      this.#receiving.keep();
      const settled = transition.waiting.then(
        (answer) => {
          this.#answer = { transition: answer };
        },
        (error: unknown) => {
          this.#answer = { error };
        },
      );
      this.#outbox.put({ type: 'pending', settled });
      return;
    }
    this.#state = transition.next;
    this.#perform(transition.effects);
  }

  #perform(effects: readonly Effect[]): void {
    let flight: Uint8Array[] = [];
    const sendFlight = () => {
      if (flight.length > 0) this.#outbox.put(this.#sending.write(contentTypes.handshake, concat(...flight)));
      flight = [];
    };
    for (const effect of effects) {
      if (effect.type === 'send') {
        flight.push(effect.message);
      } else {
        sendFlight();
        this.#performOne(effect);
      }
    }
    sendFlight();
  }

  #performOne(effect: Exclude<Effect, { type: 'send' }>): void {
    switch (effect.type) {
      case 'change_cipher_spec':
        return effect.when === 'now'
          ? this.#outbox.put(this.#sending.changeCipherSpec())
          : this.#sending.changeCipherSpecFirst();
      case 'K_send':
        return this.#sending.setSecret(effect.suite, effect.secret);
      case 'K_recv':
        return this.#receiving.setSecret(effect.suite, effect.secret);
      case 'skip_early_data':
        return this.#receiving.skipEarlyData(effect.until);
      case 'key_log':
        if (this.#settings.keyLog) {
          const { label, clientRandom, secret } = effect;
          this.#outbox.put({ type: 'secret', label, clientRandom, secret: secret.slice() });
        }
        return;
      case 'connected':
        this.#info = effect.info;
        this.#exporterSecret = effect.exporterSecret;
        return this.#outbox.put({ type: 'connected', info: effect.info });
      case 'ticket':
        return this.#outbox.put({ type: 'ticket', session: effect.session });
      case 'key_update':
        this.#floodGuard.keyUpdate();
        return this.#keyUpdates.received(effect.updateRequested);
    }
  }

  #checkSendable(call: string): void {
    if (this.#info === undefined) throw new TypeError(`${call} needs a finished handshake`);
    if (this.#sendClosed) throw new TypeError(`${call} after close()`);
  }

  #fail(error: TlsError): void {
    try {
      if (!this.#sendClosed) this.#sendAlert(error.alert);
    } catch {
      // What failed is the sealing itself: the connection ends without an alert.
    }
    this.#end(error);
  }

  #sendAlert(name: AlertName): void {
    this.#outbox.put(this.#sending.write(contentTypes.alert, encodeAlert(name)));
  }

  #end(error: TlsError): void {
    this.#error = error;
    this.#sendClosed = true;
    this.#outbox.put({ type: 'failed', error });
    this.#sending.destroy();
    this.#receiving.destroy();
    this.#exporterSecret?.fill(0);
    // What is derived from zeros everybody knows.
    this.#exporterSecret = undefined;
  }
}

function interleaved(contentType: number): TlsError {
  const name = nameOf(contentTypes, contentType);
  return new TlsError('unexpected_message', `${name} record between the parts of a handshake message (§5.1)`);
}
