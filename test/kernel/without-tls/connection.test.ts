// Connections on a kernel whose tls module is not there: everything works in user space, and says why.
import type { OffloadPolicy } from 'tls13-server';
import { describe, expect, it } from 'vitest';
import { pair, readAll, readBytes, startServer } from '../support/connections.js';
import { bytesOf, digest, fileOf, mebibytes } from '../support/files.js';
import { sClient } from '../support/openssl.js';

const policies: readonly OffloadPolicy[] = ['auto', 'send', 'both'];

describe('a kernel without the tls module (pitfall 5)', () => {
  it.each(policies)(
    'offload %s: files, writes, key updates and ends work in user space, with the reason no-ulp',
    async (offload) => {
      const { server, client, listener } = await pair({ server: { offload }, client: { offload } });
      const noUlp = { where: 'user', reason: 'no-ulp', detail: expect.stringContaining('ENOENT') };
      const sendOnly = expect.objectContaining({ where: 'user', reason: 'policy-send-only' });
      const expected = { send: noUlp, receive: offload === 'both' ? noUlp : sendOnly };
      expect([server.offload, client.offload]).toEqual([expected, expected]);
      const content = bytesOf(mebibytes(5));
      server.write('before ');
      const sending = server.sendFile(fileOf(content));
      server.updateKeys({ requestPeer: true });
      server.end(' after');
      const received = await readAll(client);
      expect(digest(received.subarray(7, -6))).toBe(digest(content));
      expect([received.subarray(0, 7).toString(), received.subarray(-6).toString()]).toEqual(['before ', ' after']);
      expect(await sending).toBe(content.length);
      expect(listener.server.counters.offload.send).toEqual({ 'no-ulp': 1 });
    },
  );

  it('s_client is served', async () => {
    const listener = await startServer({ offload: 'both' });
    const client = sClient(listener.port, '-quiet', '-tls1_3');
    const server = await listener.next();
    client.stdin.write('question');
    expect((await readBytes(server, 8)).toString()).toBe('question');
    await server.sendFile(fileOf(Buffer.from('answer'), 'answer'));
    server.end();
    expect(await client.exited, client.diagnostics()).toBe(0);
    expect(client.output().toString()).toBe('answer');
  });
});
