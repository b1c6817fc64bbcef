/** Our own ends for the interop tests, as a user would make them, and what tests wait for. */
import type { AddressInfo } from 'node:net';
import { type CipherSuiteName, cipherSuites, type NamedGroupName } from 'tls13-core';
import { nobleProvider } from 'tls13-core/noble';
import {
  type ConnectOptions,
  connect,
  createServer,
  type TlsConnection,
  type TlsServer,
  type TlsServerOptions,
} from 'tls13-server';
import { onTestFinished } from 'vitest';
import { serverIdentity, trusted } from './identities.js';

export type ProviderName = 'native' | 'noble';

/** Sizes at the edges of records, nothing, and many records. */
export const sizes = [0, 1, 16_383, 16_384, 16_385, 5 << 20] as const;

/** Every suite, the short tag too, which must be asked for. */
export const allSuites: readonly CipherSuiteName[] = Object.keys(cipherSuites).filter((name): name is CipherSuiteName =>
  Object.hasOwn(cipherSuites, name),
);

export interface MatrixCase {
  readonly suite: CipherSuiteName;
  readonly group: NamedGroupName;
  readonly provider: ProviderName;
}

/** Every suite with every group natively; with the portable provider each suite and each group once. */
export function matrix(suites: readonly CipherSuiteName[], groups: readonly NamedGroupName[]): readonly MatrixCase[] {
  const native = suites.flatMap((suite) => groups.map((group) => ({ suite, group, provider: 'native' as const })));
  const count = Math.max(suites.length, groups.length);
  const portable = Array.from({ length: count }, (_, index) => ({
    suite: cyclic(suites, index),
    group: cyclic(groups, index),
    provider: 'noble' as const,
  }));
  return [...native, ...portable];
}

export function provider(name: ProviderName): Pick<TlsServerOptions, 'provider'> {
  return { provider: name === 'noble' ? nobleProvider : 'native' };
}

export interface OurServer {
  readonly server: TlsServer;
  readonly port: number;
  /** The next connection whose handshake is complete. */
  next(): Promise<TlsConnection>;
  /** The next handshake's failure. */
  failure(): Promise<Error>;
  readonly keyLog: string[];
}

/** A server of ours on 127.0.0.1, with every suite and a P-256 certificate unless told otherwise; ended with the test. */
export async function listen(options: TlsServerOptions = {}): Promise<OurServer> {
  const { pem, keyPem } = serverIdentity('p256');
  const server = createServer({ cert: pem, key: keyPem, ciphers: allSuites, allowHalfOpen: true, ...options });
  const handshakes = new Queue<TlsConnection | Error>('a handshake');
  const keyLog: string[] = [];
  server.on('secureConnection', (connection: TlsConnection) => handshakes.put(watched(connection)));
  server.on('tlsClientError', (error: Error) => handshakes.put(error));
  server.on('keylog', (line: Buffer) => keyLog.push(line.toString('latin1').trimEnd()));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(async () => {
    const closed = new Promise<void>((resolve) => server.close(() => resolve()));
    server.closeAllConnections();
    await closed;
  });
  return {
    server,
    port: portOf(server.address()),
    next: async () => {
      const outcome = await handshakes.take();
      if (outcome instanceof Error) throw outcome;
      return outcome;
    },
    failure: async () => {
      const outcome = await handshakes.take();
      if (outcome instanceof Error) return outcome;
      throw new Error('the handshake succeeded');
    },
    keyLog,
  };
}

/** A client of ours that asks for localhost and trusts the tests' authority, once it is connected; ended with the test. */
export function dial(
  port: number,
  options: ConnectOptions = {},
  keyLog?: (line: string) => void,
): Promise<TlsConnection> {
  return new Promise((resolve, reject) => {
    const connection = watched(connect({ ...dialing(port), ...options }));
    if (keyLog !== undefined) connection.on('keylog', (line: Buffer) => keyLog(line.toString('latin1').trimEnd()));
    connection.once('error', reject);
    connection.once('secureConnect', () => {
      connection.off('error', reject);
      resolve(connection);
    });
    onTestFinished(() => {
      connection.destroy();
    });
  });
}

/** As `dial`, of a client that must fail: resolves to its error. */
export async function dialInVain(port: number, options: ConnectOptions = {}): Promise<Error> {
  const connection = await dial(port, options).catch((error: unknown) => {
    if (error instanceof Error) return error;
    throw error;
  });
  // TLS 1.3 lets a client connect before its server has judged its certificate.
  return connection instanceof Error ? connection : failure(connection);
}

/** The error that a connection ends with. */
export function failure(connection: TlsConnection): Promise<Error> {
  return new Promise((resolve, reject) => {
    const known = errors.get(connection);
    if (known !== undefined) return resolve(known);
    const endedWell = () => reject(new Error('the connection ended well'));
    if (connection.readableEnded) return endedWell();
    connection.once('error', resolve);
    connection.once('end', endedWell);
    connection.resume();
  });
}

/** The next `length` bytes that a connection receives. Fails when it ends before. */
export async function receive(connection: TlsConnection, length: number): Promise<Buffer> {
  const parts: Buffer[] = [];
  let missing = length;
  while (missing > 0) {
    const part: Buffer | null = connection.read(Math.min(missing, Math.max(1, connection.readableLength)));
    if (part === null) {
      if (connection.readableEnded || connection.destroyed) {
        throw errors.get(connection) ?? new Error(`the connection ended, ${missing} of ${length} bytes are missing`);
      }
      await readable(connection);
    } else {
      parts.push(part);
      missing -= part.length;
    }
  }
  return Buffer.concat(parts);
}

/** A session to resume, which may be still to come. */
export async function session(connection: TlsConnection): Promise<Buffer> {
  return (
    connection.getSession() ??
    new Promise<Buffer>((resolve, reject) => {
      connection.once('session', resolve);
      connection.once('error', reject);
      connection.once('end', () => reject(new Error('the connection ended without a session')));
    })
  );
}

/** The peer's close_notify. Fails when something else comes. */
export function ended(connection: TlsConnection): Promise<void> {
  return new Promise((resolve, reject) => {
    if (connection.readableEnded) return resolve();
    connection.once('end', resolve);
    connection.once('error', reject);
    connection.once('data', () => reject(new Error('data came, the end was wanted')));
  });
}

function dialing(port: number): ConnectOptions {
  return { host: '127.0.0.1', port, servername: 'localhost', ca: trusted.pem, ciphers: allSuites, allowHalfOpen: true };
}

const errors = new WeakMap<TlsConnection, Error>();

/** A test that waits for data must learn of errors that came before it waited. */
function watched(connection: TlsConnection): TlsConnection {
  return connection.on('error', (error: Error) => errors.set(connection, error));
}

function readable(connection: TlsConnection): Promise<void> {
  return new Promise((resolve) => {
    const go = () => {
      for (const event of ['readable', 'end', 'close']) connection.off(event, go);
      resolve();
    };
    for (const event of ['readable', 'end', 'close']) connection.on(event, go);
  });
}

function portOf(address: AddressInfo | string | null): number {
  if (typeof address === 'object' && address !== null) return address.port;
  throw new Error('the server does not listen');
}

function cyclic<Item>(list: readonly Item[], index: number): Item {
  const item = list[index % list.length];
  if (item === undefined) throw new Error('an empty list');
  return item;
}

/** What came, for who asks, in whichever order they come. */
class Queue<Item> {
  readonly #what: string;
  readonly #items: Item[] = [];
  readonly #takers: ((item: Item) => void)[] = [];

  constructor(what: string) {
    this.#what = what;
  }

  put(item: Item): void {
    const taker = this.#takers.shift();
    if (taker === undefined) this.#items.push(item);
    else taker(item);
  }

  take(): Promise<Item> {
    return new Promise((resolve, reject) => {
      const item = this.#items.shift();
      if (item !== undefined) return resolve(item);
      const timer = setTimeout(() => reject(new Error(`${this.#what} did not come in 30 s`)), 30_000).unref();
      this.#takers.push((taken) => {
        clearTimeout(timer);
        resolve(taken);
      });
    });
  }
}
