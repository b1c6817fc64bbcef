// node:cluster: whether more processes cost more than the work that they share.
import { startPair } from '../harness/pair.mjs';
import { nodeTls, ours } from '../harness/subjects.mjs';
import { warmUpWith } from './handshakes.mjs';

export const clusterScaling = {
  name: 'cluster',
  title: 'Cluster with shared ticket keys',
  measures:
    'processor time of all processes of a node:cluster, its primary among them, per connection: every one resumes, under the ticket keys that the workers ' +
    'share, a session that one of them gave; one byte each way and the end. As much for two workers as for one is twice the handshakes on two processors',
  unit: 'µs',
  subjects: () =>
    [ours, nodeTls].flatMap(({ name, stack }) =>
      [1, 2].map((workers) => ({
        name: `${name}, ${workers === 1 ? '1 worker' : `${workers} workers`}`,
        stack,
        workers,
        comparedWith: `${name}, 1 worker`,
      })),
    ),
  open: async ({ stack, workers }, context) => {
    const count = context.amount({ quick: 200, full: 400 });
    const pair = await startPair({
      program: 'cluster',
      server: stack,
      client: nodeTls.stack,
      options: { workers },
      context,
    });
    const handshakes = (number) => pair.load('handshakes', { count: number, atOnce: 8, resume: true });
    const load = () => handshakes(count);
    return {
      warmUp: warmUpWith(handshakes, context, workers),
      each: `${count} connections`,
      round: async () => (await pair.cpu('server', load)) / (count + 1),
      close: pair.close,
    };
  },
};
