// Whether a MiB costs the same, however large the file is and however many connections there are.
import { execFileSync } from 'node:child_process';
import { makeFile, whileThereIs } from '../harness/file.mjs';
import { startPair } from '../harness/pair.mjs';
import { nodeTls, ours } from '../harness/subjects.mjs';

const mebibyte = 1024 * 1024;

export const growthFiles = {
  name: 'growth-files',
  title: 'Growth with the size of a file',
  measures:
    'processor time of the server process per MiB of a file in the page cache (all zeros, as sparse files are), sent by sendFile over one keep-alive ' +
    'connection; small files several times',
  unit: 'µs/MiB',
  subjects: ({ quick }) =>
    [1, 16, 256, ...(quick ? [] : [1024, 4096])].map((mebibytes) => ({
      name: `ours, ${sizeOf(mebibytes)}`,
      mebibytes,
    })),
  open: ({ mebibytes }, context) =>
    whileThereIs(makeFile(mebibytes, 'sparse'), async ({ path, length }) => {
      const pair = await startPair({
        server: ours.stack,
        client: nodeTls.stack,
        application: 'file',
        options: { path, length },
        context,
      });
      await pair.load('connectHttp', { connections: 1 });
      const count = Math.max(1, Math.ceil(context.amount({ quick: 32, full: 256 }) / mebibytes));
      const ask = () => pair.load('requests', { count });
      return {
        each: `${count} × ${sizeOf(mebibytes)}`,
        round: async () => (await pair.cpu('server', ask)) / (mebibytes * count),
        close: pair.close,
      };
    }),
};

export const growthConnections = {
  name: 'growth-connections',
  title: 'Growth with the number of connections',
  measures:
    'processor time of the server process per MiB that it sends over one connection in writes of 64 KiB, while the others of as many connections as are ' +
    'named are there and idle',
  unit: 'µs/MiB',
  subjects: ({ quick }) =>
    [1, 100, 1000, ...(quick ? [] : [10_000])].map((connections) => ({
      name: `ours, ${connections.toLocaleString('en-US')} ${connections === 1 ? 'connection' : 'connections'}`,
      connections,
      ...descriptorsFor(connections),
    })),
  open: async ({ connections }, context) => {
    const pair = await startPair({ server: ours.stack, client: nodeTls.stack, application: 'source', context });
    await pair.load('open');
    await pair.load('hold', { count: connections - 1, atOnce: 8 });
    await pair.server.ask('collect');
    const mebibytes = context.amount({ quick: 32, full: 256 });
    const receive = () => pair.load('receive', { bytes: mebibytes * mebibyte });
    return {
      each: `${mebibytes} MiB`,
      round: async () => (await pair.cpu('server', receive)) / mebibytes,
      close: pair.close,
    };
  },
};

function sizeOf(mebibytes) {
  return mebibytes < 1024 ? `${mebibytes} MiB` : `${mebibytes / 1024} GiB`;
}

/** Node raises its own limit to the hard one when it starts: that is what counts. */
function descriptorsFor(connections) {
  const limit = Number(
    execFileSync('/bin/sh', ['-c', 'ulimit -Hn'], { encoding: 'utf8' }).replace('unlimited', 'Infinity'),
  );
  if (limit >= connections + 200) return {};
  return {
    unavailable: `a process may have ${limit} descriptors here (ulimit -Hn), and each of two needs one a connection`,
  };
}
