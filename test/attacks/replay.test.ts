/** Replay of 0-RTT (RFC 9846 §8): one flight, sent to the same server again, to its neighbours, or later. */
import { describe, expect, it } from 'vitest';
import type { EarlyDataConfig, ReplayCache, ServerConfig } from '../../packages/tls13-core/src/config/index.js';
import { nobleProvider } from '../../packages/tls13-core/src/crypto/noble.js';
import { createReplayCache } from '../../packages/tls13-core/src/replay-cache.js';
import { createTicketKeys } from '../../packages/tls13-core/src/ticket-keys.js';
import { bytes, type End, pair, type Role, sessionOf } from '../../packages/tls13-core/test/engine/support/pair.js';

const provider = nobleProvider;

/** The ticket keys of every server here: 48 bytes that all have. */
const shared = [provider.random(48)];

/** A process of its own: keys from outside, and nothing else of any other. */
function process(replayCache: ReplayCache, more: Partial<EarlyDataConfig & ServerConfig> = {}): Partial<ServerConfig> {
  const { freshnessWindow = 10, now = Date.now, ...server } = more;
  return {
    tickets: { protector: createTicketKeys(provider, { keys: shared }) },
    earlyData: { maxSize: 1_000, replayCache, freshnessWindow },
    now,
    ...server,
  };
}

/** What a client with a session of `issuer` sends first, ClientHello and early data: what an attacker records. */
function recorded(issuer: Partial<ServerConfig>): readonly Uint8Array[] {
  const session = sessionOf(provider, { server: issuer });
  const groups = ['x25519', 'secp256r1'] as const;
  const { client } = pair(provider, { client: { session, earlyData: true, groups } });
  client.take(client.engine.start());
  client.take(client.engine.sendEarly(bytes(10)));
  return client.outgoing.map((sent) => sent.slice());
}

/** What a server reads of it before anybody has shown to have keys. */
function given(flight: readonly Uint8Array[], to: Partial<ServerConfig>): End {
  const { server } = pair(provider, { server: to });
  server.take(server.engine.start());
  for (const sent of flight) server.take(server.engine.receive(sent));
  return server;
}

const taken = (flight: readonly Uint8Array[], to: Partial<ServerConfig>) =>
  Buffer.concat(
    given(flight, to)
      .of('early_data')
      .map(({ data }) => data),
  ).length;

/** One that several processes share, as with Redis: "set if not there". */
function sharedCache(): ReplayCache {
  const seen = new Set<string>();
  return {
    claim({ id }) {
      const key = Buffer.from(id).toString('hex');
      return !seen.has(key) && seen.add(key) !== undefined;
    },
  };
}

describe('0-RTT replay (Fischlin and Günther 2017; RFC 9846 §8)', () => {
  it('to the same server: read once', () => {
    const server = process(createReplayCache());
    const flight = recorded(server);
    expect([taken(flight, server), taken(flight, server), taken(flight, server)]).toEqual([10, 0, 0]);
  });

  it('to the same server with other early data under the same ticket: read once', () => {
    const server = process(createReplayCache());
    const session = sessionOf(provider, { server });
    const read = [1, 2].map((value) => {
      const { client } = pair(provider, { client: { session, earlyData: true } });
      client.take(client.engine.start());
      client.take(client.engine.sendEarly(bytes(10, value)));
      return taken(client.outgoing, server);
    });
    expect(read).toEqual([10, 0]);
  });

  it('to two servers that share keys and a ReplayCache: read by one of them, whichever it comes to first', () => {
    const cache = sharedCache();
    const [one, two] = [process(cache), process(cache)];
    const first = recorded(one);
    expect([taken(first, one), taken(first, two)]).toEqual([10, 0]);
    const second = recorded(one);
    expect([taken(second, two), taken(second, one)]).toEqual([10, 0]);
  });

  it('to two servers of one process with one cache in memory: the same', () => {
    const cache = createReplayCache();
    const [one, two] = [process(cache), process(cache)];
    const flight = recorded(one);
    expect([taken(flight, two), taken(flight, one)]).toEqual([10, 0]);
  });

  it('to two processes that share ticket keys and no cache: read by the one that issued the ticket, by no other', () => {
    const [one, two] = [process(createReplayCache()), process(createReplayCache())];
    const flight = recorded(one);
    expect([taken(flight, two), taken(flight, one), taken(flight, two)]).toEqual([0, 10, 0]);
  });

  it('that other process resumes the session all the same, and says why it did not read', () => {
    const [one, two] = [process(createReplayCache()), process(createReplayCache())];
    const session = sessionOf(provider, { server: one });
    const { server } = pair(provider, { client: { session, earlyData: true }, server: two }).handshake();
    expect(server.engine.info).toMatchObject({
      resumed: true,
      earlyData: 'rejected',
      earlyDataReason: 'replay_suspected',
    });
  });

  it('to a process with a shared cache, of a ticket from one with a cache of its own, and the other way round: not read', () => {
    const [own, common] = [process(createReplayCache()), process(sharedCache())];
    expect(taken(recorded(own), common)).toBe(0);
    expect(taken(recorded(common), own)).toBe(0);
  });

  it('to a process that was started anew with the same keys: not read', () => {
    const flight = recorded(process(createReplayCache()));
    expect(taken(flight, process(createReplayCache()))).toBe(0);
  });

  it('later than the ticket says (§8.3): not read, although nobody has read it before', () => {
    let time = Date.now();
    const now = () => time;
    const server = process(createReplayCache({ now }), { now, freshnessWindow: 5 });
    const session = sessionOf(provider, { server, client: { now } });
    const { client } = pair(provider, { client: { session, earlyData: true, now } });
    client.take(client.engine.start());
    client.take(client.engine.sendEarly(bytes(10)));
    const flight = client.outgoing.map((sent) => sent.slice());
    time += 5_001;
    expect(taken(flight, server)).toBe(0);
  });

  it('behind a HelloRetryRequest, which an attacker may force (§4.3.10): not read', () => {
    const server = process(createReplayCache());
    const flight = recorded(server);
    const retrying = given(flight, { ...server, groups: ['secp256r1'] });
    expect(retrying.of('early_data')).toEqual([]);
    expect(retrying.engine.error).toBeUndefined();
  });

  it('of a whole connection: what follows the early data does not open, as the server has keys of its own', () => {
    const server = process(createReplayCache());
    const session = sessionOf(provider, { server });
    const flight: Uint8Array[] = [];
    const wire = (from: Role, sent: Uint8Array) => {
      if (from === 'client') flight.push(sent.slice());
      return [sent];
    };
    const joined = pair(provider, { client: { session, earlyData: true }, server, wire });
    joined.client.take(joined.client.engine.start());
    joined.client.take(joined.client.engine.sendEarly(bytes(10)));
    joined.server.take(joined.server.engine.start());
    expect(joined.exchange().server.engine.state).toBe('connected');
    const copy = given(flight, server);
    expect(copy.engine.state).not.toBe('connected');
    expect(copy.of('early_data')).toEqual([]);
  });
});
