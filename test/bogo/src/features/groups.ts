/** Groups and key shares (§4.3.7, §4.3.8), and HelloRetryRequest (§4.2.4). */
import { type NamedGroupName, namedGroups } from 'tls13-core';
import { expectSame } from '../failure.js';
import type { Feature } from '../feature.js';
import { type Flags, number, numbers, Unimplemented } from '../flags.js';
import type { World } from '../world.js';

export const groups: Feature = {
  flags: {
    switches: ['expect-hrr', 'expect-no-hrr', 'no-key-shares'],
    values: ['curves', 'expect-curve-id', 'curves-flags', 'key-shares', 'server-supported-groups-hint'],
  },
  client: (flags, world) => ({ ...supported(flags, world), keyShares: keyShares(flags, world) }),
  // What the runner takes for the default of every server is that its own order counts.
  server: (flags, world) => ({ ...supported(flags, world), ...equal(flags, world), insistOnGroups: true }),
  check(info, flags) {
    const group = info.group === undefined ? 0 : namedGroups[info.group];
    expectSame('group', group, number(flags, 'expect-curve-id') ?? group);
    if (flags.switches.has('expect-hrr')) expectSame('helloRetryRequest', info.helloRetryRequest, true);
    if (flags.switches.has('expect-no-hrr')) expectSame('helloRetryRequest', info.helloRetryRequest, false);
  },
};

function supported(flags: Flags, world: World): { readonly groups?: readonly NamedGroupName[] } {
  const codes = numbers(flags, 'curves');
  return codes === undefined ? {} : { groups: codes.map((code) => groupName(code, world)) };
}

/** The first bit of a group's flags says that it is as good as the next. */
function equal(flags: Flags, world: World): { readonly equalGroups?: readonly (readonly NamedGroupName[])[] } {
  const marks = numbers(flags, 'curves-flags');
  if (marks === undefined) return {};
  const sets: NamedGroupName[][] = [];
  for (const [index, group] of (supported(flags, world).groups ?? []).entries()) {
    if (((marks[index - 1] ?? 0) & 1) === 0) sets.push([group]);
    else sets.at(-1)?.push(group);
  }
  return { equalGroups: sets };
}

/** The best hybrid and the best classical group, unless the runner says otherwise. */
function keyShares(flags: Flags, world: World): readonly NamedGroupName[] {
  const given = numbers(flags, 'key-shares')?.map((code) => groupName(code, world));
  const ours = supported(flags, world).groups ?? world.provider.groups;
  // A hint names groups that the server has: the best that both have is worth a share, and no other is.
  const hint = numbers(flags, 'server-supported-groups-hint');
  const hinted = hint === undefined ? undefined : ours.find((group) => hint.includes(namedGroups[group]));
  if (hinted !== undefined) return [hinted];
  if (flags.switches.has('no-key-shares')) return [];
  const isHybrid = (group: NamedGroupName) => group.includes('MLKEM');
  const best = [ours.find(isHybrid), ours.find((group) => !isHybrid(group))];
  return given ?? best.filter((group) => group !== undefined);
}

/** The runner's names for what this provider has; a case about anything else is passed over. */
function groupName(code: number, { provider }: World): NamedGroupName {
  const name = provider.groups.find((group) => namedGroups[group] === code);
  if (name === undefined) throw new Unimplemented(`group ${code}`);
  return name;
}
