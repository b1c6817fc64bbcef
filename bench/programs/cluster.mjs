// The serving side as a cluster: workers that share a port and their ticket keys, and answer a byte with a byte.
import cluster from 'node:cluster';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { answer } from '../harness/program.mjs';
import { createStreamServer } from '../harness/stacks.mjs';

if (cluster.isPrimary) answer(primary());
else {
  process.once('message', work);
  // What is sent before a module has loaded is lost.
  process.send('ready');
}

function primary() {
  const workers = [];
  const cpuOf = async (worker) => {
    worker.send('cpu');
    const [spent] = await once(worker, 'message');
    return spent;
  };
  return {
    /** @param options { workers }. @returns the port. */
    listen: async ({ stack, certificate, options }) => {
      const ticketKeys = randomBytes(48).toString('base64');
      let port = 0;
      for (let count = options.workers; count > 0; count -= 1) {
        const worker = cluster.fork();
        await once(worker, 'message');
        worker.send({ stack, certificate, ticketKeys });
        [port] = await once(worker, 'message');
        workers.push(worker);
      }
      return port;
    },
    /** Of the workers, and of the primary, which hands connections out. */
    cpu: async () => {
      const { user, system } = process.cpuUsage();
      const spent = await Promise.all(workers.map(cpuOf));
      return spent.reduce((sum, one) => sum + one, user + system);
    },
  };
}

async function work({ stack, certificate, ticketKeys }) {
  const answerByte = (connection) => {
    connection.on('error', () => undefined);
    connection.once('data', () => connection.end('x'));
  };
  const server = await createStreamServer(stack, certificate, answerByte, {
    ticketKeys: Buffer.from(ticketKeys, 'base64'),
  });
  server.on('tlsClientError', (error) => console.error(`worker: ${error.message}`));
  // In a cluster a port of 0 is the same for all.
  server.listen({ port: 0, host: '127.0.0.1', backlog: 4096 }, () => process.send(server.address().port));
  process.on('message', () => {
    const { user, system } = process.cpuUsage();
    process.send(user + system);
  });
  process.on('disconnect', () => process.exit(0));
}
