/** What the runner expects of a finished handshake, held against what the engine reports. */
import { type ConnectionInfo, namedGroups, signatureSchemes } from 'tls13-core';
import { type Seen, suiteCode } from './configuration.js';
import { Failure } from './failure.js';
import { base64, type Flags, number, text } from './flags.js';
import { readPem } from './world.js';

export function checkConnection(info: ConnectionInfo, flags: Flags, resuming: boolean, seen: Seen): void {
  const { switches } = flags;
  const server = info.role === 'server';
  expectSame('resumed', info.resumed, resuming && !switches.has('expect-session-miss'));
  expectNumber(flags, 'expect-version', 0x0304);
  expectNumber(flags, 'expect-cipher', suiteCode(info.cipherSuite));
  expectNumber(flags, 'expect-cipher-aes', suiteCode(info.cipherSuite));
  expectNumber(flags, 'expect-curve-id', namedGroups[info.group]);
  const scheme = server ? info.clientSignatureScheme : info.signatureScheme;
  // Nobody signs where a PSK authenticates; of the original handshake the library does not say it again.
  if (scheme !== undefined || !info.resumed) {
    expectNumber(flags, 'expect-peer-signature-algorithm', scheme === undefined ? 0 : signatureSchemes[scheme]);
  }
  expectNumber(flags, 'expect-selected-credential', seen.credential ?? -1);

  if (switches.has('expect-hrr')) expectSame('helloRetryRequest', info.helloRetryRequest, true);
  if (switches.has('expect-no-hrr')) expectSame('helloRetryRequest', info.helloRetryRequest, false);
  expectSame('alpnProtocol', info.alpnProtocol ?? '', text(flags, server ? 'select-alpn' : 'expect-alpn') ?? '');
  const serverName = text(flags, 'expect-server-name');
  if (serverName !== undefined) expectSame('serverName', info.serverName, serverName);

  const shown = info.peerCertificates.length;
  if (switches.has('expect-no-peer-cert')) expectSame('certificates of the peer', shown, 0);
  else if (!server || switches.has('require-any-client-certificate'))
    expectSame('peer has certificates', shown > 0, true);
  const chain = text(flags, 'expect-peer-cert-file');
  if (chain !== undefined) expectSame('chain of the peer', hex(info.peerCertificates), hex(readPem(chain)));
  const response = base64(flags, 'expect-ocsp-response');
  if (response !== undefined)
    expectSame('OCSP response', hex([seen.ocspResponse ?? new Uint8Array(0)]), hex([response]));
}

function expectNumber(flags: Flags, name: string, actual: number): void {
  const expected = number(flags, name);
  if (expected !== undefined) expectSame(name, actual, expected);
}

function expectSame<T extends string | number | boolean | undefined>(what: string, actual: T, expected: T): void {
  if (actual !== expected) throw new Failure(`${what} is ${String(actual)}; expected is ${String(expected)}`);
}

function hex(chain: readonly Uint8Array[]): string {
  return chain.map((der) => Buffer.from(der).toString('hex')).join();
}
