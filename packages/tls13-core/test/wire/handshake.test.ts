/** Handshake messages and alerts: exact bytes, and what a message keeps. */
import { describe, expect, it } from 'vitest';
import { alertDescriptions } from '../../src/alert.js';
import {
  type ClientHelloToSend,
  decodeAlert,
  decodeCertificateStatus,
  decodeHandshake,
  downgradeSentinel,
  encodeAlert,
  encodeCertificateStatus,
  encodeHandshake,
  encodeMessage,
  fillBinders,
  type HandshakeMessage,
  type HandshakeMessageType,
  handshakeLength,
  helloRetryRequestRandom,
  truncateClientHello,
} from '../../src/wire/index.js';
import { alertOf, bytes, hex } from './support.js';

function decodeAs<Type extends HandshakeMessageType>(
  type: Type,
  received: Uint8Array,
): Extract<HandshakeMessage, { readonly type: Type }> {
  const message = decodeHandshake(received);
  if (!isOfType(message, type)) throw new TypeError(`${message.type} where ${type} was expected`);
  return message;
}

function isOfType<Type extends HandshakeMessageType>(
  message: HandshakeMessage,
  type: Type,
): message is Extract<HandshakeMessage, { readonly type: Type }> {
  return message.type === type;
}

const random = bytes(32, 0x11);
const clientHello: ClientHelloToSend = {
  legacyVersion: 0x0303,
  random,
  legacySessionId: hex('aabb'),
  cipherSuites: [0x1301, 0x0a0a],
  legacyCompressionMethods: hex('00'),
  extensions: { supportedVersions: [0x0304] },
};
const clientHelloBytes = hex(`
  01 000036
  0303 ${'11'.repeat(32)} 02 aabb 0004 1301 0a0a 01 00
  0007 002b 0003 02 0304
`);

describe('the Handshake structure (§4)', () => {
  const exact: readonly (readonly [HandshakeMessageType, Uint8Array, Uint8Array])[] = [
    ['client_hello', encodeMessage('client_hello', clientHello), clientHelloBytes],
    [
      'server_hello',
      encodeMessage('server_hello', {
        legacyVersion: 0x0303,
        random,
        legacySessionIdEcho: hex(''),
        cipherSuite: 0x1303,
        legacyCompressionMethod: 0,
        extensions: { supportedVersions: 0x0304, keyShare: { group: 0x001d, keyExchange: hex('ccdd') } },
      }),
      hex(`02 000038 0303 ${'11'.repeat(32)} 00 1303 00 0010 002b 0002 0304 0033 0006 001d 0002 ccdd`),
    ],
    [
      'hello_retry_request',
      encodeMessage('hello_retry_request', {
        legacyVersion: 0x0303,
        random: helloRetryRequestRandom,
        legacySessionIdEcho: hex('aa'),
        cipherSuite: 0x1301,
        legacyCompressionMethod: 0,
        extensions: { supportedVersions: 0x0304, keyShare: 0x001d, cookie: hex('ee') },
      }),
      hex(`02 00003c 0303 cf21ad74e59a6111be1d8c021e65b891c2a211167abb8c5e079e09e2c8a8339c 01 aa 1301 00
        0013 002b 0002 0304 0033 0002 001d 002c 0003 0001 ee`),
    ],
    [
      'encrypted_extensions',
      encodeMessage('encrypted_extensions', { extensions: { alpn: 'h2', serverName: true } }),
      hex('08 00000f 000d 0000 0000 0010 0005 0003 02 6832'),
    ],
    [
      'certificate_request',
      encodeMessage('certificate_request', {
        certificateRequestContext: hex('01'),
        extensions: { signatureAlgorithms: [0x0403] },
      }),
      hex('0d 00000c 01 01 0008 000d 0004 0002 0403'),
    ],
    [
      'certificate',
      encodeMessage('certificate', {
        certificateRequestContext: hex(''),
        certificateList: [
          { certData: hex('aabb'), extensions: { statusRequest: hex('cc') } },
          { certData: hex('dd'), extensions: {} },
        ],
      }),
      hex('0b 000016 00 000012 000002 aabb 0005 0005 0001 cc 000001 dd 0000'),
    ],
    [
      'certificate_verify',
      encodeMessage('certificate_verify', { algorithm: 0x0807, signature: hex('aa') }),
      hex('0f 000005 0807 0001 aa'),
    ],
    ['finished', encodeMessage('finished', { verifyData: bytes(32) }), hex(`14 000020 ${'5a'.repeat(32)}`)],
    ['end_of_early_data', encodeMessage('end_of_early_data', {}), hex('05 000000')],
    [
      'new_session_ticket',
      encodeMessage('new_session_ticket', {
        ticketLifetime: 7_200,
        ticketAgeAdd: 0xfedcba98,
        ticketNonce: hex('00'),
        ticket: hex('aabb'),
        extensions: { earlyData: 16_384 },
      }),
      hex('04 000018 00001c20 fedcba98 01 00 0002 aabb 0008 002a 0004 00004000'),
    ],
    ['key_update', encodeMessage('key_update', { requestUpdate: 'update_requested' }), hex('18 000001 01')],
  ];

  it.each(exact)('%s stands on the wire as the RFC says', (_type, encoded, expected) => {
    expect(encoded).toEqual(expected);
  });

  it.each(exact)('%s is read back, with its bytes', (type, _encoded, received) => {
    const message = decodeHandshake(received);
    expect(message.type).toBe(type);
    expect(message.bytes).toBe(received);
    expect(handshakeLength(received)).toBe(received.length);
  });

  it.each(exact)('%s cut anywhere, or with a byte behind it, is a decode_error', (type, _encoded, received) => {
    for (let length = 0; length < received.length; length++) {
      expect(alertOf(() => decodeHandshake(received.subarray(0, length)))).toBe('decode_error');
    }
    // The same with the header telling the truth about it. Any length is a Finished while the hash is not known, and
    // a hello may end before its extensions.
    if (type === 'finished') return;
    const body = received.subarray(4);
    const code = received[0] ?? 0;
    const withoutExtensions = { client_hello: 0x36 - 9, server_hello: 0x38 - 18 }[String(type)];
    for (let length = 0; length < body.length; length++) {
      if (length === withoutExtensions) continue;
      const cut = encodeHandshake(code, body.subarray(0, length));
      expect([length, alertOf(() => decodeHandshake(cut))]).toEqual([length, 'decode_error']);
    }
    const longer = encodeHandshake(code, Uint8Array.of(...body, 0));
    expect(alertOf(() => decodeHandshake(longer))).toBe('decode_error');
  });

  it.each([0, 3, 6, 12, 14, 16, 22, 254, 255])('type %d is an unexpected_message', (type) => {
    expect(alertOf(() => decodeHandshake(encodeHandshake(type, hex('aa'))))).toBe('unexpected_message');
  });

  it('knows the length of a message from its header on', () => {
    expect(handshakeLength(hex('0b0100'))).toBeUndefined();
    expect(handshakeLength(hex('0b010203'))).toBe(4 + 0x010203);
  });

  it('makes the message_hash of §4.1', () => {
    expect(encodeHandshake(254, bytes(32))).toEqual(hex(`fe 000020 ${'5a'.repeat(32)}`));
  });
});

describe('ClientHello (§4.2.2)', () => {
  it('reads every field as it stands', () => {
    const { body } = decodeAs('client_hello', clientHelloBytes);
    const { extensions, ...fields } = body;
    expect(fields).toEqual({
      legacyVersion: 0x0303,
      random,
      legacySessionId: hex('aabb'),
      cipherSuites: [0x1301, 0x0a0a],
      legacyCompressionMethods: hex('00'),
    });
    expect(extensions.supportedVersions).toEqual([0x0304]);
    expect(extensions.types).toEqual([43]);
  });

  it.each([
    ['no extensions at all', ''],
    ['an empty block', '0000'],
    ['a block too small for supported_versions', '0004 0017 0000'],
  ])('of an earlier version, with %s, is read so that it can be refused', (_what, extensions) => {
    const body = hex(`0303 ${'11'.repeat(32)} 00 0002 002f 02 01 00 ${extensions}`);
    const hello = decodeAs('client_hello', encodeHandshake(1, body)).body;
    expect(hello.extensions.supportedVersions).toBeUndefined();
    expect(hello.extensions.types).toEqual(extensions.length > 4 ? [0x17] : []);
  });

  it.each([
    ['a session id of 33 bytes', `21 ${'00'.repeat(33)} 0002 1301 01 00`],
    ['no cipher suites', '00 0000 01 00'],
    ['half a cipher suite', '00 0003 130100 01 00'],
    ['no compression method', '00 0002 1301 00'],
  ])('with %s is a decode_error', (_what, fields) => {
    const body = hex(`0303 ${'11'.repeat(32)} ${fields} 0007 002b 0003 02 0304`);
    expect(alertOf(() => decodeHandshake(encodeHandshake(1, body)))).toBe('decode_error');
  });

  it('refuses to be written outside its bounds', () => {
    const wrong: readonly Partial<ClientHelloToSend>[] = [
      { random: bytes(31) },
      { legacySessionId: bytes(33) },
      { cipherSuites: [] },
      { cipherSuites: [65_536] },
      { legacyCompressionMethods: bytes(0) },
      { extensions: {} },
    ];
    for (const fields of wrong) {
      expect(() => encodeMessage('client_hello', { ...clientHello, ...fields })).toThrow(RangeError);
    }
  });
});

describe('PSK binders (§4.3.11.2)', () => {
  const identities = [
    { identity: hex('aabbcc'), obfuscatedTicketAge: 0x80000001 },
    { identity: hex('dd'), obfuscatedTicketAge: 0 },
  ];
  const withBinders = (binders: readonly Uint8Array[]) =>
    encodeMessage('client_hello', {
      ...clientHello,
      extensions: { ...clientHello.extensions, preSharedKey: { identities, binders } },
    });

  it('are what truncation removes, and all of it', () => {
    const binders = [bytes(32, 1), bytes(48, 2)];
    const message = withBinders(binders);
    const truncated = truncateClientHello(message, binders);
    expect(message.subarray(truncated.length)).toEqual(hex(`0052 20 ${'01'.repeat(32)} 30 ${'02'.repeat(48)}`));
    expect(truncated.subarray(-5)).toEqual(hex('dd 00000000'));
    const read = decodeAs('client_hello', message);
    expect(truncateClientHello(read.bytes, read.body.extensions.preSharedKey?.binders ?? [])).toEqual(truncated);
  });

  it('can be filled in once the rest is hashed', () => {
    const binders = [bytes(32, 1), bytes(48, 2)];
    const message = withBinders([bytes(32, 0), bytes(48, 0)]);
    fillBinders(message, binders);
    expect(message).toEqual(withBinders(binders));
  });

  it('must fill exactly the place left for them', () => {
    const message = withBinders([bytes(32, 0), bytes(48, 0)]);
    expect(() => fillBinders(message, [bytes(48, 1), bytes(32, 2)])).toThrow(RangeError);
    expect(message).toEqual(withBinders([bytes(32, 0), bytes(48, 0)]));
  });
});

describe('ServerHello (§4.2.3)', () => {
  it('of an earlier version is read so that it can be refused', () => {
    const body = hex(`0303 ${'11'.repeat(24)} 444f574e47524401 00 002f 00`);
    const hello = decodeAs('server_hello', encodeHandshake(2, body)).body;
    expect(hello.extensions.types).toEqual([]);
    expect(downgradeSentinel(hello.random)).toBe('tls12');
    expect(downgradeSentinel(hex(`${'11'.repeat(24)} 444f574e47524400`))).toBe('tls11');
    expect(downgradeSentinel(random)).toBeUndefined();
  });
});

describe('other messages', () => {
  it('takes a Finished of the hash length only, once that is known (§4.5.3)', () => {
    const message = encodeMessage('finished', { verifyData: bytes(32) });
    expect(decodeHandshake(message, { hashLength: 32 }).type).toBe('finished');
    expect(alertOf(() => decodeHandshake(message, { hashLength: 48 }))).toBe('decode_error');
    expect(alertOf(() => decodeHandshake(hex('14 000000'), { hashLength: 32 }))).toBe('decode_error');
  });

  it('takes no KeyUpdateRequest but the two of §4.7.3', () => {
    expect(decodeAs('key_update', hex('18 000001 00')).body.requestUpdate).toBe('update_not_requested');
    expect(alertOf(() => decodeHandshake(hex('18 000001 02')))).toBe('illegal_parameter');
    expect(alertOf(() => decodeHandshake(hex('18 000000')))).toBe('decode_error');
  });

  it('takes no empty certificate, ticket, or body of an EndOfEarlyData', () => {
    for (const received of [
      '0b 000009 00 000005 000000 0000',
      '04 00000d 00000000 00000000 00 0000 0000',
      '05 000001 00',
    ]) {
      expect(alertOf(() => decodeHandshake(hex(received)))).toBe('decode_error');
    }
  });

  it('reads the OCSP response out of a status_request (RFC 6066 §8)', () => {
    const status = { statusType: 1, response: hex('aabb') };
    expect(encodeCertificateStatus(status)).toEqual(hex('01 000002 aabb'));
    expect(decodeCertificateStatus(hex('01 000002 aabb'))).toEqual(status);
    expect(alertOf(() => decodeCertificateStatus(hex('01 000000')))).toBe('decode_error');
  });
});

describe('alerts (§6)', () => {
  it('are two bytes', () => {
    expect(decodeAlert(hex('02 28'))).toEqual({ level: 2, description: 40, name: 'handshake_failure' });
    expect(decodeAlert(hex('01 fe'))).toEqual({ level: 1, description: 254, name: undefined });
    for (const received of ['', '02', '02 28 00', '0228 0228']) {
      expect(alertOf(() => decodeAlert(hex(received)))).toBe('decode_error');
    }
  });

  it('names every alert that it can write', () => {
    for (const [alert, description] of Object.entries(alertDescriptions)) {
      expect(decodeAlert(Uint8Array.of(2, description)).name).toBe(alert);
    }
  });

  it('go out as warnings only to close', () => {
    expect(encodeAlert('close_notify')).toEqual(hex('01 00'));
    expect(encodeAlert('user_canceled')).toEqual(hex('01 5a'));
    expect(encodeAlert('bad_record_mac')).toEqual(hex('02 14'));
  });
});
