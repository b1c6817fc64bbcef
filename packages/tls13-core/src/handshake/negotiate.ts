/** What a server takes from a client's offer (§4.2.1): each choice by itself, in the server's order of preference. */
import { TlsError } from '../alert.js';
import type { CipherSuite } from '../crypto/suites.js';
import { cipherSuites, type NamedGroupName, namedGroups, nameOf } from '../registry.js';

/** A share of the client's for a group that both sides know. */
export interface ChosenShare {
  readonly group: NamedGroupName;
  readonly keyExchange: Uint8Array;
}

/** The suites both sides have, in the server's order but for `prioritizeChaCha`; never empty. */
export function commonCipherSuites(
  ours: readonly CipherSuite[],
  offered: readonly number[],
  prioritizeChaCha = false,
): readonly [CipherSuite, ...CipherSuite[]] {
  const common = ours.filter((suite) => offered.includes(suite.code));
  const [first, ...others] = prioritizeChaCha ? chaChaFirst(common, offered) : common;
  if (first === undefined) {
    const wanted = ours.map((suite) => suite.name).join(', ');
    throw new TlsError(
      'handshake_failure',
      `the client offers the cipher suites ${names(cipherSuites, offered)}; wanted is one of ${wanted} (§4.2.1)`,
    );
  }
  return [first, ...others];
}

/** In front of the others, where the client has put it in front of all the others in common. */
function chaChaFirst(common: readonly CipherSuite[], offered: readonly number[]): readonly CipherSuite[] {
  const theirFirst = offered.find((code) => common.some((suite) => suite.code === code));
  if (theirFirst !== cipherSuites.TLS_CHACHA20_POLY1305_SHA256) return common;
  return common.toSorted((a, b) => Number(b.code === theirFirst) - Number(a.code === theirFirst));
}

/** The server's order, in which each set of `equal` groups stands as the client has it. */
export function orderGroups(
  ours: readonly NamedGroupName[],
  equal: readonly (readonly NamedGroupName[])[],
  offered: readonly number[],
): readonly NamedGroupName[] {
  if (equal.length === 0) return ours;
  const place = (group: NamedGroupName) => {
    const position = offered.indexOf(namedGroups[group]);
    return position < 0 ? offered.length : position;
  };
  return ours.flatMap((group) => {
    const set = equal.find((one) => one.includes(group));
    if (set === undefined) return [group];
    // The whole set stands where its first member does.
    const first = ours.find((one) => set.includes(one)) === group;
    return first ? set.toSorted((a, b) => place(a) - place(b)) : [];
  });
}

/**
 * The server's best group that the client sent a share for: one round trip less is worth more than a better place in
 * the order, unless the server insists on that. Without any such share, the best group in common, to ask for in a
 * HelloRetryRequest (§4.2.4).
 */
export function chooseGroup(
  ours: readonly NamedGroupName[],
  offered: readonly number[],
  shares: readonly { readonly group: number; readonly keyExchange: Uint8Array }[],
  insist = false,
): ChosenShare | NamedGroupName {
  const group = ours.find((candidate) => offered.includes(namedGroups[candidate]));
  const acceptable = insist && group !== undefined ? [group] : ours;
  for (const candidate of acceptable) {
    const share = shares.find((one) => one.group === namedGroups[candidate]);
    if (share !== undefined) return { group: candidate, keyExchange: share.keyExchange };
  }
  if (group === undefined) {
    throw new TlsError(
      'handshake_failure',
      `the client offers the groups ${names(namedGroups, offered)}; wanted is one of ${ours.join(', ')} (§4.2.1)`,
    );
  }
  return group;
}

/** RFC 7301 §3.2. `undefined` when the client offers no protocol, or the server has none to choose from. */
export function chooseAlpnProtocol(ours: readonly string[], offered: readonly string[]): string | undefined {
  if (ours.length === 0 || offered.length === 0) return undefined;
  const protocol = ours.find((candidate) => offered.includes(candidate));
  if (protocol === undefined) throw noApplicationProtocol(offered, `wanted is one of ${ours.join(', ')}`);
  return protocol;
}

export function noApplicationProtocol(offered: readonly string[], wanted: string): TlsError {
  return new TlsError(
    'no_application_protocol',
    `the client offers the protocols ${JSON.stringify(offered.slice(0, mostNames))}; ${wanted} (RFC 7301 §3.2)`,
  );
}

/** The list is the peer's: as much of it as a person will read. */
function names(registry: Readonly<Record<string, number>>, codes: readonly number[]): string {
  if (codes.length === 0) return '(none)';
  const shown = codes.slice(0, mostNames).map((code) => nameOf(registry, code));
  return codes.length > mostNames ? `${shown.join(', ')} and ${codes.length - mostNames} more` : shown.join(', ');
}

const mostNames = 16;
