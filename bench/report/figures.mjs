// Arithmetic over what was measured: medians, ranges, ratios, and whether a goal is met.

/** @returns the median, the least and the most of a row's rounds. */
export function summaryOf({ rounds }) {
  return { median: median(rounds), least: Math.min(...rounds), most: Math.max(...rounds) };
}

/** A row against a peer's: the median of the ratios within each round, the least and the most of them. */
export function ratioOf(row, peer) {
  const ratios = row.rounds.map((figure, round) => figure / peer.rounds[round]);
  return { median: median(ratios), least: Math.min(...ratios), most: Math.max(...ratios) };
}

/** The row that a row is compared with: the one that it names, otherwise the first that is measured. */
export function peerOf({ comparedWith }, rows) {
  const measured = rows.filter(isMeasured);
  return measured.find(({ name }) => name === comparedWith) ?? measured[0];
}

/** Whether a row is this project's. */
export function isOurs({ name }) {
  return /^(ours|engine|portable)/.test(name);
}

export function isMeasured({ rounds }) {
  return rounds !== undefined;
}

export function median(figures) {
  const sorted = figures.toSorted((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
}

/**
 * How a goal stands in a set of results. @returns undefined where the set does not have its scenario, `{ missing }`, a
 * reason, where a row of it is not there, and otherwise `{ met, value: { median, least, most } }`.
 */
export function verdictOn(goal, set) {
  const result = set.scenarios[goal.scenario];
  if (result === undefined) return undefined;
  const row = (name) => result.rows.find((one) => one.name === name) ?? { name, unavailable: 'there is no such row' };
  const subject = row(goal.subject);
  const peer = goal.peer === undefined ? undefined : row(goal.peer);
  const absent = [subject, peer].find((one) => one !== undefined && !isMeasured(one));
  if (absent !== undefined) return { missing: `${absent.name}: ${absent.unavailable}` };
  const value = peer === undefined ? summaryOf(subject) : ratioOf(subject, peer);
  if (goal.fromNode !== undefined && goal.fromNode > (set.nodeMajor ?? 0)) return { value, met: undefined };
  return { value, met: value.median <= goal.atMost };
}

/** Three digits that count. */
export function figure(number) {
  const size = Math.abs(number);
  if (size >= 1000) return Math.round(number).toLocaleString('en-US');
  return number.toFixed(size >= 100 ? 0 : size >= 10 ? 1 : 2);
}

export function times(ratio) {
  return `${ratio.toFixed(2)} ×`;
}
