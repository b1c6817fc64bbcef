// The protocol alone, in memory: no socket, no stream. The cost of our own code over each provider of cryptography.
import { startProgram } from '../harness/program.mjs';

const native = { name: 'engine, native addon', provider: 'native' };
const node = { name: 'engine, node:crypto', provider: 'node' };
const noble = { name: 'engine, portable JavaScript (noble)', provider: 'noble' };
const bareNode = { name: 'no engine: one node:crypto cipher a record', provider: 'bare node' };

export const engineHandshake = {
  name: 'engine-handshake',
  title: 'Full handshake, server engine in memory',
  measures:
    'processor time of the server engine alone per full handshake, from the ClientHello to two tickets sent: ' +
    'X25519, ECDSA P-256, AES-128-GCM',
  unit: 'µs',
  warmUpTimes: 4,
  subjects: () => [native, node, noble],
  open: async (subject, context) => {
    const slow = subject === noble;
    const count = context.amount({ quick: slow ? 20 : 250, full: slow ? 100 : 1000 });
    const each = `${count} handshakes`;
    return { each, ...(await open(subject, context, (program) => program.ask('handshakes', { count }))) };
  },
};

export const engineSeal = {
  name: 'engine-seal',
  title: 'Sealing records in memory',
  measures: 'processor time per MiB sealed with AES-128-GCM into records of 16 KiB, from pieces of 64 KiB',
  unit: 'µs/MiB',
  alsoAs: { unit: 'MB/s', over: 1_048_576 },
  subjects: () => [bareNode, native, node],
  open: (subject, context) => openRecords('seal', subject, context),
};

export const engineOpen = {
  name: 'engine-open',
  title: 'Opening records in memory',
  measures: 'processor time per MiB opened with AES-128-GCM out of records of 16 KiB, given in pieces of 64 KiB',
  unit: 'µs/MiB',
  alsoAs: { unit: 'MB/s', over: 1_048_576 },
  subjects: () => [bareNode, native, node],
  open: (subject, context) => openRecords('open', subject, context),
};

async function openRecords(direction, subject, context) {
  const mebibytes = context.amount({ quick: 64, full: 512 });
  const session = await open(subject, context, (program) => program.ask(direction, { mebibytes }));
  return { each: `${mebibytes} MiB`, ...session };
}

async function open({ provider }, context, round) {
  const program = startProgram('engine', { cpu: context.pin ? 0 : undefined });
  await program.ask('prepare', { provider, certificate: context.certificate });
  return { round: () => round(program), close: program.stop };
}
