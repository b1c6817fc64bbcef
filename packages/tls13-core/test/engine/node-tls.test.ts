/** Against node:tls: the same key log, the same exporters, and every message of each understood by the other. */
import { afterEach, describe, expect, it } from 'vitest';
import { nobleProvider as provider } from '../../src/crypto/noble.js';
import { createClientEngine, createServerEngine } from '../../src/engine/index.js';
import type { TlsEvent } from '../../src/events.js';
import { createTicketKeys } from '../../src/ticket-keys.js';
import { authority, credential, identity, serverName } from './support/certificates.js';
import { type Meeting, meetNode, type NodeOptions } from './support/node-tls.js';
import { bytes, clientConfig, serverConfig } from './support/pair.js';

const { certificatePem: cert, keyPem: key } = identity('p256');
const ours = { p256: identity('p256').certificate };
let meeting: Meeting | undefined;

afterEach(() => meeting?.node.destroy());

async function asClient(config: Parameters<typeof clientConfig>[1] = {}, options: NodeOptions = {}) {
  meeting = await meetNode(createClientEngine(clientConfig(provider, { keyLog: true, ...config })), {
    cert,
    key,
    ...options,
  });
  return meeting;
}

async function asServer(config: Parameters<typeof serverConfig>[1] = {}, options: NodeOptions = {}) {
  meeting = await meetNode(createServerEngine(serverConfig(provider, { keyLog: true, ...config })), options);
  return meeting;
}

/** One line of an NSS key log (RFC 9850). */
function line(event: Extract<TlsEvent, { type: 'secret' }>): string {
  const hex = (data: Uint8Array) => Buffer.from(data).toString('hex');
  return `${event.label} ${hex(event.clientRandom)} ${hex(event.secret)}\n`;
}

function expectSameSecrets({ end, node, keyLog }: Meeting): void {
  expect(end.of('secret').map(line).sort()).toEqual([...keyLog].sort());
  for (const context of [new Uint8Array(0), bytes(3)]) {
    const label = 'EXPERIMENTAL tls13';
    const mine = end.engine.exportKeyingMaterial(48, label, context);
    expect(Buffer.from(mine)).toEqual(node.exportKeyingMaterial(48, label, Buffer.from(context)));
  }
}

async function expectAlive({ end, node, read, settle }: Meeting): Promise<void> {
  end.take(end.engine.send(bytes(40_000)));
  node.write('hello');
  await settle();
  node.write(', world');
  await settle();
  expect(Buffer.concat(read)).toHaveLength(40_000);
  expect(end.data.toString()).toBe('hello, world');
}

describe('a client against node:tls', () => {
  it.each(['TLS_AES_128_GCM_SHA256', 'TLS_AES_256_GCM_SHA384', 'TLS_CHACHA20_POLY1305_SHA256'] as const)(
    '%s: key log, exporters and data',
    async (suite) => {
      const connected = await asClient({ cipherSuites: [suite] });
      expect(connected.end.engine.error).toBeUndefined();
      expect(connected.end.engine.info).toMatchObject({ cipherSuite: suite, peerCertificates: [ours.p256] });
      expectSameSecrets(connected);
      await expectAlive(connected);
    },
  );

  it('resumes a session of its', async () => {
    const ticketKeys = Buffer.alloc(48, 7);
    const options: NodeOptions = { cert, key, ticketKeys };
    const first = await asClient({}, options);
    const [ticket] = first.end.of('ticket');
    first.node.destroy();
    const session = ticket?.session;
    if (session === undefined) throw new Error('no ticket came');
    const second = await asClient({ session }, options);
    expect(second.end.engine.info?.resumed).toBe(true);
    expectSameSecrets(second);
    await expectAlive(second);
  });

  it('answers a HelloRetryRequest, shows a certificate, updates its key', async () => {
    const connected = await asClient(
      { groups: ['x25519', 'secp384r1'], credential: credential(provider, 'ed25519') },
      { ecdhCurve: 'P-384', requestCert: true, rejectUnauthorized: true, ca: [authority.certificatePem] },
    );
    expect(connected.end.engine.info).toMatchObject({ helloRetryRequest: true, group: 'secp384r1' });
    expectSameSecrets(connected);
    connected.end.take(connected.end.engine.updateKeys(true));
    await expectAlive(connected);
    expect(connected.end.of('key_update').map(({ direction }) => direction)).toEqual(['send', 'receive']);
  });
});

describe('a server against node:tls', () => {
  it('key log, exporters and data; node believes the chain', async () => {
    const connected = await asServer(
      {},
      { ca: [authority.certificatePem], rejectUnauthorized: true, servername: serverName },
    );
    expect(connected.error).toBeUndefined();
    expect(connected.node.authorized).toBe(true);
    expectSameSecrets(connected);
    await expectAlive(connected);
  });

  it('gives a session that it resumes', async () => {
    const tickets = { protector: createTicketKeys(provider) };
    const sessions: Buffer[] = [];
    const first = await meetNodeWithSession(tickets, sessions);
    first.node.destroy();
    const [session] = sessions;
    if (session === undefined) throw new Error('node got no session');
    const engine = createServerEngine(serverConfig(provider, { tickets, keyLog: true }));
    meeting = await meetNode(engine, { servername: serverName, ...{ session } });
    expect(engine.info?.resumed).toBe(true);
    expect(meeting.node.isSessionReused()).toBe(true);
    expectSameSecrets(meeting);
    await expectAlive(meeting);
  });

  it('asks again for another group, asks for a certificate, updates its key', async () => {
    const connected = await asServer(
      { groups: ['secp521r1'], clientAuthentication: 'require', cookies: createTicketKeys(provider) },
      { cert, key, ecdhCurve: 'P-256:P-521' },
    );
    expect(connected.end.engine.info).toMatchObject({ helloRetryRequest: true, peerCertificates: [ours.p256] });
    expectSameSecrets(connected);
    connected.end.take(connected.end.engine.updateKeys(true));
    await expectAlive(connected);
  });

  async function meetNodeWithSession(
    tickets: { protector: ReturnType<typeof createTicketKeys> },
    sessions: Buffer[],
  ): Promise<Meeting> {
    const first = await asServer({ tickets }, { servername: serverName });
    first.node.on('session', (session: Buffer) => sessions.push(session));
    // The tickets are on the way already: data behind them makes node read on.
    first.end.take(first.end.engine.send(bytes(1)));
    await first.settle();
    const kept = first.node.getSession();
    if (sessions.length === 0 && kept !== undefined) sessions.push(kept);
    return first;
  }
});
