/** Turns the options that shape the protocol into the core's configuration; what it cannot mean is refused in a sentence. */
import {
  type CipherSuiteName,
  type CommonConfig,
  type CryptoProvider,
  cipherSuites,
  type NamedGroupName,
  namedGroups,
  type SignatureSchemeName,
  signatureSchemes,
} from 'tls13-core';
import { certificateCompressors, createProvider } from 'tls13-node-crypto';
import type { CommonOptions } from './options.js';

export function commonConfig(options: CommonOptions): CommonConfig {
  const suites = names(options.ciphers);
  const groups = names(options.ecdhCurve)?.filter((name) => name !== 'auto');
  const schemes = names(options.sigalgs);
  const delegated = names(options.delegatedCredentialSchemes);
  return {
    provider: providerOf(options.provider),
    ...(suites === undefined ? {} : { cipherSuites: suites.map(suite) }),
    ...(groups === undefined || groups.length === 0 ? {} : { groups: groups.map(group) }),
    ...(delegated === undefined ? {} : { delegatedCredentialSchemes: delegated.map(delegatedScheme) }),
    ...(schemes === undefined ? {} : { signatureSchemes: schemes.map((name) => scheme(name)) }),
    ...(options.ALPNProtocols === undefined ? {} : { alpnProtocols: protocolNames(options.ALPNProtocols) }),
    ...(options.recordSizeLimit === undefined ? {} : { recordSizeLimit: options.recordSizeLimit }),
    ...(options.padding === undefined ? {} : { padding: options.padding }),
    ...(options.dynamicRecordSizing === undefined ? {} : { dynamicRecordSizing: options.dynamicRecordSizing }),
    ...(options.grease === undefined ? {} : { grease: options.grease }),
    ...(options.certificateCompression === undefined
      ? {}
      : { certificateCompression: certificateCompressors(options.certificateCompression) }),
    ...(options.limits === undefined ? {} : { limits: options.limits }),
  };
}

/** Application protocols (RFC 7301) as names. */
export function protocolNames(protocols: NonNullable<CommonOptions['ALPNProtocols']>): readonly string[] {
  if (protocols instanceof Uint8Array) return fromWire(protocols);
  return protocols.map((name) => (typeof name === 'string' ? name : Buffer.from(name).toString('latin1')));
}

function providerOf(choice: CommonOptions['provider'] = 'native'): CryptoProvider {
  if (typeof choice === 'object') return choice;
  return createProvider({ prefer: choice });
}

function names(given: string | readonly string[] | undefined): readonly string[] | undefined {
  if (given === undefined) return undefined;
  const list = typeof given === 'string' ? given.split(':') : given;
  return list.map((name) => name.trim()).filter((name) => name !== '');
}

function suite(name: string): CipherSuiteName {
  if (isName(cipherSuites, name)) return name;
  throw new TypeError(
    `ciphers: '${name}' is not a suite of TLS 1.3, which are ${Object.keys(cipherSuites).join(', ')}`,
  );
}

function group(name: string): NamedGroupName {
  const found = groupsByName.get(name.toLowerCase());
  if (found !== undefined) return found;
  throw new TypeError(`ecdhCurve: '${name}' is not known; known are ${Object.keys(namedGroups).join(', ')}`);
}

function scheme(name: string, option = 'sigalgs'): SignatureSchemeName {
  if (isName(signatureSchemes, name)) return name;
  throw new TypeError(`${option}: '${name}' is not known; known are ${Object.keys(signatureSchemes).join(', ')}`);
}

function delegatedScheme(name: string): SignatureSchemeName {
  return scheme(name, 'delegatedCredentialSchemes');
}

const groupsByName = new Map<string, NamedGroupName>([
  ['prime256v1', 'secp256r1'],
  ['p-256', 'secp256r1'],
  ['p-384', 'secp384r1'],
  ['p-521', 'secp521r1'],
]);
for (const name in namedGroups) if (isName(namedGroups, name)) groupsByName.set(name.toLowerCase(), name);

function isName<Name extends string>(registry: Readonly<Record<Name, number>>, name: string): name is Name {
  return Object.hasOwn(registry, name);
}

/** ProtocolNameList without its own length (RFC 7301 §3.1), as node:tls takes it. */
function fromWire(bytes: Uint8Array): readonly string[] {
  const found: string[] = [];
  for (let offset = 0; offset < bytes.length; ) {
    const length = bytes[offset] ?? 0;
    const name = bytes.subarray(offset + 1, offset + 1 + length);
    if (length === 0 || name.length < length) throw new TypeError('ALPNProtocols: the wire format is cut off or empty');
    found.push(Buffer.from(name).toString('latin1'));
    offset += 1 + length;
  }
  return found;
}
