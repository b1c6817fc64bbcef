/** Early data under an external PSK (§4.3.10, §8.2): what goes with the key, and the ClientHello that comes again. */
import { describe, expect, it } from 'vitest';
import type {
  ClientConfig,
  EarlyDataUse,
  Psk,
  PskEarlyData,
  ReplayCache,
  ServerConfig,
} from '../../../src/config/index.js';
import type { CryptoProvider } from '../../../src/crypto/provider.js';
import { createReplayCache } from '../../../src/replay-cache.js';
import { createTicketKeys } from '../../../src/ticket-keys.js';
import { bytes, type Pair, pair } from '../support/pair.js';

const text = (value: string) => new TextEncoder().encode(value);
const suite = 'TLS_CHACHA20_POLY1305_SHA256';
const permitted: PskEarlyData = { maxSize: 1_000, cipherSuite: suite };
const pskWith = (earlyData: PskEarlyData = permitted): Psk => ({
  identity: text('sensor-7'),
  key: bytes(32, 7),
  earlyData,
});

export function earlyDataPskTests(provider: CryptoProvider): void {
  /** A cache that has been there for ever, and what it was asked. */
  function everlasting() {
    const asked: EarlyDataUse[] = [];
    const seen = new Set<string>();
    const claim = (use: EarlyDataUse) => {
      asked.push(use);
      const id = use.id.join();
      return seen.size < seen.add(id).size;
    };
    return { asked, cache: { claim } };
  }

  interface Sides {
    readonly client?: Partial<ClientConfig>;
    readonly server?: Partial<ServerConfig>;
    readonly wire?: (from: 'client' | 'server', sent: Uint8Array) => readonly Uint8Array[];
  }

  const serverOf = (psk: Psk, replayCache: ReplayCache = everlasting().cache): Partial<ServerConfig> => ({
    psks: [psk],
    earlyData: { maxSize: 1_000, replayCache },
  });

  function early(psk: Psk, { client, server, wire }: Sides = {}, data = bytes(10)): Pair {
    const joined = pair(provider, {
      client: { psks: [psk], earlyData: true, ...client },
      server: { ...serverOf(psk), ...server },
      ...(wire === undefined ? {} : { wire }),
    });
    joined.server.take(joined.server.engine.start());
    joined.client.take(joined.client.engine.start());
    if (data.length > 0) joined.client.take(joined.client.engine.sendEarly(data));
    return joined.exchange();
  }

  const read = ({ server }: Pair) => Buffer.concat(server.of('early_data').map(({ data }) => data));

  function expectRejected(joined: Pair, serverSays: string, clientSays = 'peer_declined'): void {
    expect(joined.server.engine.error ?? joined.client.engine.error).toBeUndefined();
    expect(read(joined)).toHaveLength(0);
    expect(joined.server.engine.info).toMatchObject({ authentication: 'psk', earlyDataReason: serverSays });
    expect(joined.client.engine.info).toMatchObject({ earlyData: 'rejected', earlyDataReason: clientSays });
    joined.client.take(joined.client.engine.send(bytes(10)));
    expect(joined.exchange().server.data).toHaveLength(10);
  }

  const imported: Psk = { externalIdentity: text('link-4'), key: bytes(16, 9), earlyData: permitted };

  it.each<[string, Psk]>([
    ['as it is', pskWith()],
    ['imported (RFC 9258)', imported],
    ['of SHA-384', { ...pskWith({ maxSize: 10, cipherSuite: 'TLS_AES_256_GCM_SHA384' }), hash: 'sha384' }],
    ['imported, of SHA-384', { ...imported, earlyData: { maxSize: 10, cipherSuite: 'TLS_AES_256_GCM_SHA384' } }],
  ])('is accepted without any ticket, with the suite that goes with the key: one %s', (what, psk) => {
    const cipherSuites = what.endsWith('384') ? { cipherSuites: ['TLS_AES_256_GCM_SHA384' as const] } : {};
    const joined = early(psk, { client: cipherSuites });
    expect(read(joined)).toEqual(Buffer.from(bytes(10)));
    for (const { engine } of [joined.client, joined.server]) {
      expect(engine.info).toMatchObject({ authentication: 'psk', earlyData: 'accepted', resumed: false });
      expect(engine.info?.cipherSuite).toBe(psk.earlyData?.cipherSuite);
    }
    const [ours, theirs] = [joined.client, joined.server].map(({ engine }) =>
      engine.exportEarlyKeyingMaterial(32, 'EXPORTER-test'),
    );
    expect(ours).toEqual(theirs);
  });

  it('with a protocol, by a look-up, and with the PSK alone (psk_ke)', async () => {
    const psk = pskWith({ ...permitted, alpnProtocol: 'mqtt' });
    const both = { alpnProtocols: ['mqtt'], pskKeyExchangeModes: ['psk_ke'] } as const;
    const joined = pair(provider, {
      client: { ...both, psks: [psk], earlyData: true },
      server: { ...serverOf(psk), ...both, psks: async () => psk },
    });
    joined.server.take(joined.server.engine.start());
    joined.client.take(joined.client.engine.start());
    joined.client.take(joined.client.engine.sendEarly(bytes(1_000)));
    joined.exchange();
    await joined.server.settled;
    joined.server.take(joined.server.engine.resume());
    expect(read(joined.exchange())).toHaveLength(1_000);
    expect(joined.server.engine.info).toMatchObject({ alpnProtocol: 'mqtt', group: undefined });
  });

  it('every ClientHello is claimed by itself, for as long as the key serves', () => {
    const { asked, cache } = everlasting();
    const times = { issuedAt: 1_000, expiresAt: Date.now() + 60_000 };
    const psk = pskWith({ ...permitted, ...times });
    for (let count = 0; count < 2; count++) {
      const joined = early(psk, { server: serverOf(psk, cache) });
      expect(joined.server.engine.info?.earlyData).toBe('accepted');
    }
    expect(asked).toMatchObject([times, times]);
    expect(asked.map(({ id }) => id.length)).toEqual([32, 32]);
    early(pskWith(), { server: serverOf(pskWith(), cache) });
    expect(asked[2]).toMatchObject({ issuedAt: 0, expiresAt: Number.POSITIVE_INFINITY });
  });

  it('a copy of the flight is not read at another connection, whatever stands in the other identities (§8.2)', () => {
    const server = serverOf(pskWith());
    const other: Psk = { identity: text('nobody'), key: bytes(32, 1) };
    const flight: Uint8Array[] = [];
    const wire = (from: 'client' | 'server', sent: Uint8Array) => {
      if (from === 'client') flight.push(sent.slice());
      return [sent];
    };
    const client = { psks: [pskWith(), other], middleboxCompatibility: false };
    expect(read(early(pskWith(), { client, server, wire }))).toHaveLength(10);
    for (const change of [false, true]) {
      const copy = pair(provider, { server });
      copy.server.take(copy.server.engine.start());
      const [hello = bytes(0), data = bytes(0)] = flight;
      // The last byte of the ClientHello belongs to the binder that nobody verifies.
      if (change) hello[hello.length - 1] = (hello.at(-1) ?? 0) ^ 1;
      for (const sent of [hello, data]) copy.server.take(copy.server.engine.receive(sent));
      expect(copy.server.of('early_data')).toEqual([]);
      expect(copy.server.of('early_data_accepted')).toEqual([]);
      expect(copy.server.engine.state).toBe('handshake');
    }
  });

  describe('is rejected, and the PSK taken all the same,', () => {
    it('by the cache of a process for every PSK that may have been used before it', () => {
      const memory = () => createReplayCache();
      const old = { server: serverOf(pskWith(), memory()) };
      expectRejected(early(pskWith(), old), 'replay_suspected');
      const cache = memory();
      const fresh = pskWith({ ...permitted, issuedAt: Date.now(), expiresAt: Date.now() + 60_000 });
      expect(early(fresh, { server: serverOf(fresh, cache) }).server.engine.info?.earlyData).toBe('accepted');
    });

    it('when the server’s side says less, another suite, another protocol, or nothing', () => {
      const says = (earlyData: PskEarlyData, more: Partial<ServerConfig> = {}) =>
        early(pskWith(), { server: { ...serverOf(pskWith(earlyData)), ...more } });
      const { earlyData: _none, ...silent } = pskWith();
      expectRejected(early(pskWith(), { server: serverOf(silent) }), 'unsupported_for_session');
      expectRejected(says({ ...permitted, maxSize: 1_001 }), 'unsupported_for_session');
      expectRejected(says({ ...permitted, expiresAt: 1 }), 'unsupported_for_session');
      expectRejected(says(permitted, { cipherSuites: ['TLS_AES_128_GCM_SHA256'] }), 'cipher_suite_mismatch');
      expectRejected(says({ ...permitted, alpnProtocol: 'mqtt' }), 'alpn_mismatch');
      const { earlyData: _off, ...without } = serverOf(pskWith());
      expectRejected(
        early(pskWith(), { server: { ...without, earlyData: { maxSize: 0, replayCache: everlasting().cache } } }),
        'disabled',
      );
    });

    it('when it is not the first that is offered, or the server asks again', () => {
      const first: Psk = { ...pskWith(), identity: text('unknown here') };
      expectRejected(early(pskWith(), { client: { psks: [first, pskWith()] } }), 'session_not_resumed');
      const groups = { client: { groups: ['x25519', 'secp256r1'] }, server: { groups: ['secp256r1'] } } as const;
      expectRejected(early(pskWith(), groups), 'hello_retry_request', 'hello_retry_request');
    });
  });

  it.each<[string, PskEarlyData | undefined, string]>([
    ['nothing was agreed on', undefined, 'no_session_offered'],
    ['the time for it is over', { ...permitted, expiresAt: 1 }, 'unsupported_for_session'],
    ['its protocol is not offered', { ...permitted, alpnProtocol: 'mqtt' }, 'alpn_mismatch'],
  ])('is not offered when %s', (_what, agreed, reason) => {
    const { earlyData: _unused, ...plain } = pskWith();
    const joined = early(agreed === undefined ? plain : pskWith(agreed), {}, bytes(0));
    expect(joined.client.engine.info).toMatchObject({
      authentication: 'psk',
      earlyData: 'none',
      earlyDataReason: reason,
    });
  });

  it('a session that the PSK made has its own, which serves once', () => {
    const psk = pskWith({ maxSize: 100, cipherSuite: 'TLS_AES_128_GCM_SHA256' });
    const server = { ...serverOf(psk), tickets: { protector: createTicketKeys(provider) } };
    const [ticket] = early(psk, { server }).client.of('ticket');
    const session = ticket?.session;
    expect(session?.maxEarlyData).toBe(1_000);
    for (const earlyData of ['accepted', 'rejected']) {
      const joined = early(psk, { server, client: { ...(session && { session }) } });
      expect(joined.server.engine.info).toMatchObject({ authentication: 'resumption', earlyData });
    }
  });

  it.each<[string, PskEarlyData, RegExp]>([
    ['no bytes', { ...permitted, maxSize: 0 }, /psks\[0\]: earlyData\.maxSize must be 1 to 4294967295/],
    [
      'a suite of another hash',
      { ...permitted, cipherSuite: 'TLS_AES_256_GCM_SHA384' },
      /goes with sha384.*is of sha256/,
    ],
    ['an empty protocol', { ...permitted, alpnProtocol: '' }, /alpnProtocol must be the name/],
    [
      'an end before the beginning',
      { ...permitted, issuedAt: 2, expiresAt: 2 },
      /expiresAt must be later than issuedAt/,
    ],
  ])('a PSK with %s is refused at once', (_what, earlyData, message) => {
    expect(() => pair(provider, { client: { psks: [pskWith(earlyData)] } })).toThrow(message);
    expect(() => pair(provider, { server: { psks: [pskWith(earlyData)] } })).toThrow(message);
  });
}
