// Keys that change under kernel records (§4.7.3, §5.5): asked for by the peer, by us, and by themselves before a limit.
// A kernel before 6.14 cannot replace keys: there each of these ends in its own documented way.
import type { TlsConnection } from 'tls13-server';
import { describe, expect, it } from 'vitest';
import { connected, failure, pair, readAll, readBytes, startServer, write } from './support/connections.js';
import { bytesOf, digest, fileOf, mebibytes } from './support/files.js';
import { HandMadeClient } from './support/hand-made.js';
import { countTlsStat, rekeys, until } from './support/kernel.js';
import { type OpensslPeer, sClient, sServer } from './support/openssl.js';

const exhausted = { alert: 'close_notify', code: 'ERR_TLS_KEY_EXHAUSTED', received: false };

const commands = [
  ['send', 'k'],
  ['send', 'K'],
  ['both', 'k'],
  ['both', 'K'],
] as const;

describe.each(commands)('offload %s, OpenSSL changes its key (%s; K asks for ours as well)', (offload, command) => {
  const requested = command === 'K';
  const possible = rekeys || (offload === 'send' && !requested);
  const expectedRekeys = possible ? [requested ? 1 : 0, offload === 'both' ? 1 : 0] : [0, 0];

  /** The command of s_client takes effect with what it writes next, that of s_server at once. */
  async function update(peer: OpensslPeer, connection: TlsConnection): Promise<void> {
    const changes: string[] = [];
    connection.on('keyUpdate', ({ direction }) => changes.push(direction));
    peer.stdin.write('before\n');
    expect((await readBytes(connection, 7)).toString()).toBe('before\n');
    const risen = countTlsStat();
    const failed = possible ? undefined : failure(connection);
    peer.stdin.write(`${command}\n`);
    const taken = () => peer.diagnostics().includes('KEYUPDATE') || changes.length > 0 || connection.destroyed;
    await until(taken, 'the key update');
    peer.stdin.write('after\n');
    if (failed === undefined) {
      expect((await readBytes(connection, 6)).toString()).toBe('after\n');
      expect(changes).toEqual(requested ? ['receive', 'send'] : ['receive']);
      await write(connection, 'the answer');
      await until(() => peer.output().includes('the answer'), 'the answer at OpenSSL');
    } else {
      expect(await failed).toMatchObject(exhausted);
    }
    if (rekeys) expect([risen('TlsTxRekeyOk'), risen('TlsRxRekeyOk')]).toEqual(expectedRekeys);
    connection.end();
  }

  it('pitfall 2: our server and s_client', async () => {
    const listener = await startServer({ offload });
    const client = sClient(listener.port, '-tls1_3');
    await update(client, await listener.next());
    expect(await client.exited, client.diagnostics()).toBe(0);
  });

  it('pitfall 2: our client and s_server', async () => {
    const server = await sServer('-tls1_3');
    const connection = await connected(server.port, { offload });
    await update(server, connection);
    await server.exited;
    expect(server.diagnostics()).not.toContain('error');
  });
});

describe.each(['send', 'both', 'off'] as const)('offload %s, we change our key', (offload) => {
  const possible = rekeys || offload === 'off';
  const inKernel = offload === 'off' ? 0 : 1;

  if (possible) {
    it('pitfall 3: the KeyUpdate goes under the old key and nothing pauses behind it', async () => {
      const { server, client } = await pair({ server: { offload }, client: { offload } });
      const risen = countTlsStat();
      const content = bytesOf(mebibytes(1));
      const reading = readAll(client);
      for (let at = 0; at < content.length; at += 65_536) {
        server.write(content.subarray(at, at + 65_536));
        server.updateKeys();
      }
      server.end();
      expect(digest(await reading)).toBe(digest(content));
      if (!rekeys) return;
      expect([risen('TlsTxRekeyOk'), risen('TlsRxRekeyOk'), risen('TlsRxRekeyReceived')]).toEqual([
        16 * inKernel,
        offload === 'both' ? 16 : 0,
        offload === 'both' ? 16 : 0,
      ]);
    });

    it('and ask for the peer’s', async () => {
      const { server, client } = await pair({ server: { offload }, client: { offload } });
      const changes: unknown[] = [];
      server.on('keyUpdate', (change) => changes.push(change));
      client.updateKeys({ requestPeer: true });
      await write(client, 'under the new key');
      expect((await readBytes(server, 17)).toString()).toBe('under the new key');
      await write(server, 'so is this');
      expect((await readBytes(client, 10)).toString()).toBe('so is this');
      expect(changes).toEqual([
        { direction: 'receive', requested: false },
        { direction: 'send', requested: true },
      ]);
    });

    it('and s_client follows, and answers', async () => {
      const listener = await startServer({ offload });
      const client = sClient(listener.port, '-quiet', '-tls1_3');
      const server = await listener.next();
      const changes: string[] = [];
      server.on('keyUpdate', ({ direction }) => changes.push(direction));
      for (let count = 0; count < 3; count += 1) {
        server.updateKeys({ requestPeer: true });
        await write(server, `down ${count} `);
        client.stdin.write(`up ${count} `);
        expect((await readBytes(server, 5)).toString()).toBe(`up ${count} `);
      }
      server.end();
      expect(await client.exited, client.diagnostics()).toBe(0);
      expect(client.output().toString()).toBe('down 0 down 1 down 2 ');
      expect(changes.filter((direction) => direction === 'receive')).toHaveLength(3);
    });
  } else {
    it('updateKeys throws a coded error, and the connection goes on', async () => {
      const { server, client } = await pair({ server: { offload }, client: { offload } });
      expect(() => server.updateKeys()).toThrow(expect.objectContaining({ code: 'ERR_TLS_REKEY_UNSUPPORTED' }));
      expect(() => client.updateKeys({ requestPeer: true })).toThrow(
        expect.objectContaining({ code: 'ERR_TLS_REKEY_UNSUPPORTED' }),
      );
      server.end('still here');
      expect((await readAll(client)).toString()).toBe('still here');
    });
  }
});

describe('key updates of a hand-made client, offload both', () => {
  it('pitfall 2: data in the same segment as KeyUpdates is read under the right keys', async () => {
    const listener = await startServer({ offload: 'both' });
    const client = await HandMadeClient.connect(listener.port);
    const server = await listener.next();
    client.holding = true;
    for (let count = 0; count < 5; count += 1) {
      client.perform(client.engine.updateKeys());
      client.perform(client.engine.send(Buffer.from(`part ${count} `)));
    }
    client.holding = false;
    const failed = rekeys ? undefined : failure(server);
    client.socket.write(client.take());
    if (failed === undefined) {
      expect((await readBytes(server, 35)).toString()).toBe('part 0 part 1 part 2 part 3 part 4 ');
    } else {
      expect(await failed).toMatchObject(exhausted);
      await until(() => client.closed, 'close_notify');
    }
  });

  it('pitfall 3: an update that is asked for while the buffers are full keeps all data', async () => {
    const listener = await startServer({ offload: 'both' });
    const client = await HandMadeClient.connect(listener.port);
    const server = await listener.next();
    const content = bytesOf(mebibytes(5));
    client.socket.pause();
    let written = false;
    server.write(content, (error) => {
      written = !error;
    });
    const failed = rekeys ? undefined : failure(server);
    client.perform(client.engine.updateKeys(true));
    client.perform(client.engine.send(Buffer.from('x')));
    if (failed === undefined) await readBytes(server, 1);
    else expect(await failed).toMatchObject(exhausted);
    expect(written).toBe(false);
    client.socket.resume();
    if (failed === undefined) {
      await until(() => client.received === content.length, 'all data');
      expect(digest(client.data)).toBe(digest(content));
      expect(client.recordsPerKey).toHaveLength(2);
    } else {
      // What was cut off does not look complete. A record stays unread that this kernel cannot open, so that Linux ends the
      // connection with a reset, which may come before what was sent has been read.
      await until(() => client.error !== undefined || client.over, 'the end');
      expect(client.closed).toBe(false);
      if (client.error !== undefined) expect(client.error).toMatchObject({ code: 'ERR_TLS_TRUNCATED' });
      expect(client.received).toBeLessThan(content.length);
      expect(content.subarray(0, client.received).equals(client.data)).toBe(true);
    }
  });

  it('pitfall 16: a storm of updates is an error of the peer', async () => {
    const listener = await startServer({ offload: rekeys ? 'both' : 'send' });
    const client = await HandMadeClient.connect(listener.port);
    const server = await listener.next();
    const failed = failure(server);
    for (let count = 0; count < 40; count += 1) client.perform(client.engine.updateKeys());
    expect(await failed).toMatchObject({ name: 'TlsError', received: false });
    await until(() => client.error !== undefined, 'the alert');
    expect(client.error?.received).toBe(true);
  });

  it('pitfall 16: updates with data between them are none', async () => {
    const listener = await startServer({ offload: rekeys ? 'both' : 'send' });
    const client = await HandMadeClient.connect(listener.port);
    const server = await listener.next();
    for (let count = 0; count < 40; count += 1) {
      client.perform(client.engine.updateKeys());
      client.perform(client.engine.send(Buffer.from('x')));
    }
    expect((await readBytes(server, 40)).toString()).toBe('x'.repeat(40));
  });
});

describe('a key that nears its limit (pitfall 15)', () => {
  const recordsPerKey = 512;
  const limits = { recordsPerKey };

  async function limited() {
    const listener = await startServer({ offload: 'send', limits });
    const client = await HandMadeClient.connect(listener.port);
    const server = await listener.next();
    return { server, client };
  }

  if (rekeys) {
    it('is replaced in time while files are sent', async () => {
      const { server, client } = await limited();
      const risen = countTlsStat();
      const content = bytesOf(mebibytes(5));
      const path = fileOf(content);
      for (let count = 1; count <= 2; count += 1) {
        expect(await server.sendFile(path)).toBe(content.length);
        await until(() => client.received === count * content.length, 'the file');
      }
      expect(digest(client.data)).toBe(digest(Buffer.concat([content, content])));
      expect(client.recordsPerKey.length).toBeGreaterThan(2);
      expect(Math.max(...client.recordsPerKey)).toBeLessThanOrEqual(recordsPerKey);
      expect(risen('TlsTxRekeyOk')).toBe(client.recordsPerKey.length - 1);
    });

    it('is replaced in time among small and large writes', async () => {
      const { server, client } = await limited();
      const risen = countTlsStat();
      let total = 0;
      for (let count = 0; count < 600; count += 1) {
        const size = count % 100 === 0 ? 200_000 : 1 + (count % 7);
        await write(server, bytesOf(size, total));
        total += size;
      }
      await until(() => client.received === total, 'the data');
      expect(digest(client.data)).toBe(digest(bytesOf(total)));
      expect(client.recordsPerKey.length).toBeGreaterThan(2);
      expect(Math.max(...client.recordsPerKey)).toBeLessThanOrEqual(recordsPerKey);
      expect(risen('TlsTxRekeyOk')).toBe(client.recordsPerKey.length - 1);
    });
  } else {
    it('ends the connection with close_notify between writes', async () => {
      const { server, client } = await limited();
      const failed = failure(server);
      const writing = (async () => {
        for (let count = 0; count < recordsPerKey; count += 1) await write(server, bytesOf(1, count));
      })();
      await expect(writing).rejects.toMatchObject({ code: 'ERR_TLS_KEY_EXHAUSTED' });
      expect(await failed).toMatchObject(exhausted);
      await until(() => client.closed, 'close_notify');
      expect(client.error).toBeUndefined();
      expect(client.received).toBeGreaterThan(recordsPerKey / 4);
      expect(bytesOf(client.received).equals(client.data)).toBe(true);
      expect(Math.max(...client.recordsPerKey)).toBeLessThanOrEqual(recordsPerKey);
    });

    it('ends the connection in the middle of a file, which does not look complete', async () => {
      const { server, client } = await limited();
      const failed = failure(server);
      const content = bytesOf(mebibytes(5));
      await expect(server.sendFile(fileOf(content))).rejects.toMatchObject({ code: 'ERR_TLS_KEY_EXHAUSTED' });
      expect(await failed).toMatchObject(exhausted);
      await until(() => client.error !== undefined, 'the end');
      expect(client.error).toMatchObject({ code: 'ERR_TLS_TRUNCATED' });
      expect(client.received).toBeGreaterThan(mebibytes(3));
      expect(content.subarray(0, client.received).equals(client.data)).toBe(true);
    });
  }

  it('is replaced in time in user space', async () => {
    const listener = await startServer({ offload: 'off', limits: { recordsPerKey: 20 } });
    const client = await HandMadeClient.connect(listener.port);
    const server = await listener.next();
    const content = bytesOf(mebibytes(1));
    await server.sendFile(fileOf(content));
    await until(() => client.received === content.length, 'the file');
    expect(digest(client.data)).toBe(digest(content));
    expect(client.recordsPerKey.length).toBeGreaterThan(3);
    expect(Math.max(...client.recordsPerKey)).toBeLessThanOrEqual(20);
  });
});
