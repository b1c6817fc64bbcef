/** The client's machine where the server does what it should: the offer, the order of effects, what is negotiated. */
import { verify } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { TlsError } from '../../src/alert.js';
import type { ClientConfig, Credential } from '../../src/config.js';
import { signedContent } from '../../src/handshake/certificate-verify.js';
import type { Effect } from '../../src/handshake/effects.js';
import { finishedVerifyData } from '../../src/keys/finished.js';
import { EarlySecret, resumptionPsk } from '../../src/keys/schedule.js';
import { Transcript } from '../../src/keys/transcript.js';
import { cipherSuites, extensionTypes, namedGroups, signatureSchemes } from '../../src/registry.js';
import type { Session } from '../../src/session.js';
import { encodeMessage, truncateClientHello } from '../../src/wire/index.js';
import {
  newSessionTicket,
  provider,
  selfSigned,
  serverIdentity,
  TestClient,
  TestServer,
  unknownExtension,
  untilCertificateVerify,
  untilConnected,
  untilEncryptedExtensions,
  untilFinished,
  untilServerHello,
} from './client-support.js';

const hash = provider.hash('sha256');
const session: Session = {
  cipherSuite: 'TLS_AES_128_GCM_SHA256',
  ticket: new Uint8Array(40).fill(7),
  psk: new Uint8Array(32).fill(9),
  lifetime: 7200,
  ageAdd: 0xffff_ffff,
  receivedAt: 1_000_000,
  serverName: 'example.test',
  alpnProtocol: undefined,
  peerCertificates: [serverIdentity.certificate],
  maxEarlyData: 0,
};
const resuming: Partial<ClientConfig> = { session, serverName: 'example.test', now: () => 1_000_500 };

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
    expect(extensions.signatureAlgorithmsCert).toBeUndefined();
    expect(extensions.serverName).toBe('example.test');
    expect(extensions.alpn).toEqual(['h2', 'http/1.1']);
    expect(extensions.pskKeyExchangeModes).toEqual([1]);
    expect(extensions.preSharedKey).toBeUndefined();
    expect(extensions.types).not.toContain(extensionTypes.cookie);
    expect(extensions.types).not.toContain(extensionTypes.early_data);
  });

  it('sends nothing it was not asked for', () => {
    const { hello } = new TestClient({ middleboxCompatibility: false });
    expect(hello.legacySessionId).toHaveLength(0);
    expect(hello.extensions.serverName).toBeUndefined();
    expect(hello.extensions.alpn).toBeUndefined();
  });

  it('names PKCS#1 for certificates alone (§4.3.3)', () => {
    const schemes = { ...provider, signatureSchemes: ['ed25519', 'rsa_pkcs1_sha256'] as const };
    const { extensions } = new TestClient({ provider: schemes }).hello;
    expect(extensions.signatureAlgorithms).toEqual([signatureSchemes.ed25519]);
    expect(extensions.signatureAlgorithmsCert).toEqual([signatureSchemes.ed25519, signatureSchemes.rsa_pkcs1_sha256]);
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

describe('a full handshake', () => {
  it('has the effects of §A.1 in wire order', () => {
    const { client, server } = untilServerHello({ alpnProtocols: ['h2'], serverName: 'example.test' });
    expect(client.summary).toEqual(['send client_hello']);
    client.receive(server.serverHello());
    expect(client.summary).toEqual([
      'key_log CLIENT_HANDSHAKE_TRAFFIC_SECRET',
      'key_log SERVER_HANDSHAKE_TRAFFIC_SECRET',
      'K_send handshake',
      'K_recv handshake',
    ]);
    expect(secretOf(client.effects, 'K_send')).toEqual(server.secrets.client);
    expect(secretOf(client.effects, 'K_recv')).toEqual(server.secrets.server);
    client.receive(server.encryptedExtensions({ alpn: 'h2', serverName: true, supportedGroups: [0x17] }));
    expect(client.summary).toEqual([]);
    client.receive(server.certificate()).receive(server.certificateVerify()).receive(server.finished());
    expect(client.summary).toEqual([
      'change_cipher_spec',
      'send finished',
      'key_log CLIENT_TRAFFIC_SECRET_0',
      'key_log SERVER_TRAFFIC_SECRET_0',
      'key_log EXPORTER_SECRET',
      'K_send application',
      'K_recv application',
      'connected',
    ]);
    const throughServerFinished = server.transcript.digest();
    const { main } = server.secrets;
    expect(secretOf(client.effects, 'K_send')).toEqual(main.clientTraffic(throughServerFinished));
    expect(secretOf(client.effects, 'K_recv')).toEqual(main.serverTraffic(throughServerFinished));
    expect(client.sent('finished').body.verifyData).toEqual(
      finishedVerifyData(hash, server.secrets.client, throughServerFinished),
    );
    const connected = effectOf(client.effects, 'connected');
    expect(connected.exporterSecret).toEqual(main.exporter(throughServerFinished));
    expect(connected.info).toMatchObject({
      role: 'client',
      protocol: 'TLSv1.3',
      cipherSuite: 'TLS_AES_128_GCM_SHA256',
      group: 'x25519',
      signatureScheme: 'ed25519',
      clientSignatureScheme: undefined,
      serverName: 'example.test',
      alpnProtocol: 'h2',
      resumed: false,
      helloRetryRequest: false,
      peerCertificates: [serverIdentity.certificate],
      localCertificates: [],
    });
  });

  it('sends no change_cipher_spec without compatibility mode (§E.4)', () => {
    const { client } = untilConnected({ middleboxCompatibility: false });
    expect(client.summary).not.toContain('change_cipher_spec');
  });

  it.each(Object.keys(cipherSuites).filter((name) => name !== 'TLS_AES_128_CCM_8_SHA256'))('%s', (name) => {
    const suite = name as keyof typeof cipherSuites;
    const { client, server } = untilServerHello({}, { suite });
    client.receive(server.serverHello()).receive(server.encryptedExtensions());
    client.receive(server.certificate()).receive(server.certificateVerify()).receive(server.finished());
    expect(effectOf(client.effects, 'connected').info.cipherSuite).toBe(suite);
  });
});

describe("the server's certificate", () => {
  it('goes to verifyPeer once its signature holds, with name and stapled response', () => {
    const seen: unknown[] = [];
    const config = { serverName: 'example.test', verifyPeer: (peer: unknown) => void seen.push(peer) };
    const { client, server } = untilEncryptedExtensions(config);
    client.receive(server.encryptedExtensions());
    const other = selfSigned().certificate;
    const entries = [
      { certData: serverIdentity.certificate, extensions: { statusRequest: Uint8Array.of(1, 0, 0, 2, 0xab, 0xcd) } },
      { certData: other, extensions: {} },
    ];
    client.receive(server.certificate({ certificateList: entries }));
    expect(seen).toEqual([]);
    client.receive(server.certificateVerify());
    expect(seen).toEqual([
      {
        role: 'server',
        certificates: [serverIdentity.certificate, other],
        serverName: 'example.test',
        ocspResponse: Uint8Array.of(0xab, 0xcd),
      },
    ]);
  });

  it('is not asked about when the signature is wrong', () => {
    const asked: unknown[] = [];
    const { client, server } = untilCertificateVerify({ verifyPeer: (peer) => void asked.push(peer) });
    expect(client.alertFor(server.certificateVerify({ signature: new Uint8Array(64) }))).toBe('decrypt_error');
    expect(asked).toEqual([]);
  });

  it("ends the handshake with verifyPeer's alert, thrown or rejected, before Finished goes out", async () => {
    const unknown = new TlsError('unknown_ca', 'nobody vouches for it');
    const now = untilCertificateVerify({
      verifyPeer: () => {
        throw unknown;
      },
    });
    expect(now.client.alertFor(now.server.certificateVerify())).toBe('unknown_ca');
    const later = untilCertificateVerify({ verifyPeer: () => Promise.reject(unknown) });
    await expect(later.client.receiveLater(later.server.certificateVerify())).rejects.toBe(unknown);
    expect(later.client.state.name).toBe('WAIT_CV');
  });

  it('may be judged later', async () => {
    const { client, server } = untilCertificateVerify({ verifyPeer: () => Promise.resolve() });
    await client.receiveLater(server.certificateVerify());
    expect(client.receive(server.finished()).state.name).toBe('CONNECTED');
  });
});

describe('HelloRetryRequest (§4.2.4)', () => {
  const tls13 = { supportedVersions: 0x0304 };

  it('replaces the share, and nothing else', () => {
    const { client, server } = untilServerHello({ serverName: 'example.test', alpnProtocols: ['h2'] });
    const first = client.hello;
    client.receive(server.helloRetryRequest());
    expect(client.summary).toEqual(['change_cipher_spec', 'send client_hello']);
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
    client.receive(server.serverHello()).receive(server.encryptedExtensions());
    client.receive(server.certificate()).receive(server.certificateVerify()).receive(server.finished());
    expect(client.summary).not.toContain('change_cipher_spec');
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

describe('client authentication (§4.5)', () => {
  const identity = selfSigned();
  const credential: Credential = {
    certificateChain: [identity.certificate, serverIdentity.certificate],
    signer: provider.signer(identity.pkcs8),
  };

  it('answers a request with Certificate and CertificateVerify before Finished', () => {
    const { client, server } = untilFinished({ credential }, true);
    client.receive(server.finished());
    expect(client.summary.slice(0, 4)).toEqual([
      'change_cipher_spec',
      'send certificate',
      'send certificate_verify',
      'send finished',
    ]);
    const certificate = client.sent('certificate');
    expect(certificate.body.certificateRequestContext).toHaveLength(0);
    expect(certificate.body.certificateList.map(({ certData }) => certData)).toEqual(credential.certificateChain);
    const throughCertificate = server.transcript.append(certificate.bytes);
    const certificateVerify = client.sent('certificate_verify');
    const { algorithm, signature } = certificateVerify.body;
    expect(algorithm).toBe(signatureSchemes.ed25519);
    const content = signedContent('client', throughCertificate.digest());
    expect(verify(null, content, identity.privateKey, signature)).toBe(true);
    const throughVerify = throughCertificate.append(certificateVerify.bytes);
    expect(client.sent('finished').body.verifyData).toEqual(
      finishedVerifyData(hash, server.secrets.client, throughVerify.digest()),
    );
    expect(effectOf(client.effects, 'connected').info).toMatchObject({
      clientSignatureScheme: 'ed25519',
      localCertificates: credential.certificateChain,
    });
  });

  it.each([
    ['there is no credential', {}],
    ['the application chooses none', { credential: () => undefined }],
    [
      'its signer shares no scheme with the request',
      {
        credential: {
          ...credential,
          signer: {
            schemes: ['rsa_pss_rsae_sha256'],
            sign: () => {
              throw new Error('asked to sign');
            },
          },
        } as const,
      },
    ],
  ])('answers with an empty Certificate when %s (§4.5.1)', (_why, config) => {
    const { client, server } = untilFinished(config, true);
    client.receive(server.finished());
    expect(client.summary.slice(0, 3)).toEqual(['change_cipher_spec', 'send certificate', 'send finished']);
    expect(client.sent('certificate').body.certificateList).toEqual([]);
    const through = server.transcript.append(client.sent('certificate').bytes);
    expect(client.sent('finished').body.verifyData).toEqual(
      finishedVerifyData(hash, server.secrets.client, through.digest()),
    );
    expect(effectOf(client.effects, 'connected').info.localCertificates).toEqual([]);
  });

  it('sends no Certificate when none is requested', () => {
    const { client } = untilConnected({ credential });
    expect(client.summary).not.toContain('send certificate');
  });

  it('lets the application choose by the request, and sign, later', async () => {
    let asked: unknown;
    const { client, server } = untilEncryptedExtensions({
      credential: async (request) => {
        asked = request;
        const { signer } = credential;
        return { ...credential, signer: { ...signer, sign: async (scheme, content) => signer.sign(scheme, content) } };
      },
    });
    const authority = Uint8Array.of(0x30, 0);
    client.receive(server.encryptedExtensions());
    const extensions = {
      signatureAlgorithms: [0x0403, 0x0807],
      certificateAuthorities: [authority],
      ...unknownExtension(),
    };
    client.receive(server.certificateRequest({ extensions }));
    client.receive(server.certificate()).receive(server.certificateVerify());
    await client.receiveLater(server.finished());
    expect(asked).toEqual({ signatureSchemes: [0x0403, 0x0807], certificateAuthorities: [authority] });
    expect(client.summary).toContain('send certificate_verify');
    expect(client.state.name).toBe('CONNECTED');
  });
});

describe('NewSessionTicket (§4.7.1)', () => {
  it('becomes a session that can be resumed', () => {
    const { client, server } = untilConnected({ serverName: 'example.test', now: () => 1_234_567 });
    const through = server.transcript.append(client.sent('finished').bytes).digest();
    client.receive(newSessionTicket({ extensions: { earlyData: 4096, ...unknownExtension() } }));
    expect(effectOf(client.effects, 'ticket').session).toEqual({
      cipherSuite: 'TLS_AES_128_GCM_SHA256',
      ticket: Uint8Array.of(1, 2, 3, 4),
      psk: resumptionPsk(hash, server.secrets.main.resumption(through), Uint8Array.of(0, 1)),
      lifetime: 7200,
      ageAdd: 0xfffffff0,
      receivedAt: 1_234_567,
      serverName: 'example.test',
      alpnProtocol: undefined,
      peerCertificates: [serverIdentity.certificate],
      maxEarlyData: 4096,
    });
  });

  it('is discarded with a lifetime of zero, and kept for 7 days at most', () => {
    const { client } = untilConnected();
    expect(client.receive(newSessionTicket({ ticketLifetime: 0 })).effects).toEqual([]);
    client.receive(newSessionTicket({ ticketLifetime: 700_000 }));
    expect(effectOf(client.effects, 'ticket').session.lifetime).toBe(604_800);
  });

  it('gives every nonce its own PSK', () => {
    const { client } = untilConnected();
    const one = effectOf(client.receive(newSessionTicket({ ticketNonce: Uint8Array.of(1) })).effects, 'ticket');
    const two = effectOf(client.receive(newSessionTicket({ ticketNonce: Uint8Array.of(2) })).effects, 'ticket');
    expect(one.session.psk).not.toEqual(two.session.psk);
  });

  it('holds no view of the message it came in', () => {
    const { client } = untilConnected();
    const message = newSessionTicket();
    const { session: kept } = effectOf(client.receive(message).effects, 'ticket');
    message.fill(0);
    expect(kept.ticket).toEqual(Uint8Array.of(1, 2, 3, 4));
  });
});

describe('KeyUpdate (§4.7.3)', () => {
  it.each([
    ['update_requested', true],
    ['update_not_requested', false],
  ] as const)('%s', (requestUpdate, updateRequested) => {
    const { client } = untilConnected();
    client.receive(encodeMessage('key_update', { requestUpdate }));
    expect(client.effects).toEqual([{ type: 'key_update', updateRequested }]);
  });
});

it('keeps no view of what it received', () => {
  const client = new TestClient();
  const server = new TestServer(client);
  const messages: Uint8Array[] = [];
  const take = (message: Uint8Array) => {
    const copy = message.slice();
    messages.push(copy);
    client.receive(copy);
    for (const earlier of messages) earlier.fill(0);
  };
  take(server.serverHello());
  take(server.encryptedExtensions());
  take(server.certificateRequest());
  take(server.certificate());
  take(server.certificateVerify());
  take(server.finished());
  const { info } = effectOf(client.effects, 'connected');
  expect(info.serverRandom).toEqual(new Uint8Array(32).fill(0x55));
  expect(info.peerCertificates).toEqual([serverIdentity.certificate]);
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

function effectOf<Type extends Effect['type']>(
  effects: readonly Effect[],
  type: Type,
): Extract<Effect, { type: Type }> {
  for (const effect of effects) if (isOf(effect, type)) return effect;
  throw new Error(`no effect ${type}`);
}

function isOf<Type extends Effect['type']>(effect: Effect, type: Type): effect is Extract<Effect, { type: Type }> {
  return effect.type === type;
}

function secretOf(effects: readonly Effect[], type: 'K_send' | 'K_recv') {
  return effectOf(effects, type).secret;
}
