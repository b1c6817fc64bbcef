/** Extension blocks: the table and the rules of §4.3, and the bounds of each body. */
import { describe, expect, it } from 'vitest';
import { type ExtensionName, extensionTypes } from '../../src/registry.js';
import { type Codec, decode, encode } from '../../src/wire/codec.js';
import * as blocks from '../../src/wire/extensions.js';
import { alertOf, bytes, hex } from './support.js';

const messages = {
  CH: blocks.clientHelloExtensions,
  SH: blocks.serverHelloExtensions,
  HRR: blocks.helloRetryRequestExtensions,
  EE: blocks.encryptedExtensionsExtensions,
  CR: blocks.certificateRequestExtensions,
  CT: blocks.certificateExtensions,
  NST: blocks.newSessionTicketExtensions,
} as const;
type Message = keyof typeof messages;

const supportedVersionsBody = { CH: '02 0304', SH: '0304', HRR: '0304' } as const;

/** A block of extensions given as type and hexadecimal body. */
function blockOf(...extensions: readonly (readonly [number, string])[]): Uint8Array {
  const list = extensions.flatMap(([type, body]) => {
    const data = hex(body);
    return [type >> 8, type & 255, data.length >> 8, data.length & 255, ...data];
  });
  return Uint8Array.of(list.length >> 8, list.length & 255, ...list);
}

/** The outcome of one extension in a message, beside a supported_versions where the message needs one. */
function outcome(message: Message, name: ExtensionName | number, body: string): string | undefined {
  const type = typeof name === 'number' ? name : extensionTypes[name];
  const others: [number, string][] =
    (message === 'CH' || message === 'SH' || message === 'HRR') && name !== 'supported_versions'
      ? [[extensionTypes.supported_versions, supportedVersionsBody[message]]]
      : [];
  const codec: Codec<unknown, never> = messages[message];
  return alertOf(() => decode(codec, blockOf(...others, [type, body]), message));
}

const share = '001d 0001 aa';
const psk = `0007 0001 aa 00000000 0021 20 ${'bb'.repeat(32)}`;
/** §4.3's table, with a body for each message that a receiver takes. */
const permitted: Readonly<Record<ExtensionName, Partial<Record<Message, string>>>> = {
  server_name: { CH: '0004 00 0001 61', EE: '', CR: '' },
  max_fragment_length: { CH: '01', EE: '01' },
  status_request: { CH: '01 0000 0000', CR: '', CT: '01 000001 aa' },
  supported_groups: { CH: '0002 001d', EE: '0002 001d' },
  signature_algorithms: { CH: '0002 0403', CR: '0002 0403' },
  application_layer_protocol_negotiation: { CH: '0003 02 6832', EE: '0003 02 6832' },
  signed_certificate_timestamp: { CH: '', CR: '', CT: '0003 0001 aa' },
  client_certificate_type: { CH: '01 02', EE: '02' },
  server_certificate_type: { CH: '02 0200', EE: '00' },
  padding: { CH: '0000' },
  compress_certificate: { CH: '02 0002', CR: '02 0002' },
  record_size_limit: { CH: '4001', EE: '0040' },
  delegated_credential: { CH: '0002 0403', CR: '0002 0403', CT: 'aa' },
  pre_shared_key: { CH: psk, SH: '0000' },
  early_data: { CH: '', EE: '', NST: '00004000' },
  supported_versions: { CH: '02 0304', SH: '0304', HRR: '0304' },
  cookie: { CH: '0001 aa', HRR: '0001 aa' },
  psk_key_exchange_modes: { CH: '01 01' },
  certificate_authorities: { CH: '0003 0001 aa', CR: '0003 0001 aa' },
  oid_filters: { CR: '0005 01 aa 0001 bb' },
  post_handshake_auth: { CH: '' },
  signature_algorithms_cert: { CH: '0002 0403', CR: '0002 0403' },
  ech_outer_extensions: {},
  encrypted_client_hello: {
    CH: '00 0001 0001 2a 0001 aa 0001 bb',
    HRR: '0102030405060708',
    EE: '0006 fe0c 0002 aabb',
  },
  tls_flags: { CH: '02 0001', NST: '02 0001' },
  key_share: { CH: `0005 ${share}`, SH: share, HRR: '001d' },
  ticket_request: { CH: '0201', EE: '02' },
};
const names = Object.keys(extensionTypes).filter((name): name is ExtensionName => Object.hasOwn(permitted, name));
const messageNames: readonly Message[] = ['CH', 'SH', 'HRR', 'EE', 'CR', 'CT', 'NST'];

describe('the table of §4.3', () => {
  it('is covered whole here', () => {
    expect(names).toHaveLength(Object.keys(extensionTypes).length);
  });

  for (const name of names) {
    it(`${name} belongs in ${Object.keys(permitted[name]).join(', ')} and nowhere else`, () => {
      for (const message of messageNames) {
        const body = permitted[name][message];
        // What the handshake refuses, which may be told to do so by another alert.
        if (message === 'EE') {
          expect(blocks.misplacedInEncryptedExtensions.has(extensionTypes[name])).toBe(body === undefined);
          if (body === undefined) continue;
        }
        expect([message, outcome(message, name, body ?? '')]).toEqual([
          message,
          body === undefined ? 'illegal_parameter' : undefined,
        ]);
      }
    });
  }

  it('keeps extensions that no table knows, with their bodies, in order of appearance', () => {
    for (const message of messageNames) expect(outcome(message, 0x0a0a, 'ff')).toBeUndefined();
    const read = decode(messages.EE, blockOf([0x1a1a, 'ff'], [0, ''], [0x0a0a, '']), 'EE');
    expect(read.types).toEqual([0x1a1a, 0, 0x0a0a]);
    expect([...read.raw]).toEqual([
      [0x1a1a, hex('ff')],
      [0, hex('')],
      [0x0a0a, hex('')],
    ]);
    expect(read.serverName).toBe(true);
  });

  it('permits each type once, known or not', () => {
    for (const message of messageNames) {
      const codec: Codec<unknown, never> = messages[message];
      const twice = blockOf([0x0a0a, ''], [0x1a1a, ''], [0x0a0a, 'ff']);
      const alert = message === 'CH' || message === 'EE' ? 'decode_error' : 'illegal_parameter';
      expect(alertOf(() => decode(codec, twice, message))).toBe(alert);
    }
    const body = permitted.supported_groups.CH ?? '';
    expect(alertOf(() => decode(messages.CH, blockOf([10, body], [10, body]), 'CH'))).toBe('decode_error');
  });

  it('wants pre_shared_key last in a ClientHello, and anywhere in a ServerHello', () => {
    expect(alertOf(() => decode(messages.CH, blockOf([41, psk], [0x0a0a, '']), 'CH'))).toBe('illegal_parameter');
    expect(decode(messages.SH, blockOf([41, '0001'], [43, '0304']), 'SH').preSharedKey).toBe(1);
  });

  it('does not read the extensions of a ServerHello of an earlier version', () => {
    const read = decode(messages.SH, blockOf([16, '0003 02 6832'], [51, 'ff']), 'SH');
    expect(read.types).toEqual([16, 51]);
    expect(read).toEqual({ types: [16, 51], raw: expect.any(Map) });
  });
});

describe('bodies', () => {
  it.each<[Message, ExtensionName, string, string]>([
    ['CH', 'server_name', 'no list', ''],
    ['CH', 'server_name', 'an empty list', '0000'],
    ['CH', 'server_name', 'an empty name', '0003 00 0000'],
    ['CH', 'server_name', 'bytes behind the list', '0004 00 0001 61 00'],
    ['EE', 'server_name', 'a body', '0004 00 0001 61'],
    ['CH', 'supported_groups', 'an empty list', '0000'],
    ['CH', 'supported_groups', 'half a group', '0003 001d00'],
    ['CH', 'signature_algorithms', 'an empty list', '0000'],
    ['CH', 'signature_algorithms', 'a list past its ceiling', `ffff ${'00'.repeat(65_533)}`],
    ['CH', 'application_layer_protocol_negotiation', 'an empty list', '0000'],
    ['CH', 'application_layer_protocol_negotiation', 'an empty name', '0004 00 02 6832'],
    ['CH', 'record_size_limit', 'one byte', '40'],
    ['CH', 'supported_versions', 'an empty list', '00'],
    ['CH', 'supported_versions', 'a list past its ceiling', `ff ${'03'.repeat(255)}`],
    ['SH', 'supported_versions', 'a list', '02 0304'],
    ['HRR', 'cookie', 'an empty cookie', '0000'],
    ['CH', 'psk_key_exchange_modes', 'an empty list', '00'],
    ['CH', 'certificate_authorities', 'an empty list', '0000'],
    ['CH', 'certificate_authorities', 'an empty name', '0005 0000 0001 aa'],
    ['CR', 'oid_filters', 'an empty OID', '0003 00 0000'],
    ['CH', 'post_handshake_auth', 'a body', '00'],
    ['CH', 'early_data', 'a body', '00'],
    ['NST', 'early_data', 'no size', ''],
    ['CH', 'key_share', 'an empty share', '0004 001d 0000'],
    ['CH', 'key_share', 'bytes behind the list', '0000 00'],
    ['SH', 'key_share', 'a list', `0005 ${share}`],
    ['HRR', 'key_share', 'a share', share],
    ['CH', 'pre_shared_key', 'no identity', `0000 0021 20 ${'bb'.repeat(32)}`],
    ['CH', 'pre_shared_key', 'an empty identity', `0008 0000 00000000 0000 0021 20 ${'bb'.repeat(32)}`],
    ['CH', 'pre_shared_key', 'no binder', '0007 0001 aa 00000000 0000'],
    ['SH', 'pre_shared_key', 'three bytes', '000000'],
  ])('%s %s: %s is a decode_error', (message, name, _what, body) => {
    expect(outcome(message, name, body)).toBe('decode_error');
  });

  it.each<[Message, ExtensionName, string, string]>([
    ['CH', 'server_name', 'two host names', '0008 00 0001 61 00 0001 62'],
    ['CH', 'server_name', 'a NUL in the name', '0006 00 0003 610062'],
    ['CH', 'server_name', 'a name in UTF-8', '0005 00 0002 c3a9'],
    ['EE', 'application_layer_protocol_negotiation', 'two names', '0006 02 6832 02 6833'],
    ['CH', 'record_size_limit', '63', '003f'],
    [
      'CH',
      'pre_shared_key',
      'two binders for one identity',
      `0007 0001 aa 00000000 0042 ${`20${'bb'.repeat(32)}`.repeat(2)}`,
    ],
  ])('%s %s: %s is an illegal_parameter', (message, name, _what, body) => {
    expect(outcome(message, name, body)).toBe('illegal_parameter');
  });

  it('passes over names that are not host names', () => {
    const read = decode(messages.CH, blockOf([0, '0008 07 0001 61 00 0001 62']), 'CH');
    expect(read.serverName).toBe('b');
    expect(decode(messages.CH, blockOf([0, '0004 07 0001 61']), 'CH').serverName).toBeUndefined();
  });

  it('lets a client ask for a HelloRetryRequest with no share at all', () => {
    expect(decode(messages.CH, blockOf([51, '0000']), 'CH').keyShare).toEqual([]);
  });
});

describe('writing', () => {
  it('puts pre_shared_key last, behind what was added by hand', () => {
    const offered = { identities: [{ identity: hex('aa'), obfuscatedTicketAge: 1 }], binders: [bytes(32)] };
    const encoded = encode(messages.CH, {
      preSharedKey: offered,
      extra: [{ type: 0x0a0a, data: hex('ff') }],
      supportedVersions: [0x0304],
      earlyData: undefined,
    });
    const read = decode(messages.CH, encoded, 'CH');
    expect(read.types).toEqual([43, 0x0a0a, 41]);
    expect(read.preSharedKey).toEqual(offered);
  });

  it('refuses a ClientHello without extensions, which no TLS 1.3 server would answer', () => {
    expect(() => encode(messages.CH, {})).toThrow(RangeError);
  });

  it('refuses values outside the bounds', () => {
    expect(() => encode(messages.CH, { supportedVersions: [] })).toThrow(RangeError);
    expect(() => encode(messages.CH, { cookie: new Uint8Array(0) })).toThrow(RangeError);
    expect(() => encode(messages.EE, { supportedGroups: Array.from({ length: 32_768 }, () => 1) })).toThrow(RangeError);
  });
});
