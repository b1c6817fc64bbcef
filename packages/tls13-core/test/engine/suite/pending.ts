/** Answers of the application that take their time: the engine waits, holds what comes, bounds it, and goes on. */
import { runInNewContext } from 'node:vm';
import { describe, expect, it } from 'vitest';
import { TlsError } from '../../../src/alert.js';
import type { Awaitable } from '../../../src/awaitable.js';
import type { Credential, ServerConfig } from '../../../src/config/index.js';
import type { CryptoProvider } from '../../../src/crypto/provider.js';
import { createTicketKeys } from '../../../src/ticket-keys.js';
import { credential, identity, nodeSigner } from '../support/certificates.js';
import { connectedPair, type PairOptions, pair, sessionOf } from '../support/pair.js';

export function pendingTests(provider: CryptoProvider): void {
  const later = async <T>(value: T): Promise<T> => value;
  const slowSigner: Credential = {
    certificateChain: [identity('ed25519').certificate],
    signer: nodeSigner(identity('ed25519').privateKey, ['ed25519'], true),
  };
  const tickets = { protector: createTicketKeys(provider) };
  const slowTickets = {
    protector: {
      protect: (state: Uint8Array) => tickets.protector.protect(state),
      unprotect: (sealed: Uint8Array) => later(tickets.protector.unprotect(sealed)),
    },
  };
  const cookies = slowTickets.protector;
  const authenticating = { clientAuthentication: 'require' } as const;

  const cases: Readonly<Record<string, PairOptions>> = {
    'the credential': { server: { credentials: () => later(credential(provider, 'ed25519')) } },
    "the server's signature": { server: { credentials: [slowSigner] } },
    'the credential and its signature': { server: { credentials: () => later(slowSigner) } },
    "the server's certificate": { client: { verifyPeer: () => later(undefined) } },
    "the client's credential": {
      client: { credential: () => later(credential(provider, 'ed25519')) },
      server: authenticating,
    },
    "the client's signature": { client: { credential: slowSigner }, server: authenticating },
    "the client's certificate": {
      client: { credential: credential(provider, 'ed25519') },
      server: { ...authenticating, verifyPeer: () => later(undefined) },
    },
    'a cookie': { client: { groups: ['x25519', 'secp256r1'] }, server: { groups: ['secp256r1'], cookies } },
    'everything at once': {
      client: {
        verifyPeer: () => later(undefined),
        credential: () => later(slowSigner),
        groups: ['x25519', 'secp256r1'],
      },
      server: {
        ...authenticating,
        groups: ['secp256r1'],
        cookies,
        credentials: () => later(slowSigner),
        verifyPeer: () => later(undefined),
      },
    },
  };

  /** Promises of another realm, as under Jest, or of a library: no instances of this realm's Promise. */
  const Foreign: PromiseConstructor = runInNewContext('Promise');
  const foreign = <T>(answer: () => Awaitable<T>): Promise<T> => Foreign.resolve().then(answer);
  const no = () =>
    foreign<void>(() => {
      throw new TlsError('bad_certificate', 'no');
    });

  it("a verdict of another library's promise on the server's certificate is waited for", async () => {
    const { client } = await pair(provider, { client: { verifyPeer: no } }).handshakeLater();
    expect(client.engine.error?.alert).toBe('bad_certificate');
  });

  it("and on the client's", async () => {
    const client = { credential: credential(provider, 'ed25519') };
    const { server } = await pair(provider, { client, server: { ...authenticating, verifyPeer: no } }).handshakeLater();
    expect(server.engine.error?.alert).toBe('bad_certificate');
  });

  it("and on the client's when it resumes", async () => {
    const client = { credential: credential(provider, 'ed25519') };
    const session = sessionOf(provider, { client, server: { ...authenticating, tickets } });
    const options = { client: { ...client, session }, server: { ...authenticating, tickets, verifyPeer: no } };
    const { server } = await pair(provider, options).handshakeLater();
    expect(server.engine.info?.resumed ?? false).toBe(false);
    expect(server.engine.error?.alert).toBe('bad_certificate');
  });

  it('so are credentials and signatures', async () => {
    const slow = credential(provider, 'ed25519');
    const signer = {
      ...slow.signer,
      sign: (...parameters: Parameters<typeof slow.signer.sign>) => foreign(() => slow.signer.sign(...parameters)),
    };
    const credentials = () => foreign(() => ({ ...slow, signer }));
    const { client } = await pair(provider, { server: { credentials } }).handshakeLater();
    expect(client.engine.state).toBe('connected');
  });

  it.each(Object.entries(cases))('%s may come later', async (_what, options) => {
    const connected = await pair(provider, options).handshakeLater();
    const { client, server } = connected;
    expect([client.engine.error, server.engine.error]).toEqual([undefined, undefined]);
    expect([client.engine.state, server.engine.state]).toEqual(['connected', 'connected']);
    expect([...client.types, ...server.types]).toContain('pending');
    client.take(client.engine.send(Uint8Array.of(1, 2, 3)));
    expect(connected.exchange().server.data).toEqual(Buffer.of(1, 2, 3));
  });

  it('a session that is looked up later', async () => {
    const session = sessionOf(provider, { server: { tickets } });
    const { client, server } = await pair(provider, {
      client: { session },
      server: { tickets: slowTickets },
    }).handshakeLater();
    expect(server.types).toContain('pending');
    expect(client.engine.info?.resumed).toBe(true);
  });

  it('nothing waits when the answers are there', () => {
    const { client, server } = pair(provider, {
      server: { credentials: () => credential(provider, 'ed25519') },
    }).handshake();
    expect([...client.types, ...server.types]).not.toContain('pending');
  });

  describe('refused later', () => {
    const refusing: Readonly<Record<string, [Partial<ServerConfig>, string]>> = {
      'with a TlsError keeps its alert': [
        { credentials: () => Promise.reject(new TlsError('unrecognized_name', 'no such name')) },
        'unrecognized_name',
      ],
      'with any other error is an internal_error': [
        { credentials: () => Promise.reject(new Error('the key store is down')) },
        'internal_error',
      ],
      'with no credential': [{ credentials: () => later(undefined) }, 'unrecognized_name'],
    };

    it.each(Object.entries(refusing))('%s', async (_how, [server, alert]) => {
      const ends = await pair(provider, { server }).handshakeLater();
      expect(ends.server.engine.error).toMatchObject({ alert, received: false });
      expect(ends.client.engine.error).toMatchObject({ alert, received: true });
    });

    it('the cause of an internal_error is kept for the caller, not for the peer', async () => {
      const cause = new Error('the key store is down');
      const ends = await pair(provider, { server: { credentials: () => Promise.reject(cause) } }).handshakeLater();
      expect(ends.server.engine.error?.cause).toBe(cause);
    });
  });

  it('what comes meanwhile is held, copied, and taken in order', async () => {
    const { client, server } = pair(provider, { client: { verifyPeer: () => later(undefined) } });
    server.take(server.engine.start());
    client.take(client.engine.start());
    for (const data of client.outgoing.splice(0)) server.take(server.engine.receive(data));
    // The flight arrives byte by byte, in memory that is overwritten at once.
    for (const data of server.outgoing.splice(0)) {
      for (const byte of data) {
        const lent = Uint8Array.of(byte);
        client.take(client.engine.receive(lent));
        lent.fill(0xee);
      }
    }
    expect(client.engine.state).toBe('handshake');
    expect(client.engine.resume()).toEqual([]);
    await client.settled;
    client.take(client.engine.resume());
    expect(client.engine.state).toBe('connected');
  });

  it('what comes meanwhile is bounded', () => {
    const { client, server } = pair(provider, {
      server: { credentials: () => new Promise(() => {}), limits: { pendingInput: 1_000 } },
    });
    server.take(server.engine.start());
    client.take(client.engine.start());
    for (const data of client.outgoing.splice(0)) server.take(server.engine.receive(data));
    server.take(server.engine.receive(new Uint8Array(900)));
    expect(server.engine.state).toBe('handshake');
    server.take(server.engine.receive(new Uint8Array(200)));
    expect(server.engine.state).toBe('failed');
    expect(server.types.at(-1)).toBe('failed');
  });

  it('an answer that comes after the end changes nothing', async () => {
    let answer: (credential: Credential) => void = () => {};
    const credentials = () =>
      new Promise<Credential>((resolve) => {
        answer = resolve;
      });
    const { client, server } = pair(provider, { server: { credentials } });
    server.take(server.engine.start());
    client.take(client.engine.start());
    for (const data of client.outgoing.splice(0)) server.take(server.engine.receive(data));
    server.take(server.engine.abort(new TlsError('user_canceled', 'enough')));
    answer(credential(provider, 'ed25519'));
    await server.settled;
    expect(server.engine.resume()).toEqual([]);
    expect(server.types).toEqual(['pending', 'transmit', 'failed']);
  });

  it('a connection that waited is like any other', async () => {
    const connected = await pair(provider, { server: { credentials: [slowSigner] } }).handshakeLater();
    const direct = connectedPair(provider);
    expect(Object.keys(connected.client.engine.info ?? {})).toEqual(Object.keys(direct.client.engine.info ?? {}));
    expect(connected.client.engine.canDetach('receive')).toBe(true);
  });
}
