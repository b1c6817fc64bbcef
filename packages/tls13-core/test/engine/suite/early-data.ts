/** Early data (§2.3, §4.3.10, §8) between two engines: accepted, rejected for each of the reasons, and bounded. */
import { describe, expect, it } from 'vitest';
import type { ClientConfig, EarlyDataConfig, ServerConfig } from '../../../src/config/index.js';
import type { CryptoProvider } from '../../../src/crypto/provider.js';
import { createReplayCache } from '../../../src/replay-cache.js';
import type { Session } from '../../../src/session.js';
import { createTicketKeys } from '../../../src/ticket-keys.js';
import { credential } from '../support/certificates.js';
import { bytes, type Pair, pair, sessionOf } from '../support/pair.js';

export function earlyDataTests(provider: CryptoProvider): void {
  /** A server that accepts early data, and a session of it. */
  function prepared(
    early: Partial<EarlyDataConfig> = {},
    options: { server?: Partial<ServerConfig>; client?: Partial<ClientConfig> } = {},
  ) {
    const server: Partial<ServerConfig> = {
      tickets: { protector: createTicketKeys(provider) },
      earlyData: { maxSize: 1_000, replayCache: createReplayCache(), ...early },
      ...options.server,
    };
    return { server, session: sessionOf(provider, { server, ...(options.client && { client: options.client }) }) };
  }

  /** Sends `data` as early data, and lets both sides talk. */
  function early(
    session: Session,
    server: Partial<ServerConfig>,
    client: Partial<ClientConfig> = {},
    data: Uint8Array = bytes(10),
  ): Pair {
    const joined = pair(provider, { client: { session, earlyData: true, keyLog: true, ...client }, server });
    joined.server.take(joined.server.engine.start());
    joined.client.take(joined.client.engine.start());
    if (data.length > 0) joined.client.take(joined.client.engine.sendEarly(data));
    return joined.exchange();
  }

  function earlyDataOf({ server }: Pair): Uint8Array {
    return Buffer.concat(server.of('early_data').map(({ data }) => data));
  }

  function expectRejected(joined: Pair, serverSays: string, clientSays = 'peer_declined'): void {
    expect(joined.server.engine.error ?? joined.client.engine.error).toBeUndefined();
    expect(earlyDataOf(joined)).toHaveLength(0);
    expect(joined.server.engine.info?.earlyDataReason).toBe(serverSays);
    expect(joined.client.engine.info).toMatchObject({ earlyData: 'rejected', earlyDataReason: clientSays });
    expect(joined.client.of('early_data_rejected')).toEqual([{ type: 'early_data_rejected', reason: clientSays }]);
    expect(joined.client.engine.earlyDataLeft).toBe(0);
    // The connection is as good as any, and the application may send again what is lost.
    joined.client.take(joined.client.engine.send(bytes(10)));
    expect(joined.exchange().server.data).toHaveLength(10);
  }

  it('is accepted, read before the handshake is complete, and both sides know', () => {
    const { server, session } = prepared();
    expect(session.maxEarlyData).toBe(1_000);
    const joined = early(session, server);
    expect(earlyDataOf(joined)).toEqual(Buffer.from(bytes(10)));
    expect(joined.server.data).toHaveLength(0);
    const types = joined.server.types.filter((type) => type !== 'transmit' && type !== 'secret');
    expect(types).toEqual(['early_data_accepted', 'early_data', 'connected']);
    for (const { engine } of [joined.client, joined.server]) {
      expect(engine.info).toMatchObject({ resumed: true, earlyData: 'accepted', earlyDataReason: 'accepted' });
    }
    expect(joined.server.of('early_data_accepted')[0]?.info).toEqual(joined.server.engine.info);
    expect(joined.client.of('early_data_accepted')[0]?.info).toEqual(joined.client.engine.info);
    expect(joined.client.of('secret').map(({ label }) => label)).toEqual(
      expect.arrayContaining(['CLIENT_EARLY_TRAFFIC_SECRET', 'EARLY_EXPORTER_SECRET']),
    );
  });

  it('may be sent in parts, until the server has finished, and no more than the ticket permits', () => {
    const { server, session } = prepared();
    const joined = pair(provider, { client: { session, earlyData: true }, server });
    const { client } = joined;
    joined.server.take(joined.server.engine.start());
    expect(() => client.engine.sendEarly(bytes(1))).toThrow(TypeError);
    client.take(client.engine.start());
    expect(client.engine.earlyDataLeft).toBe(1_000);
    client.take(client.engine.sendEarly(bytes(400)));
    client.take(client.engine.sendEarly(bytes(0)));
    expect(() => client.engine.sendEarly(bytes(601))).toThrow(RangeError);
    client.take(client.engine.sendEarly(bytes(600)));
    expect(client.engine.earlyDataLeft).toBe(0);
    expect(() => client.engine.sendEarly(bytes(1))).toThrow(TypeError);
    expect(() => client.engine.send(bytes(1))).toThrow(TypeError);
    expect(earlyDataOf(joined.exchange())).toHaveLength(1_000);
    expect(joined.server.engine.state).toBe('connected');
  });

  it('is answered before the client’s Finished (0.5-RTT), and both go on as ever', () => {
    const { server, session } = prepared();
    const flights: Uint8Array[] = [];
    const joined = pair(provider, { client: { session, earlyData: true }, server });
    joined.server.take(joined.server.engine.start());
    expect(() => joined.server.engine.send(bytes(1))).toThrow(TypeError);
    joined.client.take(joined.client.engine.start());
    joined.client.take(joined.client.engine.sendEarly(bytes(5)));
    for (const flight of joined.client.outgoing.splice(0)) joined.server.take(joined.server.engine.receive(flight));
    expect(joined.server.engine.info).toBeUndefined();
    expect(joined.server.engine.canDetach('send')).toBe(false);
    joined.server.take(joined.server.engine.send(bytes(7)));
    flights.push(...joined.server.outgoing.splice(0));
    for (const flight of flights) joined.client.take(joined.client.engine.receive(flight));
    expect(joined.client.data).toHaveLength(7);
    joined.exchange();
    expect(joined.server.engine.canDetach('send')).toBe(true);
    joined.client.take(joined.client.engine.send(bytes(3)));
    joined.server.take(joined.server.engine.updateKeys(true));
    joined.server.take(joined.server.engine.send(bytes(4)));
    expect(joined.exchange().client.data).toHaveLength(11);
    expect(joined.server.data).toHaveLength(3);
  });

  it('nothing follows the close_notify of a server that has answered all before the client’s Finished (§6.1)', () => {
    const { server, session } = prepared();
    const joined = pair(provider, { client: { session, earlyData: true }, server });
    joined.server.take(joined.server.engine.start());
    joined.client.take(joined.client.engine.start());
    joined.client.take(joined.client.engine.sendEarly(bytes(5)));
    for (const flight of joined.client.outgoing.splice(0)) joined.server.take(joined.server.engine.receive(flight));
    joined.server.take(joined.server.engine.send(bytes(7)));
    joined.server.take(joined.server.engine.close());
    const sent = joined.server.of('transmit').length;
    joined.exchange();
    expect(joined.server.of('transmit')).toHaveLength(sent);
    expect(joined.server.engine.state).toBe('connected');
    expect(joined.client.data).toHaveLength(7);
    expect([joined.client.of('closed').length, joined.client.of('ticket').length]).toEqual([1, 0]);
  });

  it('has an exporter of its own, the same on both sides, that is gone with the connection', () => {
    const { server, session } = prepared();
    const joined = early(session, server);
    const [ours, theirs] = [joined.client, joined.server].map(({ engine }) =>
      engine.exportEarlyKeyingMaterial(32, 'EXPORTER-test', bytes(3)),
    );
    expect(ours).toEqual(theirs);
    expect(ours).not.toEqual(joined.client.engine.exportKeyingMaterial(32, 'EXPORTER-test', bytes(3)));
    joined.server.take(joined.server.engine.receiveEnd());
    expect(() => joined.server.engine.exportEarlyKeyingMaterial(32, 'EXPORTER-test')).toThrow(TypeError);
    const without = pair(provider).handshake();
    expect(() => without.client.engine.exportEarlyKeyingMaterial(32, 'EXPORTER-test')).toThrow(TypeError);
  });

  it('with every compatibility record where §E.4 wants it, and without', () => {
    const { server, session } = prepared();
    const other = sessionOf(provider, { server });
    expect(early(session, server, { middleboxCompatibility: true }).server.engine.info?.earlyData).toBe('accepted');
    expect(early(other, server, { middleboxCompatibility: false }).server.engine.info?.earlyData).toBe('accepted');
  });

  it('the certificates of the session are judged before anything is sent, and only once', async () => {
    const { server, session } = prepared();
    let asked = 0;
    const joined = pair(provider, {
      client: {
        session,
        earlyData: true,
        verifyPeer: async (peer) => {
          expect(peer.resumed).toBe(true);
          asked += 1;
        },
      },
      server,
    });
    joined.client.take(joined.client.engine.start());
    expect(joined.client.outgoing).toEqual([]);
    await joined.client.settled;
    joined.client.take(joined.client.engine.resume());
    joined.client.take(joined.client.engine.sendEarly(bytes(10)));
    joined.server.take(joined.server.engine.start());
    joined.exchange();
    expect(earlyDataOf(joined)).toHaveLength(10);
    expect(asked).toBe(1);
  });

  describe('is not offered', () => {
    function expectNotOffered(joined: Pair, reason: string): void {
      expect(joined.client.engine.info).toMatchObject({ earlyData: 'none', earlyDataReason: reason });
      expect(joined.client.of('early_data_rejected')).toEqual([]);
      expect(joined.server.engine.info).toMatchObject({ earlyData: 'none' });
    }
    const nothing = bytes(0);

    it('unless the client is configured for it', () => {
      const { server, session } = prepared();
      const joined = early(session, server, { earlyData: false }, nothing);
      expectNotOffered(joined, 'disabled');
      expect(joined.server.engine.info?.earlyDataReason).toBe('not_offered');
    });

    it('without a session', () => {
      const { server } = prepared();
      const joined = pair(provider, { client: { earlyData: true }, server }).handshake();
      expectNotOffered(joined, 'no_session_offered');
      expect(joined.server.engine.info?.earlyDataReason).toBe('no_session_offered');
    });

    it('with a session whose ticket permits none', () => {
      const server = { tickets: { protector: createTicketKeys(provider) } };
      const session = sessionOf(provider, { server });
      expect(session.maxEarlyData).toBe(0);
      expectNotOffered(early(session, server, {}, nothing), 'unsupported_for_session');
    });

    it('with a session of a suite or a protocol that is not offered', () => {
      const alpn = { alpnProtocols: ['h2', 'http/1.1'] };
      const { server, session } = prepared({}, { server: alpn, client: { alpnProtocols: ['h2'] } });
      const other = early(session, server, { alpnProtocols: ['http/1.1'] }, nothing);
      expectNotOffered(other, 'alpn_mismatch');
      const suites = { cipherSuites: ['TLS_CHACHA20_POLY1305_SHA256'], alpnProtocols: ['h2'] } as const;
      expectNotOffered(early(session, server, suites, nothing), 'cipher_suite_mismatch');
    });
  });

  describe('is rejected, and costs no more than that,', () => {
    it('when the server accepts none, or less than the ticket permits', () => {
      const { server, session } = prepared();
      const { earlyData, ...without } = server;
      expectRejected(early(session, without), 'disabled');
      const less = { ...server, earlyData: { maxSize: 999, replayCache: createReplayCache() } };
      expectRejected(early(session, less), 'unsupported_for_session');
    });

    it('when the session is not resumed', () => {
      const { server, session } = prepared();
      const others = { ...server, tickets: { protector: createTicketKeys(provider) } };
      const joined = early(session, others);
      expectRejected(joined, 'session_not_resumed', 'session_not_resumed');
      expect(joined.client.engine.info?.resumed).toBe(false);
    });

    it.each([false, true])('when the server asks again, with a cookie: %s', (cookie) => {
      const cookies = cookie ? { cookies: createTicketKeys(provider) } : {};
      const { server, session } = prepared(
        {},
        { server: { groups: ['secp256r1'], ...cookies }, client: { groups: ['secp256r1'] } },
      );
      const joined = early(session, server, { groups: ['x25519', 'secp256r1'], keyShares: ['x25519'] });
      expectRejected(joined, 'hello_retry_request', 'hello_retry_request');
      expect(joined.client.engine.info).toMatchObject({ resumed: true, helloRetryRequest: true });
    });

    it('when another suite or another protocol is selected', () => {
      const alpn = { alpnProtocols: ['h2', 'http/1.1'] };
      const { server, session } = prepared({}, { server: alpn, client: { alpnProtocols: ['http/1.1'] } });
      expectRejected(early(session, server, alpn), 'alpn_mismatch');
      const suites = { ...server, cipherSuites: ['TLS_CHACHA20_POLY1305_SHA256'] } as const;
      expectRejected(early(session, suites, { alpnProtocols: ['http/1.1'] }), 'cipher_suite_mismatch');
    });

    it('when the ticket has served before (§8.1)', () => {
      const { server, session } = prepared();
      expect(early(session, server).server.engine.info?.earlyData).toBe('accepted');
      const again = early(session, server);
      expectRejected(again, 'replay_suspected');
      expect(again.client.engine.info?.resumed).toBe(true);
    });

    it('when a copy of the flight comes to another connection, whatever is in it (§8)', () => {
      const { server, session } = prepared();
      const flight: Uint8Array[] = [];
      const wire = (from: 'client' | 'server', sent: Uint8Array) => {
        if (from === 'client') flight.push(sent.slice());
        return [sent];
      };
      const joined = pair(provider, { client: { session, earlyData: true }, server, wire });
      joined.client.take(joined.client.engine.start());
      joined.client.take(joined.client.engine.sendEarly(bytes(10)));
      joined.server.take(joined.server.engine.start());
      expect(earlyDataOf(joined.exchange())).toHaveLength(10);
      const copy = pair(provider, { server });
      copy.server.take(copy.server.engine.start());
      for (const sent of flight.slice(0, 2)) copy.server.take(copy.server.engine.receive(sent));
      expect(copy.server.of('early_data')).toEqual([]);
      expect(copy.server.of('early_data_accepted')).toEqual([]);
      expect(copy.server.engine.state).toBe('handshake');
    });

    it('when the ClientHello comes later than its ticket’s age says (§8.3)', () => {
      let time = Date.now();
      const now = () => time;
      const replayCache = createReplayCache({ now });
      const { server, session } = prepared({ replayCache, freshnessWindow: 5 }, { server: { now }, client: { now } });
      const clients = time;
      const late = sessionOf(provider, { server, client: { now } });
      time += 5_000;
      expect(early(session, server, { now: () => clients }).server.engine.info?.earlyData).toBe('accepted');
      time += 1;
      expectRejected(early(late, server, { now: () => clients }), 'ticket_age_skew');
    });

    const failure = new Error('the cache is not there');
    it.each<[string, EarlyDataConfig['replayCache']['claim']]>([
      ['says no', () => false],
      ['says no later', () => Promise.resolve(false)],
      ['fails', () => Promise.reject(failure)],
      [
        'throws',
        () => {
          throw failure;
        },
      ],
    ])('when the cache %s', async (_what, claim) => {
      const { server, session } = prepared({ replayCache: { claim } });
      const joined = pair(provider, { client: { session, earlyData: true }, server });
      joined.client.take(joined.client.engine.start());
      joined.client.take(joined.client.engine.sendEarly(bytes(10)));
      joined.server.take(joined.server.engine.start());
      joined.exchange();
      await joined.server.settled;
      joined.server.take(joined.server.engine.resume());
      expectRejected(joined.exchange(), 'replay_suspected');
    });
  });

  it('goes with a certificate that the client showed before', () => {
    const authentication = { clientAuthentication: 'require' } as const;
    const client = { credential: credential(provider, 'ed25519') };
    const { server, session } = prepared({}, { server: authentication, client });
    const joined = early(session, server, client);
    expect(joined.server.engine.info).toMatchObject({ earlyData: 'accepted' });
    expect(joined.server.of('early_data_accepted')[0]?.info.peerCertificates).toHaveLength(1);
  });
}
