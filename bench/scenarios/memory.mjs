// What a connection costs while nothing happens on it, and what that is made of.
import { readFileSync } from 'node:fs';
import { startPair } from '../harness/pair.mjs';
import { nodeHttps, nodeTls, ours, oursInKernel, witnessed } from '../harness/subjects.mjs';

export const idleMemory = {
  name: 'idle-memory',
  title: 'Memory per idle connection',
  measures:
    'growth of the resident memory of a fresh server process, idle for six seconds and its garbage collected before and ' +
    'after, per idle HTTPS connection; what the kernel itself holds is not in it. Below the ' +
    'whole, the part of it that is live JavaScript objects, and the part that is outside of V8',
  unit: 'KiB',
  warmUpTimes: 0,
  mostRounds: 5,
  subjects: () => [...wholeAndParts(nodeHttps), ...wholeAndParts(ours), whole(oursInKernel('send'))],
  open: async ({ shared, part }, context) => {
    const wanted = context.amount({ quick: 1000, full: 10_000 });
    const count = Math.min(wanted, mostConnections());
    return {
      each: `${count.toLocaleString('en-US')} connections${count < wanted ? ', as many as `ulimit -Hn` lets be open' : ''}`,
      round: async () => (await shared(count, context))[part] / count / 1024,
      close: async () => {},
    };
  },
};

function whole(subject) {
  return { ...subject, part: 'rss', shared: (count, context) => growthOf(subject, count, context) };
}

/** Rows of one measurement: it is made for the first of them that has its turn in a round. */
function wholeAndParts(subject) {
  const rows = ['rss', 'live', 'outside'];
  let waiting = [];
  let growth;
  const shared = (part) => async (count, context) => {
    if (!waiting.includes(part)) {
      waiting = [...rows];
      growth = growthOf(subject, count, context);
    }
    waiting = waiting.filter((other) => other !== part);
    return growth;
  };
  return rows.map((part) => ({
    ...subject,
    name: `${subject.name}${names[part]}`,
    part,
    shared: shared(part),
    comparedWith: `${nodeHttps.name}${names[part]}`,
  }));
}

const names = { rss: '', live: ': live objects', outside: ': outside of V8' };

/** Node raises the soft limit by itself. Some descriptors are for other things. */
function mostConnections() {
  try {
    const limit = /^Max open files\s+\d+\s+(\d+)/m.exec(readFileSync('/proc/self/limits', 'utf8'))?.[1];
    return limit === undefined ? Number.POSITIVE_INFINITY : Number(limit) - 700;
  } catch {
    return Number.POSITIVE_INFINITY;
  }
}

/** A fresh process each time: memory that was once taken is not given back. @returns bytes */
async function growthOf(subject, count, context) {
  const { stack } = subject;
  const pair = await startPair({
    server: stack,
    client: nodeTls.stack,
    application: 'small',
    context: { ...context, idles: true },
  });
  try {
    // Code, what V8 learns of it, and pools are not what is asked for.
    await pair.load('hold', { count: 500, atOnce: 4 });
    const before = await pair.server.ask('idleMemory');
    await witnessed(stack, count, () => pair.load('hold', { count, atOnce: 4 }));
    const after = await pair.server.ask('idleMemory');
    return Object.fromEntries(Object.keys(after).map((part) => [part, after[part] - before[part]]));
  } finally {
    await pair.close();
  }
}
