/** Every "MUST abort" of §4.2 and its extensions that a client meets: section, what the server does, the alert. */
import { describe, expect, it } from 'vitest';
import { cipherSuites, extensionTypes, namedGroups } from '../../src/registry.js';
import { downgradeSentinels, encodeHandshake } from '../../src/wire/index.js';
import { provider, raw, resuming, session, unknownExtension, untilServerHello } from './client-support.js';

/** The section, what the server does, and what comes of it. */
type Case = readonly [section: string, what: string, alert: string, run: () => string];

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
  ['§4.2.3', 'a compression method', 'decode_error', hello({ legacyCompressionMethod: 1 })],
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
  ['§4.2.4', 'a compression method', 'decode_error', retried(undefined, { legacyCompressionMethod: 1 })],
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

describe.each([
  ['ServerHello', serverHello],
  ['HelloRetryRequest', retry],
])('what a client refuses: %s', (_message, cases) => {
  it.each(cases)('%s: %s is %s', (_section, _what, alert, run) => {
    expect(run()).toBe(alert);
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

function ending(sentinel: keyof typeof downgradeSentinels): Uint8Array {
  const random = provider.random(32);
  random.set(downgradeSentinels[sentinel], 24);
  return random;
}
