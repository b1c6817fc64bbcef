// A static file that the kernel seals (`npm run bench:kernel`): ours beside nginx and node:https, the bare C program that
// shows how little it can cost, and C programs that show whether user space could be as good.
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { kernel } from 'ktls-bind';
import { startNginx } from '../harness/nginx.mjs';
import { startProgram } from '../harness/program.mjs';
import { startSender } from '../harness/sender.mjs';

const mebibyte = 1024 * 1024;
const parameters = 'AES-128-GCM; the client counts what comes and opens nothing';

/** On the running kernel. */
export const kernelFile = {
  name: 'kernel-file',
  title: 'Static file sealed by the kernel',
  measures: `processor time of the server process per MiB of a file in memory, over one connection that stays, ${parameters}`,
  unit: 'µs/MiB',
  alsoAs: { unit: 'MB/s', over: mebibyte },
  subjects: subjectsHere,
  open,
};

/** On the emulated machine, where a nanosecond of processor time is an instruction. */
export const kernelFileInstructions = {
  ...kernelFile,
  name: 'kernel-file-instructions',
  title: 'Static file sealed by the kernel, instructions',
  measures:
    'a count under emulation, no time: thousands of instructions of the server process, in it and in the kernel on its ' +
    `behalf, per MiB of a file in memory, over one connection that stays, ${parameters}`,
  unit: 'kinstr/MiB',
  alsoAs: undefined,
};

/** `client`: what programs/discard.mjs is to expect. `sealed`: whether the kernel is to count it among its connections. */
async function subjectsHere(context) {
  const nginx = async (name, stack, expected) => {
    const { command, about, unavailable } = await context.other('nginx');
    return {
      name,
      about,
      unavailable,
      ...expected,
      start: (file) => startedNginx({ ...stack, command }, file, context),
    };
  };
  const node = (name, stack, sealed) => ({
    name,
    client: 'tls',
    sealed,
    start: (file) => startedNode(stack, file, context),
  });
  const bare = (name, mode, sealed) => ({
    name: `bare C, ${name}`,
    client: 'records',
    sealed,
    start: ({ path }) => startSender(mode, path),
  });
  const all = [
    await nginx('nginx, kernel seals', { offload: 'send' }, { client: 'tls', sealed: true }),
    node('ours, kernel seals', { kind: 'ours', provider: 'native', offload: 'send' }, true),
    bare('kernel seals: sendfile (the floor)', 'sendfile', true),
    bare('kernel seals: send of 256 KiB', 'send', true),
    await nginx('nginx', { offload: 'off' }, { client: 'tls', sealed: false }),
    { ...node('ours', { kind: 'ours', provider: 'native', offload: 'off' }, false), comparedWith: 'nginx' },
    node('node:https', { kind: 'node' }, false),
    bare('user space seals: write', 'write', false),
    bare('user space seals: MSG_ZEROCOPY', 'zerocopy', false),
    bare('user space seals: vmsplice', 'vmsplice', false),
    await nginx('nginx, no TLS', { clear: true }, { client: 'clear', sealed: false }),
  ];
  return context.only === undefined ? all : all.filter(({ name }) => context.only.some((part) => name.includes(part)));
}

async function startedNginx(stack, file, { certificate }) {
  const program = startNginx(stack.command);
  const port = await program.ask('listen', { stack, application: 'file', options: file, certificate });
  return { port, pid: await program.ask('pid'), stop: program.stop };
}

async function startedNode(stack, file, { certificate }) {
  const program = startProgram('serve');
  const port = await program.ask('listen', { stack, application: 'file', options: file, certificate });
  return { port, pid: await program.ask('pid'), stop: program.stop };
}

async function open(subject, { file }) {
  const client = startProgram('discard');
  const server = await subject.start(file);
  const close = async () => {
    await Promise.all([client.stop(), server.stop()]);
  };
  const mebibytes = file.length / mebibyte;
  try {
    const target = { kind: subject.client, port: server.port, length: file.length };
    await witnessed(subject, () => client.ask('connect', target));
  } catch (error) {
    await close();
    throw error;
  }
  return {
    each: `${mebibytes} MiB`,
    round: async () => {
      const before = processorTime(server.pid);
      await client.ask('fetch');
      return (processorTime(server.pid) - before) / 1000 / mebibytes;
    },
    close,
  };
}

/** Nanoseconds of a process so far, with all of its threads. Nobody is asked: an answer would count as well. */
function processorTime(pid) {
  const folder = `/proc/${pid}/task`;
  const times = readdirSync(folder).map((task) => readFileSync(join(folder, task, 'schedstat'), 'utf8').split(' ')[0]);
  return times.reduce((sum, time) => sum + Number(time), 0);
}

/** What is said to be sealed by the kernel is counted by it, and nothing else is. */
async function witnessed({ name, sealed }, connect) {
  const count = () => {
    const { TlsTxSw = 0, TlsTxDevice = 0 } = kernel.readTlsStat() ?? {};
    return TlsTxSw + TlsTxDevice;
  };
  const before = count();
  await connect();
  const counted = count() - before;
  if (counted === (sealed ? 1 : 0)) return;
  const wanted = sealed ? 'one that it seals' : 'none';
  throw new Error(`${name}: /proc/net/tls_stat counted ${counted} connections sealed by the kernel, not ${wanted}`);
}
