// Programs that are measured, or that make others work, run in processes of their own. They are asked over IPC, by name.
import { fork } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { getHeapSpaceStatistics } from 'node:v8';

/**
 * Starts bench/programs/NAME.mjs.
 * @param cpu the processor to stay on, where `taskset` is to be used.
 * @param idles whether V8 is to collect when there is nothing to do. That makes it forget what it has compiled for objects
 *   of which there are none at that moment; between rounds, while others have their turns, a server that is at work would not.
 * @returns `ask(question, input)`, answered by the program's function of that name, and `stop()`.
 */
export function startProgram(name, { cpu, idles = false } = {}) {
  const file = fileURLToPath(new URL(`../programs/${name}.mjs`, import.meta.url));
  const flags = ['--expose-gc', ...(idles ? [] : ['--no-memory-reducer']), ...process.execArgv];
  const how =
    cpu === undefined
      ? { execArgv: flags }
      : { execPath: 'taskset', execArgv: ['-c', String(cpu), process.execPath, ...flags] };
  const child = fork(file, [], { ...how, stdio: ['ignore', 'inherit', 'inherit', 'ipc'] });
  const asked = new Map();
  let ended;
  const exited = new Promise((resolve) => {
    const end = (error) => {
      ended ??= error;
      for (const { reject } of asked.values()) reject(ended);
      asked.clear();
      resolve();
    };
    child.on('error', end);
    child.on('exit', (code, signal) => end(new Error(`the program ${name} ended: ${signal ?? code}`)));
  });
  child.on('message', ({ id, answer, error }) => {
    const { resolve, reject } = asked.get(id) ?? {};
    asked.delete(id);
    if (error === undefined) resolve?.(answer);
    else reject?.(new Error(`${name}: ${error}`));
  });
  let count = 0;
  return {
    ask: (question, input) =>
      new Promise((resolve, reject) => {
        if (ended !== undefined) return reject(ended);
        count += 1;
        asked.set(count, { resolve, reject });
        child.send({ id: count, question, input });
      }),
    stop: async () => {
      if (child.connected) child.disconnect();
      await exited;
    },
  };
}

/** For the program itself: answers with these functions, and with what every program knows of itself. */
export function answer(functions) {
  const known = {
    pid: () => process.pid,
    /** Microseconds of processor time of this process so far, user and system. */
    cpu: () => {
      const { user, system } = process.cpuUsage();
      return user + system;
    },
    /** Collects the garbage, as a process has done that lives. */
    collect: () => collect(),
    /**
     * Bytes of a process that has been idle for a while: resident, in objects of V8 that are in use, and resident outside
     * of V8's heap.
     */
    idleMemory: async () => {
      // V8 gives its young generation back when little was allocated over the last five seconds.
      await new Promise((resolve) => setTimeout(resolve, 6000));
      await collect();
      const rss = process.memoryUsage.rss();
      const spaces = getHeapSpaceStatistics();
      const sum = (what) => spaces.reduce((bytes, space) => bytes + space[what], 0);
      return { rss, live: sum('space_used_size'), outside: rss - sum('physical_space_size') };
    },
    ...functions,
  };
  process.on('message', async ({ id, question, input }) => {
    try {
      process.send({ id, answer: await known[question](input) });
    } catch (error) {
      process.send({ id, error: error.stack ?? String(error) });
    }
  });
  process.on('disconnect', () => process.exit(0));
}

/** Microseconds of processor time that the program spends while `work` is done. */
export async function cpuOf(program, work) {
  const before = await program.ask('cpu');
  await work();
  return (await program.ask('cpu')) - before;
}

async function collect() {
  for (let times = 0; times < 3; times += 1) {
    globalThis.gc();
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}
