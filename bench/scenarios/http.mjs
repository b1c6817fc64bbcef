// HTTP/1.1 over connections that stay: many small answers, and one large file.
import { makeFile, whileThereIs } from '../harness/file.mjs';
import { startPair } from '../harness/pair.mjs';
import {
  nginx,
  nodeHttps,
  nodeTls,
  ours,
  oursInKernel,
  oursNode,
  plainHttp,
  plainTcp,
  witnessed,
} from '../harness/subjects.mjs';

const connections = 8;
const mebibytes = 64;

export const requests = {
  name: 'requests',
  title: 'Small HTTP requests',
  measures: `processor time of the server process per request: 100-byte answers over ${connections} keep-alive connections, one request at a time on each`,
  unit: 'µs',
  subjects: async (context) => [nodeHttps, await nginx(context), ours, oursInKernel('send'), oursNode, plainHttp],
  open: async (subject, context) => {
    const count = context.amount({ quick: 2000, full: 10_000 });
    const pair = await openHttp(subject, context, connections, { application: 'small' });
    const ask = () => pair.load('requests', { count });
    const round = async () => (await pair.cpu('server', ask)) / count;
    return { each: `${count} requests`, round, close: pair.close };
  },
};

export const staticFile = {
  name: 'static-file',
  title: 'Static file',
  measures:
    `processor time of the server process per MiB of a ${mebibytes} MiB file in the page cache, over one keep-alive connection: ` +
    'node:https with createReadStream().pipe(response), ours with sendFile(request, response, path)',
  unit: 'µs/MiB',
  subjects: async (context) => {
    const others = [nodeHttps, await nginx(context), await nginx(context, 'send')];
    return [...others, ours, oursInKernel('send'), oursNode];
  },
  open: (subject, context) =>
    whileThereIs(makeFile(mebibytes, 'text'), async ({ path, length }) => {
      const count = context.amount({ quick: 1, full: 4 });
      const pair = await openHttp(subject, context, 1, { application: 'file', options: { path, length } });
      const ask = () => pair.load('requests', { count });
      return {
        each: `${count} × ${mebibytes} MiB`,
        round: async () => (await pair.cpu('server', ask)) / (mebibytes * count),
        close: pair.close,
      };
    }),
};

async function openHttp(subject, context, connections, application) {
  const client = subject.stack.kind === 'tcp' ? plainTcp.stack : nodeTls.stack;
  const pair = await startPair({ server: subject.stack, client, ...application, context });
  await witnessed(subject.stack, connections, () => pair.load('connectHttp', { connections }));
  return pair;
}
