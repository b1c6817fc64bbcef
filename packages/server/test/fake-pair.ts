/** Two connections that talk through a kernel in memory, which seals and opens real records and can be told to refuse. */
import { once } from 'node:events';
import { createFakeKernel, type FakeAbilities, type FakeEnd, type FakeKernel } from 'ktls-bind/fake';
import {
  type ClientConfig,
  type CommonConfig,
  createClientEngine,
  createServerEngine,
  createTicketKeys,
  type Limits,
  type ServerConfig,
} from 'tls13-core';
import { createProvider, credential } from 'tls13-node-crypto';
import { TlsConnection } from '../src/connection.js';
import type { ConnectionHost } from '../src/connection-types.js';
import { Telemetry } from '../src/diagnostics.js';
import type { OffloadPolicy } from '../src/offload.js';
import { NativeTransport } from '../src/transport/native.js';
import { cleanUp, serverCredentials } from './support.js';

export interface FakePairOptions {
  readonly abilities?: Partial<FakeAbilities>;
  readonly server?: SideOptions;
  readonly client?: SideOptions;
  /** Of the engines, beside what the sides say. */
  readonly serverConfig?: Partial<ServerConfig>;
  readonly clientConfig?: Partial<ClientConfig>;
}

export interface SideOptions {
  readonly offload?: OffloadPolicy;
  readonly cipherSuites?: CommonConfig['cipherSuites'];
  readonly limits?: Partial<Limits>;
  readonly maxSendFragment?: number;
  readonly recordSizeLimit?: number;
  readonly padding?: boolean;
  readonly dynamicRecordSizing?: boolean;
  readonly allowHalfOpen?: boolean;
  readonly expectNoPad?: boolean;
  /** Called with the end before anything is sent. */
  readonly prepare?: (end: FakeEnd) => void;
}

export interface FakePair {
  readonly kernel: FakeKernel;
  readonly server: TlsConnection;
  readonly client: TlsConnection;
  readonly serverEnd: FakeEnd;
  readonly clientEnd: FakeEnd;
  readonly telemetry: Telemetry;
  /** When both are secure. */
  readonly secure: Promise<unknown>;
  /** Of the server, before it was secure. */
  readonly errors: Error[];
}

const provider = createProvider();

export function fakePair(options: FakePairOptions = {}): FakePair {
  const kernel = createFakeKernel(options.abilities);
  // The probe leaves nothing behind.
  kernel.probe();
  const [serverEnd, clientEnd] = kernel.connect();
  const telemetry = new Telemetry();
  const errors: Error[] = [];
  let serverSecured: () => void = () => undefined;
  const securedOnce = new Promise<void>((resolve) => {
    serverSecured = resolve;
  });
  const server = side(options.server, telemetry, {
    secured: serverSecured,
    handshakeFailed: (_connection, error) => errors.push(error) > 0,
    closed: () => undefined,
    keyLogged: () => undefined,
  });
  const client = side(options.client, telemetry, {
    secured: () => undefined,
    handshakeFailed: () => false,
    closed: () => undefined,
    keyLogged: () => undefined,
  });
  const open = (end: FakeEnd) => {
    const socket = kernel.open(end.fd);
    kernel.close(end.fd);
    return new NativeTransport(socket, kernel.probe());
  };
  options.server?.prepare?.(serverEnd);
  options.client?.prepare?.(clientEnd);
  const protector = createTicketKeys(provider);
  const chosen = ({ cipherSuites, limits, recordSizeLimit }: SideOptions = {}) => ({
    ...(recordSizeLimit === undefined ? {} : { recordSizeLimit }),
    ...(cipherSuites === undefined ? {} : { cipherSuites }),
    ...(limits === undefined ? {} : { limits }),
  });
  const credentials = [credential(serverCredentials())];
  server.start(
    createServerEngine({
      provider,
      credentials,
      tickets: { protector },
      ...chosen(options.server),
      ...options.serverConfig,
    }),
    open(serverEnd),
  );
  client.start(
    createClientEngine({
      provider,
      serverName: 'localhost',
      verifyPeer: () => undefined,
      ...chosen(options.client),
      ...options.clientConfig,
    }),
    open(clientEnd),
  );
  cleanUp(() => {
    server.destroy();
    client.destroy();
  });
  const secure = Promise.all([securedOnce, once(client, 'secureConnect')]);
  // Not every test waits for it.
  secure.catch(() => undefined);
  return { kernel, server, client, serverEnd, clientEnd, telemetry, secure, errors };
}

function side(options: SideOptions = {}, telemetry: Telemetry, host: ConnectionHost): TlsConnection {
  return new TlsConnection({
    driver: {
      policy: options.offload ?? 'auto',
      offloadOptions: { expectNoPad: options.expectNoPad ?? false },
      tolerateTruncation: false,
      padding: options.padding ?? false,
      dynamicRecordSizing: options.dynamicRecordSizing ?? false,
      maxSendFragment: options.maxSendFragment ?? 16_384,
    },
    allowHalfOpen: options.allowHalfOpen ?? false,
    telemetry,
    check: undefined,
    host,
  });
}

export async function secured(options: FakePairOptions = {}): Promise<FakePair> {
  const pair = fakePair(options);
  await pair.secure;
  return pair;
}
