// How a scenario becomes figures: every subject is open at once, warmed up, then measured in rounds that take turns, so
// that whatever else the machine does meets all of them alike. Medians, and the least and the most beside them.

/**
 * A scenario (bench/scenarios) is an object with
 *   name, title, measures, unit        `measures` says in a sentence whose cost is counted, over what
 *   alsoAs?                            { unit, of(figure) }: the same figure as people may know it
 *   warmUpTimes?                       more rounds of warm-up than usual, where V8 compiles late, or none
 *   subjects(context)                  [{ name, unavailable? }], the first is what the others are compared with
 *   open(subject, context)             { round(): Promise<number>, close(): Promise<void> }
 *
 * @returns the scenario with `rows`, one a subject: { name, median, least, most, ratio, ratios, rounds } where ratios are
 * taken within a round, or { name, unavailable }, a sentence.
 */
export async function measure(scenario, context, report) {
  const subjects = scenario.subjects(context);
  const ready = subjects.filter(({ unavailable }) => unavailable === undefined);
  const opened = [];
  try {
    for (const subject of ready) {
      report(`starting ${subject.name}`);
      opened.push({ subject, session: await scenario.open(subject, context), rounds: [] });
    }
    const warmUps = context.warmUps * (scenario.warmUpTimes ?? 1);
    for (let turn = 1; turn <= warmUps; turn += 1) {
      for (const { subject, session } of opened) {
        report(`warming up: ${subject.name}`);
        await session.round();
      }
    }
    for (let turn = 1; turn <= context.rounds; turn += 1) {
      // Who goes first changes, so that nobody always runs in another's wake.
      for (const { subject, session, rounds } of rotate(opened, turn)) {
        report(`round ${turn} of ${context.rounds}: ${subject.name}`);
        rounds.push(await session.round());
      }
    }
  } finally {
    await Promise.allSettled(opened.map(({ session }) => session.close()));
  }
  const [first] = opened;
  const rows = subjects.map((subject) => {
    const rounds = opened.find((one) => one.subject === subject)?.rounds;
    if (rounds === undefined) return { name: subject.name, unavailable: subject.unavailable };
    return { name: subject.name, ...summary(rounds, first.rounds) };
  });
  const { name, title, measures, unit, alsoAs } = scenario;
  return { name, title, measures, unit, alsoAs, rows };
}

/** Two rounds of the same number were taken side by side: their ratio is the one that noise spares most. */
export function summary(rounds, baseline) {
  const ratios = rounds.map((figure, index) => figure / baseline[index]);
  return {
    median: median(rounds),
    least: Math.min(...rounds),
    most: Math.max(...rounds),
    ratio: median(ratios),
    ratios: [Math.min(...ratios), Math.max(...ratios)],
    rounds,
  };
}

export function median(figures) {
  const sorted = figures.toSorted((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
}

function rotate(list, by) {
  const start = by % list.length;
  return [...list.slice(start), ...list.slice(0, start)];
}
