/**
 * Runs inside the page: a client and a server engine joined in memory, with the portable provider. Its one function
 * takes a description of a connection and says what became of it; the test outside judges.
 */
import {
  type CipherSuiteName,
  type ClientConfig,
  type ConnectionInfo,
  createClientEngine,
  createServerEngine,
  createTicketKeys,
  type NamedGroupName,
  type PeerIdentity,
  type ServerConfig,
  type Session,
  type TlsEngine,
  TlsError,
  type TlsEvent,
} from 'tls13-core';
import { nobleProvider } from 'tls13-core/noble';

/** Bytes are in base64. */
export interface PageIdentity {
  readonly certificate: string;
  readonly key: string;
}

export interface PageCase {
  readonly suite: CipherSuiteName;
  readonly group: NamedGroupName;
  readonly server: PageIdentity;
  /** Shown on request; without one nothing is requested. */
  readonly client?: PageIdentity;
  /** The client's first share is for another group. */
  readonly retry?: boolean;
  /** The certificate the client wants to see; the server's own without it. */
  readonly wanted?: PageIdentity;
  /** Bytes sent each way before and after each KeyUpdate. */
  readonly size: number;
}

export interface PageConnection {
  readonly client: PageEnd;
  readonly server: PageEnd;
}

export interface PageEnd {
  readonly state: string;
  readonly error: string | undefined;
  readonly suite: string | undefined;
  readonly group: string | undefined;
  readonly scheme: string | undefined;
  readonly clientScheme: string | undefined;
  readonly alpn: string | undefined;
  readonly serverName: string | undefined;
  readonly resumed: boolean | undefined;
  readonly retried: boolean | undefined;
  /** Leaf of the peer. */
  readonly peer: string | undefined;
  readonly exported: string;
  /** SHA-256 of all application data that came. */
  readonly received: string;
  readonly bytes: number;
  /** `send` or `receive` as keys changed, in order. */
  readonly keyUpdates: readonly string[];
  readonly closed: boolean;
}

declare global {
  var connect: (spec: PageCase) => { readonly full: PageConnection; readonly resumed: PageConnection | undefined };
}

/** One full handshake, then one that resumes its session if it gave one. */
globalThis.connect = (spec) => {
  const tickets = { protector: createTicketKeys(nobleProvider) };
  const server = { ...serverConfig(spec), tickets };
  const client = clientConfig(spec);
  const first = converse(client, server, spec.size);
  const [session] = first.sessions;
  if (session === undefined) return { full: first.connection, resumed: undefined };
  const second = converse({ ...client, session }, server, spec.size);
  return { full: first.connection, resumed: second.connection };
};

function serverConfig({ suite, group, server, client }: PageCase): ServerConfig {
  return {
    provider: nobleProvider,
    cipherSuites: [suite],
    groups: [group],
    alpnProtocols: ['page/1'],
    credentials: [credential(server)],
    ...(client === undefined ? {} : { clientAuthentication: 'require', verifyPeer: (peer) => same(peer, client) }),
  };
}

function clientConfig({ suite, group, server, client, retry = false, wanted = server }: PageCase): ClientConfig {
  const other = group === 'x25519' ? 'secp256r1' : 'x25519';
  return {
    provider: nobleProvider,
    cipherSuites: [suite],
    groups: retry ? [other, group] : [group],
    serverName: 'page.example',
    alpnProtocols: ['page/0', 'page/1'],
    verifyPeer: (peer) => same(peer, wanted),
    ...(client === undefined ? {} : { credential: credential(client) }),
  };
}

function credential({ certificate, key }: PageIdentity) {
  return { certificateChain: [fromBase64(certificate)], signer: nobleProvider.signer(fromBase64(key)) };
}

function same(peer: PeerIdentity, { certificate }: PageIdentity): void {
  const [leaf] = peer.certificateType === 'x509' ? peer.certificates : [];
  if (leaf === undefined || toBase64(leaf) !== certificate)
    throw new TlsError('bad_certificate', 'another certificate than expected');
}

function converse(client: ClientConfig, server: ServerConfig, size: number) {
  const pair = new Pair(createClientEngine(client), createServerEngine(server));
  pair.run(
    () => [],
    () => pair.server.engine.start(),
  );
  pair.run(() => pair.client.engine.start());
  const exchange = () => {
    pair.run(() => pair.client.engine.send(pattern(size, 1)));
    pair.run(
      () => [],
      () => pair.server.engine.send(pattern(size, 2)),
    );
  };
  if (pair.client.engine.state === 'connected' && pair.server.engine.state === 'connected') {
    exchange();
    pair.run(() => pair.client.engine.updateKeys(true));
    exchange();
    pair.run(
      () => [],
      () => pair.server.engine.updateKeys(false),
    );
    exchange();
    pair.run(() => pair.client.engine.close());
    pair.run(
      () => [],
      () => pair.server.engine.close(),
    );
  }
  const connection = { client: pair.client.report(), server: pair.server.report() };
  return { connection, sessions: pair.client.sessions };
}

class End {
  readonly engine: TlsEngine;
  readonly sessions: Session[] = [];
  readonly outgoing: Uint8Array[] = [];
  readonly #data: Uint8Array[] = [];
  readonly #keyUpdates: string[] = [];
  #closed = false;

  constructor(engine: TlsEngine) {
    this.engine = engine;
  }

  take(events: readonly TlsEvent[]): void {
    for (const event of events) {
      if (event.type === 'transmit') this.outgoing.push(event.data);
      else if (event.type === 'data') this.#data.push(event.data);
      else if (event.type === 'ticket') this.sessions.push(event.session);
      else if (event.type === 'key_update') this.#keyUpdates.push(event.direction);
      else if (event.type === 'closed') this.#closed = true;
    }
  }

  report(): PageEnd {
    const info: ConnectionInfo | undefined = this.engine.info;
    const data = joined(this.#data);
    return {
      state: this.engine.state,
      error: this.engine.error?.message,
      suite: info?.cipherSuite,
      group: info?.group,
      scheme: info?.signatureScheme,
      clientScheme: info?.clientSignatureScheme,
      alpn: info?.alpnProtocol,
      serverName: info?.serverName,
      resumed: info?.resumed,
      retried: info?.helloRetryRequest,
      peer: info?.peerCertificates.map(toBase64)[0],
      exported: info === undefined ? '' : toBase64(this.engine.exportKeyingMaterial(32, 'EXPORTER-page', context)),
      received: toBase64(nobleProvider.hash('sha256').digest(data)),
      bytes: data.length,
      keyUpdates: this.#keyUpdates,
      closed: this.#closed,
    };
  }
}

class Pair {
  readonly client: End;
  readonly server: End;

  constructor(client: TlsEngine, server: TlsEngine) {
    this.client = new End(client);
    this.server = new End(server);
  }

  /** Lets the ends act, and carries what they say until neither says more. */
  run(client: () => readonly TlsEvent[], server: () => readonly TlsEvent[] = () => []): void {
    this.client.take(client());
    this.server.take(server());
    while (carry(this.client, this.server) || carry(this.server, this.client));
  }
}

const context = new TextEncoder().encode('context');

function carry(from: End, to: End): boolean {
  const next = from.outgoing.shift();
  if (next === undefined) return false;
  to.take(to.engine.receive(next));
  return true;
}

/** The same bytes as the test makes. */
function pattern(length: number, seed: number): Uint8Array {
  return Uint8Array.from({ length }, (_, index) => (index * 31 + seed) & 0xff);
}

function joined(parts: readonly Uint8Array[]): Uint8Array {
  const all = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let offset = 0;
  for (const part of parts) {
    all.set(part, offset);
    offset += part.length;
  }
  return all;
}

function toBase64(bytes: Uint8Array): string {
  return btoa(Array.from(bytes, (byte) => String.fromCharCode(byte)).join(''));
}

function fromBase64(text: string): Uint8Array {
  return Uint8Array.from(atob(text), (character) => character.charCodeAt(0));
}
