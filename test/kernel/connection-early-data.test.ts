// A connection that began with early data goes over to the kernel like any other, once the client has finished.
import { once } from 'node:events';
import { expect, it } from 'vitest';
import { connected, dial, readAll, readBytes, startServer, write } from './support/connections.js';
import { bytesOf, digest, mebibytes } from './support/files.js';
import { countTlsStat, until, within } from './support/kernel.js';

it.each(['send', 'both'] as const)('early data, then offload %s', async (offload) => {
  const listener = await startServer({ earlyData: true, offload });
  const first = await connected(listener.port);
  const [session] = await within(once(first, 'session'), 'a session');
  (await listener.next()).destroy();
  first.destroy();

  const risen = countTlsStat();
  const client = dial(listener.port, { session, earlyData: 'early', offload });
  const server = await listener.next();
  expect(String(await readBytes(server, 5))).toBe('early');
  await until(() => !server.inEarlyData && server.offload.send.where === 'kernel', 'the kernel seals');
  expect(server.info?.earlyData).toBe('accepted');
  const content = bytesOf(mebibytes(4));
  const answered = readAll(client);
  await write(server, content);
  server.end();
  expect(digest(await answered)).toBe(digest(content));
  expect(client.earlyDataAccepted).toBe(true);
  expect([risen('TlsTxSw'), risen('TlsRxSw'), risen('TlsDecryptError')]).toEqual([2, offload === 'both' ? 2 : 0, 0]);
});
