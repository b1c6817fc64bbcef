/** Alert table, what a client refuses of ServerHello and HelloRetryRequest: §4.2.3, §4.2.4, §4.3, §4.3.8, §4.3.11, §E.1. */
import { describe, expect, it } from 'vitest';
import type { AlertName } from '../../src/alert.js';
import type { ClientConfig } from '../../src/config/index.js';
import { nobleProvider as provider } from '../../src/crypto/noble.js';
import { extensionTypes, namedGroups } from '../../src/registry.js';
import { createTicketKeys } from '../../src/ticket-keys.js';
import { downgradeSentinels, helloRetryRequestRandom, type MessageBodiesToSend } from '../../src/wire/index.js';
import { type Change, extra, withBody, withExtensions, without, withTrailingByte } from './support/hand.js';
import { HandServer, type HandServerOptions, unofferedSuite } from './support/hand-server.js';
import { share } from './support/hello-changes.js';
import { sessionOf } from './support/pair.js';

type Hello = MessageBodiesToSend['server_hello'];
type Retry = MessageBodiesToSend['hello_retry_request'];
type EditExtensions = Parameters<typeof withExtensions>[2];

const hello =
  (changes: (right: Hello['extensions']) => Partial<Hello['extensions']>): Change<'server_hello'> =>
  (right) => ({ ...right, extensions: { ...right.extensions, ...changes(right.extensions) } });

const editedHello =
  (edit: EditExtensions): Change<'server_hello'> =>
  (right) =>
    withExtensions('server_hello', right, edit);

const retry =
  (changes: Partial<Retry['extensions']>): Change<'hello_retry_request'> =>
  (right) => ({ ...right, extensions: { ...right.extensions, ...changes } });

const editedRetry =
  (edit: EditExtensions): Change<'hello_retry_request'> =>
  (right) =>
    withExtensions('hello_retry_request', right, edit);

/** What both messages have: a client checks it alike (§4.2.4). */
const common: readonly {
  readonly what: string;
  readonly alert: AlertName;
  readonly change: <Body extends Hello | Retry>(right: Body) => Body;
}[] = [
  ...[0x0300, 0x0301, 0x0302, 0x0304].map((legacyVersion) => ({
    what: `§4.2.3 a legacy_version of 0x0${legacyVersion.toString(16)}`,
    alert: 'protocol_version' as const,
    change: <Body extends Hello | Retry>(right: Body): Body => ({ ...right, legacyVersion }),
  })),
  {
    what: '§4.2.3 another session id than was sent',
    alert: 'illegal_parameter',
    change: (right) => ({ ...right, legacySessionIdEcho: new Uint8Array(32) }),
  },
  {
    what: '§4.2.3 no session id although one was sent',
    alert: 'illegal_parameter',
    change: (right) => ({ ...right, legacySessionIdEcho: new Uint8Array(0) }),
  },
  {
    what: '§4.2.3 a cipher suite that was not offered',
    alert: 'illegal_parameter',
    change: (right) => ({ ...right, cipherSuite: unofferedSuite }),
  },
  {
    what: '§4.2.3 a cipher suite of TLS 1.2',
    alert: 'illegal_parameter',
    change: (right) => ({ ...right, cipherSuite: 0xc02b }),
  },
  {
    what: '§4.2.3 a compression method',
    alert: 'decode_error',
    change: (right) => ({ ...right, legacyCompressionMethod: 1 }),
  },
  ...[0x0303, 0x0302, 0x0305, 0x7f1c].map((supportedVersions) => ({
    what: `§4.3.1 the version 0x${supportedVersions.toString(16).padStart(4, '0')} selected`,
    alert: 'illegal_parameter' as const,
    change: <Body extends Hello | Retry>(right: Body): Body => ({
      ...right,
      extensions: { ...right.extensions, supportedVersions },
    }),
  })),
  {
    what: '§4.3 an extension that nobody knows and nobody asked for',
    alert: 'unsupported_extension',
    change: (right) => ({ ...right, extensions: { ...right.extensions, ...extra(0xfafa, 1) } }),
  },
  ...(
    [
      ['server_name', []],
      ['supported_groups', [0, 2, 0, 29]],
      ['signature_algorithms', [0, 2, 8, 7]],
      ['application_layer_protocol_negotiation', [0, 3, 2, 104, 50]],
      ['early_data', []],
      ['psk_key_exchange_modes', [1, 1]],
      ['certificate_authorities', [0, 4, 0, 2, 48, 0]],
      ['status_request', []],
      ['post_handshake_auth', []],
      ['signature_algorithms_cert', [0, 2, 8, 7]],
      ['oid_filters', [0, 0]],
      ['padding', []],
    ] as const
  ).map(([name, data]) => ({
    what: `§4.3 ${name}, which belongs elsewhere`,
    alert: 'illegal_parameter' as const,
    change: <Body extends Hello | Retry>(right: Body): Body => ({
      ...right,
      extensions: { ...right.extensions, ...extra(extensionTypes[name], ...data) },
    }),
  })),
  {
    what: '§4.3 an extension twice',
    alert: 'illegal_parameter',
    change: (right) => ({
      ...right,
      extensions: { ...right.extensions, extra: [...extra(0xfafa).extra, ...extra(0xfafa).extra] },
    }),
  },
];

describe('§4.2.3 a ServerHello is refused', () => {
  for (const { what, alert, change } of common) {
    it(`${what}: ${alert}`, () => new HandServer(provider).serverHello(change).expectRefusal(alert));
  }

  const cases: readonly {
    readonly what: string;
    readonly alert: AlertName;
    readonly change: Change<'server_hello'>;
    readonly options?: HandServerOptions;
    readonly config?: Partial<ClientConfig>;
  }[] = [
    {
      what: '§4.2.3 TLS 1.2, with the sentinel of a server that speaks TLS 1.3',
      alert: 'illegal_parameter',
      change: (right) =>
        withExtensions('server_hello', { ...right, random: ending(downgradeSentinels.tls12) }, without(43)),
    },
    {
      what: '§4.2.3 TLS 1.1, with the sentinel of a server that speaks TLS 1.2 or higher',
      alert: 'illegal_parameter',
      change: (right) =>
        withExtensions(
          'server_hello',
          { ...right, legacyVersion: 0x0302, random: ending(downgradeSentinels.tls11) },
          without(43),
        ),
    },
    { what: '§E.1 TLS 1.2', alert: 'protocol_version', change: editedHello(() => []) },
    {
      what: '§E.1 TLS 1.2, with extensions that TLS 1.3 has elsewhere',
      alert: 'protocol_version',
      change: editedHello(() => [
        { type: extensionTypes.application_layer_protocol_negotiation, data: Uint8Array.of(0, 3, 2, 104, 50) },
      ]),
    },
    {
      what: '§4.3.8 a share of a group that was offered without a share',
      alert: 'illegal_parameter',
      change: hello(() => ({ keyShare: share(provider, 'secp256r1') })),
    },
    {
      what: '§4.3.8 a share of a group that was not offered',
      alert: 'illegal_parameter',
      change: hello(() => ({ keyShare: share(provider, 'secp384r1') })),
    },
    {
      what: '§4.2.3 neither key_share nor pre_shared_key',
      alert: 'missing_extension',
      change: hello(() => ({ keyShare: undefined })),
    },
    {
      what: '§4.3 pre_shared_key although no PSK was offered',
      alert: 'unsupported_extension',
      change: hello(() => ({ preSharedKey: 0 })),
    },
    {
      what: '§4.3 a cookie, which is for a HelloRetryRequest',
      alert: 'illegal_parameter',
      change: hello(() => extra(extensionTypes.cookie, 0, 1, 7)),
    },
    {
      what: '§7.4.2 an X25519 share that makes the shared secret all zero',
      alert: 'illegal_parameter',
      change: hello(() => ({ keyShare: { group: namedGroups.x25519, keyExchange: new Uint8Array(32) } })),
    },
    ...(['secp256r1', 'secp384r1', 'secp521r1'] as const).map((group) => ({
      what: `§4.3.8.2 a ${group} share that is not on the curve`,
      alert: 'illegal_parameter' as const,
      change: hello(({ keyShare }) => ({ keyShare: { group: namedGroups[group], keyExchange: spoilt(keyShare) } })),
      config: { groups: [group] },
      options: { group },
    })),
    {
      what: '§4.3.8 an X25519MLKEM768 share of the wrong length',
      alert: 'illegal_parameter',
      change: hello(({ keyShare }) => ({
        keyShare: { group: namedGroups.X25519MLKEM768, keyExchange: spoilt(keyShare).subarray(1) },
      })),
      config: { groups: ['X25519MLKEM768'] },
      options: { group: 'X25519MLKEM768' },
    },
    ...(['supported_versions', 'key_share'] as const).map((name) => ({
      what: `§4.3 trailing data in ${name}`,
      alert: 'decode_error' as const,
      change: editedHello(withTrailingByte(extensionTypes[name])),
    })),
    { what: '§6.2 a body of nothing', alert: 'decode_error', change: () => new Uint8Array(0) },
    {
      what: '§6.2 a byte behind the extensions',
      alert: 'decode_error',
      change: (right) => Uint8Array.of(...withExtensions('server_hello', right, (all) => all), 0),
    },
    {
      what: '§6.2 the last byte missing',
      alert: 'decode_error',
      change: (right) => withExtensions('server_hello', right, (all) => all).subarray(0, -1),
    },
    {
      what: '§6.2 a share of no bytes',
      alert: 'decode_error',
      change: editedHello(withBody(extensionTypes.key_share, () => [0, 29, 0, 0])),
    },
  ];

  for (const { what, alert, change, config, options } of cases) {
    it(`${what}: ${alert}`, () => new HandServer(provider, config, options).serverHello(change).expectRefusal(alert));
  }
});

describe('§4.2.4 a HelloRetryRequest is refused', () => {
  for (const { what, alert, change } of common) {
    it(`${what}: ${alert}`, () => new HandServer(provider).helloRetryRequest(change).expectRefusal(alert));
  }

  const cases: readonly {
    readonly what: string;
    readonly alert: AlertName;
    readonly change: Change<'hello_retry_request'>;
  }[] = [
    {
      what: '§4.2.4 it changes nothing',
      alert: 'illegal_parameter',
      change: editedRetry(without(extensionTypes.key_share)),
    },
    {
      what: '§4.3.8 a group that was not offered',
      alert: 'illegal_parameter',
      change: retry({ keyShare: namedGroups.secp384r1 }),
    },
    {
      what: '§4.3.8 a group that nobody knows',
      alert: 'illegal_parameter',
      change: retry({ keyShare: 0x0a0a }),
    },
    {
      what: '§4.3.8 a group whose share was sent',
      alert: 'illegal_parameter',
      change: retry({ keyShare: namedGroups.x25519 }),
    },
    {
      what: '§4.3.8 a group whose share was sent, and a cookie',
      alert: 'illegal_parameter',
      change: retry({ keyShare: namedGroups.x25519, cookie: Uint8Array.of(1) }),
    },
    {
      what: '§4.3 pre_shared_key, which belongs into a ServerHello',
      alert: 'illegal_parameter',
      change: editedRetry((all) => [...all, { type: extensionTypes.pre_shared_key, data: Uint8Array.of(0, 0) }]),
    },
    {
      what: '§4.2.4 no supported_versions',
      alert: 'protocol_version',
      change: editedRetry(without(extensionTypes.supported_versions)),
    },
    {
      what: '§6.2 an empty cookie',
      alert: 'decode_error',
      change: editedRetry((all) => [...all, { type: extensionTypes.cookie, data: Uint8Array.of(0, 0) }]),
    },
    ...(['supported_versions', 'key_share'] as const).map((name) => ({
      what: `§4.3 trailing data in ${name}`,
      alert: 'decode_error' as const,
      change: editedRetry(withTrailingByte(extensionTypes[name])),
    })),
  ];

  for (const { what, alert, change } of cases) {
    it(`${what}: ${alert}`, () => new HandServer(provider).helloRetryRequest(change).expectRefusal(alert));
  }

  it('§4.2.4 the ServerHello behind it selects another suite: illegal_parameter', () => {
    const server = new HandServer(provider).helloRetryRequest();
    server.serverHello((right) => ({ ...right, cipherSuite: 0x1303 })).expectRefusal('illegal_parameter');
  });

  it('§4.2.4 the ServerHello behind it does not retain the version: illegal_parameter', () => {
    const server = new HandServer(provider).helloRetryRequest();
    server.serverHello(hello(() => ({ supportedVersions: 0x0303 }))).expectRefusal('illegal_parameter');
  });

  it('§4.3.8 the ServerHello behind it has a share of another group: illegal_parameter', () => {
    const server = new HandServer(provider).helloRetryRequest();
    server.serverHello(hello(() => ({ keyShare: share(provider, 'x25519') }))).expectRefusal('illegal_parameter');
  });

  it('with a cookie alone the client asks again with the same share, and the handshake completes', () => {
    const server = new HandServer(provider);
    const { keyShare } = server.hello.extensions;
    server.helloRetryRequest((right) => ({
      ...right,
      extensions: { supportedVersions: 0x0304, cookie: Uint8Array.of(1, 2) },
    }));
    expect(server.hello.extensions.cookie).toEqual(Uint8Array.of(1, 2));
    expect(server.hello.extensions.keyShare).toEqual(keyShare);
    server.through('finished');
    expect(server.end.engine.info?.helloRetryRequest).toBe(true);
  });

  it('is known by its random alone (§4.2.3)', () => {
    const server = new HandServer(provider);
    server.serverHello((right) => ({ ...right, random: helloRetryRequestRandom })).expectRefusal('decode_error');
  });
});

describe('§4.3.11 the answer to a PSK offer is refused', () => {
  const tickets = { protector: createTicketKeys(provider) };
  const session = sessionOf(provider, { server: { tickets } });
  const resuming = (changes: Change<'server_hello'>, options: HandServerOptions = {}) =>
    new HandServer(provider, { session }, { psk: session.psk, ...options }).serverHello(changes);

  it('as it should be it is resumed', () => {
    const server = new HandServer(provider, { session }, { psk: session.psk }).through('finished');
    expect(server.end.engine.info?.resumed).toBe(true);
  });

  it('§4.3.11 a selected_identity out of range: illegal_parameter', () => {
    resuming(hello(() => ({ preSharedKey: 1 }))).expectRefusal('illegal_parameter');
  });

  it('§4.3.11 a suite whose hash is not the PSK’s: illegal_parameter', () => {
    resuming((right) => ({ ...right, cipherSuite: 0x1302 })).expectRefusal('illegal_parameter');
  });

  it('§4.3.11 no key_share, although only psk_dhe_ke was offered: illegal_parameter', () => {
    resuming(hello(() => ({ keyShare: undefined }))).expectRefusal('illegal_parameter');
  });

  it('§4.3 trailing data in pre_shared_key: decode_error', () => {
    resuming(editedHello(withTrailingByte(extensionTypes.pre_shared_key))).expectRefusal('decode_error');
  });

  it('§4.4.2 a CertificateRequest behind it: unexpected_message', () => {
    resuming((right) => right)
      .encryptedExtensions()
      .certificateRequest()
      .expectRefusal('unexpected_message');
  });

  it('§4.2.1 a Certificate behind it: unexpected_message', () => {
    resuming((right) => right)
      .encryptedExtensions()
      .certificate()
      .expectRefusal('unexpected_message');
  });

  it('a server that takes a PSK without knowing it seals under other keys: bad_record_mac', () => {
    const { end, wire } = new HandServer(provider, { session }, { psk: new Uint8Array(32) }).serverHello();
    end.take(end.engine.receive(wire.sealed(Uint8Array.of(8, 0, 0, 2, 0, 0, 22))));
    expect(end.engine.error?.alert).toBe('bad_record_mac');
    expect(end.types.slice(-2)).toEqual(['transmit', 'failed']);
  });
});

function ending(sentinel: Uint8Array): Uint8Array {
  const random = provider.random(32);
  random.set(sentinel, 24);
  return random;
}

function spoilt(keyShare: Hello['extensions']['keyShare']): Uint8Array {
  const right = keyShare?.keyExchange ?? new Uint8Array(0);
  return right.map((byte, index) => (index === right.length - 1 ? byte ^ 1 : byte));
}
