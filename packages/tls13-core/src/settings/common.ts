/** The settings of both roles. */
import type { CertificateCompressor, CommonConfig, Deviations, Limits } from '../config/index.js';
import type { CryptoProvider } from '../crypto/provider.js';
import { type CipherSuite, cipherSuite } from '../crypto/suites.js';
import { delegableSchemes } from '../handshake/delegation.js';
import {
  type CipherSuiteName,
  cipherSuites,
  type NamedGroupName,
  namedGroups,
  pureKemGroups,
  type SignatureSchemeName,
  signatureSchemes,
} from '../registry.js';
import { type PskSettings, pskSettings } from './psk.js';
import { type RecordSettings, recordSettings } from './records.js';

/** What both roles have: everything that has a default has its value. */
export interface CommonSettings extends PskSettings, RecordSettings {
  readonly provider: CryptoProvider;
  readonly cipherSuites: readonly CipherSuite[];
  readonly groups: readonly NamedGroupName[];
  readonly signatureSchemes: readonly SignatureSchemeName[];
  readonly certificateSignatureSchemes: readonly SignatureSchemeName[];
  readonly delegatedCredentialSchemes: readonly SignatureSchemeName[];
  readonly ocspStapling: boolean;
  readonly signedCertificateTimestamps: boolean;
  readonly certificateCompression: readonly CertificateCompressor[];
  readonly alpnProtocols: readonly string[];
  readonly now: () => number;
  readonly keyLog: boolean;
  readonly messageLog: boolean;
  readonly grease: boolean;
  readonly limits: Limits;
  readonly deviations: Deviations;
}

/** Throws TypeError or RangeError naming the option. */
export function commonSettings(config: CommonConfig): CommonSettings {
  const { provider } = config;
  const suites = chosen('cipherSuites', config.cipherSuites ?? defaultCipherSuites, cipherSuites).map(cipherSuite);
  const usable = suites.filter((suite) => provider.aeads.includes(suite.aead));
  if (usable.length === 0) {
    throw new TypeError(`cipherSuites: provider ${provider.name} has none of ${suites.map((s) => s.name).join(', ')}`);
  }
  const accepted = offeredBy(
    provider,
    'signatureSchemes',
    config.signatureSchemes ?? defaultSchemes(provider),
    provider.signatureSchemes,
    signatureSchemes,
  );
  return {
    provider,
    cipherSuites: usable,
    groups: offeredBy(provider, 'groups', config.groups ?? defaultGroups(provider), provider.groups, namedGroups),
    signatureSchemes: accepted,
    certificateSignatureSchemes: chosen(
      'certificateSignatureSchemes',
      config.certificateSignatureSchemes ?? [...accepted, ...certificateOnlySchemes],
      signatureSchemes,
    ),
    delegatedCredentialSchemes: delegatedSchemes(config),
    ocspStapling: config.ocspStapling ?? false,
    certificateCompression: compressors(config.certificateCompression ?? []),
    signedCertificateTimestamps: config.signedCertificateTimestamps ?? false,
    alpnProtocols: alpnProtocols(config.alpnProtocols ?? []),
    ...pskSettings(config),
    ...recordSettings(config),
    now: config.now ?? Date.now,
    keyLog: config.keyLog ?? false,
    messageLog: config.messageLog ?? false,
    grease: config.grease ?? false,
    limits: limits(config.limits ?? {}),
    deviations: { ...noDeviations, ...config.deviations },
  };
}

const defaultLimits: Omit<Limits, 'recordsPerKey'> = {
  handshakeMessage: 131_072,
  skippedEarlyData: 65_536,
  keyUpdates: 32,
  emptyRecords: 32,
  pendingInput: 262_144,
  certificateRequests: 16,
  tickets: 64,
};

const noDeviations: Deviations = {
  anyLegacyVersion: false,
  recordVersions: false,
  unprotectedRecords: false,
  alertLevels: false,
  misplacedExtensions: false,
  shortBinders: false,
  unofferedProtocols: false,
};

const defaultCipherSuites: readonly CipherSuiteName[] = [
  'TLS_AES_128_GCM_SHA256',
  'TLS_AES_256_GCM_SHA384',
  'TLS_CHACHA20_POLY1305_SHA256',
  'TLS_AES_128_CCM_SHA256',
];

/** ML-KEM by itself must be asked for by name: a flaw found in it would leave nothing. */
function defaultGroups({ groups }: CryptoProvider): readonly NamedGroupName[] {
  return groups.filter((group) => !pureKemGroups.some((pure) => pure === group));
}

/** What must be asked for by name: few can make or judge a chain of ML-DSA, and PKCS#1 is for old tokens. */
function defaultSchemes(provider: CryptoProvider): readonly SignatureSchemeName[] {
  return provider.signatureSchemes.filter((scheme) => !/^mldsa|_legacy$/.test(scheme));
}

/** §4.3.3: defined for certificates' signatures, never for the handshake's. */
const certificateOnlySchemes: readonly SignatureSchemeName[] = [
  'rsa_pkcs1_sha256',
  'rsa_pkcs1_sha384',
  'rsa_pkcs1_sha512',
];

function chosen<Name extends string>(
  option: string,
  names: readonly Name[],
  registry: Readonly<Record<Name, number>>,
): readonly Name[] {
  if (names.length === 0) throw new TypeError(`${option} must not be empty`);
  for (const name of names) {
    if (!Object.hasOwn(registry, name)) {
      throw new TypeError(`${option}: '${name}' is unknown; known are ${Object.keys(registry).join(', ')}`);
    }
  }
  return [...new Set(names)];
}

function offeredBy<Name extends string>(
  provider: CryptoProvider,
  option: string,
  wanted: readonly Name[] | undefined,
  offered: readonly Name[],
  registry: Readonly<Record<Name, number>>,
): readonly Name[] {
  if (wanted === undefined) return offered;
  const names = chosen(option, wanted, registry);
  for (const name of names) {
    if (!offered.includes(name)) {
      throw new TypeError(`${option}: provider ${provider.name} does not have ${name}; it has ${offered.join(', ')}`);
    }
  }
  return names;
}

function delegatedSchemes({
  provider,
  delegatedCredentialSchemes: wanted = [],
}: CommonConfig): readonly SignatureSchemeName[] {
  if (wanted.length === 0) return [];
  const option = 'delegatedCredentialSchemes';
  const schemes = offeredBy(provider, option, wanted, provider.signatureSchemes, signatureSchemes);
  const possible = delegableSchemes(schemes);
  const wrong = schemes.find((scheme) => !possible.includes(scheme));
  if (wrong !== undefined) throw new TypeError(`${option}: no delegated key may sign with ${wrong} (RFC 9345 §4.2)`);
  return schemes;
}

function compressors(given: readonly CertificateCompressor[]): readonly CertificateCompressor[] {
  const seen = new Set<number>();
  for (const { algorithm, compress, decompress } of given) {
    if (!Number.isInteger(algorithm) || algorithm < 1 || algorithm > 0xffff || seen.has(algorithm)) {
      throw new TypeError(`certificateCompression: algorithm ${algorithm} is no code of RFC 8879, or stands twice`);
    }
    if (compress === undefined && decompress === undefined) {
      throw new TypeError(`certificateCompression: algorithm ${algorithm} neither compresses nor decompresses`);
    }
    seen.add(algorithm);
  }
  return given;
}

function alpnProtocols(names: readonly string[]): readonly string[] {
  for (const name of names) {
    // A protocol name is 1 to 255 octets (RFC 7301 §3.1); one octet a character, as the registry's names are.
    if (name.length === 0 || name.length > 255 || [...name].some((octet) => octet > '\u00ff')) {
      throw new TypeError(`alpnProtocols: ${JSON.stringify(name)} is not 1 to 255 octets`);
    }
  }
  return names;
}

function limits(given: Partial<Limits>): Limits {
  const all: Limits = { recordsPerKey: Number.MAX_SAFE_INTEGER, ...defaultLimits, ...given };
  for (const [name, value] of Object.entries(all)) {
    if (!Number.isSafeInteger(value) || value < 1) {
      throw new RangeError(`limits.${name} must be a whole number of at least 1, not ${String(value)}`);
    }
  }
  return all;
}
