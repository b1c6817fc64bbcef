/** The options that `serve` and `connect` share: what they are called, what is allowed, what they mean to the library. */
import { readFileSync } from 'node:fs';
import { cipherSuite, cipherSuites, type ExternalPsk, type HashName, namedGroups, type PskEarlyData } from 'tls13-core';
import { nativeProvider } from 'tls13-node-crypto';
import { asError } from '../errors.js';
import type { CommonOptions } from '../options.js';
import { type Arguments, type Option, UsageError } from './options.js';
import { recordOptions, recordSettings } from './record-options.js';

const suiteNames = keysOf(cipherSuites);
const groupNames = keysOf(namedGroups);

export const commonOptions = {
  alpn: { value: 'LIST', help: 'application protocols, best first, commas between' },
  offload: { value: 'WHICH', help: 'what the kernel protects where it can: auto (send), send, both or off' },
  provider: { value: 'NAME', help: 'crypto: native (OpenSSL by the addon), node (node:crypto) or noble (JavaScript)' },
  groups: { value: 'LIST', help: `key exchange, best first: ${groupNames.join(', ')}` },
  suites: { value: 'LIST', help: `cipher suites, best first: ${suiteNames.join(', ')}` },
  ...recordOptions,
} as const satisfies Readonly<Record<string, Option>>;

/** A pre-shared key, in place of certificates (`connect`) or beside them (`serve`). */
export const pskOptions = {
  psk: { value: 'HEX', help: 'a pre-shared key of 16 bytes or more (others on this machine may see it)' },
  'psk-identity': { value: 'NAME', help: 'what it is called: everybody on the way can read it' },
  'psk-hash': { value: 'NAME', help: 'its hash: sha256 (default) or sha384' },
} as const satisfies Readonly<Record<string, Option>>;

export const keyLogOption = {
  value: 'FILE',
  help: 'append the secrets of every connection: whoever has the file can read them',
} as const satisfies Option;

type Shared = Pick<CommonOptions, 'ALPNProtocols' | 'ciphers' | 'ecdhCurve' | 'offload' | 'provider'> &
  ReturnType<typeof recordSettings>;

/** @throws UsageError naming the option and what is allowed. */
export async function sharedOptions(given: Arguments): Promise<Shared> {
  const alpn = protocols(given);
  const suites = given.listOf('suites', suiteNames);
  const groups = given.listOf('groups', groupNames);
  const offload = given.oneOf('offload', ['auto', 'send', 'both', 'off']);
  const provider = await providerOf(given);
  return {
    ...(alpn === undefined ? {} : { ALPNProtocols: alpn }),
    ...(suites === undefined ? {} : { ciphers: suites }),
    ...(groups === undefined ? {} : { ecdhCurve: groups }),
    ...(offload === undefined ? {} : { offload }),
    ...(provider === undefined ? {} : { provider }),
    ...recordSettings(given),
  };
}

/**
 * @param maxEarlyData bytes that may go with it as early data, with the first suite and protocol that are given.
 * @throws UsageError naming the option that is missing, or what it must be.
 */
export function pskOf(given: Arguments, maxEarlyData?: number): readonly ExternalPsk[] | undefined {
  const hex = given.text('psk');
  const identity = given.text('psk-identity');
  const hash = given.oneOf('psk-hash', ['sha256', 'sha384']);
  if (hex === undefined && identity === undefined && hash === undefined) return undefined;
  if (hex === undefined || identity === undefined) throw new UsageError('--psk and --psk-identity go together');
  if (!/^(?:[0-9a-f]{2}){16,}$/i.test(hex)) throw new UsageError('--psk: give at least 16 bytes in hexadecimal');
  const psk = { identity: new Uint8Array(Buffer.from(identity)), key: new Uint8Array(Buffer.from(hex, 'hex')) };
  const ofHash = hash === undefined ? psk : { ...psk, hash };
  return [maxEarlyData === undefined ? ofHash : { ...ofHash, earlyData: earlyDataWith(given, hash, maxEarlyData) }];
}

function earlyDataWith(given: Arguments, hash: HashName = 'sha256', maxSize: number): PskEarlyData {
  const suites = given.listOf('suites', suiteNames) ?? suiteNames;
  const suite = suites.find((name) => cipherSuite(name).hash === hash);
  if (suite === undefined) throw new UsageError(`--early-data: none of --suites goes with a key of ${hash}`);
  const [alpnProtocol] = protocols(given) ?? [];
  return { maxSize, cipherSuite: suite, ...(alpnProtocol === undefined ? {} : { alpnProtocol }) };
}

/** @throws UsageError when the file cannot be read. */
export function readOptionFile(name: string, path: string): Buffer {
  try {
    return readFileSync(path);
  } catch (error) {
    throw new UsageError(`--${name}: ${asError(error).message}`);
  }
}

/** RFC 7301 §3.1: a name has 1 to 255 bytes. */
function protocols(given: Arguments): readonly string[] | undefined {
  const names = given.words('alpn');
  const long = names?.find((name) => Buffer.byteLength(name) > 255);
  if (long !== undefined) throw new UsageError('--alpn: a protocol name has at most 255 bytes');
  return names;
}

/** Without the option the best there is; one that was asked for by name is not replaced by another. */
async function providerOf(given: Arguments): Promise<CommonOptions['provider']> {
  const name = given.oneOf('provider', ['native', 'node', 'noble']);
  if (name === 'noble') return (await import('tls13-core/noble')).nobleProvider;
  if (name !== 'native') return name;
  try {
    return nativeProvider();
  } catch (error) {
    throw new UsageError(`--provider native: ${asError(error).message}`);
  }
}

function keysOf<Name extends string>(registry: Readonly<Record<Name, unknown>>): readonly Name[] {
  const names: Name[] = [];
  for (const name in registry) names.push(name);
  return names;
}
