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
import { features } from './features/index.js';
import { type Flags, number, text } from './flags.js';
import { Wire } from './wire.js';
import type { World } from './world.js';

/** The session to resume next, when one came. */
export async function runConnection(
  flags: Flags,
  world: World,
  resuming: boolean,
  session: Session | undefined,
): Promise<Session | undefined> {
  const connection = new Connection(flags, world, resuming, session);
  try {
    await connection.run();
  } finally {
    await connection.finish();
  }
  return connection.session;
}

class Connection {
  readonly #flags: Flags;
  readonly #resuming: boolean;
  readonly #engine: TlsEngine;
  readonly #wire: Wire;
  readonly #seen: Seen = { credential: undefined, ocspResponse: undefined };
  readonly #secrets = new Map<string, Uint8Array>();
  readonly #received: Uint8Array[] = [];
  #session: Session | undefined;
  #pending: Promise<void> | undefined;
  #peerClosed = false;
  #ended = false;
  #info: ConnectionInfo | undefined;

  constructor(flags: Flags, world: World, resuming: boolean, session: Session | undefined) {
    this.#flags = flags;
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
    const { switches } = this.#flags;
    this.#handle(this.#engine.start());
    while (this.#info === undefined) await this.#turn();
    if (!switches.has('implicit-handshake')) {
      for (const { check } of features) check?.(this.#info, this.#flags, this.#seen, this.#resuming);
    }
    this.#exportSecrets();
    if (switches.has('read-with-unfinished-write')) this.#wire.hold();
    if (switches.has('shim-writes-first') || switches.has('read-with-unfinished-write')) {
      this.#write(Buffer.from(text(this.#flags, 'shim-initial-write') ?? 'hello', 'latin1'));
    }
    if (switches.has('read-with-unfinished-write')) this.#wire.letOneByteThrough();
    if (!switches.has('shim-shuts-down')) await this.#echo();
    this.#checkSession();
    this.#handle(this.#engine.close());
    if (switches.has('check-close-notify')) await this.#awaitClose();
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
    const slow = this.#flags.switches.has('async') && this.#info === undefined;
    const bytes = await this.#wire.read(slow ? 1 : this.#engine.wanted);
    if (bytes !== undefined) return this.#handle(this.#engine.receive(bytes));
    this.#ended = true;
    if (this.#info === undefined) this.#handle(this.#engine.receiveEnd());
  }

  #write(data: Uint8Array): void {
    this.#handle(this.#engine.send(data));
  }

  #handle(events: readonly TlsEvent[]): void {
    for (const event of events) {
      switch (event.type) {
        case 'transmit':
          this.#wire.write(event.data);
          break;
        case 'connected':
          this.#info = event.info;
          break;
        case 'data':
          this.#received.push(event.data);
          break;
        case 'ticket':
          this.#session = event.session;
          break;
        case 'pending':
          this.#pending = event.settled;
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
    if ((this.#session !== undefined) !== expected) {
      throw new Failure(expected ? 'no session came' : 'a session came, and none was expected');
    }
  }
}
