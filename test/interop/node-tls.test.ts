/** Both our roles with the node:tls of the Node that runs the tests: what users come from, and go back to. */
import { createHash, randomBytes } from 'node:crypto';
import { once } from 'node:events';
import type { AddressInfo, Socket } from 'node:net';
import { setImmediate } from 'node:timers/promises';
import { type ConnectionOptions, connect, createServer, type Server, type TLSSocket, type TlsOptions } from 'node:tls';
import type { NamedGroupName } from 'tls13-core';
import type { TlsConnection } from 'tls13-server';
import { describe, expect, it, onTestFinished } from 'vitest';
import {
  clientIdentity,
  expiredIdentity,
  type Identity,
  namedIdentity,
  serverIdentity,
  strangersIdentity,
  trusted,
} from './identities.js';
import { allSuites, dial, dialInVain, listen, matrix, provider, session, sizes } from './ours.js';

/** Those of OpenSSL 3.0, which the oldest Node has. */
const groups: readonly NamedGroupName[] = ['x25519', 'secp256r1', 'secp384r1', 'secp521r1'];
const curves: Readonly<Partial<Record<NamedGroupName, string>>> = {
  x25519: 'X25519',
  secp256r1: 'P-256',
  secp384r1: 'P-384',
  secp521r1: 'P-521',
};
const label = 'EXPORTER-interop';
const context = Buffer.from('context');

interface Ends {
  readonly ours: TlsConnection;
  readonly theirs: TLSSocket;
}

describe.each(['our server', 'our client'] as const)('%s and node:tls', (role) => {
  const meet = role === 'our server' ? ourServer : ourClient;

  it.each(matrix(allSuites, groups))('$suite, $group, $provider', async ({ suite, group, provider: name }) => {
    // Otherwise CCM_8's short tag is not enough for it.
    const ciphers = suite === 'TLS_AES_128_CCM_8_SHA256' ? `${suite}:DEFAULT@SECLEVEL=0` : suite;
    const { ours, theirs } = await meet(provider(name), { ciphers, ecdhCurve: curves[group] ?? group });
    expect(ours.info).toMatchObject({ cipherSuite: suite, group });
    expect(theirs.getCipher().standardName).toBe(suite);
    expect(theirs.getProtocol()).toBe('TLSv1.3');
    expect(ours.exportKeyingMaterial(32, label)).toEqual(exported(theirs, 32, label));
    expect(ours.exportKeyingMaterial(100, label, context)).toEqual(exported(theirs, 100, label, context));
    await transfer(ours, theirs, 1000, 1000);
  });

  it.each(sizes)('pass %i bytes both ways at once', async (size) => {
    const { ours, theirs } = await meet();
    await transfer(ours, theirs, size, size);
  });

  it.each(['native', 'stream'] as const)('pass much one way and little the other (%s)', async (transport) => {
    const { ours, theirs } = await meet({ maxSendFragment: 1000, transport }, {});
    await transfer(ours, theirs, 20 << 20, 100_000);
  });

  it('close one half, ours first', async () => {
    const { ours, theirs } = await meet();
    ours.end('ours');
    expect(await all(theirs)).toBe('ours');
    const rest = all(ours);
    theirs.end('x'.repeat(1 << 20));
    expect(await rest).toBe('x'.repeat(1 << 20));
  });

  it('close one half, theirs first', async () => {
    const { ours, theirs } = await meet();
    theirs.end('theirs');
    expect(await all(ours)).toBe('theirs');
    const rest = all(theirs);
    ours.end('x'.repeat(1 << 20));
    expect(await rest).toBe('x'.repeat(1 << 20));
  });

  it('agree on a protocol', async () => {
    const { ours, theirs } = await meet({ ALPNProtocols: ['h2', 'x/1'] }, { ALPNProtocols: ['x/1', 'h2'] });
    // The server's order counts.
    expect(ours.alpnProtocol).toBe(role === 'our server' ? 'h2' : 'x/1');
    expect(theirs.alpnProtocol).toBe(ours.alpnProtocol);
  });

  it('show each other the same certificates', async () => {
    const { cert, key } = pair(clientIdentity('p384'));
    const asked = { requestCert: true, ca: trusted.pem };
    const shown = { cert, key };
    const { ours, theirs } = await (role === 'our server' ? meet(asked, shown) : meet(shown, asked));
    expect(ours.authorized).toBe(true);
    expect(theirs.authorized).toBe(true);
    const [subject, peer] = [ours.getX509Certificate()?.subject, ours.getPeerX509Certificate()?.subject];
    expect(theirs.getPeerX509Certificate()?.subject).toBe(subject);
    expect(theirs.getX509Certificate()?.subject).toBe(peer);
    expect([subject, peer].toSorted()).toEqual(['CN=client p384', 'CN=localhost']);
  });

  it('have the same idea of the name asked for', async () => {
    const { ours, theirs } = await meet();
    expect([ours.servername, Reflect.get(theirs, 'servername')]).toEqual(['localhost', 'localhost']);
  });
});

describe('sessions', () => {
  it.each(['native', 'noble'] as const)('of our server resume in node:tls (%s)', async (name) => {
    const ours = await listen(provider(name));
    const first = await theirClient(ours.port);
    const kept: Buffer[] = [];
    first.on('session', (bytes) => kept.push(bytes));
    (await ours.next()).write('x');
    await once(first, 'data');
    expect(kept).toHaveLength(2);
    for (const bytes of kept) {
      const again = await theirClient(ours.port, { session: bytes });
      expect(again.isSessionReused()).toBe(true);
      expect((await ours.next()).isSessionReused()).toBe(true);
    }
  });

  it.each(['native', 'noble'] as const)('of node:tls resume in our client (%s)', async (name) => {
    const theirs = await theirServer();
    const [, first] = await Promise.all([theirs.next(), dial(theirs.port, provider(name))]);
    const kept = await session(first);
    const [socket, again] = await Promise.all([theirs.next(), dial(theirs.port, { ...provider(name), session: kept })]);
    expect(again.isSessionReused()).toBe(true);
    expect(socket.isSessionReused()).toBe(true);
  });
});

describe('refusals', () => {
  it.each([
    {
      what: 'an unknown authority',
      identity: strangersIdentity,
      code: /UNABLE_TO_VERIFY_LEAF_SIGNATURE|UNABLE_TO_GET/,
    },
    { what: 'an expired certificate', identity: expiredIdentity, code: /CERT_HAS_EXPIRED/ },
    { what: 'another name', identity: () => namedIdentity('one.example'), code: /ERR_TLS_CERT_ALTNAME_INVALID/ },
  ])('$what: our client and node:tls say so alike', async ({ identity, code }) => {
    const { cert, key } = pair(identity());
    const theirs = await theirServer({ cert, key });
    const [ourError, theirError] = [await dialInVain(theirs.port), await refused(theirs.port)];
    expect(Reflect.get(ourError, 'code')).toMatch(code);
    expect(Reflect.get(theirError, 'code')).toMatch(code);
  });

  it.each([
    { what: 'TLS 1.2 only', ours: {}, theirs: { maxVersion: 'TLSv1.2' }, alert: 'PROTOCOL_VERSION' },
    {
      what: 'no suite',
      ours: { ciphers: ['TLS_AES_128_GCM_SHA256'] },
      theirs: { ciphers: 'TLS_AES_256_GCM_SHA384' },
      alert: 'HANDSHAKE_FAILURE',
    },
    { what: 'no group', ours: { ecdhCurve: ['x25519'] }, theirs: { ecdhCurve: 'P-256' }, alert: 'HANDSHAKE_FAILURE' },
    {
      what: 'no protocol',
      ours: { ALPNProtocols: ['h2'] },
      theirs: { ALPNProtocols: ['x'] },
      alert: 'NO_APPLICATION_PROTOCOL',
    },
    { what: 'no certificate', ours: { requestCert: true, ca: trusted.pem }, theirs: {}, alert: 'CERTIFICATE_REQUIRED' },
  ] as const)('$what: node:tls hears $alert from our server', async ({ ours: options, theirs, alert }) => {
    const ours = await listen(options);
    const [error, heard] = await Promise.all([ours.failure(), refused(ours.port, theirs)]);
    expect(error).toMatchObject({ alert: alert.toLowerCase(), received: false });
    expect(Reflect.get(heard, 'code')).toContain(alert);
  });

  it.each([
    { what: 'TLS 1.2 only', theirs: { maxVersion: 'TLSv1.2' }, ours: {}, alert: 'protocol_version' },
    {
      what: 'no suite',
      theirs: { ciphers: 'TLS_AES_256_GCM_SHA384' },
      ours: { ciphers: ['TLS_AES_128_GCM_SHA256'] },
      alert: 'handshake_failure',
    },
    { what: 'no group', theirs: { ecdhCurve: 'P-256' }, ours: { ecdhCurve: ['x25519'] }, alert: 'handshake_failure' },
    {
      what: 'no protocol',
      theirs: { ALPNProtocols: ['x'] },
      ours: { ALPNProtocols: ['h2'] },
      alert: 'no_application_protocol',
    },
  ] as const)('$what: our client hears $alert from node:tls', async ({ theirs, ours, alert }) => {
    const { port } = await theirServer(theirs);
    expect(await dialInVain(port, ours)).toMatchObject({ alert, received: true });
  });
});

async function ourServer(ours: Parameters<typeof listen>[0] = {}, theirs: ConnectionOptions = {}): Promise<Ends> {
  const server = await listen(ours);
  const [connection, socket] = await Promise.all([server.next(), theirClient(server.port, theirs)]);
  return { ours: connection, theirs: socket };
}

async function ourClient(ours: Parameters<typeof dial>[1] = {}, theirs: TlsOptions = {}): Promise<Ends> {
  const server = await theirServer(theirs);
  const [socket, connection] = await Promise.all([server.next(), dial(server.port, ours)]);
  return { ours: connection, theirs: socket };
}

async function theirClient(port: number, options: ConnectionOptions = {}): Promise<TLSSocket> {
  const socket = connect({ ...dialing(port), ...options });
  onTestFinished(() => {
    socket.destroy();
  });
  await once(socket, 'secureConnect');
  return socket.on('error', () => {});
}

/** The error of a client that must fail. */
async function refused(port: number, options: ConnectionOptions = {}): Promise<Error> {
  const socket = connect({ ...dialing(port), ...options });
  onTestFinished(() => {
    socket.destroy();
  });
  socket.resume();
  const [error]: unknown[] = await once(socket, 'error');
  if (error instanceof Error) return error;
  throw new Error(`not an error: ${String(error)}`);
}

function dialing(port: number): ConnectionOptions {
  return { host: '127.0.0.1', port, servername: 'localhost', ca: trusted.pem, ...halfOpen };
}

/** Of net.Socket, which tls.connect hands it to. */
const halfOpen = { allowHalfOpen: true };

async function theirServer(options: TlsOptions = {}): Promise<{ port: number; next(): Promise<TLSSocket> }> {
  const sockets: TLSSocket[] = [];
  const waiting: ((socket: TLSSocket) => void)[] = [];
  const server: Server = createServer({ ...pair(serverIdentity('p256')), ...halfOpen, ...options }, (socket) => {
    socket.on('error', () => {});
    const taker = waiting.shift();
    if (taker === undefined) sockets.push(socket);
    else taker(socket);
  });
  const raw = new Set<Socket>();
  server.on('connection', (socket: Socket) => raw.add(socket));
  server.on('tlsClientError', (_error, socket) => socket.destroy());
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(async () => {
    for (const socket of raw) socket.destroy();
    server.close();
    await once(server, 'close');
  });
  return {
    port: portOf(server.address()),
    next: async () => {
      const socket = sockets.shift() ?? (await new Promise<TLSSocket>((resolve) => waiting.push(resolve)));
      // It is handed out amid its handshake: ended right there it leaves its close_notify out.
      await setImmediate();
      return socket;
    },
  };
}

function pair({ pem, keyPem }: Identity) {
  return { cert: pem, key: keyPem };
}

/** Node's types want a context that its function does without. */
function exported(socket: TLSSocket, length: number, name: string, material?: Buffer): Buffer {
  const bytes: unknown = Reflect.apply(socket.exportKeyingMaterial, socket, [length, name, material]);
  if (bytes instanceof Buffer) return bytes;
  throw new Error('no keying material');
}

/** Both ends send at once, each in parts of changing size, and say what they received by its digest. */
async function transfer(ours: TlsConnection, theirs: TLSSocket, fromOurs: number, fromTheirs: number): Promise<void> {
  const [outgoing, incoming] = [randomBytes(fromOurs), randomBytes(fromTheirs)];
  const received = Promise.all([digest(ours), digest(theirs)]);
  send(ours, outgoing);
  send(theirs, incoming);
  expect(await received).toEqual([sha256(incoming), sha256(outgoing)]);
}

function send(end: TlsConnection | TLSSocket, bytes: Buffer): void {
  for (let offset = 0, part = 1; offset < bytes.length; offset += part, part = (part * 7) % 100_003) {
    end.write(bytes.subarray(offset, offset + part));
  }
  end.end();
}

async function digest(end: TlsConnection | TLSSocket): Promise<string> {
  const hash = createHash('sha256');
  end.on('data', (part) => hash.update(part));
  await ending(end);
  return hash.digest('hex');
}

async function all(end: TlsConnection | TLSSocket): Promise<string> {
  let text = '';
  end.setEncoding('latin1').on('data', (part: string) => {
    text += part;
  });
  await ending(end);
  return text;
}

function ending(end: TlsConnection | TLSSocket): Promise<void> {
  return new Promise((resolve, reject) => {
    end.once('end', resolve);
    end.once('error', reject);
    end.once('close', () => reject(new Error('closed before its end')));
  });
}

function sha256(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex');
}

function portOf(address: AddressInfo | string | null): number {
  if (typeof address === 'object' && address !== null) return address.port;
  throw new Error('the server does not listen');
}
