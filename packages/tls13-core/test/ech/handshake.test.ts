// Encrypted Client Hello between two ends of this library (RFC 9849): accepted, rejected, retried, resumed, dummies.
import { describe, expect, it } from 'vitest';
import type { CryptoProvider } from '../../src/crypto/provider.js';
import { createEchKeys, type EchKeys } from '../../src/ech/keys.js';
import { EchRejectedError } from '../../src/ech/rejected.js';
import { createReplayCache } from '../../src/replay-cache.js';
import { createTicketKeys } from '../../src/ticket-keys.js';
import { decodeHandshake } from '../../src/wire/index.js';
import { credential } from '../engine/support/certificates.js';
import { bytes, connectedPair, type PairOptions, pair, sessionOf } from '../engine/support/pair.js';
import { keys, messagesOf, newKey, provider, publicName } from './support.js';

const key = newKey();
const secret = 'secret.example';
const hidden = { serverName: secret, ech: { configs: key.configList } } as const;

/** A pair, and every ClientHello as it went over the wire. */
function watched(options: PairOptions) {
  const hellos: Uint8Array[] = [];
  const joined = pair(provider, {
    ...options,
    wire: (from, bytes) => {
      if (from === 'client') hellos.push(...messagesOf(bytes).filter(([type]) => type === 1));
      return [bytes];
    },
  }).handshake();
  return { ...joined, client: joined.client, server: joined.server, hellos };
}

function outerHello(message: Uint8Array | undefined) {
  const decoded = message && decodeHandshake(message);
  if (decoded?.type !== 'client_hello') throw new Error('no ClientHello');
  return decoded.body;
}

const retries = { client: { groups: ['x25519', 'secp256r1'] }, server: { groups: ['secp256r1'] } } as const;

describe('accepted', () => {
  it.each([
    ['at once', {}],
    ['after a HelloRetryRequest', retries],
  ])('%s', (_name, more: PairOptions) => {
    const { client, server, hellos } = watched({
      client: { ...more.client, ...hidden, alpnProtocols: ['h2'] },
      server: { ...more.server, ech: { keys: keys(key) }, alpnProtocols: ['h2'] },
    });
    for (const end of [client, server]) {
      expect(end.engine.error).toBeUndefined();
      expect(end.engine.info).toMatchObject({ echAccepted: true, serverName: secret, alpnProtocol: 'h2' });
      expect(end.engine.info?.helloRetryRequest).toBe(more.server !== undefined);
    }
    expect(client.engine.info?.clientRandom).toEqual(server.engine.info?.clientRandom);
    expect(client.engine.info?.serverRandom).toEqual(server.engine.info?.serverRandom);
    expect(hellos).toHaveLength(more.server === undefined ? 1 : 2);
    for (const hello of hellos) {
      expect(outerHello(hello).extensions.serverName).toBe(publicName);
      expect(Buffer.from(hello).includes(secret)).toBe(false);
      expect(outerHello(hello).random).not.toEqual(client.engine.info?.clientRandom);
    }
    const [first, second] = hellos.map((hello) => outerHello(hello).extensions.encryptedClientHello);
    expect(first).toMatchObject({ type: 'outer', configId: 7, suite: { kdf: 1, aead: 1 } });
    expect(first?.type === 'outer' && first.enc.length).toBe(32);
    if (second !== undefined) expect(second.type === 'outer' && second.enc.length).toBe(0);
  });

  it.each([
    ['at once', {}],
    ['after a HelloRetryRequest', retries],
  ])('and what opened the ClientHello is wiped when no other is due: %s', (_name, more: PairOptions) => {
    const wiped: boolean[] = [];
    const watching: CryptoProvider = {
      ...provider,
      aead(name, aeadKey) {
        const aead = provider.aead(name, aeadKey);
        const index = wiped.push(false) - 1;
        return {
          tagLength: aead.tagLength,
          seal: aead.seal.bind(aead),
          open: aead.open.bind(aead),
          destroy() {
            wiped[index] = true;
            aead.destroy();
          },
        };
      },
    };
    const { server } = pair(provider, {
      client: { ...more.client, ...hidden },
      server: { ...more.server, provider: watching, ech: { keys: createEchKeys(watching, [key]) } },
    }).handshake();
    expect(server.engine.info?.echAccepted).toBe(true);
    // The first is that of the ClientHello: a server has no other keys before.
    expect(wiped[0]).toBe(true);
  });

  it('with a server that keeps its state in a cookie, on the connection it began on', () => {
    const cookies = createTicketKeys(provider);
    const { client, server } = watched({
      client: { ...retries.client, ...hidden },
      server: { ...retries.server, cookies, ech: { keys: keys(key) } },
    });
    expect(client.engine.info).toMatchObject({ echAccepted: true, helloRetryRequest: true });
    expect(server.engine.info).toMatchObject({ echAccepted: true, serverName: secret });
  });

  it('a client without a name to ask for hides that too', () => {
    const { client, hellos } = watched({
      client: { ech: hidden.ech, serverName: undefined as never },
      server: { ech: { keys: keys(key) } },
    });
    expect(client.engine.info).toMatchObject({ echAccepted: true, serverName: undefined });
    expect(outerHello(hellos[0]).extensions.serverName).toBe(publicName);
  });

  it('the length of the name does not show', () => {
    const lengths = ['a.b', 'somewhat-longer.example', 'x'.repeat(60)].map((serverName) => {
      const { hellos } = watched({
        client: { ...hidden, serverName },
        server: { ech: { keys: keys(key) } },
      });
      return hellos[0]?.length;
    });
    expect(new Set(lengths).size).toBe(1);
  });

  it('with the second of two keys, and with one of two of the same config_id', () => {
    for (const others of [newKey(8), newKey(7)]) {
      const { client } = watched({ client: hidden, server: { ech: { keys: keys(others, key) } } });
      expect(client.engine.info?.echAccepted).toBe(true);
    }
  });

  it('tries no more than four keys of one config_id', () => {
    const many = Array.from({ length: 4 }, () => newKey(7));
    const { client } = watched({ client: hidden, server: { ech: { keys: keys(...many, key) } } });
    expect(client.engine.error).toBeInstanceOf(EchRejectedError);
  });

  it('resumes, with a dummy for a PSK outside', () => {
    const server = { ech: { keys: keys(key) }, tickets: { protector: createTicketKeys(provider) } };
    const session = sessionOf(provider, { client: hidden, server });
    const { client, hellos } = watched({ client: { ...hidden, session }, server });
    expect(client.engine.info).toMatchObject({ resumed: true, echAccepted: true });
    const [dummy] = outerHello(hellos[0]).extensions.preSharedKey?.identities ?? [];
    expect(dummy?.identity.length).toBe(session.ticket.length);
    expect(dummy?.identity).not.toEqual(session.ticket);
    expect(Buffer.from(hellos[0] ?? []).includes(Buffer.from(session.ticket))).toBe(false);
    const retried = watched({
      client: { ...retries.client, ...hidden, session },
      server: { ...retries.server, ...server },
    });
    expect(retried.client.engine.info).toMatchObject({ resumed: true, echAccepted: true, helloRetryRequest: true });
  });

  it('with a client certificate', () => {
    const { server } = watched({
      client: { ...hidden, credential: credential(provider, 'p256') },
      server: { ech: { keys: keys(key) }, clientAuthentication: 'require' },
    });
    expect(server.engine.info).toMatchObject({ echAccepted: true, clientSignatureScheme: 'ecdsa_secp256r1_sha256' });
  });

  it('most extensions stand outside only', () => {
    const { hellos } = watched({ client: hidden, server: { ech: { keys: keys(key) } } });
    const extension = outerHello(hellos[0]).extensions.encryptedClientHello;
    expect(extension?.type === 'outer' && extension.payload.length).toBeLessThan(200);
  });

  it('new keys are in force at once, old ones for as long as they are kept', () => {
    const set = keys(key);
    const next = newKey(9);
    set.replace([next, { ...key, retry: false }]);
    expect(watched({ client: hidden, server: { ech: { keys: set } } }).client.engine.info?.echAccepted).toBe(true);
    set.replace([next]);
    const { error } = watched({ client: hidden, server: { ech: { keys: set } } }).client.engine;
    expect(error).toBeInstanceOf(EchRejectedError);
    expect(error instanceof EchRejectedError && error.retryConfigs).toEqual(next.configList);
  });
});

describe('rejected', () => {
  const other = newKey(7);

  it.each([
    ['at once', {}],
    ['after a HelloRetryRequest', retries],
    [
      'after a HelloRetryRequest with a cookie',
      { ...retries, server: { ...retries.server, cookies: createTicketKeys(provider) } },
    ],
  ])('%s: the handshake ends with ech_required, and other configs to try', (_name, more: PairOptions) => {
    const names: (string | undefined)[] = [];
    const { client, server } = watched({
      client: {
        ...more.client,
        ...hidden,
        verifyPeer: ({ serverName, echPublicName }) => {
          names.push(serverName, echPublicName);
        },
      },
      server: { ...more.server, ech: { keys: keys(other) } },
    });
    const { error } = client.engine;
    expect(error).toBeInstanceOf(EchRejectedError);
    expect(error).toMatchObject({ alert: 'ech_required', received: false, publicName, code: 'ERR_TLS_ECH_REQUIRED' });
    expect(error instanceof EchRejectedError && error.retryConfigs).toEqual(other.configList);
    expect(names).toEqual([publicName, publicName]);
    expect(client.of('connected')).toEqual([]);
    // The server has seen a whole handshake for the public name.
    expect(server.engine.info).toMatchObject({ echAccepted: false, serverName: publicName });
    expect(server.engine.error).toMatchObject({ alert: 'ech_required', received: true });
    expect(client.of('ticket')).toEqual([]);
  });

  it('what it was told makes the next connection', () => {
    const server = { ech: { keys: keys(other) } };
    const { error } = watched({ client: hidden, server }).client.engine;
    if (!(error instanceof EchRejectedError) || error.retryConfigs === undefined) throw new Error('no configs');
    const again = watched({ client: { ...hidden, ech: { configs: error.retryConfigs } }, server });
    expect(again.client.engine.info).toMatchObject({ echAccepted: true, serverName: secret });
  });

  it('a server without ECH gives no configs', () => {
    const { error } = watched({ client: hidden, server: {} }).client.engine;
    expect(error).toBeInstanceOf(EchRejectedError);
    expect(error instanceof EchRejectedError && error.retryConfigs).toBeUndefined();
  });

  it('nobody but the public name is believed about it', () => {
    const { client } = watched({
      client: {
        ...hidden,
        verifyPeer: ({ serverName }) => {
          if (serverName === publicName) throw new Error('it is not');
        },
      },
      server: { ech: { keys: keys(other) } },
    });
    expect(client.engine.error).not.toBeInstanceOf(EchRejectedError);
    expect(client.engine.error?.message).toBe('it is not');
  });

  it('the client does not say who it is', () => {
    let asked = false;
    const { server } = watched({
      client: {
        ...hidden,
        credential: () => {
          asked = true;
          return credential(provider, 'p256');
        },
      },
      server: { ech: { keys: keys(other) }, clientAuthentication: 'request' },
    });
    expect(asked).toBe(false);
    expect(server.engine.info?.peerCertificates).toEqual([]);
    expect(server.engine.error).toMatchObject({ alert: 'ech_required', received: true });
  });

  it('a session of the hidden name is neither offered nor taken', () => {
    const tickets = { protector: createTicketKeys(provider) };
    const session = sessionOf(provider, { client: hidden, server: { ech: { keys: keys(key) }, tickets } });
    const { client, server } = watched({
      client: { ...hidden, session },
      server: { ech: { keys: keys(other) }, tickets },
    });
    expect(client.engine.error).toBeInstanceOf(EchRejectedError);
    expect(server.engine.info?.resumed).toBe(false);
  });

  it('the application may decline a name: then as if it had no ECH', async () => {
    for (const accept of [() => false, () => Promise.resolve(false)]) {
      const seen: (string | undefined)[] = [];
      const joined = await pair(provider, {
        client: hidden,
        server: {
          ech: {
            keys: keys(key),
            accept: (hello) => {
              seen.push(hello.serverName);
              return accept();
            },
          },
        },
      }).handshakeLater();
      const { error } = joined.client.engine;
      expect(seen).toEqual([secret]);
      expect(error).toBeInstanceOf(EchRejectedError);
      expect(error instanceof EchRejectedError && error.retryConfigs).toBeUndefined();
      expect(joined.server.engine.info?.serverName).toBe(publicName);
    }
  });

  it('in connections without ECH nothing is different', () => {
    const { client, server } = connectedPair(provider, { server: { ech: { keys: keys(key) } } });
    expect(client.engine.info?.echAccepted).toBe(false);
    expect(server.engine.info?.echAccepted).toBe(false);
  });
});

describe('a dummy (§6.2)', () => {
  it('looks like the real thing, and changes nothing', () => {
    const { client, server, hellos } = watched({
      client: { ech: { grease: true } },
      server: { ech: { keys: keys(key) } },
    });
    const extension = outerHello(hellos[0]).extensions.encryptedClientHello;
    if (extension?.type !== 'outer') throw new Error('no dummy');
    expect(extension.enc).toHaveLength(32);
    expect((extension.payload.length - 16) % 32).toBe(0);
    expect(client.engine.info).toMatchObject({ echAccepted: false, serverName: 'example.test' });
    expect(server.engine.info).toMatchObject({ echAccepted: false, serverName: 'example.test' });
  });

  it('is the same in a second ClientHello', () => {
    const { client, hellos } = watched({ ...retries, client: { ...retries.client, ech: { grease: true } } });
    expect(client.engine.info?.helloRetryRequest).toBe(true);
    const [first, second] = hellos.map((hello) => outerHello(hello).extensions.encryptedClientHello);
    expect(second).toEqual(first);
    expect(hellos).toHaveLength(2);
  });

  it('is not sent beside a config that can be used', () => {
    const { client } = watched({
      client: { ...hidden, ech: { configs: key.configList, grease: true } },
      server: { ech: { keys: keys(key) } },
    });
    expect(client.engine.info?.echAccepted).toBe(true);
  });
});

describe('the log of messages', () => {
  it('shows what was hidden, at both ends', () => {
    const log = { messageLog: true };
    const { client, server } = watched({
      client: { ...retries.client, ...hidden, ...log },
      server: { ...retries.server, ech: { keys: keys(key) }, ...log },
    });
    const said = client.of('message').map(({ direction, kind, message }) => `${direction} ${kind} ${message[0]}`);
    const hellos = ['send inner_client_hello 1', 'send handshake 1', 'receive handshake 2'];
    expect(said).toEqual([
      ...hellos,
      'send change_cipher_spec 1',
      ...hellos,
      ...[8, 11, 15, 20].map((type) => `receive handshake ${type}`),
      'send handshake 20',
    ]);
    const inner = (end: typeof client) =>
      end.of('message').flatMap(({ kind, message }) => (kind === 'inner_client_hello' ? [message] : []));
    expect(inner(server)).toEqual(inner(client));
    expect(inner(client).map((message) => outerHello(message).extensions.serverName)).toEqual([secret, secret]);
  });

  it('is silent unless asked', () => {
    const { client, server } = watched({ client: hidden, server: { ech: { keys: keys(key) } } });
    expect([...client.of('message'), ...server.of('message')]).toEqual([]);
  });
});

describe('early data', () => {
  const tickets = { protector: createTicketKeys(provider) };
  // One cache: what another one has not seen begin it does not believe.
  const server = { tickets, earlyData: { maxSize: 1_000, replayCache: createReplayCache() } };

  /** Ten bytes early, in a session of a connection with ECH, to a server with these keys. */
  function early(keysThen: EchKeys, more: PairOptions = {}) {
    const session = sessionOf(provider, { client: hidden, server: { ...server, ech: { keys: keys(key) } } });
    const joined = pair(provider, {
      client: { ...hidden, session, earlyData: true, ...more.client },
      server: { ...server, ech: { keys: keysThen }, ...more.server },
    });
    joined.server.take(joined.server.engine.start());
    joined.client.take(joined.client.engine.start());
    joined.client.take(joined.client.engine.sendEarly(bytes(10)));
    return joined.exchange();
  }

  it('goes with the inner ClientHello', () => {
    const joined = early(keys(key));
    expect(joined.server.of('early_data').map(({ data }) => data.length)).toEqual([10]);
    for (const { engine } of [joined.client, joined.server]) {
      expect(engine.info).toMatchObject({ echAccepted: true, resumed: true, earlyData: 'accepted' });
    }
  });

  it.each([
    ['rejected with ECH', {}],
    ['rejected with ECH after a HelloRetryRequest', retries],
  ])('is %s, and skipped', (_name, more: PairOptions) => {
    const joined = early(keys(newKey(7)), more);
    expect(joined.server.of('early_data')).toEqual([]);
    expect(joined.client.engine.error).toBeInstanceOf(EchRejectedError);
    expect(joined.client.of('early_data_rejected')).toHaveLength(1);
    expect(joined.server.engine.info).toMatchObject({ echAccepted: false, resumed: false });
  });

  it('is not read behind a HelloRetryRequest, with ECH accepted', () => {
    const joined = early(keys(key), retries);
    expect(joined.client.engine.info).toMatchObject({ echAccepted: true, earlyData: 'rejected', resumed: true });
    expect(joined.server.of('early_data')).toEqual([]);
  });
});
