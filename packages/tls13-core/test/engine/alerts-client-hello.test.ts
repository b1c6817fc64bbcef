/** Alert table, what a server refuses of a ClientHello: §4.2.1, §4.2.2, §4.2.4, §4.3.1 to §4.3.11, §9.2, §E.2. */
import { describe, expect, it } from 'vitest';
import type { AlertName } from '../../src/alert.js';
import type { ServerConfig } from '../../src/config/index.js';
import { nobleProvider as provider } from '../../src/crypto/noble.js';
import { extensionTypes, namedGroups, signatureSchemes } from '../../src/registry.js';
import { createTicketKeys } from '../../src/ticket-keys.js';
import type { ClientHelloToSend } from '../../src/wire/index.js';
import { credential, serverName } from './support/certificates.js';
import { type Change, withExtensions, without } from './support/hand.js';
import { HandClient, type HandClientOptions } from './support/hand-client.js';
import { changed, type Extensions, edited, pskOf, share, withoutExtension } from './support/hello-changes.js';
import { sessionOf } from './support/pair.js';

interface Refusal {
  readonly what: string;
  readonly alert: AlertName;
  readonly change: Change<'client_hello'>;
  readonly config?: Partial<ServerConfig>;
  readonly options?: HandClientOptions;
}

const rightShare = (right: Extensions) => right.keyShare?.[0]?.keyExchange ?? new Uint8Array(0);

const refusals: readonly Refusal[] = [
  {
    what: '§4.2.1 no group in common',
    alert: 'handshake_failure',
    change: (right) => right,
    options: { groups: ['secp384r1'] },
  },
  {
    what: '§4.2.1 no cipher suite in common',
    alert: 'handshake_failure',
    change: (right) => ({ ...right, cipherSuites: [0x1305, 0xc02b, 0x0a0a] }),
  },
  {
    what: '§4.2.1 no signature scheme in common',
    alert: 'handshake_failure',
    change: changed(() => ({ signatureAlgorithms: [signatureSchemes.rsa_pss_rsae_sha256] })),
  },
  {
    what: '§4.3.3 PKCS#1 offered alone, to an RSA key: it is for certificates only',
    alert: 'handshake_failure',
    change: changed(() => ({ signatureAlgorithms: [signatureSchemes.rsa_pkcs1_sha256] })),
    config: { credentials: [credential(provider, 'rsa')] },
  },
  ...[0x0301, 0x0302, 0x0304, 0x0300].map((legacyVersion) => ({
    what: `§4.2.2 a legacy_version of 0x0${legacyVersion.toString(16)}`,
    alert: 'protocol_version' as const,
    change: (right: ClientHelloToSend) => ({ ...right, legacyVersion }),
  })),
  ...[[1], [0, 1], [1, 0], [0, 0]].map((methods) => ({
    what: `§4.2.2 legacy_compression_methods ${methods.join(', ')}`,
    alert: 'illegal_parameter' as const,
    change: (right: ClientHelloToSend) => ({ ...right, legacyCompressionMethods: Uint8Array.from(methods) }),
  })),
  {
    what: '§4.3.1 supported_versions without TLS 1.3',
    alert: 'protocol_version',
    change: changed(() => ({ supportedVersions: [0x0303, 0x0302] })),
  },
  {
    what: '§E.2 no supported_versions: the client speaks TLS 1.2',
    alert: 'protocol_version',
    change: withoutExtension('supported_versions'),
  },
  {
    what: '§4.2.2 no extensions at all',
    alert: 'protocol_version',
    change: edited(() => []),
  },
  {
    what: '§4.3.2 a cookie that this server did not give (it gives none)',
    alert: 'illegal_parameter',
    change: changed(() => ({ cookie: Uint8Array.of(1, 2, 3) })),
  },
  {
    what: '§4.3.2 a cookie that was not sealed with its key',
    alert: 'illegal_parameter',
    change: changed(() => ({ cookie: new Uint8Array(80) })),
    config: { cookies: createTicketKeys(provider) },
  },
  {
    what: '§4.3.3, §9.2 neither signature_algorithms nor pre_shared_key',
    alert: 'missing_extension',
    change: withoutExtension('signature_algorithms'),
  },
  {
    what: '§9.2 neither supported_groups nor pre_shared_key',
    alert: 'missing_extension',
    change: edited((all) => without(extensionTypes.key_share)(without(extensionTypes.supported_groups)(all))),
  },
  {
    what: '§9.2 key_share without supported_groups',
    alert: 'missing_extension',
    change: withoutExtension('supported_groups'),
  },
  {
    what: '§9.2 supported_groups without key_share',
    alert: 'missing_extension',
    change: withoutExtension('key_share'),
  },
  {
    what: '§4.3.7 a group twice',
    alert: 'illegal_parameter',
    change: changed(({ supportedGroups = [] }) => ({ supportedGroups: [...supportedGroups, namedGroups.x25519] })),
  },
  {
    what: '§4.3.8 two shares of one group',
    alert: 'illegal_parameter',
    change: changed(({ keyShare = [] }) => ({ keyShare: [...keyShare, share(provider, 'x25519')] })),
  },
  {
    what: '§4.3.8 a share of a group that is not in supported_groups',
    alert: 'illegal_parameter',
    change: changed(({ keyShare = [] }) => ({ keyShare: [...keyShare, share(provider, 'secp384r1')] })),
  },
  {
    what: '§4.3.8 shares not in the order of supported_groups',
    alert: 'illegal_parameter',
    change: changed(({ keyShare = [] }) => ({ keyShare: [share(provider, 'secp256r1'), ...keyShare] })),
  },
  {
    what: '§7.4.2 an X25519 share that makes the shared secret all zero',
    alert: 'illegal_parameter',
    change: changed(() => ({ keyShare: [{ group: namedGroups.x25519, keyExchange: new Uint8Array(32) }] })),
  },
  ...[31, 33].map((length) => ({
    what: `§4.3.8.2 an X25519 share of ${length} bytes`,
    alert: 'illegal_parameter' as const,
    change: changed(() => ({ keyShare: [{ group: namedGroups.x25519, keyExchange: new Uint8Array(length).fill(9) }] })),
  })),
  ...(['secp256r1', 'secp384r1', 'secp521r1'] as const).flatMap((group) => {
    const options = { groups: [group] };
    const config = { groups: [group] };
    const bad: readonly (readonly [string, (right: Uint8Array) => Uint8Array])[] = [
      [
        'a point that is not on the curve',
        (right) => right.map((byte, index) => (index === right.length - 1 ? byte ^ 1 : byte)),
      ],
      ['a compressed point', (right) => Uint8Array.of(2, ...right.subarray(1, 1 + (right.length - 1) / 2))],
      ['a hybrid point', (right) => Uint8Array.of(6, ...right.subarray(1))],
      ['the point at infinity', () => Uint8Array.of(0)],
      ['a coordinate that is no field element', (right) => right.map((byte, index) => (index === 0 ? byte : 0xff))],
      ['a byte too many', (right) => Uint8Array.of(...right, 0)],
    ];
    return bad.map(([what, spoil]) => ({
      what: `§4.3.8.2 ${group}: ${what}`,
      alert: 'illegal_parameter' as const,
      change: changed((right) => ({
        keyShare: [{ group: namedGroups[group], keyExchange: spoil(rightShare(right)) }],
      })),
      options,
      config,
    }));
  }),
  ...(
    [
      ['of the wrong length', (right: Uint8Array) => right.subarray(1)],
      [
        'whose encapsulation key is not reduced',
        (right: Uint8Array) => right.map((byte, index) => (index < 1184 ? 0xff : byte)),
      ],
      [
        'whose X25519 half is of low order',
        (right: Uint8Array) => right.map((byte, index) => (index < 1184 ? byte : 0)),
      ],
    ] as const
  ).map(([what, spoil]) => ({
    what: `§4.3.8 an X25519MLKEM768 share ${what}`,
    alert: 'illegal_parameter' as const,
    change: changed((right) => ({
      keyShare: [{ group: namedGroups.X25519MLKEM768, keyExchange: spoil(rightShare(right)) }],
    })),
    options: { groups: ['X25519MLKEM768' as const] },
    config: { groups: ['X25519MLKEM768' as const] },
  })),
  {
    what: 'RFC 7301 §3.2 no protocol in common',
    alert: 'no_application_protocol',
    change: changed(() => ({ alpn: ['h3'] })),
    config: { alpnProtocols: ['h2'] },
  },
  {
    what: 'RFC 7301 §3.2 selectAlpnProtocol wants none',
    alert: 'no_application_protocol',
    change: changed(() => ({ alpn: ['h3'] })),
    config: { selectAlpnProtocol: () => undefined },
  },
  {
    what: 'RFC 6066 §3 no credential for that name',
    alert: 'unrecognized_name',
    change: changed(() => ({ serverName: 'other.test' })),
    config: { credentials: () => undefined },
  },
];

describe('§4.2.2 a ClientHello is refused', () => {
  for (const { what, alert, change, config, options } of refusals)
    it(`${what}: ${alert}`, () => {
      const client = new HandClient(provider, config, options).clientHello(change);
      client.expectRefusal(alert);
      expect(client.wire.messages).toEqual([]);
    });
});

describe('§4.3.11 a PSK offer is refused', () => {
  const cases: readonly Refusal[] = [
    {
      what: '§4.3.9 pre_shared_key without psk_key_exchange_modes',
      alert: 'missing_extension',
      change: changed(() => ({ preSharedKey: pskOf(), pskKeyExchangeModes: undefined })),
    },
    {
      what: '§4.3.11 pre_shared_key is not the last extension',
      alert: 'illegal_parameter',
      change: (right) =>
        withExtensions(
          'client_hello',
          { ...right, extensions: { ...right.extensions, preSharedKey: pskOf() } },
          (all) => [...all.slice(-1), ...all.slice(0, -1)],
        ),
    },
    {
      what: '§4.3.11 more identities than binders',
      alert: 'illegal_parameter',
      change: changed(() => ({
        preSharedKey: { ...pskOf(), identities: [...pskOf().identities, ...pskOf().identities] },
      })),
    },
    {
      what: '§4.3.11 more binders than identities',
      alert: 'illegal_parameter',
      change: changed(() => ({ preSharedKey: { ...pskOf(), binders: [...pskOf().binders, ...pskOf().binders] } })),
    },
    {
      what: '§4.3.3 no PSK is accepted, and there is no signature_algorithms to go on with',
      alert: 'missing_extension',
      change: changed(() => ({ preSharedKey: pskOf(), signatureAlgorithms: undefined })),
      config: { tickets: { protector: createTicketKeys(provider) } },
    },
  ];

  for (const { what, alert, change, config } of cases)
    it(`${what}: ${alert}`, () => {
      new HandClient(provider, config).clientHello(change).expectRefusal(alert);
    });

  const config = { groups: ['x25519', 'secp256r1'], tickets: { protector: createTicketKeys(provider) } } as const;
  const session = () => sessionOf(provider, { server: config });

  it('§4.3.11 the binder of the PSK that is selected is wrong: decrypt_error', () => {
    const binder = (right: Uint8Array) => right.map((byte, index) => (index === 31 ? byte ^ 1 : byte));
    new HandClient(provider, config, { session: session(), binder }).clientHello().expectRefusal('decrypt_error');
  });

  it('§4.3.11 the binder is one byte too long: decrypt_error', () => {
    const resumed = session();
    const preSharedKey = {
      identities: [{ identity: resumed.ticket, obfuscatedTicketAge: resumed.ageAdd }],
      binders: [new Uint8Array(33)],
    };
    const client = new HandClient(provider, config).clientHello(changed(() => ({ serverName, preSharedKey })));
    client.expectRefusal('decrypt_error');
  });

  it('the same offer with the right binder is resumed', () => {
    const client = new HandClient(provider, config, { session: session() }).clientHello().finished();
    expect(client.end.engine.info?.resumed).toBe(true);
  });
});
