/** One connection to the runner: an engine driven over a socket, one record at a time, as a blocking program would. */
import {
  type ConnectionInfo,
  createClientEngine,
  createServerEngine,
  type Session,
  type TlsEngine,
  TlsError,
  type TlsEvent,
} from 'tls13-core';
import { clientConfig, serverConfig } from './configuration.js';
import { Failure } from './failure.js';
import type { Seen } from './feature.js';
import { lookFirst, looksFirst } from './features/callbacks.js';
import { features } from './features/index.js';
import { messageLine } from './features/message-log.js';
import { checkSession } from './features/tickets.js';
import { type Flags, number, text } from './flags.js';
import { Wire } from './wire.js';
import type { World } from './world.js';

export interface ConnectionOptions {
  readonly flags: Flags;
  /** From the rejection of early data on. */
  readonly retry: Flags;
  readonly world: World;
  readonly resuming: boolean;
  readonly session: Session | undefined;
}

/** The session to resume next, when one came. */
export async function runConnection(options: ConnectionOptions): Promise<Session | undefined> {
  const connection = new Connection(options);
  try {
    await connection.run();
  } finally {
    await connection.finish();
  }
  return connection.session;
}

class Connection {
  #flags: Flags;
  readonly #retry: Flags;
  readonly #resuming: boolean;
  readonly #engine: TlsEngine;
  readonly #wire: Wire;
  readonly #seen: Seen = { credential: undefined, ocspResponse: undefined, messages: [], retry: undefined };
  readonly #secrets = new Map<string, Uint8Array>();
  readonly #received: Uint8Array[] = [];
  #session: Session | undefined;
  #pending: Promise<void> | undefined;
  #peerClosed = false;
  #ended = false;
  /** Of a finished handshake, or of one that has accepted early data at this server. */
  #info: ConnectionInfo | undefined;
  #connected = false;
  /** Application data that waits for the end of the handshake: more than early data may hold. */
  #late: Uint8Array[] = [];
  #acceptedEarlyData = false;

  constructor({ flags, retry, world, resuming, session }: ConnectionOptions) {
    this.#flags = flags;
    this.#retry = retry;
    this.#resuming = resuming;
    this.#engine = flags.switches.has('server')
      ? createServerEngine(serverConfig(flags, world, this.#seen))
      : createClientEngine(clientConfig(flags, session, world, this.#seen));
    const identity = Buffer.alloc(8);
    identity.writeBigUInt64LE(BigInt(text(flags, 'shim-id') ?? '0'));
    this.#wire = new Wire(number(flags, 'port') ?? 0, flags.switches.has('ipv6') ? '::1' : '127.0.0.1');
    this.#wire.write(identity);
  }

  get session(): Session | undefined {
    return this.#session;
  }

  async run(): Promise<void> {
    this.#handle(this.#engine.start());
    if (this.#engine.role === 'server' && looksFirst(this.#flags)) await this.#lookFirst();
    while (this.#pending !== undefined) await this.#turn();
    if (this.#engine.earlyDataLeft > 0) await this.#sendEarlyData();
    else await this.#begin();
    if (!this.#flags.switches.has('shim-shuts-down')) await this.#echo();
    while (!this.#connected) await this.#turn();
    for (const { exchanged } of features) exchanged?.(this.#flags, this.#seen);
    this.#checkSession();
    this.#handle(this.#engine.close());
    if (this.#flags.switches.has('check-close-notify')) await this.#awaitClose();
  }

  async #lookFirst(): Promise<void> {
    const { bytes, refusal } = await lookFirst(this.#wire, this.#flags);
    this.#handle(refusal === undefined ? this.#engine.receive(bytes) : this.#engine.abort(refusal));
  }

  /** Finishes the handshake, or has begun to answer early data, and writes what is to be written first. */
  async #begin(): Promise<void> {
    while (this.#info === undefined) await this.#turn();
    this.#check(this.#info);
    this.#exportSecrets();
    this.#writeFirst();
  }

  /** Writes as early data what is to be written first, and goes on without it when it is rejected. */
  async #sendEarlyData(): Promise<void> {
    if (this.#flags.switches.has('expect-no-offer-early-data')) throw new Failure('early data was offered');
    this.#seen.retry = this.#retry;
    const after = number(this.#flags, 'early-write-after-message');
    if (after !== undefined) while (!this.#hasRead(after)) await this.#turn();
    this.#exportSecrets();
    this.#writeFirst();
    while (!this.#connected) await this.#turn();
    this.#wire.release();
    if (this.#acceptedEarlyData) {
      if (this.#info !== undefined) this.#check(this.#info);
      for (const data of this.#late.splice(0)) this.#write(data);
      return;
    }
    this.#flags = this.#retry;
    await this.#begin();
  }

  /** Whether the message of this type has been taken, of those that change something to be seen from here. */
  #hasRead(type: number): boolean {
    const serverHello = 2;
    return type === serverHello ? this.#secrets.has('SERVER_HANDSHAKE_TRAFFIC_SECRET') : this.#acceptedEarlyData;
  }

  #check(info: ConnectionInfo): void {
    if (this.#flags.switches.has('implicit-handshake')) return;
    for (const { check } of features) check?.(info, this.#flags, this.#seen, this.#resuming);
  }

  #writeFirst(): void {
    const { switches } = this.#flags;
    const unfinished = switches.has('read-with-unfinished-write');
    if (!unfinished && !switches.has('shim-writes-first')) return;
    if (unfinished) this.#wire.hold();
    const data = Buffer.from(text(this.#flags, 'shim-initial-write') ?? 'hello', 'latin1');
    for (let count = number(this.#flags, 'repeat-shim-initial-write') ?? 1; count > 0; count -= 1) this.#write(data);
    if (unfinished) this.#wire.letOneByteThrough();
  }

  async finish(): Promise<void> {
    await this.#wire.finish();
  }

  /** Sends back what comes, inverted, until the peer closes. */
  async #echo(): Promise<void> {
    while (!this.#peerClosed) {
      const data = this.#received.shift();
      if (data === undefined) {
        if (this.#ended) return;
        await this.#turn();
        continue;
      }
      this.#wire.release();
      if (this.#flags.switches.has('key-update')) this.#handle(this.#engine.updateKeys());
      this.#write(data.map((byte) => byte ^ 0xff));
    }
  }

  async #awaitClose(): Promise<void> {
    while (!this.#peerClosed) {
      if (this.#ended) this.#handle(this.#engine.receiveEnd());
      else await this.#turn();
      if (this.#received.length > 0) throw new Failure('application data after this side was closed');
    }
  }

  /** Waits for one thing: the application's answer, or bytes of at most one record. */
  async #turn(): Promise<void> {
    const pending = this.#pending;
    if (pending !== undefined) {
      await pending;
      this.#pending = undefined;
      return this.#handle(this.#engine.resume());
    }
    const slow = this.#flags.switches.has('async') && !this.#connected;
    const bytes = await this.#wire.read(slow ? 1 : this.#engine.wanted);
    if (bytes !== undefined) return this.#handle(this.#engine.receive(bytes));
    this.#ended = true;
    if (!this.#connected) this.#handle(this.#engine.receiveEnd());
  }

  #write(data: Uint8Array): void {
    if (this.#connected || this.#engine.role === 'server') return this.#handle(this.#engine.send(data));
    const early = data.subarray(0, this.#engine.earlyDataLeft);
    if (early.length > 0) this.#handle(this.#engine.sendEarly(early));
    if (early.length < data.length) this.#late.push(data.subarray(early.length));
  }

  #handle(events: readonly TlsEvent[]): void {
    for (const event of events) {
      switch (event.type) {
        case 'transmit':
          this.#wire.write(event.data);
          break;
        case 'connected':
          this.#info = event.info;
          this.#connected = true;
          break;
        case 'early_data_accepted':
          this.#acceptedEarlyData = true;
          if (this.#engine.role === 'server') this.#info = event.info;
          break;
        case 'early_data':
        case 'data':
          this.#received.push(event.data);
          break;
        case 'ticket':
          this.#session = event.session;
          break;
        case 'pending':
          this.#pending = event.settled;
          break;
        case 'message':
          this.#seen.messages.push(messageLine(event));
          break;
        case 'secret':
          this.#secrets.set(event.label, event.secret);
          break;
        case 'closed':
          this.#peerClosed = true;
          break;
        case 'failed':
          for (const { failed } of features) failed?.(event.error, this.#flags);
          throw event.error;
      }
    }
  }

  #exportSecrets(): void {
    const { switches } = this.#flags;
    const length = number(this.#flags, 'export-keying-material');
    if (length !== undefined) {
      const label = text(this.#flags, 'export-label') ?? '';
      const context = Buffer.from(
        switches.has('use-export-context') ? (text(this.#flags, 'export-context') ?? '') : '',
      );
      this.#write(this.#engine.exportKeyingMaterial(length, label, context));
    }
    if (switches.has('export-traffic-secrets')) {
      const ours = this.#engine.role === 'client' ? 'CLIENT' : 'SERVER';
      const theirs = ours === 'CLIENT' ? 'SERVER' : 'CLIENT';
      const secrets = [theirs, ours].map((name) => this.#secrets.get(`${name}_TRAFFIC_SECRET_0`) ?? new Uint8Array(0));
      const size = Buffer.alloc(2);
      size.writeUInt16LE(secrets[0]?.length ?? 0);
      this.#write(Buffer.concat([size, ...secrets]));
    }
    if (switches.has('send-alert')) {
      const error = new TlsError('decompression_failure_RESERVED', 'the runner wants an alert');
      this.#handle(this.#engine.abort(error));
    }
  }

  #checkSession(): void {
    if (this.#engine.role === 'server') return;
    const { switches } = this.#flags;
    const expected = !switches.has('expect-no-session') && !switches.has('shim-shuts-down');
    if (this.#session !== undefined) checkSession(this.#session, this.#flags);
    if ((this.#session !== undefined) !== expected) {
      throw new Failure(expected ? 'no session came' : 'a session came, and none was expected');
    }
  }
}
