/** Encrypted Client Hello (RFC 9849). */
import { createEchKeys, EchRejectedError, type PeerIdentity } from 'tls13-core';
import { expectBytes, expectSame } from '../failure.js';
import type { Feature } from '../feature.js';
import { base64, type Flags, numbers, text } from '../flags.js';
import { answerer } from '../world.js';

export const ech: Feature = {
  flags: {
    switches: [
      'enable-ech-grease',
      'expect-ech-accept',
      'expect-no-ech-name-override',
      'expect-no-ech-retry-configs',
      'fail-early-callback-ech-rewind',
      'reject-unusable-ech-config',
    ],
    values: [
      'ech-config-list',
      'ech-is-retry-config',
      'ech-server-config',
      'ech-server-key',
      'expect-ech-name-override',
      'expect-ech-retry-configs',
    ],
  },
  client(flags) {
    const configs = base64(flags, 'ech-config-list');
    const grease = flags.switches.has('enable-ech-grease');
    const required = flags.switches.has('reject-unusable-ech-config');
    if (configs === undefined && !grease && !required) return {};
    return { ech: { grease, required, ...(configs === undefined ? {} : { configs }) } };
  },
  server(flags, { provider }) {
    const keys = flags.values.get('ech-server-key') ?? [];
    const configs = flags.values.get('ech-server-config') ?? [];
    if (keys.length === 0) return {};
    const retry = numbers(flags, 'ech-is-retry-config') ?? [];
    const given = keys.map((key, index) => ({
      config: bytes(configs[index]),
      privateKey: bytes(key),
      retry: retry[index] === 1,
    }));
    const later = answerer(flags.switches.has('async'));
    const accept = () => later(() => !flags.switches.has('fail-early-callback-ech-rewind'));
    return { ech: { keys: createEchKeys(provider, given), accept } };
  },
  check(info, flags) {
    expectSame('a finished handshake', true, !expectsRejection(flags));
    expectSame('ECH accepted', info.echAccepted, flags.switches.has('expect-ech-accept'));
  },
  failed(error, flags) {
    if (!expectsRejection(flags)) return;
    expectSame('ECH rejected', error instanceof EchRejectedError, true);
    if (!(error instanceof EchRejectedError)) return;
    const expected = base64(flags, 'expect-ech-retry-configs');
    const seen = error.retryConfigs === undefined ? [] : [error.retryConfigs];
    expectBytes('retry configs', seen, expected === undefined ? [] : [expected]);
  },
};

/** Whose certificate it is that a client is asked about. */
export function examineName(flags: Flags, { serverName }: PeerIdentity): void {
  const override = text(flags, 'expect-ech-name-override');
  if (override !== undefined) expectSame('name to authenticate', serverName, override);
  if (flags.switches.has('expect-no-ech-name-override')) {
    expectSame('name to authenticate', serverName, text(flags, 'host-name'));
  }
}

function expectsRejection(flags: Flags): boolean {
  return flags.switches.has('expect-no-ech-retry-configs') || flags.values.has('expect-ech-retry-configs');
}

function bytes(base64Text: string | undefined): Uint8Array {
  return new Uint8Array(Buffer.from(base64Text ?? '', 'base64'));
}
