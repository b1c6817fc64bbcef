/** Any choice of features for two ends that meet, and what goes with it: keys, configs, credentials. */
import { createPublicKey } from 'node:crypto';
import { brotliCompressSync, brotliDecompressSync, deflateSync, inflateSync } from 'node:zlib';
import * as fc from 'fast-check';
import type {
  CertificateCompressor,
  ClientConfig,
  Credential,
  Psk,
  ServerConfig,
} from '../../packages/tls13-core/src/config/index.js';
import { generateEchConfig } from '../../packages/tls13-core/src/ech/generate.js';
import { createEchKeys } from '../../packages/tls13-core/src/ech/keys.js';
import { certificateCompressionAlgorithms } from '../../packages/tls13-core/src/registry.js';
import { createReplayCache } from '../../packages/tls13-core/src/replay-cache.js';
import { createSessionStore } from '../../packages/tls13-core/src/session-store.js';
import { createTicketKeys } from '../../packages/tls13-core/src/ticket-keys.js';
import { extendedKeyUsageFilter } from '../../packages/tls13-core/src/x509/oid-filters.js';
import { credential, identity, type KeyKind } from '../../packages/tls13-core/test/engine/support/certificates.js';
import { delegatedCredential, delegatedScheme, now } from '../../packages/tls13-core/test/engine/support/delegation.js';
import { fastProvider as provider } from './providers.js';

const maybe = fc.boolean();
const oneOf = <const T>(...values: readonly T[]) => fc.constantFrom(...values);
const compressorNames = oneOf('none', 'zlib', 'brotli', 'both');
const pskKinds = oneOf('none', 'none', 'external', 'imported');

export const features = fc.record({
  later: maybe,
  retry: maybe,
  cookie: maybe,
  grease: maybe,
  permute: maybe,
  ech: oneOf('none', 'none', 'offered', 'stale', 'dummy'),
  echServer: maybe,
  clientCompression: compressorNames,
  serverCompression: compressorNames,
  delegatedServer: maybe,
  delegatedAccepted: maybe,
  rawServer: oneOf('no', 'no', 'offered', 'demanded'),
  rawClient: oneOf('no', 'no', 'offered', 'demanded'),
  stapling: maybe,
  timestamps: maybe,
  clientAuthentication: oneOf('none', 'none', 'request', 'require'),
  clientShows: maybe,
  oidFilter: maybe,
  postHandshake: maybe,
  session: oneOf('none', 'tickets', 'store'),
  earlyData: maybe,
  ticketRequest: fc.option(fc.record({ newSession: fc.nat({ max: 9 }), resumption: fc.nat({ max: 9 }) }), {
    nil: undefined,
  }),
  clientPsk: pskKinds,
  serverPsk: pskKinds,
  pskAlone: maybe,
  clientRecordSize: fc.option(fc.integer({ min: 64, max: 16_385 }), { nil: undefined }),
  serverRecordSize: fc.option(fc.integer({ min: 64, max: 16_385 }), { nil: undefined }),
  padding: oneOf('none', 'multiple', 'random'),
  alpn: maybe,
});
export type Features = typeof features extends fc.Arbitrary<infer T> ? T : never;

/** What a server keeps from one connection to the next. */
export type Keeping = Pick<ServerConfig, 'tickets' | 'earlyData' | 'cookies'>;

export function keeping({ session, earlyData, cookie }: Features): Keeping {
  const protector = createTicketKeys(provider);
  const tickets = session === 'store' ? { store: createSessionStore() } : { protector };
  return {
    ...(session === 'none' ? {} : { tickets }),
    ...(session !== 'none' && earlyData
      ? { earlyData: { maxSize: 5_000, replayCache: createReplayCache({ now: time }) } }
      : {}),
    ...(cookie ? { cookies: protector } : {}),
  };
}

export function clientFeatures(given: Features): Partial<ClientConfig> {
  const shown = given.rawClient === 'no' ? credential(provider, 'p256') : rawKey('p256');
  const psk = psks[given.clientPsk];
  return {
    ...common(given, given.clientCompression, given.clientRecordSize),
    serverName: 'secret.example',
    groups: ['x25519', 'secp256r1'],
    permuteExtensions: given.permute,
    postHandshakeAuthentication: given.postHandshake,
    ...(given.ech === 'none'
      ? {}
      : { ech: given.ech === 'dummy' ? { grease: true } : { configs: configs[given.ech] } }),
    ...(given.rawServer === 'no' ? {} : { serverCertificateTypes: rawTypes(given.rawServer) }),
    ...(given.clientShows ? { credential: shown } : {}),
    ...(given.rawClient === 'no' || given.clientShows ? {} : { clientCertificateTypes: ['rawPublicKey'] as const }),
    ...(given.ticketRequest === undefined ? {} : { ticketRequest: given.ticketRequest }),
    ...(psk === undefined ? {} : { psks: [psk] }),
    earlyData: given.earlyData,
  };
}

export function serverFeatures(given: Features, kept: Keeping): Partial<ServerConfig> {
  const psk = psks[given.serverPsk];
  const stapled = {
    ocspResponse: given.later ? () => Promise.resolve(status) : status,
    signedCertificateTimestamps: [Uint8Array.of(1, 2, 3)],
  };
  return {
    ...common(given, given.serverCompression, given.serverRecordSize),
    ...kept,
    groups: given.retry ? ['secp256r1'] : ['x25519', 'secp256r1'],
    credentials: [
      ...(given.rawServer === 'no' ? [] : [rawKey('ed25519')]),
      ...(given.delegatedServer ? [{ ...delegated, ...stapled }] : []),
      { ...credential(provider, 'ed25519'), ...stapled },
    ],
    clientAuthentication: given.clientAuthentication,
    ...(given.rawClient === 'no' ? {} : { clientCertificateTypes: rawTypes(given.rawClient) }),
    ...(given.oidFilter ? { oidFilters: [extendedKeyUsageFilter('clientAuth')] } : {}),
    ...(psk === undefined ? {} : { psks: given.later ? () => Promise.resolve(psk) : [psk] }),
    ...(given.echServer ? { ech: { keys: echKeys } } : {}),
  };
}

/** Milliseconds since 1970, at which delegated credentials hold. */
export function time(): number {
  return now;
}

const zlib: CertificateCompressor = {
  algorithm: certificateCompressionAlgorithms.zlib,
  compress: (bytes) => new Uint8Array(deflateSync(bytes)),
  decompress: (bytes, length) => new Uint8Array(inflateSync(bytes, { maxOutputLength: length })),
};
const brotli: CertificateCompressor = {
  algorithm: certificateCompressionAlgorithms.brotli,
  compress: (bytes) => new Uint8Array(brotliCompressSync(bytes)),
  decompress: (bytes, length) => new Uint8Array(brotliDecompressSync(bytes, { maxOutputLength: length })),
};
const compressors = { none: [], zlib: [zlib], brotli: [brotli], both: [brotli, zlib] } as const;
const paddings = { none: 'none', multiple: { multiple: 64 }, random: { random: 40 } } as const;

const key = Uint8Array.from({ length: 32 }, (_, index) => index);
const psks: Readonly<Record<Features['clientPsk'], Psk | undefined>> = {
  none: undefined,
  external: { identity: Uint8Array.of(1, 2, 3), key },
  imported: { externalIdentity: Uint8Array.of(1, 2, 3), key, context: Uint8Array.of(4) },
};

const echKey = generateEchConfig(provider, { publicName: 'public.example', configId: 7 });
const echKeys = createEchKeys(provider, [echKey]);
/** Of the server's key, and of one that it has no more. */
const configs = {
  offered: echKey.configList,
  stale: generateEchConfig(provider, { publicName: 'public.example', configId: 7 }).configList,
};

const delegated = delegatedCredential();
const status = Uint8Array.of(0x30, 3, 10, 1, 0);

function common(given: Features, compression: Features['clientCompression'], recordSizeLimit: number | undefined) {
  return {
    provider,
    now: time,
    verifyPeer: given.later ? () => Promise.resolve() : () => {},
    grease: given.grease,
    certificateCompression: compressors[compression],
    delegatedCredentialSchemes: given.delegatedAccepted ? [delegatedScheme] : [],
    ocspStapling: given.stapling,
    signedCertificateTimestamps: given.timestamps,
    padding: paddings[given.padding],
    alpnProtocols: given.alpn ? ['h2'] : [],
    ...(given.pskAlone ? { pskKeyExchangeModes: ['psk_ke', 'psk_dhe_ke'] as const } : {}),
    ...(recordSizeLimit === undefined ? {} : { recordSizeLimit }),
  };
}

function rawTypes(wanted: 'offered' | 'demanded') {
  return wanted === 'demanded' ? (['rawPublicKey'] as const) : (['rawPublicKey', 'x509'] as const);
}

function rawKey(kind: KeyKind): Credential {
  const spki = createPublicKey(identity(kind).privateKey).export({ format: 'der', type: 'spki' });
  return { certificateChain: [], rawPublicKey: new Uint8Array(spki), signer: credential(provider, kind).signer };
}
