/** Two engines joined in memory. What goes over the wire can be watched, cut anew, changed or held back. */
import type { ClientConfig, ServerConfig } from '../../../src/config/index.js';
import type { CryptoProvider } from '../../../src/crypto/provider.js';
import { createClientEngine, createServerEngine } from '../../../src/engine/index.js';
import type { TlsEngine } from '../../../src/engine/types.js';
import type { TlsEvent } from '../../../src/events.js';
import type { Session } from '../../../src/session.js';
import { credential } from './certificates.js';

export type Role = 'client' | 'server';

export interface PairOptions {
  readonly client?: Partial<ClientConfig>;
  readonly server?: Partial<ServerConfig>;
  /** What reaches the peer instead of `bytes`; nothing when it is empty. */
  readonly wire?: (from: Role, bytes: Uint8Array) => readonly Uint8Array[];
}

/** One end: its engine, and everything it said. */
export class End {
  readonly engine: TlsEngine;
  readonly events: TlsEvent[] = [];
  /** Bytes for the wire that have not been taken. */
  outgoing: Uint8Array[] = [];
  settled: Promise<void> | undefined;

  constructor(engine: TlsEngine) {
    this.engine = engine;
  }

  /** Keeps the events of a call of the engine, and returns them. */
  take(events: readonly TlsEvent[]): readonly TlsEvent[] {
    for (const event of events) {
      this.events.push(event);
      if (event.type === 'transmit') this.outgoing.push(event.data);
      if (event.type === 'pending') this.settled = event.settled;
    }
    return events;
  }

  /** All application data that came, as one. */
  get data(): Uint8Array {
    return Buffer.concat(this.events.flatMap((event) => (event.type === 'data' ? [event.data] : [])));
  }

  of<Type extends TlsEvent['type']>(type: Type): Extract<TlsEvent, { readonly type: Type }>[] {
    return this.events.filter((event): event is Extract<TlsEvent, { readonly type: Type }> => event.type === type);
  }

  /** The order of events in short. */
  get types(): readonly TlsEvent['type'][] {
    return this.events.map(({ type }) => type);
  }
}

export class Pair {
  readonly client: End;
  readonly server: End;
  readonly #wire: NonNullable<PairOptions['wire']>;

  constructor(
    client: TlsEngine,
    server: TlsEngine,
    wire: NonNullable<PairOptions['wire']> = (_from, bytes) => [bytes],
  ) {
    this.client = new End(client);
    this.server = new End(server);
    this.#wire = wire;
  }

  /** Starts both ends and lets them talk until neither has anything to say. */
  handshake(): this {
    this.server.take(this.server.engine.start());
    this.client.take(this.client.engine.start());
    return this.exchange();
  }

  /** Delivers what is on the way, in both directions, until there is nothing. */
  exchange(): this {
    while (this.#deliver('client', this.client, this.server) || this.#deliver('server', this.server, this.client));
    return this;
  }

  /** As `handshake`, waiting for the application wherever an engine does. */
  async handshakeLater(): Promise<this> {
    this.handshake();
    for (;;) {
      const waiting = [this.client, this.server].filter((end) => end.settled !== undefined);
      if (waiting.length === 0) return this;
      for (const end of waiting) {
        await end.settled;
        end.settled = undefined;
        end.take(end.engine.resume());
      }
      this.exchange();
    }
  }

  #deliver(from: Role, sender: End, receiver: End): boolean {
    const [next] = sender.outgoing;
    if (next === undefined) return false;
    sender.outgoing.shift();
    // An engine may not keep views of what it was given: the buffer is overwritten as soon as it has returned.
    for (const bytes of this.#wire(from, next)) {
      const lent = bytes.slice();
      receiver.take(receiver.engine.receive(lent));
      lent.fill(0xee);
    }
    return true;
  }
}

export function clientConfig(provider: CryptoProvider, config: Partial<ClientConfig> = {}): ClientConfig {
  return { provider, serverName: 'example.test', verifyPeer: () => {}, ...config };
}

export function serverConfig(provider: CryptoProvider, config: Partial<ServerConfig> = {}): ServerConfig {
  return { provider, credentials: [credential(provider, 'ed25519')], verifyPeer: () => {}, ...config };
}

/** Not started: call `handshake()`. Groups default to X25519 alone, the cheapest. */
export function pair(provider: CryptoProvider, { client, server, wire }: PairOptions = {}): Pair {
  const common = { groups: ['x25519'] } as const;
  return new Pair(
    createClientEngine(clientConfig(provider, { ...common, ...client })),
    createServerEngine(serverConfig(provider, { ...common, ...server })),
    wire,
  );
}

/** A pair that has finished its handshake; events before it are forgotten. */
export function connectedPair(provider: CryptoProvider, options: PairOptions = {}): Pair {
  const connected = pair(provider, options).handshake();
  for (const end of [connected.client, connected.server]) {
    if (end.engine.state !== 'connected') throw end.engine.error ?? new Error(`${end.engine.role} is not connected`);
    end.events.length = 0;
  }
  return connected;
}

/** The first session that a pair so configured gives its client. */
export function sessionOf(provider: CryptoProvider, options: PairOptions = {}): Session {
  const { client } = pair(provider, options).handshake();
  const [ticket] = client.of('ticket');
  if (ticket === undefined) throw client.engine.error ?? new Error('no ticket came');
  return ticket.session;
}

export function bytes(length: number, value = 0x61): Uint8Array {
  return new Uint8Array(length).fill(value);
}
