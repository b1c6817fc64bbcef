// Much data over one connection that stays, in writes of 64 KiB.
import { startPair } from '../harness/pair.mjs';
import { nodeTls, ours, oursInKernel, oursNode, plainTcp, witnessed } from '../harness/subjects.mjs';

const over = 'per MiB of application data, over one connection with AES-128-GCM, in writes of 64 KiB';

export const bulkSend = {
  name: 'bulk-send',
  title: 'Bulk sending, server',
  measures: `processor time of the server process that sends, ${over}`,
  unit: 'µs/MiB',
  subjects: () => [nodeTls, ours, oursInKernel('send'), oursNode, plainTcp],
  open: (subject, context) => open('server', 'sends', subject, context),
};

export const bulkReceive = {
  name: 'bulk-receive',
  title: 'Bulk receiving, server',
  measures: `processor time of the server process that receives, ${over}`,
  unit: 'µs/MiB',
  subjects: () => [nodeTls, ours, oursInKernel('receive'), oursNode, plainTcp],
  open: (subject, context) => open('server', 'receives', subject, context),
};

export const clientSend = {
  name: 'client-send',
  title: 'Bulk sending, client',
  measures: `processor time of the client process that sends to a node:tls server, ${over}`,
  unit: 'µs/MiB',
  subjects: () => [nodeTls, ours],
  open: (subject, context) => open('client', 'sends', subject, context),
};

export const clientReceive = {
  name: 'client-receive',
  title: 'Bulk receiving, client',
  measures: `processor time of the client process that receives from a node:tls server, ${over}`,
  unit: 'µs/MiB',
  subjects: () => [nodeTls, ours],
  open: (subject, context) => open('client', 'receives', subject, context),
};

async function open(measured, does, subject, context) {
  const mebibytes = context.amount({ quick: 32, full: 256 });
  const other = subject === plainTcp ? plainTcp.stack : nodeTls.stack;
  const serverSends = (measured === 'server') === (does === 'sends');
  const pair = await startPair({
    server: measured === 'server' ? subject.stack : other,
    client: measured === 'client' ? subject.stack : other,
    application: serverSends ? 'source' : 'sink',
    context,
  });
  await witnessed(subject.stack, 1, () => pair.load('open'));
  const move = () => pair.load(serverSends ? 'receive' : 'send', { bytes: mebibytes * 1024 * 1024 });
  return {
    each: `${mebibytes} MiB`,
    round: async () => (await pair.cpu(measured, move)) / mebibytes,
    close: pair.close,
  };
}
