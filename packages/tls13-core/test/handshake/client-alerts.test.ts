/** Every "MUST abort" of §4 that a client meets: the section, what the server does wrong, the alert the RFC names. */
import { describe, expect, it } from 'vitest';
import { cipherSuites, extensionTypes, handshakeTypes, namedGroups, signatureSchemes } from '../../src/registry.js';
import type { Session } from '../../src/session.js';
import { downgradeSentinels, encodeHandshake, encodeMessage } from '../../src/wire/index.js';
import {
  newSessionTicket,
  provider,
  serverIdentity,
  TestClient,
  type TestServer,
  unknownExtension,
  untilCertificate,
  untilCertificateVerify,
  untilConnected,
  untilEncryptedExtensions,
  untilFinished,
  untilServerHello,
} from './client-support.js';

/** The section, what the server does, and what comes of it. */
type Case = readonly [section: string, what: string, alert: string, run: () => string];

const session: Session = {
  cipherSuite: 'TLS_AES_128_GCM_SHA256',
  ticket: new Uint8Array(40).fill(7),
  psk: new Uint8Array(32).fill(9),
  lifetime: 7200,
  ageAdd: 1,
  receivedAt: 1_000_000,
  serverName: undefined,
  alpnProtocol: undefined,
  peerCertificates: [serverIdentity.certificate],
  maxEarlyData: 0,
};
const resuming = { session, now: () => 1_000_500 };
const tls13 = { supportedVersions: 0x0304 };
/** renegotiation_info and extended_master_secret, as a server of TLS 1.2 sends them. */
const oldServer = { extra: [...unknownExtension(0xff01).extra, { type: 0x0017, data: new Uint8Array(0) }] };

const serverHello: readonly Case[] = [
  [
    '§4.2.3',
    'a legacy_version of 0x0301 in a TLS 1.3 ServerHello',
    'protocol_version',
    hello({ legacyVersion: 0x0301 }),
  ],
  ['§E.1', 'TLS 1.2 without a sentinel', 'protocol_version', hello({}, oldServer)],
  [
    '§E.1',
    'TLS 1.2 without any extension',
    'protocol_version',
    () => {
      const { client, server } = untilServerHello();
      const beforeExtensions = 2 + 32 + 33 + 2 + 1;
      return client.alertFor(encodeHandshake(2, server.serverHello().subarray(4, 4 + beforeExtensions)));
    },
  ],
  ['§4.2.3', "TLS 1.2 with TLS 1.3's sentinel", 'illegal_parameter', hello({ random: ending('tls12') }, oldServer)],
  [
    '§4.2.3',
    "TLS 1.1 with TLS 1.3's sentinel",
    'illegal_parameter',
    hello({ random: ending('tls11'), legacyVersion: 0x0302 }, oldServer),
  ],
  ['§4.3.1', 'supported_versions of TLS 1.2', 'illegal_parameter', extended({ supportedVersions: 0x0303 })],
  ['§4.3.1', 'supported_versions not offered', 'illegal_parameter', extended({ supportedVersions: 0x0305 })],
  ['§4.2.3', 'another session id', 'illegal_parameter', hello({ legacySessionIdEcho: new Uint8Array(32) })],
  ['§4.2.3', 'no session id', 'illegal_parameter', hello({ legacySessionIdEcho: new Uint8Array(0) })],
  ['§4.2.3', 'a suite not offered', 'illegal_parameter', hello({ cipherSuite: cipherSuites.TLS_AES_128_CCM_8_SHA256 })],
  ['§4.2.3', 'an unknown suite', 'illegal_parameter', hello({ cipherSuite: 0x1306 })],
  ['§4.2.3', 'a compression method', 'illegal_parameter', hello({ legacyCompressionMethod: 1 })],
  ['§4.3', 'an unknown extension', 'unsupported_extension', extended(unknownExtension())],
  ['§4.3', 'pre_shared_key without an offer', 'unsupported_extension', extended({ preSharedKey: 0 })],
  ['§4.3', 'an extension that belongs elsewhere', 'illegal_parameter', extended(raw(extensionTypes.early_data))],
  ['§4.3', 'cookie, which belongs into HelloRetryRequest', 'illegal_parameter', extended(raw(extensionTypes.cookie))],
  ['§4.3.9', 'psk_key_exchange_modes', 'illegal_parameter', extended(raw(extensionTypes.psk_key_exchange_modes))],
  ['§4.3', 'two extensions of one type', 'illegal_parameter', extended(raw(extensionTypes.supported_versions, 3, 4))],
  ['§4.2.3', 'neither key_share nor pre_shared_key', 'missing_extension', extended({ keyShare: undefined })],
  [
    '§4.3.8',
    'a share of a group without a share',
    'illegal_parameter',
    extended({ keyShare: { group: namedGroups.secp256r1, keyExchange: new Uint8Array(65) } }),
  ],
  [
    '§4.3.8',
    'a share of an unknown group',
    'illegal_parameter',
    extended({ keyShare: { group: 0x0100, keyExchange: new Uint8Array(256) } }),
  ],
  [
    '§7.4.2',
    'an X25519 share that makes an all-zero secret',
    'illegal_parameter',
    extended({ keyShare: { group: namedGroups.x25519, keyExchange: new Uint8Array(32) } }),
  ],
  [
    '§4.3.8.2',
    'a P-256 share that is not on the curve',
    'illegal_parameter',
    () => {
      const { client, server } = untilServerHello({ keyShares: ['secp256r1'] }, { group: 'secp256r1' });
      const keyExchange = Uint8Array.of(4, ...new Uint8Array(64).fill(1));
      return client.alertFor(server.serverHello({ ...tls13, keyShare: { group: namedGroups.secp256r1, keyExchange } }));
    },
  ],
  [
    '§4.3.11',
    'a selected_identity out of range',
    'illegal_parameter',
    resumed((right) => ({ ...right, preSharedKey: 1 })),
  ],
  ['§4.3.11', 'a PSK without key_share', 'illegal_parameter', resumed((right) => ({ ...right, keyShare: undefined }))],
  [
    '§4.3.11',
    "a suite whose hash is not the PSK's",
    'illegal_parameter',
    () => {
      const { client, server } = untilServerHello(resuming, { psk: session.psk, suite: 'TLS_AES_256_GCM_SHA384' });
      return client.alertFor(server.serverHello());
    },
  ],
  [
    '§4.2.3',
    'a truncated ServerHello',
    'decode_error',
    () => untilServerHello().client.alertFor(encodeHandshake(2, new Uint8Array(20))),
  ],
];

const retry: readonly Case[] = [
  ['§4.2.4', 'no change', 'illegal_parameter', retried(tls13)],
  ['§4.3.8', 'a group not offered', 'illegal_parameter', retried({ ...tls13, keyShare: namedGroups.secp521r1 })],
  ['§4.3.8', 'an unknown group', 'illegal_parameter', retried({ ...tls13, keyShare: 0x0100 })],
  ['§4.3.8', 'a group whose share was sent', 'illegal_parameter', retried({ ...tls13, keyShare: namedGroups.x25519 })],
  ['§4.2.4', 'no supported_versions', 'protocol_version', retried({ keyShare: namedGroups.secp256r1 })],
  ['§4.3.1', 'another version', 'illegal_parameter', retried({ supportedVersions: 0x0303, keyShare: 0x17 })],
  [
    '§4.3',
    'an unknown extension',
    'unsupported_extension',
    retried({ ...tls13, keyShare: 0x17, ...unknownExtension() }),
  ],
  ['§4.2.4', 'a suite not offered', 'illegal_parameter', retried(undefined, { cipherSuite: 0x1305 })],
  ['§4.2.4', 'a compression method', 'illegal_parameter', retried(undefined, { legacyCompressionMethod: 1 })],
  ['§4.2.4', 'another legacy_version', 'protocol_version', retried(undefined, { legacyVersion: 0x0304 })],
  ['§4.2.4', 'another session id', 'illegal_parameter', retried(undefined, { legacySessionIdEcho: new Uint8Array(0) })],
  [
    '§4.2.4',
    'a second HelloRetryRequest',
    'unexpected_message',
    () => {
      const { client, server } = untilServerHello();
      client.receive(server.helloRetryRequest());
      return client.alertFor(server.helloRetryRequest({ ...tls13, cookie: Uint8Array.of(1) }));
    },
  ],
  [
    '§4.2.4',
    'another suite in the ServerHello after it',
    'illegal_parameter',
    () => {
      const { client, server } = untilServerHello();
      client.receive(server.helloRetryRequest());
      return client.alertFor(server.serverHello(undefined, { cipherSuite: cipherSuites.TLS_CHACHA20_POLY1305_SHA256 }));
    },
  ],
  [
    '§4.3.8',
    'another group in the ServerHello after it',
    'illegal_parameter',
    () => {
      const { client, server } = untilServerHello();
      client.receive(server.helloRetryRequest());
      const keyShare = { group: namedGroups.x25519, keyExchange: new Uint8Array(32).fill(9) };
      return client.alertFor(server.serverHello({ ...tls13, keyShare }));
    },
  ],
  [
    '§4.2.4',
    'another version in the ServerHello after it',
    'illegal_parameter',
    () => {
      const { client, server } = untilServerHello();
      client.receive(server.helloRetryRequest());
      return client.alertFor(server.serverHello((right) => ({ ...right, supportedVersions: 0x0303 })));
    },
  ],
];

const encryptedExtensions: readonly Case[] = [
  ['§4.3', 'an unknown extension', 'unsupported_extension', withExtensions(unknownExtension())],
  ['§4.3', 'early_data without an offer', 'unsupported_extension', withExtensions({ earlyData: true })],
  ['§4.3', 'server_name without an offer', 'unsupported_extension', withExtensions({ serverName: true })],
  ['§4.3', 'ALPN without an offer', 'unsupported_extension', withExtensions({ alpn: 'h2' })],
  ['§4.3', 'record_size_limit without an offer', 'unsupported_extension', withExtensions({ recordSizeLimit: 1024 })],
  ['§4.4.1', 'key_share', 'illegal_parameter', withExtensions(raw(extensionTypes.key_share))],
  ['§4.4.1', 'signature_algorithms', 'illegal_parameter', withExtensions(raw(extensionTypes.signature_algorithms))],
  ['§4.3.6', 'post_handshake_auth', 'illegal_parameter', withExtensions(raw(extensionTypes.post_handshake_auth))],
  [
    'RFC 7301 §3.2',
    'a protocol that was not offered',
    'illegal_parameter',
    withExtensions({ alpn: 'spdy' }, { alpnProtocols: ['h2', 'http/1.1'] }),
  ],
  [
    'RFC 7301 §3.1',
    'two protocols',
    'illegal_parameter',
    withExtensions(raw(16, 0, 6, 2, 0x68, 0x32, 2, 0x68, 0x33), { alpnProtocols: ['h2', 'h3'] }),
  ],
  [
    'RFC 6066 §3',
    'a server_name that is not empty',
    'decode_error',
    withExtensions(raw(extensionTypes.server_name, 0), { serverName: 'example.test' }),
  ],
];

const authentication: readonly Case[] = [
  [
    '§4.4.2',
    'a CertificateRequest without signature_algorithms',
    'missing_extension',
    () => certificateStep((server) => server.certificateRequest({ extensions: {} })),
  ],
  [
    '§4.4.2',
    'a CertificateRequest with a context',
    'illegal_parameter',
    () => certificateStep((server) => server.certificateRequest({ certificateRequestContext: Uint8Array.of(1) })),
  ],
  [
    '§4.3',
    'a CertificateRequest with key_share',
    'illegal_parameter',
    () =>
      certificateStep((server) =>
        server.certificateRequest({ extensions: { signatureAlgorithms: [0x0807], ...raw(extensionTypes.key_share) } }),
      ),
  ],
  [
    '§4.4.2',
    'a CertificateRequest when a PSK authenticates',
    'unexpected_message',
    () => {
      const { client, server } = untilEncryptedExtensions(resuming, { psk: session.psk });
      client.receive(server.encryptedExtensions());
      return client.alertFor(server.certificateRequest());
    },
  ],
  [
    '§4.4.2',
    'two CertificateRequests',
    'unexpected_message',
    () => {
      const { client, server } = untilCertificate();
      client.receive(server.certificateRequest());
      return client.alertFor(server.certificateRequest());
    },
  ],
  [
    '§4.5.1.3',
    'an empty Certificate',
    'decode_error',
    () => certificateStep((server) => server.certificate({ certificateList: [] })),
  ],
  [
    '§4.5.1',
    'a Certificate with a context',
    'illegal_parameter',
    () => certificateStep((server) => server.certificate({ certificateRequestContext: Uint8Array.of(1) })),
  ],
  ['§4.3', 'an unknown extension of a certificate', 'unsupported_extension', () => entryExtensions(unknownExtension())],
  [
    '§4.5.1',
    'a signed_certificate_timestamp that was not asked for',
    'unsupported_extension',
    () => entryExtensions({ signedCertificateTimestamp: Uint8Array.of(0, 0) }),
  ],
  ['§4.3', 'server_name of a certificate', 'illegal_parameter', () => entryExtensions(raw(extensionTypes.server_name))],
  [
    '§4.5.1.1',
    'a status_request that is not OCSP',
    'bad_certificate_status_response',
    () => entryExtensions({ statusRequest: Uint8Array.of(2, 0, 0, 1, 9) }),
  ],
  [
    '§4.5.1.1',
    'a status_request cut short',
    'decode_error',
    () => entryExtensions({ statusRequest: Uint8Array.of(1, 0, 0) }),
  ],
  [
    '§6.2',
    'a certificate that is none',
    'bad_certificate',
    () =>
      certificateStep((server) =>
        server.certificate({ certificateList: [{ certData: new Uint8Array(40), extensions: {} }] }),
      ),
  ],
  [
    '§4.5.1.2',
    'a key that suits no scheme offered',
    'unsupported_certificate',
    () => certificateStep((server) => server.certificate(), { signatureSchemes: ['ecdsa_secp256r1_sha256'] }),
  ],
  ['§4.5.2', 'a wrong signature', 'decrypt_error', () => verifyStep({ signature: new Uint8Array(64) })],
  ['§4.5.2', 'a scheme not offered', 'illegal_parameter', () => verifyStep({ algorithm: 0x0808 })],
  [
    '§4.5.2',
    'rsa_pkcs1_sha256',
    'illegal_parameter',
    () => verifyStep({ algorithm: signatureSchemes.rsa_pkcs1_sha256 }),
  ],
  ['§4.5.2', 'rsa_pkcs1_sha1', 'illegal_parameter', () => verifyStep({ algorithm: 0x0201 })],
  ['§4.5.2', 'ecdsa_sha1', 'illegal_parameter', () => verifyStep({ algorithm: 0x0203 })],
  [
    '§4.5.2',
    'a scheme that does not suit the key',
    'illegal_parameter',
    () => verifyStep({ algorithm: signatureSchemes.ecdsa_secp256r1_sha256 }),
  ],
  [
    '§4.5.3',
    'a wrong Finished',
    'decrypt_error',
    () => finishedStep((right) => right.map((byte, at) => (at === 9 ? byte ^ 1 : byte))),
  ],
  ['§4.5.3', 'a Finished cut short', 'decode_error', () => finishedStep((right) => right.subarray(1))],
  ['§4.5.3', 'an empty Finished', 'decode_error', () => finishedStep(() => new Uint8Array(0))],
];

const afterwards: readonly Case[] = [
  [
    '§4.7.2',
    'a CertificateRequest without post_handshake_auth',
    'unexpected_message',
    () => {
      const { client, server } = untilConnected();
      return client.alertFor(server.certificateRequest({ certificateRequestContext: Uint8Array.of(1) }));
    },
  ],
  [
    '§4.7.3',
    'a KeyUpdate with another value',
    'illegal_parameter',
    () => untilConnected().client.alertFor(encodeHandshake(handshakeTypes.key_update, Uint8Array.of(2))),
  ],
  [
    '§4.7.3',
    'a KeyUpdate with more than a value',
    'decode_error',
    () => untilConnected().client.alertFor(encodeHandshake(handshakeTypes.key_update, Uint8Array.of(0, 0))),
  ],
  ['§4.7.3', 'a KeyUpdate before Finished', 'unexpected_message', () => untilFinished().client.alertFor(keyUpdate())],
  [
    '§4.7.1',
    'a ticket before Finished',
    'unexpected_message',
    () => untilFinished().client.alertFor(newSessionTicket()),
  ],
  [
    '§4.7.1',
    'an empty ticket',
    'decode_error',
    () => {
      const body = Uint8Array.of(0, 0, 0, 9, 0, 0, 0, 0, 0, 0, 0, 0, 0);
      return untilConnected().client.alertFor(encodeHandshake(handshakeTypes.new_session_ticket, body));
    },
  ],
  [
    'limits.tickets',
    'more tickets than the limit',
    'unexpected_message',
    () => {
      const { client } = untilConnected({ limits: { tickets: 2 } });
      client.receive(newSessionTicket()).receive(newSessionTicket());
      return client.alertFor(newSessionTicket());
    },
  ],
  [
    '§4',
    'a ServerHello after the handshake',
    'unexpected_message',
    () => {
      const { client } = untilConnected();
      const other = untilServerHello();
      return client.alertFor(other.server.serverHello());
    },
  ],
];

describe.each([
  ['ServerHello', serverHello],
  ['HelloRetryRequest', retry],
  ['EncryptedExtensions', encryptedExtensions],
  ['authentication', authentication],
  ['after the handshake', afterwards],
])('what a client refuses: %s', (_message, cases) => {
  it.each(cases)('%s: %s is %s', (_section, _what, alert, run) => {
    expect(run()).toBe(alert);
  });
});

describe('a message out of order is unexpected_message (§4)', () => {
  const states = {
    WAIT_SH: () => new TestClient(),
    WAIT_SH_AFTER_HRR: () => {
      const { client, server } = untilServerHello();
      return client.receive(server.helloRetryRequest());
    },
    WAIT_EE: () => untilEncryptedExtensions().client,
    WAIT_CERT_CR: () => untilCertificate().client,
    WAIT_CERT: () => {
      const { client, server } = untilCertificate();
      return client.receive(server.certificateRequest());
    },
    WAIT_CV: () => untilCertificateVerify().client,
    WAIT_FINISHED: () => untilFinished().client,
    CONNECTED: () => untilConnected().client,
  };
  const expected: Readonly<Record<string, readonly string[]>> = {
    WAIT_SH: ['server_hello'],
    WAIT_SH_AFTER_HRR: ['server_hello'],
    WAIT_EE: ['encrypted_extensions'],
    WAIT_CERT_CR: ['certificate_request', 'certificate'],
    WAIT_CERT: ['certificate'],
    WAIT_CV: ['certificate_verify'],
    WAIT_FINISHED: ['finished'],
    CONNECTED: ['new_session_ticket', 'key_update'],
  };

  it.each(Object.entries(states))('%s', (name, enter) => {
    const client = enter();
    expect(client.state.name).toBe(name);
    for (const [type, code] of Object.entries(handshakeTypes)) {
      if (expected[name]?.includes(type)) continue;
      expect(client.alertFor(encodeHandshake(code, new Uint8Array(0))), `${type} in ${name}`).toBe(
        'unexpected_message',
      );
    }
  });
});

function hello(changes: object, extensions?: object): () => string {
  return () => {
    const { client, server } = untilServerHello();
    return client.alertFor(server.serverHello(extensions, changes));
  };
}

function extended(extensions: object): () => string {
  return () => {
    const { client, server } = untilServerHello();
    return client.alertFor(server.serverHello((right) => ({ ...right, ...extensions })));
  };
}

function resumed(change: (right: object) => object): () => string {
  return () => {
    const { client, server } = untilServerHello(resuming, { psk: session.psk });
    return client.alertFor(server.serverHello(change));
  };
}

function retried(extensions?: object, changes?: object): () => string {
  return () => {
    const { client, server } = untilServerHello();
    return client.alertFor(server.helloRetryRequest(extensions, changes));
  };
}

function withExtensions(extensions: object, config: object = {}): () => string {
  return () => {
    const { client, server } = untilEncryptedExtensions(config);
    return client.alertFor(server.encryptedExtensions(extensions));
  };
}

function certificateStep(message: (server: TestServer) => Uint8Array, config: object = {}): string {
  const { client, server } = untilCertificate(config);
  return client.alertFor(message(server));
}

function entryExtensions(extensions: object): string {
  return certificateStep((server) =>
    server.certificate({ certificateList: [{ certData: serverIdentity.certificate, extensions }] }),
  );
}

function verifyStep(changes: object): string {
  const { client, server } = untilCertificateVerify();
  return client.alertFor(server.certificateVerify(changes));
}

function finishedStep(change: (right: Uint8Array) => Uint8Array): string {
  const { client, server } = untilFinished();
  return client.alertFor(server.finished(change));
}

function keyUpdate(): Uint8Array {
  return encodeMessage('key_update', { requestUpdate: 'update_requested' });
}

function raw(type: number, ...data: readonly number[]) {
  return { extra: [{ type, data: Uint8Array.from(data) }] };
}

function ending(sentinel: keyof typeof downgradeSentinels): Uint8Array {
  const random = provider.random(32);
  random.set(downgradeSentinels[sentinel], 24);
  return random;
}
