/** Turns what an application chose into settings the protocol can rely on, or says in a sentence what is wrong. */
import type { ClientConfig, CommonConfig, Limits, ServerConfig, TicketConfig } from './config.js';
import type { CryptoProvider } from './crypto/provider.js';
import { type CipherSuite, cipherSuite } from './crypto/suites.js';
import {
  type CipherSuiteName,
  cipherSuites,
  type NamedGroupName,
  namedGroups,
  type SignatureSchemeName,
  signatureSchemes,
} from './registry.js';

interface CommonSettings {
  readonly provider: CryptoProvider;
  readonly cipherSuites: readonly CipherSuite[];
  readonly groups: readonly NamedGroupName[];
  readonly signatureSchemes: readonly SignatureSchemeName[];
  readonly certificateSignatureSchemes: readonly SignatureSchemeName[];
  readonly alpnProtocols: readonly string[];
  readonly now: () => number;
  readonly keyLog: boolean;
  readonly limits: Limits;
}

/** A client's settings: everything that has a default has its value. */
export interface ClientSettings extends CommonSettings {
  readonly serverName: ClientConfig['serverName'];
  readonly verifyPeer: ClientConfig['verifyPeer'];
  readonly credential: ClientConfig['credential'];
  readonly session: ClientConfig['session'];
  readonly keyShares: readonly NamedGroupName[];
  readonly middleboxCompatibility: boolean;
  readonly ocspStapling: boolean;
}

/** A server's settings: everything that has a default has its value. */
export interface ServerSettings extends CommonSettings {
  readonly credentials: ServerConfig['credentials'];
  readonly selectAlpnProtocol: ServerConfig['selectAlpnProtocol'];
  readonly clientAuthentication: 'none' | 'request' | 'require';
  readonly verifyPeer: ServerConfig['verifyPeer'];
  readonly certificateAuthorities: readonly Uint8Array[];
  readonly tickets: Required<TicketConfig> | undefined;
  readonly cookies: ServerConfig['cookies'];
  readonly insistOnGroups: boolean;
  readonly prioritizeChaCha: boolean;
  readonly middleboxCompatibility: boolean;
}

const defaultLimits: Omit<Limits, 'recordsPerKey'> = {
  handshakeMessage: 131_072,
  skippedEarlyData: 65_536,
  keyUpdates: 32,
  emptyRecords: 32,
  pendingInput: 262_144,
  tickets: 64,
};

const defaultCipherSuites: readonly CipherSuiteName[] = [
  'TLS_AES_128_GCM_SHA256',
  'TLS_AES_256_GCM_SHA384',
  'TLS_CHACHA20_POLY1305_SHA256',
  'TLS_AES_128_CCM_SHA256',
];

/** §4.3.3: defined for certificates' signatures, never for the handshake's. */
const certificateOnlySchemes: readonly SignatureSchemeName[] = [
  'rsa_pkcs1_sha256',
  'rsa_pkcs1_sha384',
  'rsa_pkcs1_sha512',
];

const maximumTicketLifetime = 604_800;

/** Throws TypeError or RangeError naming the option. */
export function clientSettings(config: ClientConfig): ClientSettings {
  const common = commonSettings(config);
  if (typeof config.verifyPeer !== 'function') {
    throw new TypeError('verifyPeer must be a function: without it any server would be believed');
  }
  const { serverName } = config;
  if (serverName !== undefined) checkServerName(serverName);
  const keyShares = config.keyShares ?? defaultKeyShares(common.groups);
  for (const group of keyShares) {
    if (!common.groups.includes(group)) throw new TypeError(`keyShares: ${group} is not among groups`);
  }
  return {
    ...common,
    serverName,
    verifyPeer: config.verifyPeer,
    credential: config.credential,
    session: config.session,
    keyShares,
    middleboxCompatibility: config.middleboxCompatibility ?? true,
    ocspStapling: config.ocspStapling ?? true,
  };
}

/** Throws TypeError or RangeError naming the option. */
export function serverSettings(config: ServerConfig): ServerSettings {
  const common = commonSettings(config);
  const clientAuthentication = config.clientAuthentication ?? 'none';
  if (!['none', 'request', 'require'].includes(clientAuthentication)) {
    throw new TypeError(`clientAuthentication must be 'none', 'request' or 'require', not '${clientAuthentication}'`);
  }
  if (clientAuthentication !== 'none' && typeof config.verifyPeer !== 'function') {
    throw new TypeError('verifyPeer must be a function when client certificates are asked for');
  }
  const { credentials } = config;
  if (typeof credentials !== 'function') checkCredentials(credentials);
  return {
    ...common,
    credentials,
    selectAlpnProtocol: config.selectAlpnProtocol,
    clientAuthentication,
    verifyPeer: config.verifyPeer,
    certificateAuthorities: config.certificateAuthorities ?? [],
    tickets: config.tickets === undefined ? undefined : ticketSettings(config.tickets),
    cookies: config.cookies,
    insistOnGroups: config.insistOnGroups ?? false,
    prioritizeChaCha: config.prioritizeChaCha ?? false,
    middleboxCompatibility: config.middleboxCompatibility ?? false,
  };
}

function commonSettings(config: CommonConfig): CommonSettings {
  const { provider } = config;
  const suites = chosen('cipherSuites', config.cipherSuites ?? defaultCipherSuites, cipherSuites).map(cipherSuite);
  const usable = suites.filter((suite) => provider.aeads.includes(suite.aead));
  if (usable.length === 0) {
    throw new TypeError(`cipherSuites: provider ${provider.name} has none of ${suites.map((s) => s.name).join(', ')}`);
  }
  const accepted = offeredBy(
    provider,
    'signatureSchemes',
    config.signatureSchemes,
    provider.signatureSchemes,
    signatureSchemes,
  );
  return {
    provider,
    cipherSuites: usable,
    groups: offeredBy(provider, 'groups', config.groups, provider.groups, namedGroups),
    signatureSchemes: accepted,
    certificateSignatureSchemes: chosen(
      'certificateSignatureSchemes',
      config.certificateSignatureSchemes ?? [...accepted, ...certificateOnlySchemes],
      signatureSchemes,
    ),
    alpnProtocols: alpnProtocols(config.alpnProtocols ?? []),
    now: config.now ?? Date.now,
    keyLog: config.keyLog ?? false,
    limits: limits(config.limits ?? {}),
  };
}

/** The best group; and beside a hybrid the best that every server has, which costs less than a HelloRetryRequest. */
function defaultKeyShares(groups: readonly NamedGroupName[]): readonly NamedGroupName[] {
  const [best] = groups;
  const classical = groups.find((group) => group !== 'X25519MLKEM768');
  return [...new Set([best, classical])].filter((group) => group !== undefined);
}

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

function ticketSettings(config: TicketConfig): Required<TicketConfig> {
  const { protector, count = 2, lifetime = 7_200 } = config;
  if (!Number.isInteger(count) || count < 0 || count > 16) {
    throw new RangeError(`tickets.count must be a whole number from 0 to 16, not ${count}`);
  }
  if (!Number.isInteger(lifetime) || lifetime < 1 || lifetime > maximumTicketLifetime) {
    throw new RangeError(`tickets.lifetime must be 1 to ${maximumTicketLifetime} seconds (§4.7.1), not ${lifetime}`);
  }
  return { protector, count, lifetime };
}

function checkServerName(name: string): void {
  // RFC 6066 §3: a DNS host name in ASCII, no trailing dot, no address.
  const label = '[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?';
  if (name.length > 255 || !new RegExp(`^${label}(?:\\.${label})*$`, 'i').test(name) || /^[\d.]+$/.test(name)) {
    throw new TypeError(`serverName ${JSON.stringify(name)} is not a DNS host name (an IP address must be left out)`);
  }
}

function checkCredentials(credentials: Exclude<ServerConfig['credentials'], (...args: never[]) => unknown>): void {
  if (credentials.length === 0) throw new TypeError('credentials must hold at least one certificate and key');
  for (const { certificateChain, signer } of credentials) {
    if (certificateChain.length === 0) throw new TypeError('credentials: a certificateChain is empty');
    if (signer.schemes.length === 0) throw new TypeError('credentials: a signer offers no signature scheme');
  }
}
