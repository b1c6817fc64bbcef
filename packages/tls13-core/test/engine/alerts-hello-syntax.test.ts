/** Alert table, a ClientHello that is malformed or has extensions where they do not belong: §3.4, §4.3, §6.2. */
import { describe, expect, it } from 'vitest';
import { nobleProvider as provider } from '../../src/crypto/noble.js';
import { extensionTypes, signatureSchemes } from '../../src/registry.js';
import { serverName } from './support/certificates.js';
import { type Change, extra, withBody, withExtensions, withTrailingByte } from './support/hand.js';
import { HandClient } from './support/hand-client.js';
import { changed, pskOf } from './support/hello-changes.js';

describe('§4.3 trailing data in an extension of a ClientHello: decode_error', () => {
  const everything: Change<'client_hello'> = changed(() => ({
    serverName,
    alpn: ['h2'],
    signatureAlgorithmsCert: [signatureSchemes.ed25519],
    recordSizeLimit: 16_385,
    certificateAuthorities: [Uint8Array.of(0x30, 0)],
    postHandshakeAuth: true,
    cookie: Uint8Array.of(1),
    earlyData: true,
    preSharedKey: pskOf(),
  }));
  const names = [
    ...(['server_name', 'supported_versions', 'supported_groups', 'signature_algorithms'] as const),
    ...(['signature_algorithms_cert', 'application_layer_protocol_negotiation', 'record_size_limit'] as const),
    ...(['certificate_authorities', 'post_handshake_auth', 'cookie', 'key_share'] as const),
    ...(['psk_key_exchange_modes', 'early_data', 'pre_shared_key'] as const),
  ];

  it.each(names)('%s', (name) => {
    const change: Change<'client_hello'> = (right) => {
      const full = everything(right);
      if (full instanceof Uint8Array) throw new Error('a body was expected');
      return withExtensions('client_hello', full, withTrailingByte(extensionTypes[name]));
    };
    new HandClient(provider).clientHello(change).expectRefusal('decode_error');
  });
});

describe('§3.4, §6.2 vectors of a ClientHello out of their bounds: decode_error', () => {
  const bodies: readonly (readonly [string, keyof typeof extensionTypes, readonly number[]])[] = [
    ['server_name list empty', 'server_name', [0, 0]],
    ['server_name of no bytes', 'server_name', [0, 3, 0, 0, 0]],
    ['supported_versions empty', 'supported_versions', [0]],
    ['supported_versions odd', 'supported_versions', [3, 3, 4, 3]],
    ['supported_groups empty', 'supported_groups', [0, 0]],
    ['supported_groups odd', 'supported_groups', [0, 1, 0]],
    ['supported_groups longer than it is', 'supported_groups', [0, 4, 0, 29]],
    ['signature_algorithms empty', 'signature_algorithms', [0, 0]],
    ['key_share entry of no bytes', 'key_share', [0, 4, 0, 29, 0, 0]],
    ['key_share cut off', 'key_share', [0, 4, 0, 29]],
    ['psk_key_exchange_modes empty', 'psk_key_exchange_modes', [0]],
    ['a body of nothing', 'key_share', []],
  ];

  it.each(bodies)('%s', (_what, name, data) => {
    const change: Change<'client_hello'> = (right) =>
      withExtensions(
        'client_hello',
        { ...right, extensions: { ...right.extensions, serverName } },
        withBody(extensionTypes[name], () => data),
      );
    new HandClient(provider).clientHello(change).expectRefusal('decode_error');
  });

  const cuts: readonly (readonly [string, (body: Uint8Array) => Uint8Array])[] = [
    ['a byte behind the extensions', (body) => Uint8Array.of(...body, 0)],
    ['the last byte missing', (body) => body.subarray(0, -1)],
    [
      'a session id of 33 bytes',
      (body) => Uint8Array.of(...body.subarray(0, 34), 33, ...new Uint8Array(33), ...body.subarray(67)),
    ],
    ['no cipher suites', (body) => Uint8Array.of(...body.subarray(0, 67), 0, 0, ...body.subarray(71))],
    [
      'an odd number of bytes of cipher suites',
      (body) => Uint8Array.of(...body.subarray(0, 67), 0, 3, 0x13, 1, 0x13, ...body.subarray(71)),
    ],
    ['no compression method', (body) => Uint8Array.of(...body.subarray(0, 71), 0, ...body.subarray(73))],
    ['nothing at all', () => new Uint8Array(0)],
    ['a random cut short', (body) => body.subarray(0, 20)],
  ];

  it.each(cuts)('%s', (_what, cut) => {
    const change: Change<'client_hello'> = (right) => cut(withExtensions('client_hello', right, (all) => all));
    new HandClient(provider).clientHello(change).expectRefusal('decode_error');
  });
});

describe('§4.3 which extensions a ClientHello may have', () => {
  it.each(['oid_filters'] as const)('%s, which is for another message: illegal_parameter', (name) => {
    const change = changed(() => extra(extensionTypes[name], 0, 0));
    new HandClient(provider).clientHello(change).expectRefusal('illegal_parameter');
  });

  it.each(['supported_versions', 'key_share', 'server_name'] as const)('%s twice: decode_error', (name) => {
    const change: Change<'client_hello'> = (right) =>
      withExtensions('client_hello', { ...right, extensions: { ...right.extensions, serverName } }, (all) => [
        ...all,
        ...all.filter(({ type }) => type === extensionTypes[name]),
      ]);
    new HandClient(provider).clientHello(change).expectRefusal('decode_error');
  });

  it('an unknown extension twice: decode_error', () => {
    const change = changed(() => ({ extra: [...extra(0xfafa, 1).extra, ...extra(0xfafa, 1).extra] }));
    new HandClient(provider).clientHello(change).expectRefusal('decode_error');
  });

  it('unknown extensions, suites, groups, schemes, versions and modes are passed over', () => {
    const client = new HandClient(provider).clientHello((right) => ({
      ...right,
      cipherSuites: [0x0a0a, ...right.cipherSuites, 0x00ff],
      extensions: {
        ...right.extensions,
        supportedVersions: [0x7f1c, 0x0304, 0x0303],
        supportedGroups: [0x0a0a, ...(right.extensions.supportedGroups ?? []), 0x0100],
        signatureAlgorithms: [0x0201, 0x0a0a, ...(right.extensions.signatureAlgorithms ?? [])],
        keyShare: [{ group: 0x0a0a, keyExchange: Uint8Array.of(0) }, ...(right.extensions.keyShare ?? [])],
        pskKeyExchangeModes: [0x0b, 1],
        ...extra(0xfafa, 1, 2, 3),
      },
    }));
    expect(client.finished().end.engine.state).toBe('connected');
  });
});
