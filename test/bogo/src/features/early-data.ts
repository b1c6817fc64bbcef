/** Early data (§2.3): when it is offered and accepted, and what the sessions and the verdicts of a retry have to do with it. */
import { createReplayCache, type EarlyDataReason, type ReplayCache } from 'tls13-core';
import { expectSame } from '../failure.js';
import type { Feature } from '../feature.js';
import { text } from '../flags.js';
import type { World } from '../world.js';

export const earlyData: Feature = {
  flags: {
    switches: [
      'enable-early-data',
      'expect-accept-early-data',
      'expect-no-offer-early-data',
      'expect-reject-early-data',
      'expect-ticket-supports-early-data',
    ],
    values: ['early-write-after-message', 'expect-early-data-reason', 'repeat-shim-initial-write'],
  },
  client: (flags) => ({ earlyData: flags.switches.has('enable-early-data') }),
  server(flags, world) {
    if (!flags.switches.has('enable-early-data') || flags.switches.has('no-ticket')) return {};
    // What the runner takes for the limits of every server.
    return { earlyData: { maxSize: 14_336, freshnessWindow: 60, replayCache: replayCacheOf(world) } };
  },
  check(info, flags) {
    const { switches } = flags;
    const accepted = info.earlyData === 'accepted';
    if (switches.has('expect-accept-early-data')) expectSame('early data accepted', accepted, true);
    if (switches.has('expect-reject-early-data')) expectSame('early data accepted', accepted, false);
    if (switches.has('expect-no-offer-early-data')) expectSame('early data', info.earlyData, 'none');
    const expected = text(flags, 'expect-early-data-reason');
    if (expected !== undefined) expectSame('reason', names[info.earlyDataReason], expected);
  },
};

const caches = new WeakMap<World, ReplayCache>();

function replayCacheOf(world: World): ReplayCache {
  const cache = caches.get(world) ?? createReplayCache({ now: world.now });
  caches.set(world, cache);
  return cache;
}

/** As the runner calls them. */
const names: Readonly<Record<EarlyDataReason, string>> = {
  accepted: 'accept',
  disabled: 'disabled',
  not_offered: 'peer_declined',
  no_session_offered: 'no_session_offered',
  session_not_resumed: 'session_not_resumed',
  unsupported_for_session: 'unsupported_for_session',
  hello_retry_request: 'hello_retry_request',
  cipher_suite_mismatch: 'unsupported_for_session',
  alpn_mismatch: 'alpn_mismatch',
  ticket_age_skew: 'ticket_age_skew',
  replay_suspected: 'peer_declined',
  peer_declined: 'peer_declined',
};
