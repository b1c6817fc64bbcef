// How a scenario becomes figures: every subject is open at once, warmed up, then measured in rounds that take turns, so
// that whatever else the machine does meets all of them alike.
import { commit } from '../report/machine.mjs';
import { describeRun } from './describe-run.mjs';

/**
 * A scenario (bench/scenarios) is an object with
 *   name, title, measures, unit        `measures` says in a sentence whose cost is counted, over what
 *   alsoAs?                            { unit, over }: the same figure as people may know it, `over` divided by it
 *   warmUpTimes?                       more rounds of warm-up than usual, where V8 compiles late, or none
 *   mostRounds?                        where more would take long and say no more
 *   subjects(context)                  [{ name, unavailable?, comparedWith?, about? }] or a promise; each is compared
 *                                      with the subject of the name that it gives, otherwise with the first; `about`
 *                                      is a list of versions to be told
 *   open(subject, context)             { round(): Promise<number>, close(): Promise<void>, each?: string }, where `each`
 *                                      says what a round is, such as `1,000 connections`; with `warmUp: { what, run() }`
 *                                      that is done once instead of rounds of warm-up
 *
 * @returns a result, as bench/report/results.mjs describes it.
 */
export async function measure(scenario, given, report) {
  const context = { ...given, rounds: Math.min(given.rounds, scenario.mostRounds ?? given.rounds) };
  const subjects = await scenario.subjects(context);
  const ready = subjects.filter(({ unavailable }) => unavailable === undefined);
  const warmUps = context.warmUps * (scenario.warmUpTimes ?? 1);
  const describe = describeRun(context);
  const opened = [];
  try {
    for (const subject of ready) {
      report(`starting ${subject.name}`);
      opened.push({ subject, session: await scenario.open(subject, context), rounds: [] });
    }
    for (const { subject, session } of opened) {
      report(`warming up: ${subject.name}`);
      if (session.warmUp !== undefined) await session.warmUp.run();
      else for (let left = warmUps; left > 0; left -= 1) await session.round();
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
  const rows = subjects.map(({ name, unavailable, comparedWith }) => {
    const rounds = opened.find(({ subject }) => subject.name === name)?.rounds;
    return rounds === undefined ? { name, unavailable } : { name, rounds, comparedWith };
  });
  const { name, title, measures, unit, alsoAs } = scenario;
  const how = describe(opened, warmUps);
  return { name, title, measures, unit, alsoAs, how, when: new Date().toISOString(), commit: commit(), rows };
}

function rotate(list, by) {
  const start = by % list.length;
  return [...list.slice(start), ...list.slice(0, start)];
}
