/** server_name (RFC 6066 §3). */
import { expectSame } from '../failure.js';
import type { Feature } from '../feature.js';
import { type Flags, text } from '../flags.js';

export const serverName: Feature = {
  flags: { switches: ['expect-no-server-name', 'no-server-name-ack'], values: ['host-name', 'expect-server-name'] },
  client(flags) {
    const name = text(flags, 'host-name');
    return name === undefined ? {} : { serverName: name };
  },
  server: (flags) => ({ acknowledgeServerName: !flags.switches.has('no-server-name-ack') }),
  check(info, flags) {
    const expected = text(flags, 'expect-server-name');
    if (expected !== undefined) expectSame('server name', info.serverName, expected);
  },
};

/** What a client names, while a server chooses its certificate. */
export function checkServerName(flags: Flags, actual: string | undefined): void {
  const expected = text(flags, 'expect-server-name');
  if (expected !== undefined || flags.switches.has('expect-no-server-name')) {
    expectSame('server name', actual, expected);
  }
}
