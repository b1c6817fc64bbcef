// How figures were taken, in a sentence beside them: warm-up, rounds, pinning, and what else the machine had to do.
import { load, stolenTime } from '../report/machine.mjs';

/** Begins now. @returns a function of what was opened (rounds.mjs) and of the rounds of warm-up, for the end. */
export function describeRun({ rounds, quick, pin }) {
  const before = { load: load(), time: stolenTime() };
  return (opened, warmUps) => {
    const sessions = opened.map(({ subject, session }) => ({ name: subject.name, ...session }));
    const warmUp = grouped(sessions, (session) => session.warmUp?.what ?? counted(warmUps, 'round'));
    const each = grouped(sessions, (session) => session.each);
    return [
      `${warmUps === 0 ? 'No warm-up' : `Warm-up: ${warmUp}`}; ${rounds} rounds${each === undefined ? '' : `, each ${each}`}`,
      pin ? 'server on processor 0, client on 1' : 'not pinned',
      `load average ${before.load} before, ${load()} after`,
      ...stolenSince(before.time),
      ...new Set(opened.flatMap(({ subject }) => subject.about ?? [])),
      ...(quick ? ['`--quick`: rougher than the rest'] : []),
    ]
      .join('; ')
      .concat('.');
  };
}

/** What is said of most sessions, and in brackets of which something else; undefined where nothing is said. */
function grouped(sessions, say) {
  const names = new Map();
  for (const session of sessions) {
    const text = say(session);
    if (text !== undefined) names.set(text, [...(names.get(text) ?? []), session.name]);
  }
  const [usual, ...others] = [...names].toSorted(([, one], [, other]) => other.length - one.length);
  const apart = others.map(([text, who]) => `${who.join(' and ')}: ${text}`).join('; ');
  return apart === '' ? usual?.[0] : `${usual[0]} (${apart})`;
}

function counted(number, what) {
  return `${number} ${what}${number === 1 ? '' : 's'}`;
}

/** Of the machine under this one, where it took anything worth a word. */
function stolenSince(before) {
  const now = stolenTime();
  const percent = Math.round(((now.stolen - before.stolen) / (now.all - before.all)) * 100);
  return percent > 0 ? [`${percent} % of the processors' time taken by the machine under this one`] : [];
}
