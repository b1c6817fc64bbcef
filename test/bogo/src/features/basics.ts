/** What every case may say: which side, where the runner listens, what a handshake ends with. */
import { cipherSuites } from 'tls13-core';
import { expectSame } from '../failure.js';
import type { Feature } from '../feature.js';
import { number } from '../flags.js';

export const basics: Feature = {
  flags: {
    switches: ['server', 'ipv6', 'is-handshaker-supported', 'expect-session-miss', 'server-preference'],
    values: [
      'port',
      'shim-id',
      'resume-count',
      'expect-version',
      'expect-cipher',
      'expect-cipher-aes',
      'expect-cipher-no-aes',
    ],
  },
  server: () => ({
    // What the runner takes for the default of every server.
    middleboxCompatibility: true,
    prioritizeChaCha: true,
  }),
  check(info, flags, _seen, resuming) {
    expectSame('resumed', info.resumed, resuming && !flags.switches.has('expect-session-miss'));
    expectSame('version', 0x0304, number(flags, 'expect-version') ?? 0x0304);
    const suite = cipherSuites[info.cipherSuite];
    expectSame('cipher suite', suite, number(flags, 'expect-cipher') ?? suite);
    expectSame('cipher suite', suite, number(flags, 'expect-cipher-aes') ?? suite);
  },
};
