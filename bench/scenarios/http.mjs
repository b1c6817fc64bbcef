// HTTP/1.1 over connections that stay: many small answers, and one large file.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
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
    'processor time of the server process per MiB of a 64 MiB file in the page cache, over one keep-alive connection: ' +
    'node:https with createReadStream().pipe(response), ours with sendFile(request, response, path)',
  unit: 'µs/MiB',
  subjects: async (context) => {
    const others = [nodeHttps, await nginx(context), await nginx(context, 'send')];
    return [...others, ours, oursInKernel('send'), oursNode];
  },
  open: async (subject, context) => {
    const mebibytes = 64;
    const count = context.amount({ quick: 1, full: 4 });
    const folder = mkdtempSync(join(tmpdir(), 'tls13-bench-'));
    const path = join(folder, 'file.bin');
    const length = mebibytes * 1024 * 1024;
    const removeFile = () => rmSync(folder, { recursive: true, force: true });
    try {
      writeFileSync(path, Buffer.alloc(length, 'a line of text that is neither all zeros nor random\n'));
      const pair = await openHttp(subject, context, 1, { application: 'file', options: { path, length } });
      const ask = () => pair.load('requests', { count });
      return {
        each: `${count} × 64 MiB`,
        round: async () => (await pair.cpu('server', ask)) / (mebibytes * count),
        close: async () => {
          await pair.close();
          removeFile();
        },
      };
    } catch (error) {
      removeFile();
      throw error;
    }
  },
};

async function openHttp(subject, context, connections, application) {
  const client = subject.stack.kind === 'tcp' ? plainTcp.stack : nodeTls.stack;
  const pair = await startPair({ server: subject.stack, client, ...application, context });
  await witnessed(subject.stack, connections, () => pair.load('connectHttp', { connections }));
  return pair;
}
