/** The client's machine where the server does what it should: the order of effects, what is negotiated, tickets. */
import { verify } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { TlsError } from '../../src/alert.js';
import type { Credential } from '../../src/config/index.js';
import { signedContent } from '../../src/handshake/certificate-verify.js';
import { finishedVerifyData } from '../../src/keys/finished.js';
import { resumptionPsk } from '../../src/keys/schedule.js';
import { cipherSuites, signatureSchemes } from '../../src/registry.js';
import { encodeMessage } from '../../src/wire/index.js';
import {
  effectOf,
  newIdentity,
  newSessionTicket,
  provider,
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

describe('a full handshake', () => {
  it('has the effects of §A.1 in wire order', () => {
    const { client, server } = untilServerHello({ alpnProtocols: ['h2'], serverName: 'example.test' });
    expect(client.summary).toEqual(['send client_hello']);
    client.receive(server.serverHello());
    expect(client.summary).toEqual([
      'change_cipher_spec before_next_record',
      'key_log CLIENT_HANDSHAKE_TRAFFIC_SECRET',
      'key_log SERVER_HANDSHAKE_TRAFFIC_SECRET',
      'K_send handshake',
      'K_recv handshake',
    ]);
    expect(effectOf(client.effects, 'K_send').secret).toEqual(server.secrets.client);
    expect(effectOf(client.effects, 'K_recv').secret).toEqual(server.secrets.server);
    client.receive(server.encryptedExtensions({ alpn: 'h2', serverName: true, supportedGroups: [0x17] }));
    expect(client.summary).toEqual([]);
    client.receive(server.certificate()).receive(server.certificateVerify()).receive(server.finished());
    expect(client.summary).toEqual([
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
    expect(effectOf(client.effects, 'K_send').secret).toEqual(main.clientTraffic(throughServerFinished));
    expect(effectOf(client.effects, 'K_recv').secret).toEqual(main.serverTraffic(throughServerFinished));
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
    const { client } = untilEncryptedExtensions({ middleboxCompatibility: false });
    expect(client.summary[0]).toBe('key_log CLIENT_HANDSHAKE_TRAFFIC_SECRET');
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
    const other = newIdentity().certificate;
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
        certificateType: 'x509',
        certificates: [serverIdentity.certificate, other],
        serverName: 'example.test',
        ocspResponse: Uint8Array.of(0xab, 0xcd),
        signedCertificateTimestamps: [],
        resumed: false,
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

describe('client authentication (§4.5)', () => {
  const identity = newIdentity();
  const credential: Credential = {
    certificateChain: [identity.certificate, serverIdentity.certificate],
    signer: provider.signer(identity.pkcs8),
  };

  it('answers a request with Certificate and CertificateVerify before Finished', () => {
    const { client, server } = untilFinished({ credential }, true);
    client.receive(server.finished());
    expect(client.summary.slice(0, 3)).toEqual(['send certificate', 'send certificate_verify', 'send finished']);
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
    expect(client.summary.slice(0, 2)).toEqual(['send certificate', 'send finished']);
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
    expect(asked).toEqual({
      signatureSchemes: [0x0403, 0x0807],
      certificateSignatureSchemes: [0x0403, 0x0807],
      certificateAuthorities: [authority],
      oidFilters: [],
      certificateType: 'x509',
      delegatedCredentialSchemes: [],
    });
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
      peerRawPublicKey: undefined,
      ocspResponse: undefined,
      signedCertificateTimestamps: [],
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
