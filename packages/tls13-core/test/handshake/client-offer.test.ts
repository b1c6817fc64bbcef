/** What a client offers: the first ClientHello, the PSK in it, and what a HelloRetryRequest changes. */
import { describe, expect, it } from 'vitest';
import type { ClientConfig } from '../../src/config/index.js';
import { finishedVerifyData } from '../../src/keys/finished.js';
import { EarlySecret } from '../../src/keys/schedule.js';
import { Transcript } from '../../src/keys/transcript.js';
import { extensionTypes, namedGroups, signatureSchemes } from '../../src/registry.js';
import type { Session } from '../../src/session.js';
import { clientSettings } from '../../src/settings/index.js';
import { truncateClientHello } from '../../src/wire/index.js';
import { effectOf, provider, resuming, session, TestClient, untilServerHello } from './client-support.js';

const hash = provider.hash('sha256');

describe('ClientHello (§4.2.2)', () => {
  it('offers what the settings say', () => {
    const { hello } = new TestClient({
      serverName: 'example.test',
      alpnProtocols: ['h2', 'http/1.1'],
      signatureSchemes: ['ed25519', 'ecdsa_secp256r1_sha256'],
    });
    expect(hello.legacyVersion).toBe(0x0303);
    expect(hello.random).toHaveLength(32);
    expect(hello.legacySessionId).toHaveLength(32);
    expect([...hello.legacyCompressionMethods]).toEqual([0]);
    expect(hello.cipherSuites).toEqual([0x1301, 0x1302, 0x1303, 0x1304]);
    const { extensions } = hello;
    expect(extensions.supportedVersions).toEqual([0x0304]);
    expect(extensions.supportedGroups).toEqual([namedGroups.x25519, namedGroups.secp256r1]);
    expect(extensions.keyShare?.map(({ group }) => group)).toEqual([namedGroups.x25519]);
    expect(extensions.signatureAlgorithms).toEqual([0x0807, 0x0403]);
    expect(extensions.signatureAlgorithmsCert).toEqual([0x0807, 0x0403, 0x0401, 0x0501, 0x0601]);
    expect(extensions.serverName).toBe('example.test');
    expect(extensions.alpn).toEqual(['h2', 'http/1.1']);
    expect(extensions.pskKeyExchangeModes).toEqual([1]);
    expect(extensions.preSharedKey).toBeUndefined();
    expect(extensions.types).not.toContain(extensionTypes.cookie);
    expect(extensions.types).not.toContain(extensionTypes.early_data);
  });

  it('sends nothing it was not asked for', () => {
    const { hello } = new TestClient({ middleboxCompatibility: false, ocspStapling: false });
    expect(hello.legacySessionId).toHaveLength(0);
    expect(hello.extensions.serverName).toBeUndefined();
    expect(hello.extensions.alpn).toBeUndefined();
    expect(hello.extensions.statusRequest).toBeUndefined();
  });

  it('names PKCS#1 for certificates alone (§4.3.3)', () => {
    const { extensions } = new TestClient({
      signatureSchemes: ['ed25519'],
      certificateSignatureSchemes: ['ed25519', 'rsa_pkcs1_sha256'],
    }).hello;
    expect(extensions.signatureAlgorithms).toEqual([signatureSchemes.ed25519]);
    expect(extensions.signatureAlgorithmsCert).toEqual([signatureSchemes.ed25519, signatureSchemes.rsa_pkcs1_sha256]);
  });

  it('names the schemes of certificates only where they differ (§4.3.3)', () => {
    const schemes = ['ed25519', 'ecdsa_secp256r1_sha256'] as const;
    const { extensions } = new TestClient({ signatureSchemes: schemes, certificateSignatureSchemes: schemes }).hello;
    expect(extensions.signatureAlgorithmsCert).toBeUndefined();
  });

  it('sends a classical share beside a hybrid one', () => {
    const { extensions } = new TestClient({ groups: ['X25519MLKEM768', 'secp256r1', 'x25519'] }).hello;
    expect(extensions.keyShare?.map(({ group }) => group)).toEqual([namedGroups.X25519MLKEM768, namedGroups.secp256r1]);
  });

  it('sends shares in the order of supported_groups, once each (§4.3.8)', () => {
    const { extensions } = new TestClient({ keyShares: ['secp256r1', 'x25519', 'secp256r1'] }).hello;
    expect(extensions.keyShare?.map(({ group }) => group)).toEqual([namedGroups.x25519, namedGroups.secp256r1]);
    expect(new TestClient({ keyShares: [] }).hello.extensions.keyShare).toEqual([]);
  });

  it('differs from one connection to the next', () => {
    const [one, two] = [new TestClient().hello, new TestClient().hello];
    expect(one.random).not.toEqual(two.random);
    expect(one.legacySessionId).not.toEqual(two.legacySessionId);
    expect(one.extensions.keyShare).not.toEqual(two.extensions.keyShare);
  });
});

describe('the PSK offer (§4.3.11)', () => {
  it('is the ticket, its obfuscated age modulo 2^32, and the binder over the truncated ClientHello', () => {
    const client = new TestClient(resuming);
    const { bytes, body } = client.sent('client_hello');
    const offered = body.extensions.preSharedKey;
    expect(offered?.identities).toEqual([{ identity: session.ticket, obfuscatedTicketAge: 499 }]);
    expect(body.extensions.types.at(-1)).toBe(extensionTypes.pre_shared_key);
    const binders = offered?.binders ?? [];
    const truncated = truncateClientHello(bytes, binders);
    expect(bytes.length - truncated.length).toBe(2 + 1 + 32);
    const binderKey = EarlySecret.from(hash, session.psk).binderKey('res');
    expect(binders).toEqual([finishedVerifyData(hash, binderKey, hash.digest(truncated))]);
  });

  it.each<readonly [string, Partial<ClientConfig>]>([
    ['of another server name', { serverName: 'other.test' }],
    ['of no server name', { session: { ...session, serverName: undefined } }],
    ['past its lifetime', { now: () => session.receivedAt + 7_200_001 }],
    ['from the future', { now: () => session.receivedAt - 1 }],
    ['whose hash no suite has', { cipherSuites: ['TLS_AES_256_GCM_SHA384'] }],
    ['older than 7 days, whatever its lifetime', { session: { ...session, lifetime: 1e6 }, now: () => 606_000_000 }],
  ])('is not made for a session %s', (_what, config) => {
    const client = new TestClient({ ...resuming, ...config });
    expect(client.hello.extensions.preSharedKey).toBeUndefined();
    expect(client.hello.extensions.pskKeyExchangeModes).toEqual([1]);
  });

  it('is made at the very end of the lifetime', () => {
    const client = new TestClient({ ...resuming, now: () => session.receivedAt + 7_200_000 });
    expect(client.hello.extensions.preSharedKey).toBeDefined();
  });
});

describe('HelloRetryRequest (§4.2.4)', () => {
  const tls13 = { supportedVersions: 0x0304 };

  it('replaces the share, and nothing else', () => {
    const { client, server } = untilServerHello({ serverName: 'example.test', alpnProtocols: ['h2'] });
    const first = client.hello;
    client.receive(server.helloRetryRequest());
    expect(client.summary).toEqual(['change_cipher_spec now', 'send client_hello']);
    const second = client.hello;
    expect(second.extensions.keyShare?.map(({ group }) => group)).toEqual([namedGroups.secp256r1]);
    expect({ ...second, extensions: undefined }).toEqual({ ...first, extensions: undefined });
    expect(second.extensions.types).toEqual(first.extensions.types);
    for (const type of first.extensions.types) {
      if (type === extensionTypes.key_share) continue;
      expect(second.extensions.raw.get(type)).toEqual(first.extensions.raw.get(type));
    }
  });

  it('echoes a cookie and keeps the shares when no group is asked for (§4.3.2)', () => {
    const { client, server } = untilServerHello();
    const shares = client.hello.extensions.keyShare;
    const cookie = provider.random(300);
    client.receive(server.helloRetryRequest({ ...tls13, cookie }));
    expect(client.hello.extensions.cookie).toEqual(cookie);
    expect(client.hello.extensions.keyShare).toEqual(shares);
  });

  it('continues over message_hash to a connection, with one change_cipher_spec in all', () => {
    const { client, server } = untilServerHello();
    client.receive(server.helloRetryRequest());
    client.receive(server.serverHello());
    expect(client.summary[0]).toBe('key_log CLIENT_HANDSHAKE_TRAFFIC_SECRET');
    client.receive(server.encryptedExtensions());
    client.receive(server.certificate()).receive(server.certificateVerify()).receive(server.finished());
    expect(effectOf(client.effects, 'connected').info).toMatchObject({ helloRetryRequest: true, group: 'secp256r1' });
  });

  it('makes the age and the binder of the PSK anew (§4.3.11.2)', () => {
    let now = 1_000_500;
    const { client, server } = untilServerHello({ ...resuming, now: () => now });
    now += 80;
    client.receive(server.helloRetryRequest());
    const { bytes, body } = client.sent('client_hello');
    const offered = body.extensions.preSharedKey;
    expect(offered?.identities[0]?.obfuscatedTicketAge).toBe(579);
    const binders = offered?.binders ?? [];
    const bound = server.transcript.append(truncateClientHello(bytes, binders)).digest();
    const binderKey = EarlySecret.from(hash, session.psk).binderKey('res');
    expect(binders).toEqual([finishedVerifyData(hash, binderKey, bound)]);
  });

  it("drops a PSK whose hash is not the selected suite's", () => {
    const { client, server } = untilServerHello(resuming, { suite: 'TLS_AES_256_GCM_SHA384' });
    client.receive(server.helloRetryRequest());
    expect(client.hello.extensions.preSharedKey).toBeUndefined();
  });
});

describe('resumption (§2.2)', () => {
  it('needs no certificate, and keeps that of the session', () => {
    const { client, server } = untilServerHello(resuming, { psk: session.psk });
    client.receive(server.serverHello()).receive(server.encryptedExtensions()).receive(server.finished());
    expect(effectOf(client.effects, 'connected').info).toMatchObject({
      resumed: true,
      signatureScheme: undefined,
      peerCertificates: session.peerCertificates,
      group: 'x25519',
    });
  });

  it('may be declined: a full handshake follows', () => {
    const { client, server } = untilServerHello(resuming, { suite: 'TLS_AES_256_GCM_SHA384' });
    client.receive(server.serverHello()).receive(server.encryptedExtensions());
    client.receive(server.certificate()).receive(server.certificateVerify()).receive(server.finished());
    expect(effectOf(client.effects, 'connected').info).toMatchObject({ resumed: false, signatureScheme: 'ed25519' });
  });

  it('works with another suite of the same hash', () => {
    const { client, server } = untilServerHello(resuming, { psk: session.psk, suite: 'TLS_CHACHA20_POLY1305_SHA256' });
    client.receive(server.serverHello()).receive(server.encryptedExtensions()).receive(server.finished());
    expect(effectOf(client.effects, 'connected').info.cipherSuite).toBe('TLS_CHACHA20_POLY1305_SHA256');
  });
});

it('hashes with the PSK of a session whose hash is SHA-384', () => {
  const long: Session = { ...session, cipherSuite: 'TLS_AES_256_GCM_SHA384', psk: new Uint8Array(48).fill(3) };
  const client = new TestClient({ ...resuming, session: long });
  const sha384 = provider.hash('sha384');
  const { bytes, body } = client.sent('client_hello');
  const binders = body.extensions.preSharedKey?.binders ?? [];
  const bound = Transcript.start(sha384).append(truncateClientHello(bytes, binders)).digest();
  expect(binders).toEqual([finishedVerifyData(sha384, EarlySecret.from(sha384, long.psk).binderKey('res'), bound)]);
});

describe('the suites of a client with PSKs (§4.3.11)', () => {
  const psk = { identity: Uint8Array.of(1), key: new Uint8Array(32).fill(3) };
  const psk384 = { identity: Uint8Array.of(2), key: new Uint8Array(48).fill(4), hash: 'sha384' } as const;
  const imported = { externalIdentity: Uint8Array.of(5), key: new Uint8Array(16).fill(6) };
  const suites = (config: Partial<ClientConfig>) =>
    clientSettings({ provider, ...config }).cipherSuites.map(({ name }) => name);
  const both = ['TLS_AES_256_GCM_SHA384', 'TLS_AES_128_GCM_SHA256'] as const;

  it.each([
    [[psk], ['TLS_AES_128_GCM_SHA256']],
    [[psk384], ['TLS_AES_256_GCM_SHA384']],
    [[psk, psk384], both],
    [[imported], both],
  ])('are those that one of them goes with, where no certificate is taken', (psks, wanted) => {
    expect(suites({ psks, cipherSuites: both })).toEqual(wanted);
  });

  it('are all where a certificate is taken too', () => {
    expect(suites({ psks: [psk], cipherSuites: both, verifyPeer: () => {} })).toEqual(both);
  });

  it('must leave one', () => {
    const cipherSuites = ['TLS_AES_256_GCM_SHA384'] as const;
    expect(() => suites({ psks: [psk], cipherSuites })).toThrow(
      /cipherSuites: TLS_AES_256_GCM_SHA384 need a PSK with hash sha384; psks has none/,
    );
  });
});
