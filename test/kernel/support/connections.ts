/** Our servers and clients, closed when the test ends, and the ways in which tests read and write. */
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import type { Readable, Writable } from 'node:stream';
import {
  type ConnectOptions,
  connect,
  createServer,
  type TlsConnection,
  type TlsServer,
  type TlsServerOptions,
} from 'tls13-server';
import { onTestFinished } from 'vitest';
import { cert, key } from './files.js';
import { within } from './kernel.js';

export interface RunningServer {
  readonly server: TlsServer;
  readonly port: number;
  /** The next connection whose handshake completes. */
  next(): Promise<TlsConnection>;
}

export async function startServer(options: Omit<TlsServerOptions, 'cert' | 'key'> = {}): Promise<RunningServer> {
  const server = createServer({ cert, key, ...options });
  const ready: TlsConnection[] = [];
  const waiting: Array<(connection: TlsConnection) => void> = [];
  server.on('secureConnection', (connection) => {
    const give = waiting.shift();
    if (give === undefined) ready.push(connection);
    else give(connection);
  });
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    server,
    port: portOf(server),
    next: () => {
      const first = ready.shift();
      if (first !== undefined) return Promise.resolve(first);
      return within(new Promise<TlsConnection>((resolve) => void waiting.push(resolve)), 'a connection at the server');
    },
  };
}

export function portOf(server: { address(): AddressInfo | string | null }): number {
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error(`no port: ${address}`);
  return address.port;
}

/** A client connection that is still shaking hands. */
export function dial(port: number, options: Partial<ConnectOptions> = {}): TlsConnection {
  const connection = connect({ host: '127.0.0.1', port, servername: 'localhost', ca: cert, ...options });
  onTestFinished(() => {
    connection.on('error', () => undefined).destroy();
  });
  return connection;
}

/** A client connection whose handshake is complete. */
export async function connected(port: number, options: Partial<ConnectOptions> = {}): Promise<TlsConnection> {
  const connection = dial(port, options);
  await within(once(connection, 'secureConnect'), 'secureConnect');
  return connection;
}

/** Both ends of a connection, both ours. */
export async function pair(options: {
  readonly server?: Omit<TlsServerOptions, 'cert' | 'key'>;
  readonly client?: Partial<ConnectOptions>;
}): Promise<{ readonly server: TlsConnection; readonly client: TlsConnection; readonly listener: RunningServer }> {
  const listener = await startServer(options.server);
  const [server, client] = await Promise.all([listener.next(), connected(listener.port, options.client)]);
  return { server, client, listener };
}

/** Everything up to the end, which leaves the other direction open. */
export function readAll(stream: Readable): Promise<Buffer> {
  const chunks: Buffer[] = [];
  const reading = new Promise<Buffer>((resolve, reject) => {
    stream.once('end', () => resolve(Buffer.concat(chunks)));
    stream.once('error', reject);
    stream.on('data', (chunk: Buffer) => chunks.push(chunk));
  });
  return within(reading, 'the end of the data', 30_000);
}

/** The next bytes. What comes behind them stays. */
export async function readBytes(stream: Readable, length: number): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for (let missing = length; missing > 0; ) {
    const chunk: Buffer | null = stream.read(Math.min(missing, stream.readableLength || 1));
    if (chunk === null) {
      await within(once(stream, 'readable'), `${missing} more of ${length} bytes`, 30_000);
      continue;
    }
    chunks.push(chunk);
    missing -= chunk.length;
  }
  return Buffer.concat(chunks);
}

/** Resolves when TCP has taken it. */
export function write(stream: Writable, content: Uint8Array | string): Promise<void> {
  const writing = new Promise<void>((resolve, reject) => {
    stream.write(content, (error) => (error ? reject(error) : resolve()));
  });
  return within(writing, 'room for a write', 30_000);
}

/** The error that ends a stream. */
export async function failure(stream: Readable | Writable): Promise<Error> {
  const [error] = await within(once(stream, 'error'), 'an error');
  return error;
}
