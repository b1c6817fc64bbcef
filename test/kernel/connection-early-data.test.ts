// A connection that began with early data, of a session or under an external PSK, goes over to the kernel like any other, once
// the client has finished.
import { once } from 'node:events';
import { createReplayCache, type TlsConnection } from 'tls13-server';
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
  await expectEarlyThenKernel(client, await listener.next());
  expect([risen('TlsTxSw'), risen('TlsRxSw'), risen('TlsDecryptError')]).toEqual([2, offload === 'both' ? 2 : 0, 0]);
});

it('early data under a PSK, then the kernel both ways', async () => {
  const replayCache = createReplayCache();
  // Nobody had the key before: no process of before can have taken anything with it.
  const earlyData = { maxSize: 100, cipherSuite: 'TLS_AES_128_GCM_SHA256', issuedAt: Date.now() } as const;
  const psks = [{ identity: Buffer.from('meter'), key: Buffer.alloc(32, 5), earlyData }];
  const listener = await startServer({ psks, earlyData: { replayCache }, offload: 'both' });
  const risen = countTlsStat();
  const client = dial(listener.port, { psks, earlyData: 'early', offload: 'both' });
  const server = await listener.next();
  expect(server.info).toMatchObject({ authentication: 'psk', resumed: false });
  await expectEarlyThenKernel(client, server);
  expect([risen('TlsTxSw'), risen('TlsRxSw'), risen('TlsDecryptError')]).toEqual([2, 2, 0]);
});

async function expectEarlyThenKernel(client: TlsConnection, server: TlsConnection): Promise<void> {
  expect(String(await readBytes(server, 5))).toBe('early');
  await until(() => !server.inEarlyData && server.offload.send.where === 'kernel', 'the kernel seals');
  expect(server.info?.earlyData).toBe('accepted');
  const content = bytesOf(mebibytes(4));
  const answered = readAll(client);
  await write(server, content);
  server.end();
  expect(digest(await answered)).toBe(digest(content));
  expect(client.earlyDataAccepted).toBe(true);
}
