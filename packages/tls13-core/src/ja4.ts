/**
 * JA4, the fingerprint of a ClientHello that network people compare clients by. It tells kinds of clients apart, not
 * people, and is no proof of anything: a client can send whatever fingerprint it likes.
 */
import type { ClientHelloInfo } from './config/index.js';
import type { CryptoProvider } from './crypto/provider.js';
import { extensionTypes, isGrease } from './registry.js';

/** The JA4 of a ClientHello over TCP, e.g. `t13d1516h2_8daaf6152771_e5627efa2ab1`. */
export function ja4(hello: ClientHelloInfo, provider: CryptoProvider): string {
  const suites = hello.cipherSuites.filter(isNoGrease);
  const extensions = hello.extensionTypes.filter(isNoGrease);
  const listed = extensions.filter((type) => !counted.has(type));
  const schemes = hello.signatureSchemes.filter(isNoGrease).map(hex);
  const first = [
    't',
    version(hello),
    extensions.includes(extensionTypes.server_name) ? 'd' : 'i',
    count(suites),
    count(extensions),
    protocolMark(hello.alpnProtocols[0]),
  ].join('');
  const tail = schemes.length === 0 ? '' : `_${schemes.join(',')}`;
  const hash = (text: string) => shortHash(text, provider);
  return [
    first,
    suites.length === 0 ? nothing : hash(sorted(suites)),
    extensions.length === 0 ? nothing : hash(sorted(listed) + tail),
  ].join('_');
}

const nothing = '0'.repeat(12);
/** They are in the first part already, and in the third only as numbers of extensions. */
const counted: ReadonlySet<number> = new Set([
  extensionTypes.server_name,
  extensionTypes.application_layer_protocol_negotiation,
]);

const versionMarks: ReadonlyMap<number, string> = new Map([
  [0x0304, '13'],
  [0x0303, '12'],
  [0x0302, '11'],
  [0x0301, '10'],
  [0x0300, 's3'],
  [0x0002, 's2'],
]);

function version({ versions, legacyVersion }: ClientHelloInfo): string {
  const offered = versions.filter(isNoGrease);
  const highest = offered.length === 0 ? legacyVersion : Math.max(...offered);
  return versionMarks.get(highest) ?? '00';
}

function isNoGrease(code: number): boolean {
  return !isGrease(code);
}

function count(list: readonly number[]): string {
  return String(Math.min(list.length, 99)).padStart(2, '0');
}

/** First and last character of the first protocol; of its hexadecimal form where they are no letters or digits. */
function protocolMark(protocol: string | undefined): string {
  if (protocol === undefined || protocol.length === 0) return '00';
  const ends = `${protocol.at(0) ?? ''}${protocol.at(-1) ?? ''}`;
  if (/^[0-9A-Za-z]{2}$/.test(ends)) return ends;
  const codes = Array.from(protocol, (octet) => octet.charCodeAt(0).toString(16).padStart(2, '0')).join('');
  return `${codes.at(0) ?? ''}${codes.at(-1) ?? ''}`;
}

function sorted(codes: readonly number[]): string {
  return codes.map(hex).toSorted().join(',');
}

function hex(code: number): string {
  return code.toString(16).padStart(4, '0');
}

function shortHash(text: string, provider: CryptoProvider): string {
  const digest = provider.hash('sha256').digest(Uint8Array.from(text, (letter) => letter.charCodeAt(0)));
  return Array.from(digest.subarray(0, 6), (byte) => byte.toString(16).padStart(2, '0')).join('');
}
