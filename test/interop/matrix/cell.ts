/** One peer in one role: what the run of a feature works with. */
import type { ConnectionInfo } from 'tls13-core';
import type { ConnectOptions, TlsConnection, TlsServerOptions } from 'tls13-server';
import { expect } from 'vitest';
import type { KeyKind } from '../identities.js';
import { serverIdentity } from '../identities.js';
import { dial, ended, listen, type OurServer } from '../ours.js';
import { exchange, redirect } from './exchange.js';
import type { Link, Peer, Role, Said, ServerLink, Wish } from './peer.js';

/** Of either role; those that mean different things to both, apart. */
export type OurOptions = Omit<ConnectOptions, 'session' | Apart> &
  Omit<TlsServerOptions, Apart> & { readonly asClient?: ConnectOptions; readonly asServer?: TlsServerOptions };

type Apart = 'ech' | 'psks' | 'pskCallback';

export interface Pair {
  /** Which one of the peer's connections it is; from 1. */
  readonly nth?: number;
  readonly connection: TlsConnection;
  readonly link: Link;
}

export class Cell {
  readonly role: Role;
  readonly #peer: Peer;

  constructor(peer: Peer, role: Role) {
    this.#peer = peer;
    this.role = role;
  }

  /** Both sides, connected; the server has a certificate of this kind. */
  async connect(wish: Wish = {}, options: OurOptions = {}, kind: KeyKind = 'p256'): Promise<Pair> {
    if (this.role === 'client') {
      const ours = await this.listen(options, kind);
      const link = await this.client(ours, wish);
      return { link, connection: await this.#next(ours) };
    }
    const link = await this.server(wish, kind);
    return { link, connection: await dial(link.port, forClient(options)) };
  }

  listen({ asServer, asClient, ...options }: OurOptions = {}, kind: KeyKind = 'p256'): Promise<OurServer> {
    const { pem, keyPem } = serverIdentity(kind);
    return listen({ cert: pem, key: keyPem, ...options, ...asServer });
  }

  client(ours: OurServer, wish: Wish): Promise<Link> {
    if (this.#peer.client === undefined) throw new Error(`${this.#peer.name} is no client`);
    return this.#peer.client(ours.port, wish);
  }

  server(wish: Wish, kind: KeyKind = 'p256'): Promise<ServerLink> {
    if (this.#peer.server === undefined) throw new Error(`${this.#peer.name} is no server`);
    return this.#peer.server({ identity: serverIdentity(kind).files, ...wish });
  }

  /** Both sides must say this of the connection, the peer as far as it says it, and data must pass both ways. */
  async check(
    { connection, link, nth = 1 }: Pair,
    info: Partial<ConnectionInfo>,
    said: Said,
    length?: number,
  ): Promise<void> {
    expect(connection.info).toMatchObject(info);
    // Some say nothing before they have had a request.
    const asks = link.service === 'http' || link.service === 'browser';
    if (asks) await exchange(connection, link, this.role, length);
    await this.saidOf(link, said, nth);
    if (!asks) await exchange(connection, link, this.role, length);
  }

  #next(ours: OurServer): Promise<TlsConnection> {
    return this.#peer.browses === true ? asking(ours) : ours.next();
  }

  /** Connections that a browser opened in advance were made before there was a session. */
  async #nextResumed(ours: OurServer): Promise<TlsConnection> {
    for (let left = 5; ; left--) {
      const connection = await this.#next(ours);
      if (this.#peer.browses !== true || connection.info?.resumed === true || left === 0) return connection;
      await sayGoodbye(connection, true);
    }
  }

  async saidOf(link: Link, wanted: Said, nth = 1): Promise<void> {
    const found = await link.said(nth);
    const told = new Map(Object.entries(found));
    const known = Object.entries(wanted).filter(([name]) => told.get(name) !== undefined);
    expect(found).toMatchObject(Object.fromEntries(known));
  }

  /**
   * A connection, and another that resumes it. `options` are ours of both, `second` those of the second alone; `change`
   * is for what our client keeps of the session.
   */
  async resume(
    wish: Wish = {},
    options: OurOptions = {},
    second: OurOptions = {},
    change = (kept: Buffer): Uint8Array => kept,
  ): Promise<Pair & { first: TlsConnection }> {
    if (this.role === 'client') {
      const ours = await this.listen(options);
      const starting = this.client(ours, { ...wish, resume: true });
      starting.catch(() => {});
      const first = await this.#next(ours);
      await sayGoodbye(first, this.#peer.follows === true);
      const connection = await this.#nextResumed(ours);
      return { first, connection, link: await starting };
    }
    const link = await this.server(wish);
    const first = await dial(link.port, forClient(options));
    await exchange(first, link, this.role, 10);
    const session = first.getSession() ?? (await sessionOf(first));
    first.end();
    await closed(first);
    const connection = await dial(link.port, { ...forClient({ ...options, ...second }), session: change(session) });
    return { first, link, nth: 2, connection };
  }
}

function forClient({ asClient, asServer, ...options }: OurOptions): ConnectOptions {
  return { ...options, ...asClient };
}

/** Browsers open connections in advance, and give some of them up again. */
async function asking(ours: OurServer): Promise<TlsConnection> {
  for (;;) {
    const connection = await ours.next().catch(() => undefined);
    if (connection !== undefined && (await speaks(connection))) return connection;
  }
}

function speaks(connection: TlsConnection): Promise<boolean> {
  return new Promise((resolve) => {
    if (connection.readableLength > 0) return resolve(true);
    connection.once('readable', () => resolve(connection.readableLength > 0));
    connection.once('close', () => resolve(false));
    setTimeout(() => resolve(false), 3000).unref();
  });
}

/** Tickets come before data: who has the byte, or the answer, has them. It closes then; a browser comes again. */
async function sayGoodbye(connection: TlsConnection, follows: boolean): Promise<void> {
  if (follows) await redirect(connection);
  else connection.write(Buffer.of(0x80));
  connection.resume();
  if (!follows) await ended(connection).catch(() => {});
  connection.end();
}

function sessionOf(connection: TlsConnection): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    connection.once('session', resolve);
    connection.once('error', reject);
    connection.resume();
    setTimeout(() => reject(new Error('no session came')), 10_000).unref();
  });
}

/** Whoever closes, and however. */
function closed(connection: TlsConnection): Promise<void> {
  return new Promise((resolve) => {
    if (connection.closed) return resolve();
    connection.once('close', () => resolve());
    connection.resume();
    setTimeout(() => connection.destroy(), 2000).unref();
  });
}
