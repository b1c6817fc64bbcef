// How long a server's event loop is held up, which everybody else's connections feel.
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
