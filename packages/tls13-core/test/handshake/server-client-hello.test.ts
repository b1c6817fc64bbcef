import { describe, expect, it } from 'vitest';
import { checkClientHello } from '../../src/handshake/server/client-hello.js';
import { namedGroups } from '../../src/registry.js';
import { decodeHandshake, encodeMessage, type MessageBodiesToSend } from '../../src/wire/index.js';
import { type ClientOptions, provider, type StoredTicket, TestClient, TestServer } from './server-support.js';

const { x25519, secp256r1 } = namedGroups;
const anyTicket: StoredTicket = {
  ticket: Uint8Array.of(1, 2, 3),
  psk: new Uint8Array(32),
  suite: 'TLS_AES_128_GCM_SHA256',
  ageAdd: 0,
};
const share = (group: number) => ({ group, keyExchange: provider.generateKeyShare('x25519').keyExchange });

function alertFor(options: ClientOptions): string {
  return new TestServer().alertFor(new TestClient(options).hello());
}

/** A ClientHello that ends behind its compression methods, as clients of TLS 1.2 without extensions send it. */
function helloWithoutExtensions(): Uint8Array {
  const hello = new TestClient({ changes: { legacySessionId: new Uint8Array(0) } }).hello();
  const end = 4 + 2 + 32 + 1 + 4 + 2;
  return Uint8Array.of(1, 0, 0, end - 4, ...hello.subarray(4, end));
}

describe('a ClientHello that must end the handshake', () => {
  const table: readonly (readonly [what: string, alert: string, options: ClientOptions])[] = [
    ['§4.2.2 legacy_version is not 0x0303', 'protocol_version', { changes: { legacyVersion: 0x0304 } }],
    ['§4.2.2 legacy_version is older', 'protocol_version', { changes: { legacyVersion: 0x0301 } }],
    [
      '§4.3.1 supported_versions without 1.3',
      'protocol_version',
      { extensions: { supportedVersions: [0x0303, 0x0302] } },
    ],
    ['§4.3.1 no supported_versions', 'protocol_version', { extensions: { supportedVersions: undefined } }],
    [
      '§4.2.2 a compression method besides null',
      'illegal_parameter',
      { changes: { legacyCompressionMethods: Uint8Array.of(0, 1) } },
    ],
    ['§4.2.2 no null compression', 'illegal_parameter', { changes: { legacyCompressionMethods: Uint8Array.of(1) } }],
    ['§9.2 no signature_algorithms', 'missing_extension', { extensions: { signatureAlgorithms: undefined } }],
    [
      '§9.2 neither supported_groups nor key_share',
      'missing_extension',
      { extensions: { supportedGroups: undefined, keyShare: undefined } },
    ],
    ['§9.2 key_share without supported_groups', 'missing_extension', { extensions: { supportedGroups: undefined } }],
    ['§9.2 supported_groups without key_share', 'missing_extension', { extensions: { keyShare: undefined } }],
    [
      '§4.3.9 pre_shared_key without psk_key_exchange_modes',
      'missing_extension',
      { tickets: [anyTicket], extensions: { pskKeyExchangeModes: undefined } },
    ],
    [
      '§4.3.3 no PSK is accepted and there are no signature_algorithms',
      'missing_extension',
      { tickets: [anyTicket], extensions: { signatureAlgorithms: undefined } },
    ],
    [
      '§4.3.7 a group named twice',
      'illegal_parameter',
      { extensions: { supportedGroups: [x25519, secp256r1, x25519] } },
    ],
    [
      '§4.3.8 a share for a group that is not in supported_groups',
      'illegal_parameter',
      { extensions: { supportedGroups: [secp256r1] } },
    ],
    [
      '§4.3.8 two shares for a group',
      'illegal_parameter',
      { extensions: { keyShare: [share(x25519), share(x25519)] } },
    ],
    [
      '§4.3.8 shares in another order than supported_groups',
      'illegal_parameter',
      { extensions: { supportedGroups: [secp256r1, x25519], keyShare: [share(x25519), share(secp256r1)] } },
    ],
    [
      '§4.3.8.2 a share of a wrong length',
      'illegal_parameter',
      { extensions: { keyShare: [{ group: x25519, keyExchange: new Uint8Array(31) }] } },
    ],
    [
      '§7.4.2 a share that makes the all-zero secret',
      'illegal_parameter',
      { extensions: { keyShare: [{ group: x25519, keyExchange: new Uint8Array(32) }] } },
    ],
    ['§4.3.11 fewer binders than identities', 'illegal_parameter', { extensions: { preSharedKey: psks(2, 1) } }],
    ['§4.3.11 more binders than identities', 'illegal_parameter', { extensions: { preSharedKey: psks(1, 2) } }],
    ['§4.3.2 a cookie that was never given', 'illegal_parameter', { extensions: { cookie: Uint8Array.of(1) } }],
    ['§4.3 an extension that belongs in other messages', 'illegal_parameter', extra(48, 0, 0)],
    ['§4.3 an extension twice', 'decode_error', extra(43, 2, 3, 4)],
    [
      '§4.3 bytes behind the content of an extension',
      'decode_error',
      { extensions: { keyShare: undefined, ...extra(51, 0, 0, 0).extensions } },
    ],
    ['§4.2.1 no cipher suite in common', 'handshake_failure', { suites: ['TLS_AES_128_CCM_8_SHA256'] }],
    [
      '§4.2.1 no group in common',
      'handshake_failure',
      { extensions: { supportedGroups: [namedGroups.secp384r1], keyShare: [] } },
    ],
    [
      '§4.2.1 psk_ke alone, with neither groups nor shares',
      'handshake_failure',
      {
        tickets: [anyTicket],
        extensions: { pskKeyExchangeModes: [0], supportedGroups: undefined, keyShare: undefined },
      },
    ],
  ];

  it.each(table)('%s: %s', (_what, alert, options) => {
    expect(alertFor(options)).toBe(alert);
  });

  it('§4.2.2 no extensions at all: protocol_version', () => {
    expect(new TestServer().alertFor(helloWithoutExtensions())).toBe('protocol_version');
  });

  it('§4.3.11 pre_shared_key is not the last extension: illegal_parameter', () => {
    const hello = new TestClient({ tickets: [anyTicket] }).hello();
    const behind = Uint8Array.of(...hello, 0xfa, 0xfa, 0, 0);
    // The lengths of the message and of the block of extensions grow with it.
    addTo(behind, 2, 4);
    addTo(behind, 4 + 2 + 32 + 33 + 4 + 2, 4);
    expect(new TestServer().alertFor(behind)).toBe('illegal_parameter');
  });

  it('RFC 7301 §3.2 no protocol in common: no_application_protocol', () => {
    const hello = new TestClient({ extensions: { alpn: ['spdy/1'] } }).hello();
    expect(new TestServer({ alpnProtocols: ['h2'] }).alertFor(hello)).toBe('no_application_protocol');
    expect(new TestServer({ selectAlpnProtocol: () => undefined }).alertFor(hello)).toBe('no_application_protocol');
  });

  it.each(['server_hello', 'certificate', 'finished', 'key_update', 'end_of_early_data'] as const)(
    '§4 %s comes in its place: unexpected_message',
    (type) => {
      expect(new TestServer().alertFor(encodeMessage(type, anyBody[type]))).toBe('unexpected_message');
    },
  );
});

describe('a ClientHello that must be borne with', () => {
  it.each<readonly [string, ClientOptions]>([
    ['§4.2.2 unknown cipher suites', { changes: { cipherSuites: [0x0a0a, 0xc02f, 0x1301, 0x00ff] } }],
    [
      '§4.3 unknown extensions',
      {
        extensions: {
          extra: [
            { type: 0x0a0a, data: new Uint8Array(0) },
            { type: 0xfafa, data: Uint8Array.of(0) },
          ],
        },
      },
    ],
    ['§4.3.1 unknown versions beside 1.3', { extensions: { supportedVersions: [0x0a0a, 0x0305, 0x0304, 0x0303] } }],
    ['§4.3.3 unknown signature schemes', { extensions: { signatureAlgorithms: [0x0a0a, 0x0201, 0x0807] } }],
    [
      '§4.3.7 unknown groups',
      {
        extensions: {
          supportedGroups: [0x0a0a, x25519],
          keyShare: [{ group: 0x0a0a, keyExchange: Uint8Array.of(0) }, share(x25519)],
        },
      },
    ],
    ['§4.3.9 unknown PSK modes', { extensions: { pskKeyExchangeModes: [0x0a, 1] } }],
    ['§4.3.11 a PSK nobody knows', { tickets: [anyTicket] }],
    ['§4.2.2 padding', { extensions: { extra: [{ type: 21, data: new Uint8Array(300) }] } }],
    ['§4.3 post_handshake_auth', { extensions: { postHandshakeAuth: true } }],
  ])('%s', (_what, options) => {
    const server = new TestServer();
    server.receive(new TestClient(options).hello());
    expect(server.state.name).toBe('WAIT_FINISHED');
    expect(server.sent('server_hello').body).toMatchObject({ cipherSuite: 0x1301 });
  });
});

describe('checkClientHello', () => {
  it('gives absent lists as empty ones', () => {
    const bytes = new TestClient({ extensions: { pskKeyExchangeModes: undefined } }).hello();
    const message = decodeHandshake(bytes);
    if (message.type !== 'client_hello') throw new Error(message.type);
    expect(checkClientHello(message, { anyLegacyVersion: false, shortBinders: false })).toMatchObject({
      serverName: undefined,
      alpnProtocols: [],
      cookie: undefined,
      earlyData: false,
      pskModes: [],
      psks: [],
      groups: [x25519, secp256r1],
    });
  });

  it('takes time in proportion to the number of groups and shares, not to its square', () => {
    const groups = Array.from({ length: 32_000 }, (_, index) => 0x2000 + index);
    const keyShare = groups.slice(0, 8_000).map((group) => ({ group, keyExchange: Uint8Array.of(0) }));
    const bytes = new TestClient({ extensions: { supportedGroups: groups, keyShare: [...keyShare].reverse() } });
    expect(() => bytes.hello()).toThrow(RangeError);
    const fits = new TestClient({
      extensions: { supportedGroups: groups.slice(0, 12_000), keyShare: keyShare.slice(0, 6_000) },
    }).hello();
    expect(new TestServer().alertFor(fits)).toBe('handshake_failure');
  });
});

const anyBody: Pick<
  MessageBodiesToSend,
  'server_hello' | 'certificate' | 'finished' | 'key_update' | 'end_of_early_data'
> = {
  server_hello: {
    legacyVersion: 0x0303,
    random: new Uint8Array(32),
    legacySessionIdEcho: new Uint8Array(0),
    cipherSuite: 0x1301,
    legacyCompressionMethod: 0,
    extensions: { supportedVersions: 0x0304 },
  },
  certificate: { certificateRequestContext: new Uint8Array(0), certificateList: [] },
  finished: { verifyData: new Uint8Array(32) },
  key_update: { requestUpdate: 'update_requested' },
  end_of_early_data: {},
};

function psks(identities: number, binders: number) {
  return {
    identities: Array.from({ length: identities }, () => ({ identity: Uint8Array.of(1), obfuscatedTicketAge: 0 })),
    binders: Array.from({ length: binders }, () => new Uint8Array(32)),
  };
}

function extra(type: number, ...data: readonly number[]): ClientOptions {
  return { extensions: { extra: [{ type, data: Uint8Array.from(data) }] } };
}

function addTo(bytes: Uint8Array, offset: number, amount: number): void {
  const sum = ((bytes[offset] ?? 0) << 8) + (bytes[offset + 1] ?? 0) + amount;
  bytes[offset] = sum >> 8;
  bytes[offset + 1] = sum & 0xff;
}
