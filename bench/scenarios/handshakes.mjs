// Whole connections, as short as they get: where a handshake's cost shows.
import { createProvider } from 'tls13-node-crypto';
import { startPair } from '../harness/pair.mjs';
import { nginx, nodeTls, ours, oursInKernel, oursNoble, oursNode, plainTcp, witnessed } from '../harness/subjects.mjs';

const connection = 'one byte each way and the end; X25519, ECDSA P-256, AES-128-GCM, two tickets';

export const fullHandshake = {
  name: 'full-handshake',
  title: 'Full handshake, server',
  measures: `processor time of the server process per connection: TCP accept, full handshake, ${connection}`,
  unit: 'µs',
  subjects: async (context) => {
    const others = [nodeTls, await nginx(context)];
    return [...others, ours, oursInKernel('send'), oursNode, oursNoble, plainTcp];
  },
  open: (subject, context) => open({ server: subject.stack }, subject, context),
};

export const resumedHandshake = {
  name: 'resumed-handshake',
  title: 'Resumed handshake, server',
  measures: `as full-handshake, but every connection resumes a session (PSK with X25519), which the client checks`,
  unit: 'µs',
  subjects: async (context) => [nodeTls, await nginx(context), ours, oursInKernel('send'), oursNode],
  open: (subject, context) => open({ server: subject.stack, resume: true }, subject, context),
};

export const clientHandshake = {
  name: 'client-handshake',
  title: 'Full handshake, client',
  measures: `processor time of the client process per connection: TCP connect, full handshake, ${connection}; the server is node:tls`,
  unit: 'µs',
  subjects: () => [nodeTls, ours],
  open: (subject, context) => open({ client: subject.stack }, subject, context),
};

export const hybridHandshake = {
  name: 'hybrid-handshake',
  title: 'Full handshake with X25519MLKEM768, server',
  measures:
    'processor time of the server process per connection as in full-handshake, with the group that is named instead of X25519; the client is ' +
    'ours with the same group, over the addon, for all',
  unit: 'µs',
  warmUpTimes: 4,
  subjects: () => {
    const native = ours.stack;
    const hybrid = { ...native, group };
    const { groups } = createProvider().report;
    const byOpenssl = groups[group] === 'openssl';
    const openssl = process.versions.openssl;
    const absent = {
      unavailable: `OpenSSL ${openssl} has no ML-KEM, which came with 3.5; what it costs by noble is the row for that`,
    };
    return [
      { name: 'ours, X25519', stack: native },
      { name: `ours, ${group}`, stack: hybrid, ...(byOpenssl ? {} : absent) },
      {
        name: `ours, ${group} with ML-KEM by noble`,
        stack: hybrid,
        ...(byOpenssl
          ? { unavailable: `OpenSSL ${openssl} has ML-KEM, and then it is not noble that computes it` }
          : {}),
      },
      { name: 'node:tls, X25519', stack: nodeTls.stack },
      {
        name: `node:tls, ${group}`,
        stack: { ...nodeTls.stack, group },
        comparedWith: 'node:tls, X25519',
        ...(byOpenssl ? {} : absent),
      },
    ];
  },
  open: (subject, context) =>
    open({ server: subject.stack, client: { ...ours.stack, group: subject.stack.group } }, subject, context),
};

const group = 'X25519MLKEM768';

/** The side that is given, or the server of both, is the measured one; the other is node:tls, or plain TCP for plain TCP. */
async function open({ server, client, resume = false }, subject, context) {
  const slow = subject === oursNoble;
  const count = context.amount({ quick: slow ? 15 : 200, full: slow ? 40 : 300 });
  const other = subject === plainTcp ? plainTcp.stack : nodeTls.stack;
  const sides = { server: server ?? other, client: client ?? other };
  const pair = await startPair({ ...sides, application: 'byte', context });
  const measured = server === undefined ? 'client' : 'server';
  const handshakes = (number) => pair.load('handshakes', { count: number, atOnce: 4, resume });
  return {
    each: `${count} connections`,
    ...(isCompiled(subject.stack) ? { warmUp: warmUpWith(handshakes, context) } : {}),
    round: () =>
      witnessed(subject.stack, count, async () => {
        const spent = await pair.cpu(measured, () => handshakes(count));
        return spent / (count + (resume ? 1 : 0));
      }),
    close: pair.close,
  };
}

/** Whether V8 compiles it while it runs. With noble nearly all of it is loops, which are compiled within few connections. */
function isCompiled({ kind, provider }) {
  return kind === 'node' || (kind === 'ours' && provider !== 'noble');
}

/** With fewer than some 6,000 connections before, V8 has not compiled what it will: bench/notes/full-handshake.md. */
export function warmUpWith(handshakes, context, workers = 1) {
  const count = context.amount({ quick: 1500, full: 6000 });
  // Each worker compiles for itself.
  const what = workers === 1 ? `${count} connections` : `${count} connections for each of ${workers} workers`;
  return { what, run: () => handshakes(count * workers) };
}
