// How long a server's event loop is held up, which everybody else's connections feel.
import { makeCertificate } from '../harness/certificate.mjs';
import { startPair } from '../harness/pair.mjs';
import { nodeTls, ours, oursInKernel } from '../harness/subjects.mjs';

export const eventLoop = {
  name: 'event-loop',
  title: 'Longest stall of the event loop',
  measures:
    'the longest time that a timer of 1 ms is kept waiting in the server process while 1,000 clients, connected already, send their first message at ' +
    'once, shake hands, exchange a byte each way, and end; X25519, ECDSA P-256, AES-128-GCM, two tickets',
  unit: 'ms',
  subjects: () => [nodeTls, ours, oursInKernel('send')],
  open: (subject, context) => open(subject, { count: 1000 }, context),
};

/** The certificate's kind, and whether its key signs on the thread pool. */
const signers = [
  ['P-256', false],
  ['P-256', true],
  ['RSA-4096', false],
  ['RSA-4096', true],
];

export const signingStall = {
  name: 'signing-stall',
  title: 'Longest stall of the event loop, by who signs',
  measures:
    'the longest time that a timer of 1 ms is kept waiting in the server process while 100 clients shake hands at once, with the key that is named, on ' +
    'the event loop or on the thread pool (`asynchronousSigning`)',
  unit: 'ms',
  subjects: () => signers.map(([key, aside]) => signingSubject(key, aside)),
  open: (subject, context) => open(subject, { count: 100 }, { ...context, certificate: makeCertificate(subject.key) }),
};

export const signingCost = {
  name: 'signing-cost',
  title: 'Full handshake, by who signs',
  measures:
    'processor time of the server process, the threads of its pool among it, per full handshake, 8 at a time, with the key that is named, on the event ' +
    'loop or on the thread pool (`asynchronousSigning`)',
  unit: 'µs',
  warmUpTimes: 2,
  subjects: () => signers.map(([key, aside]) => signingSubject(key, aside)),
  open: async ({ stack, key }, context) => {
    const certificate = makeCertificate(key);
    const count = context.amount({ quick: 100, full: 500 });
    const pair = await startPair({
      server: stack,
      client: nodeTls.stack,
      application: 'byte',
      context: { ...context, certificate },
    });
    return {
      each: `${count} connections`,
      round: async () => (await pair.cpu('server', () => pair.load('handshakes', { count, atOnce: 8 }))) / count,
      close: pair.close,
    };
  },
};

function signingSubject(key, aside) {
  return {
    name: `ours, ${key}, on the ${aside ? 'thread pool' : 'event loop'}`,
    key,
    stack: { ...ours.stack, asynchronousSigning: aside },
    comparedWith: `ours, ${key}, on the event loop`,
  };
}

async function open({ stack }, { count }, context) {
  const pair = await startPair({ server: stack, client: nodeTls.stack, application: 'byte', context });
  return {
    each: `${count.toLocaleString('en-US')} handshakes`,
    round: async () => {
      await pair.server.ask('watchStalls');
      await pair.load('storm', { count });
      const { longest, byNode } = await pair.server.ask('stallsSeen');
      return Math.max(longest, byNode);
    },
    close: pair.close,
  };
}
