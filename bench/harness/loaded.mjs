// A server that a program of others loads: the server's processor time, divided by what that program says it has done.
import { spawn } from 'node:child_process';
import { startServer } from './pair.mjs';
import { cpuOf } from './program.mjs';

/** Each: `words(port, amount)` for the program, and `count(text)`, what it did, which throws where something failed. */
const loaders = {
  wrk: {
    words: (port, { connections, seconds }) => [
      ...['-t', '1', '-c', String(connections), '-d', `${seconds}s`, `https://127.0.0.1:${port}/`],
    ],
    count: (text) => (/Socket errors|Non-2xx/.test(text) ? undefined : /(\d+) requests in/.exec(text)?.[1]),
  },
  h2load: {
    words: (port, { connections, streams, requests }) => [
      ...['-t', '1', '-c', String(connections), '-m', String(streams), '-n', String(requests)],
      ...['--tls13-ciphers=TLS_AES_128_GCM_SHA256', `https://127.0.0.1:${port}/`],
    ],
    count: (text) =>
      /Application protocol: h2\b/.test(text) ? / (\d+) succeeded, 0 failed, 0 errored/.exec(text)?.[1] : undefined,
  },
  openssl: {
    words: (port, { seconds }) => [
      ...['s_time', '-connect', `127.0.0.1:${port}`, '-tls1_3', '-new', '-time', String(seconds), '-www', '/'],
    ],
    count: (text) => /(\d+) connections in \d+ real seconds, [1-9]\d* bytes read/.exec(text)?.[1],
  },
};

/**
 * The subjects of a scenario that needs a loading program: none of them is there without it.
 * @returns them, each with `loader`, the program's command.
 */
export async function loadedBy(program, subjects, context) {
  const { command, about, unavailable } = await context.other(program);
  if (unavailable !== undefined)
    return subjects.map(({ name }) => ({ name, unavailable: `${program}: ${unavailable}` }));
  return subjects.map((subject) => ({
    ...subject,
    about: [about, ...(subject.about ?? [])],
    loader: { program, command },
  }));
}

/** Starts the server of a subject that `loadedBy` gave. @returns a session whose rounds are microseconds per unit of work */
export async function openLoaded({ stack, loader }, { application, options, amount, each }, context) {
  const { program, port } = await startServer({ server: stack, application, options, context });
  const { words, count } = loaders[loader.program];
  const pinned = context.pin ? ['taskset', '-c', '1'] : [];
  return {
    each,
    round: async () => {
      let text = '';
      const spent = await cpuOf(program, async () => {
        text = await printedBy([...pinned, ...loader.command, ...words(port, amount)]);
      });
      const done = Number(count(text));
      if (done > 0) return spent / done;
      throw new Error(`${loader.program} did not do what it was to do:\n${text}`);
    },
    close: program.stop,
  };
}

function printedBy([program, ...words]) {
  return new Promise((resolve, reject) => {
    const child = spawn(program, words, { stdio: ['ignore', 'pipe', 'pipe'] });
    let text = '';
    for (const stream of [child.stdout, child.stderr]) {
      stream.setEncoding('utf8').on('data', (part) => {
        text += part;
      });
    }
    child.on('error', reject);
    child.on('close', () => resolve(text));
  });
}
