/** Alert table, from EncryptedExtensions to NewSessionTicket, both roles: §4.3, §4.4, §4.5, §4.7. */
import { generateKeyPairSync } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { type AlertName, TlsError } from '../../src/alert.js';
import { nobleProvider as provider } from '../../src/crypto/noble.js';
import { extensionTypes } from '../../src/registry.js';
import type { MessageBodiesToSend } from '../../src/wire/index.js';
import { certificateFor, identity, keyUsage } from './support/certificates.js';
import { type Change, extra, withBody, withExtensions, without, withTrailingByte } from './support/hand.js';
import { HandClient } from './support/hand-client.js';
import { HandServer } from './support/hand-server.js';

type Extra = { readonly extra: readonly { readonly type: number; readonly data: Uint8Array }[] };

const serverName = 'example.test';
const offering = { serverName, alpnProtocols: ['h2', 'http/1.1'] } as const;

interface Case<Type extends keyof MessageBodiesToSend> {
  readonly what: string;
  readonly alert: AlertName;
  readonly change: Change<Type>;
}

/** Extensions with a body that would be right in the message they belong to. */
const elsewhere = (names: readonly (keyof typeof extensionTypes)[]): readonly (readonly [string, Extra])[] =>
  names.map((name) => [name, extra(extensionTypes[name], 0, 0)]);

describe('§4.4.1 EncryptedExtensions are refused', () => {
  const cases: readonly Case<'encrypted_extensions'>[] = [
    ...elsewhere([
      ...(['key_share', 'supported_versions', 'pre_shared_key', 'cookie', 'psk_key_exchange_modes'] as const),
      ...(['signature_algorithms', 'signature_algorithms_cert', 'certificate_authorities', 'oid_filters'] as const),
      ...(['post_handshake_auth', 'status_request', 'signed_certificate_timestamp', 'padding'] as const),
    ]).map(([name, extensions]) => ({
      what: `§4.4.1 ${name}, which is forbidden there`,
      alert: 'illegal_parameter' as const,
      change: () => ({ extensions }),
    })),
    {
      what: '§4.3 an extension that nobody knows and nobody asked for',
      alert: 'unsupported_extension',
      change: () => ({ extensions: extra(0xfafa) }),
    },
    {
      what: '§4.3 early_data, which was not offered',
      alert: 'unsupported_extension',
      change: () => ({ extensions: { earlyData: true } }),
    },
    {
      what: '§4.3 record_size_limit, which was not offered',
      alert: 'unsupported_extension',
      change: () => ({ extensions: { recordSizeLimit: 1024 } }),
    },
    {
      what: 'RFC 7301 §3.1 a protocol that was not offered',
      alert: 'illegal_parameter',
      change: () => ({ extensions: { alpn: 'h3' } }),
    },
    {
      what: 'RFC 7301 §3.1 two protocols',
      alert: 'illegal_parameter',
      change: () => ({ extensions: extra(16, 0, 6, 2, 104, 50, 2, 104, 51) }),
    },
    {
      what: '§4.3 server_name with content',
      alert: 'decode_error',
      change: () => withExtensions('encrypted_extensions', { extensions: { serverName: true } }, withTrailingByte(0)),
    },
    {
      what: '§4.3 the same extension twice',
      alert: 'decode_error',
      change: () => ({ extensions: { serverName: true, ...extra(0) } }),
    },
    { what: '§6.2 nothing at all', alert: 'decode_error', change: () => new Uint8Array(0) },
    { what: '§6.2 a block longer than the message', alert: 'decode_error', change: () => Uint8Array.of(0, 1) },
    { what: '§6.2 a byte behind it', alert: 'decode_error', change: () => Uint8Array.of(0, 0, 0) },
  ];

  for (const { what, alert, change } of cases) {
    it(`${what}: ${alert}`, () => {
      new HandServer(provider, offering).serverHello().encryptedExtensions(change).expectRefusal(alert);
    });
  }

  it('§4.3 a protocol although none was offered: unsupported_extension', () => {
    const server = new HandServer(provider, { serverName }).serverHello();
    server.encryptedExtensions(() => ({ extensions: { alpn: 'h2' } })).expectRefusal('unsupported_extension');
  });

  it('what was offered is taken, and supported_groups may come unasked (§4.3.7)', () => {
    const server = new HandServer(provider, offering).serverHello();
    server.encryptedExtensions(() => ({ extensions: { alpn: 'h2', serverName: true, supportedGroups: [0x001d] } }));
    server.certificate().certificateVerify().finished();
    expect(server.end.engine.info?.alpnProtocol).toBe('h2');
  });
});

describe('§4.4.2 a CertificateRequest is refused', () => {
  const context = Uint8Array.of(1);
  const cases: readonly Case<'certificate_request'>[] = [
    {
      what: '§4.4.2 a context in the handshake',
      alert: 'illegal_parameter',
      change: (right) => ({ ...right, certificateRequestContext: context }),
    },
    {
      what: '§4.4.2 no signature_algorithms',
      alert: 'missing_extension',
      change: (right) => withExtensions('certificate_request', right, without(extensionTypes.signature_algorithms)),
    },
    ...elsewhere([
      ...(['key_share', 'supported_versions', 'pre_shared_key', 'cookie', 'psk_key_exchange_modes'] as const),
      ...(['application_layer_protocol_negotiation', 'supported_groups', 'early_data'] as const),
    ]).map(([name, extensions]) => ({
      what: `§4.3 ${name}, which belongs elsewhere`,
      alert: 'illegal_parameter' as const,
      change: (right: MessageBodiesToSend['certificate_request']) => ({
        ...right,
        extensions: { ...right.extensions, ...extensions },
      }),
    })),
    {
      what: '§4.3 trailing data in signature_algorithms',
      alert: 'decode_error',
      change: (right) =>
        withExtensions('certificate_request', right, withTrailingByte(extensionTypes.signature_algorithms)),
    },
    {
      what: '§6.2 no scheme at all',
      alert: 'decode_error',
      change: (right) =>
        withExtensions(
          'certificate_request',
          right,
          withBody(extensionTypes.signature_algorithms, () => [0, 0]),
        ),
    },
    { what: '§6.2 nothing at all', alert: 'decode_error', change: () => new Uint8Array(0) },
  ];

  for (const { what, alert, change } of cases) {
    it(`${what}: ${alert}`, () => {
      new HandServer(provider).through('encrypted_extensions').certificateRequest(change).expectRefusal(alert);
    });
  }

  it('extensions that nobody knows are passed over', () => {
    const server = new HandServer(provider).through('encrypted_extensions');
    server.certificateRequest((right) => ({ ...right, extensions: { ...right.extensions, ...extra(0xfafa, 1) } }));
    expect(server.certificate().certificateVerify().finished().end.engine.state).toBe('connected');
  });
});

/** A peer whose next message is its Certificate. */
const beforeCertificate = {
  server: () => new HandServer(provider).through('encrypted_extensions'),
  client: () => new HandClient(provider, { clientAuthentication: 'request' }).clientHello(),
} as const;

const roles = ['server', 'client'] as const;

describe.each(roles)('§4.5.1 the Certificate of a %s is refused', (role) => {
  const cases: readonly Case<'certificate'>[] = [
    {
      what: '§4.5.1 a context in the handshake',
      alert: 'illegal_parameter',
      change: (right) => ({ ...right, certificateRequestContext: Uint8Array.of(1) }),
    },
    {
      what: '§6.2 an entry of no bytes',
      alert: 'decode_error',
      change: () => Uint8Array.of(0, 0, 0, 5, 0, 0, 0, 0, 0),
    },
    {
      what: '§6.2 a byte behind the list',
      alert: 'decode_error',
      change: (right) => Uint8Array.of(...withExtensions('certificate', right, (all) => all), 0),
    },
    { what: '§6.2 nothing at all', alert: 'decode_error', change: () => new Uint8Array(0) },
    {
      what: '§4.3 an extension that nobody asked for',
      alert: 'unsupported_extension',
      change: (right) => entry(right, undefined, extra(0xfafa)),
    },
    {
      what: '§4.3 server_name, which belongs elsewhere',
      alert: 'illegal_parameter',
      change: (right) => entry(right, undefined, extra(extensionTypes.server_name)),
    },
    {
      what: '§6.2 a certificate that is not DER',
      alert: 'decode_error',
      change: (right) => entry(right, Uint8Array.of(1, 2, 3)),
    },
    {
      what: '§6.2 a certificate cut short',
      alert: 'decode_error',
      change: (right) => entry(right, identity('ed25519').certificate.subarray(0, 100)),
    },
    {
      what: '§4.5.1.2 a key of a curve that TLS 1.3 does not sign with',
      alert: 'unsupported_certificate',
      change: (right) => entry(right, certificateFor(generateKeyPairSync('ec', { namedCurve: 'secp256k1' }).publicKey)),
    },
    {
      what: '§4.5.1.2 a Key Usage without digitalSignature',
      alert: 'unsupported_certificate',
      change: (right) => entry(right, certificateFor(generateKeyPairSync('ed25519').publicKey, keyUsage(0x20))),
    },
    {
      what: '§4.5.1.2 a key that cannot sign',
      alert: 'unsupported_certificate',
      change: (right) => entry(right, certificateFor(generateKeyPairSync('x25519').publicKey)),
    },
  ];

  for (const { what, alert, change } of cases) {
    it(`${what}: ${alert}`, () => beforeCertificate[role]().certificate(change).expectRefusal(alert));
  }
});

describe('§4.5.1.3 receiving a Certificate', () => {
  const nobody: Change<'certificate'> = (right) => ({ ...right, certificateList: [] });

  it('a server without a certificate: decode_error', () => {
    beforeCertificate.server().certificate(nobody).expectRefusal('decode_error');
  });

  it('a client without a certificate where one is required: certificate_required', () => {
    const client = new HandClient(provider, { clientAuthentication: 'require' }).clientHello();
    client.certificate(nobody).expectRefusal('certificate_required');
  });

  it('a client without a certificate where one is only requested goes on, without CertificateVerify', () => {
    const client = beforeCertificate.client().certificate(nobody).finished();
    expect(client.end.engine.info?.peerCertificates).toEqual([]);
    beforeCertificate.client().certificate(nobody).certificateVerify().expectRefusal('unexpected_message');
  });

  const verdicts = [
    'bad_certificate',
    'certificate_expired',
    'certificate_revoked',
    'unknown_ca',
    'access_denied',
  ] as const;

  it.each(verdicts)('§6.2 what verifyPeer refuses is answered with its alert: %s', (alert) => {
    const verifyPeer = () => {
      throw new TlsError(alert, 'not this one');
    };
    const server = new HandServer(provider, { verifyPeer }).through('certificate_verify');
    server.expectRefusal(alert);
    const client = new HandClient(provider, { verifyPeer, clientAuthentication: 'require' }).clientHello();
    client.certificate().certificateVerify().expectRefusal(alert);
  });

  it('§4.5.1.1 a stapled status of another type than was asked for: bad_certificate_status_response', () => {
    const status: Change<'certificate'> = (right) =>
      entry(right, undefined, { statusRequest: Uint8Array.of(2, 0, 0, 1, 0) });
    beforeCertificate.server().certificate(status).expectRefusal('bad_certificate_status_response');
  });

  it('§4.5.1.1 a stapled status that is cut short: decode_error', () => {
    const status: Change<'certificate'> = (right) =>
      entry(right, undefined, { statusRequest: Uint8Array.of(1, 0, 0, 9, 0) });
    beforeCertificate.server().certificate(status).expectRefusal('decode_error');
  });
});

describe('§4.7.1 a NewSessionTicket is refused', () => {
  type Ticket = MessageBodiesToSend['new_session_ticket'];
  const cases: readonly Case<'new_session_ticket'>[] = [
    ...elsewhere(['key_share', 'supported_versions', 'pre_shared_key', 'server_name', 'status_request']).map(
      ([name, extensions]) => ({
        what: `§4.3 ${name}, which belongs elsewhere`,
        alert: 'illegal_parameter' as const,
        change: (right: Ticket) => ({ ...right, extensions }),
      }),
    ),
    {
      what: '§4.3 trailing data in early_data',
      alert: 'decode_error',
      change: (right) =>
        withExtensions('new_session_ticket', { ...right, extensions: { earlyData: 1 } }, withTrailingByte(42)),
    },
    {
      what: '§6.2 a ticket of no bytes',
      alert: 'decode_error',
      change: () => Uint8Array.of(...new Uint8Array(8), 0, 0, 0, 0, 0),
    },
    { what: '§6.2 nothing at all', alert: 'decode_error', change: () => new Uint8Array(0) },
  ];

  for (const { what, alert, change } of cases) {
    it(`${what}: ${alert}`, () =>
      new HandServer(provider).through('finished').newSessionTicket(change).expectEnd(alert));
  }

  it('extensions that nobody knows are passed over', () => {
    const server = new HandServer(provider).through('finished');
    server.newSessionTicket((right) => ({ ...right, extensions: extra(0xfafa, 1) }));
    expect(server.end.of('ticket')).toHaveLength(1);
  });
});

function entry(
  right: MessageBodiesToSend['certificate'],
  certData?: Uint8Array,
  extensions: MessageBodiesToSend['certificate']['certificateList'][number]['extensions'] = {},
): MessageBodiesToSend['certificate'] {
  const [first] = right.certificateList;
  const certificate = certData ?? first?.certData ?? new Uint8Array(0);
  return { ...right, certificateList: [{ certData: certificate, extensions }] };
}
