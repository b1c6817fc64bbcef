// What a connection costs while nothing happens on it.
import { startPair } from '../harness/pair.mjs';
import { nodeHttps, nodeTls, ours, oursInKernel, plainTcp, witnessed } from '../harness/subjects.mjs';

export const idleMemory = {
  name: 'idle-memory',
  title: 'Memory per idle connection',
  measures:
    'growth of the resident memory of a fresh server process, garbage collected before and after, per idle TLS ' +
    'connection; what the kernel itself holds is not in it',
  unit: 'KiB',
  warmUpTimes: 0,
  subjects: () => [{ ...nodeHttps, name: nodeTls.name }, ours, oursInKernel('send'), plainTcp],
  open: async (subject, context) => {
    const count = context.amount({ quick: 300, full: 2000 });
    return {
      each: `${count} connections`,
      round: () => witnessed(subject.stack, count, () => memoryOf(subject, count, context)),
      close: async () => {},
    };
  },
};

/** A fresh process each time: memory that was once taken is not given back. */
async function memoryOf(subject, count, context) {
  const client = subject === plainTcp ? plainTcp.stack : nodeTls.stack;
  const pair = await startPair({ server: subject.stack, client, application: 'idle', context });
  try {
    // Code that runs for the first time, pools, and the first connections' own warm-up are not what is asked for.
    await pair.load('hold', { count: 50, atOnce: 4 });
    const before = await pair.server.ask('memory');
    await pair.load('hold', { count, atOnce: 4 });
    const after = await pair.server.ask('memory');
    return (after - before) / count / 1024;
  } finally {
    await pair.close();
  }
}
