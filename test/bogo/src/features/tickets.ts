/** Resumption by tickets (§2.2, §4.7.1). */
import type { Protector } from 'tls13-core';
import type { Feature } from '../feature.js';
import type { Flags } from '../flags.js';
import { answerer, type World } from '../world.js';

export const tickets: Feature = {
  flags: {
    switches: ['expect-no-session', 'no-ticket', 'renew-ticket', 'skip-ticket'],
    values: ['resumption-delay'],
  },
  server(flags, world) {
    if (flags.switches.has('no-ticket')) return {};
    return { tickets: { protector: ticketKeys(flags, world), count: flags.switches.has('skip-ticket') ? 0 : 2 } };
  },
};

function ticketKeys(flags: Flags, world: World): Protector {
  const later = answerer(flags.switches.has('async'));
  const { ticketKeys: keys } = world;
  return { protect: (state) => keys.protect(state), unprotect: (sealed) => later(() => keys.unprotect(sealed)) };
}
