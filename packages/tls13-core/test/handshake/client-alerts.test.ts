/** Every "MUST abort" from §4.4 on that a client meets: section, what the server does, the alert. */
import { describe, expect, it } from 'vitest';
import type { ClientConfig } from '../../src/config/index.js';
import { extensionTypes, handshakeTypes, signatureSchemes } from '../../src/registry.js';
import { encodeHandshake, encodeMessage } from '../../src/wire/index.js';
import {
  newSessionTicket,
  raw,
  resuming,
  serverIdentity,
  session,
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
    () => entryExtensions({ signedCertificateTimestamp: [Uint8Array.of(0)] }),
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
    'decode_error',
    () =>
      certificateStep((server) =>
        server.certificate({ certificateList: [{ certData: new Uint8Array(40), extensions: {} }] }),
      ),
  ],
  [
    '§4.5.2',
    'a key that suits no scheme offered',
    'illegal_parameter',
    () => verifyStep({}, { signatureSchemes: ['ecdsa_secp256r1_sha256'] }),
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
  ['§4.5.3', 'a Finished cut short', 'decrypt_error', () => finishedStep((right) => right.subarray(1))],
  ['§4.5.3', 'an empty Finished', 'decrypt_error', () => finishedStep(() => new Uint8Array(0))],
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
    WAIT_CERT_CR: ['certificate_request', 'certificate', 'compressed_certificate'],
    WAIT_CERT: ['certificate', 'compressed_certificate'],
    WAIT_CV: ['certificate_verify'],
    WAIT_FINISHED: ['finished'],
    CONNECTED: ['new_session_ticket', 'key_update', 'certificate_request'],
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

function verifyStep(changes: object, config: Partial<ClientConfig> = {}): string {
  const { client, server } = untilCertificateVerify(config);
  return client.alertFor(server.certificateVerify(changes));
}

function finishedStep(change: (right: Uint8Array) => Uint8Array): string {
  const { client, server } = untilFinished();
  return client.alertFor(server.finished(change));
}

function keyUpdate(): Uint8Array {
  return encodeMessage('key_update', { requestUpdate: 'update_requested' });
}
