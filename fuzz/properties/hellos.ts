/** Hellos made field by field, right and wrong values mixed: the other end connects, or names an alert that fits. */
import * as fc from 'fast-check';
import { generateEchConfig } from '../../packages/tls13-core/src/ech/generate.js';
import { createEchKeys } from '../../packages/tls13-core/src/ech/keys.js';
import { namedGroups } from '../../packages/tls13-core/src/registry.js';
import { createReplayCache } from '../../packages/tls13-core/src/replay-cache.js';
import { createTicketKeys } from '../../packages/tls13-core/src/ticket-keys.js';
import type { ClientHelloToSend, MessageBodiesToSend } from '../../packages/tls13-core/src/wire/index.js';
import { withExtensions } from '../../packages/tls13-core/test/engine/support/hand.js';
import { HandClient } from '../../packages/tls13-core/test/engine/support/hand-client.js';
import { HandServer } from '../../packages/tls13-core/test/engine/support/hand-server.js';
import { octets } from '../support/arbitraries.js';
import { property } from '../support/property.js';
import { anyProvider, type ProviderName, providers } from '../support/providers.js';
import { expectClean, expectNotConnected } from '../support/verdict.js';

const uint16 = fc.nat({ max: 0xffff });
const code = (...likely: readonly number[]) => fc.oneof({ weight: 3, arbitrary: fc.constantFrom(...likely) }, uint16);
/** Left as it is, most of the time. */
const maybe = <T>(value: fc.Arbitrary<T>) => fc.option(value, { nil: undefined, freq: 4 });

const keyShare = fc.record({
  group: code(...Object.values(namedGroups)),
  keyExchange: fc.oneof(
    octets(1, 70),
    fc.constantFrom(32, 65, 97, 133, 1216).map((length) => new Uint8Array(length).fill(4)),
  ),
});

const psk = fc.record({
  identities: fc.array(fc.record({ identity: octets(1, 200), obfuscatedTicketAge: fc.nat() }), {
    minLength: 1,
    maxLength: 4,
  }),
  binders: fc.array(
    fc.constantFrom(32, 48, 33).map((length) => new Uint8Array(length)),
    { minLength: 1, maxLength: 4 },
  ),
});

/** Whole fields of a ClientHello that its encoder takes; `null` takes an extension away. */
const clientFields = fc.record({
  legacyVersion: maybe(code(0x0303, 0x0301, 0x0304)),
  legacySessionId: maybe(octets(0, 32)),
  cipherSuites: maybe(fc.array(code(0x1301, 0x1302, 0x1303, 0x1304), { minLength: 1, maxLength: 5 })),
  legacyCompressionMethods: maybe(octets(1, 3)),
});
const clientExtensions = fc.record({
  serverName: maybe(fc.constantFrom('example.test', 'a', '\u0000', 'x'.repeat(300))),
  supportedVersions: maybe(fc.array(code(0x0304, 0x0303), { minLength: 1, maxLength: 4 })),
  supportedGroups: maybe(fc.array(code(...Object.values(namedGroups)), { minLength: 1, maxLength: 6 })),
  signatureAlgorithms: maybe(fc.array(code(0x0807, 0x0403, 0x0804), { minLength: 1, maxLength: 5 })),
  alpn: maybe(fc.array(fc.constantFrom('h2', 'h3', '\u00ff', 'x'.repeat(255)), { minLength: 1, maxLength: 3 })),
  cookie: maybe(octets(1, 80)),
  keyShare: maybe(fc.array(keyShare, { maxLength: 4 })),
  pskKeyExchangeModes: maybe(fc.array(fc.nat({ max: 3 }), { minLength: 1, maxLength: 3 })),
  earlyData: maybe(fc.constant(true as const)),
  postHandshakeAuth: maybe(fc.constant(true as const)),
  statusRequest: maybe(octets(0, 8)),
  signedCertificateTimestamp: maybe(fc.constant(true as const)),
  recordSizeLimit: maybe(code(64, 16_385, 63)),
  ticketRequest: maybe(fc.record({ newSessionCount: fc.nat({ max: 255 }), resumptionCount: fc.nat({ max: 255 }) })),
  clientCertificateTypes: maybe(fc.array(fc.constantFrom(0, 1, 2, 9), { maxLength: 3 })),
  serverCertificateTypes: maybe(fc.array(fc.constantFrom(0, 1, 2, 9), { maxLength: 3 })),
  delegatedCredential: maybe(fc.array(code(0x0403, 0x0807), { minLength: 1, maxLength: 3 })),
  compressCertificate: maybe(fc.array(code(1, 2, 3), { minLength: 1, maxLength: 3 })),
  certificateAuthorities: maybe(fc.array(octets(1, 9), { minLength: 1, maxLength: 2 })),
  encryptedClientHello: maybe(
    fc.oneof(
      fc.constant({ type: 'inner' as const }),
      fc.record({
        type: fc.constant('outer' as const),
        suite: fc.record({ kdf: code(1), aead: code(1, 3) }),
        configId: fc.constantFrom(7, 8),
        enc: fc.oneof(octets(32, 32), octets(0, 40)),
        payload: octets(1, 100),
      }),
    ),
  ),
  preSharedKey: maybe(psk),
});

/** What an encoder would not do to the block of extensions. */
const disorder = fc.record({
  drop: maybe(fc.nat({ max: 12 })),
  repeat: maybe(fc.nat({ max: 12 })),
  reverse: fc.oneof({ weight: 5, arbitrary: fc.constant(false) }, fc.constant(true)),
  extra: maybe(fc.record({ type: code(0, 10, 13, 16, 41, 42, 43, 44, 45, 51, 0xfafa), data: octets(0, 20) })),
});
type Disorder = typeof disorder extends fc.Arbitrary<infer T> ? T : never;
type Edit = Parameters<typeof withExtensions>[2];

function disordering({ drop, repeat, reverse, extra }: Disorder): Edit {
  return (extensions) => {
    const all = [...extensions];
    if (drop !== undefined) all.splice(drop % all.length, 1);
    const again = repeat === undefined ? undefined : all[repeat % Math.max(1, all.length)];
    if (again !== undefined) all.push(again);
    if (extra !== undefined) all.unshift(extra);
    return reverse ? all.reverse() : all;
  };
}

/** `right` with those fields in the place of its own that are given. */
function replaced<Body extends object>(
  right: Body,
  fields: { readonly [Name in keyof Body]?: Body[Name] | undefined },
): Body {
  return { ...right, ...Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined)) };
}

const echKeys = {
  native: keysOf('native'),
  noble: keysOf('noble'),
};

function keysOf(provider: ProviderName) {
  const key = generateEchConfig(providers[provider], { publicName: 'public.example', configId: 7 });
  return createEchKeys(providers[provider], [key]);
}

const configs = {
  plain: () => ({}),
  retrying: () => ({ groups: ['secp256r1' as const] }),
  'retrying with a cookie': (provider: ProviderName) => ({
    groups: ['secp256r1' as const],
    cookies: createTicketKeys(providers[provider]),
  }),
  resuming: (provider: ProviderName) => ({ tickets: { protector: createTicketKeys(providers[provider]) } }),
  'with every feature': (provider: ProviderName) => ({
    tickets: { protector: createTicketKeys(providers[provider]) },
    earlyData: { maxSize: 1_000, replayCache: createReplayCache() },
    ech: { keys: echKeys[provider] },
    psks: [{ identity: Uint8Array.of(1, 2, 3), key: new Uint8Array(32) }],
    pskKeyExchangeModes: ['psk_dhe_ke' as const, 'psk_ke' as const],
    clientAuthentication: 'request' as const,
    clientCertificateTypes: ['rawPublicKey' as const, 'x509' as const],
    delegatedCredentialSchemes: ['ed25519' as const],
    ocspStapling: true,
    signedCertificateTimestamps: true,
    recordSizeLimit: 512,
    grease: true,
  }),
  'speaking h2': () => ({ alpnProtocols: ['h2'] }),
} as const;

const serverFields = fc.record({
  legacyVersion: maybe(code(0x0303, 0x0302, 0x0304)),
  legacySessionIdEcho: maybe(octets(0, 32)),
  cipherSuite: maybe(code(0x1301, 0x1302, 0x1303, 0x1305)),
  legacyCompressionMethod: maybe(fc.nat({ max: 2 })),
});
const serverExtensions = fc.record({
  supportedVersions: maybe(code(0x0304, 0x0303)),
  keyShare: maybe(keyShare),
  preSharedKey: maybe(fc.nat({ max: 2 })),
});
const retryExtensions = fc.record({
  supportedVersions: maybe(code(0x0304, 0x0303)),
  keyShare: maybe(code(...Object.values(namedGroups))),
  cookie: maybe(octets(1, 100)),
});

export const helloProperties = [
  property(
    'a server takes any ClientHello, and another one after it',
    150,
    fc.record({
      provider: anyProvider,
      config: fc.constantFrom(...(Object.keys(configs) as (keyof typeof configs)[])),
      hellos: fc.array(fc.tuple(clientFields, clientExtensions, disorder), { minLength: 1, maxLength: 2 }),
    }),
    ({ provider, config, hellos }) => {
      const client = new HandClient(providers[provider], configs[config](provider));
      for (const [fields, extensions, chaos] of hellos) {
        tolerating(() =>
          client.clientHello((right: ClientHelloToSend) => {
            const body = replaced({ ...right, extensions: replaced(right.extensions, extensions) }, fields);
            return withExtensions('client_hello', body, disordering(chaos));
          }),
        );
      }
      expectNotConnected(client.end.engine);
    },
  ),
  property(
    'a client takes any ServerHello',
    150,
    fc.record({
      provider: anyProvider,
      retry: fc.boolean(),
      fields: serverFields,
      extensions: serverExtensions,
      chaos: disorder,
    }),
    ({ provider, retry, fields, extensions, chaos }) => {
      const server = new HandServer(providers[provider]);
      if (retry) server.helloRetryRequest();
      tolerating(() =>
        server.serverHello((right: MessageBodiesToSend['server_hello']) => {
          const body = replaced({ ...right, extensions: replaced(right.extensions, extensions) }, fields);
          return withExtensions('server_hello', body, disordering(chaos));
        }),
      );
      expectNotConnected(server.end.engine);
    },
  ),
  property(
    'a client takes any HelloRetryRequest, and goes on only where it asks for a change',
    150,
    fc.record({ provider: anyProvider, fields: serverFields, extensions: retryExtensions, chaos: disorder }),
    ({ provider, fields, extensions, chaos }) => {
      const server = new HandServer(providers[provider]);
      const before = server.hello;
      tolerating(() =>
        server.helloRetryRequest((right: MessageBodiesToSend['hello_retry_request']) => {
          const body = replaced({ ...right, extensions: replaced(right.extensions, extensions) }, fields);
          return withExtensions('hello_retry_request', body, disordering(chaos));
        }),
      );
      expectNotConnected(server.end.engine);
      if (server.end.engine.state === 'failed') return;
      const after = server.hello;
      if (Buffer.compare(before.random, after.random) !== 0)
        throw new Error('the second ClientHello has another random');
      if (String(before.cipherSuites) !== String(after.cipherSuites)) throw new Error('it has other suites');
      const changed = after.extensions.cookie !== undefined || after.extensions.keyShare?.length === 1;
      if (!changed) throw new Error('the second ClientHello is as the first');
      expectClean(server.end.engine);
    },
  ),
];

/** The encoder may refuse a case, and a peer by hand may not follow what it has brought about. */
function tolerating(run: () => void): void {
  try {
    run();
  } catch (error) {
    const expected =
      error instanceof RangeError ||
      (error instanceof Error && ('alert' in error || /an answer to nothing|the client sent no/.test(error.message)));
    if (!expected) throw error;
  }
}
