// How connections end and what travels beside data under kernel records: alerts, close_notify, half close, truncation,
// tickets, early data behind Finished, record sizes.
import { once } from 'node:events';
import { setTimeout as delay } from 'node:timers/promises';
import { TlsError } from 'tls13-core';
import { describe, expect, it } from 'vitest';
import { connected, failure, pair, readAll, readBytes, startServer, write } from './support/connections.js';
import { bytesOf, digest, mebibytes } from './support/files.js';
import { HandMadeClient } from './support/hand-made.js';
import { countTlsStat, smallerRecords, until } from './support/kernel.js';
import { sClient, sServer } from './support/openssl.js';

const policies = ['send', 'both', 'off'] as const;
const inKernel = { where: 'kernel', device: 'software' };

describe.each(policies)('offload %s', (offload) => {
  it('pitfall 8: half close by the client: the server answers after the end', async () => {
    const { server, client } = await pair({
      server: { offload, allowHalfOpen: true },
      client: { offload, allowHalfOpen: true },
    });
    client.end('the question');
    expect((await readAll(server)).toString()).toBe('the question');
    const answer = bytesOf(100_000);
    server.end(answer);
    expect(digest(await readAll(client))).toBe(digest(answer));
  });

  it('pitfall 8: half close by the server: the client goes on sending', async () => {
    const { server, client } = await pair({
      server: { offload, allowHalfOpen: true },
      client: { offload, allowHalfOpen: true },
    });
    server.end('the greeting');
    expect((await readAll(client)).toString()).toBe('the greeting');
    const upload = bytesOf(100_000);
    client.end(upload);
    expect(digest(await readAll(server))).toBe(digest(upload));
  });

  it('pitfall 8: without allowHalfOpen the end is answered by close_notify', async () => {
    const listener = await startServer({ offload });
    const client = await HandMadeClient.connect(listener.port);
    const server = await listener.next();
    client.perform(client.engine.close());
    server.resume();
    await until(() => client.closed, 'close_notify of the server');
    expect(client.error).toBeUndefined();
    expect(server.destroyed || server.writableEnded).toBe(true);
  });

  it('pitfall 8: a write after the end is an error', async () => {
    const { server, client } = await pair({ server: { offload }, client: { offload } });
    server.end('last');
    expect((await readAll(client)).toString()).toBe('last');
    const failed = failure(server);
    await expect(write(server, 'more')).rejects.toMatchObject({ code: 'ERR_STREAM_WRITE_AFTER_END' });
    await failed;
    await expect(server.sendFile('/proc/self/exe')).rejects.toMatchObject({ code: 'ERR_TLS_NOT_CONNECTED' });
  });

  it('pitfall 8: close_notify comes behind all data although the buffers are full', async () => {
    const listener = await startServer({ offload });
    const client = await HandMadeClient.connect(listener.port);
    const server = await listener.next();
    client.socket.pause();
    const content = bytesOf(mebibytes(5));
    server.write(content);
    server.end(content);
    await delay(300);
    expect(server.writableLength).toBeGreaterThan(0);
    client.socket.resume();
    await until(() => client.closed, 'close_notify');
    expect(digest(client.data)).toBe(digest(Buffer.concat([content, content])));
    expect(client.error).toBeUndefined();
  });

  it('pitfall 8: the end of TCP without close_notify is told apart', async () => {
    const listener = await startServer({ offload });
    const client = await HandMadeClient.connect(listener.port);
    const server = await listener.next();
    client.perform(client.engine.send(Buffer.from('a part')));
    expect((await readBytes(server, 6)).toString()).toBe('a part');
    const failed = failure(server);
    client.socket.end();
    expect(await failed).toMatchObject({ code: 'ERR_TLS_TRUNCATED' });
    expect(server.readableEnded).toBe(false);
  });

  it('the end of TCP without close_notify is an end where that is asked for', async () => {
    const listener = await startServer({ offload, tolerateTruncation: true });
    const client = await HandMadeClient.connect(listener.port);
    const server = await listener.next();
    client.perform(client.engine.send(Buffer.from('a part')));
    client.socket.end();
    expect((await readAll(server)).toString()).toBe('a part');
  });

  it('pitfall 1: an alert of the peer ends the connection with its name', async () => {
    const listener = await startServer({ offload });
    const client = await HandMadeClient.connect(listener.port);
    const server = await listener.next();
    const failed = failure(server);
    client.perform(client.engine.abort(new TlsError('access_denied', 'as the test wants it')));
    expect(await failed).toMatchObject({ alert: 'access_denied', received: true });
    expect(listener.server.counters.alerts.received).toEqual({ access_denied: 1 });
  });

  it('a record that does not open is answered by bad_record_mac', async () => {
    const listener = await startServer({ offload });
    const risen = countTlsStat();
    const client = await HandMadeClient.connect(listener.port);
    const server = await listener.next();
    client.perform(client.engine.send(Buffer.from('good')));
    expect((await readBytes(server, 4)).toString()).toBe('good');
    const failed = failure(server);
    client.holding = true;
    client.perform(client.engine.send(Buffer.from('bad')));
    const record = client.take();
    record.writeUInt8(record.readUInt8(record.length - 1) ^ 1, record.length - 1);
    client.socket.write(record);
    expect(await failed).toMatchObject({ alert: 'bad_record_mac', received: false });
    await until(() => client.error !== undefined, 'the alert');
    expect(client.error).toMatchObject({ alert: 'bad_record_mac', received: true });
    expect(listener.server.counters.alerts.sent).toEqual({ bad_record_mac: 1 });
    expect(risen('TlsDecryptError') > 0).toBe(offload === 'both');
  });

  it('a record that is too long is answered by record_overflow', async () => {
    const listener = await startServer({ offload });
    const client = await HandMadeClient.connect(listener.port);
    const failed = failure(await listener.next());
    client.socket.write(Buffer.concat([Buffer.from('170303ffff', 'hex'), Buffer.alloc(1000)]));
    expect(await failed).toMatchObject({ alert: 'record_overflow', received: false });
    await until(() => client.error !== undefined, 'the alert');
    expect(client.error).toMatchObject({ alert: 'record_overflow', received: true });
  });
});

describe('handshake messages after the handshake', () => {
  it("pitfall 7: the server's tickets count into the sequence number that goes to the kernel", async () => {
    const listener = await startServer({ offload: 'both', ticketCount: 7 });
    const risen = countTlsStat();
    const client = await HandMadeClient.connect(listener.port);
    const server = await listener.next();
    await write(server, 'behind the tickets');
    await until(() => client.received > 0, 'the data');
    expect([client.tickets, client.data.toString(), risen('TlsTxSw')]).toEqual([7, 'behind the tickets', 1]);
  });

  it('pitfall 1: tickets of s_server come through records that the kernel opens, and resume', async () => {
    const first = await sServer('-quiet', '-tls1_3', '-num_tickets', '3');
    const risen = countTlsStat();
    const client = await connected(first.port, { offload: 'both' });
    const sessions: Buffer[] = [];
    client.on('session', (session: Buffer) => sessions.push(session));
    first.stdin.write('hello');
    expect((await readBytes(client, 5)).toString()).toBe('hello');
    expect(client.offload).toEqual({ send: inKernel, receive: inKernel });
    await until(() => sessions.length === 3, 'three sessions');
    expect([risen('TlsTxSw'), risen('TlsRxSw')]).toEqual([1, 1]);
    client.end();
    await first.exited;
  });

  it('pitfall 1: sessions from records that the kernel opened resume', async () => {
    const listener = await startServer({ offload: 'both' });
    const client = await connected(listener.port, { offload: 'both' });
    await listener.next();
    await until(() => client.getSession() !== undefined, 'a session');
    const session = client.getSession() ?? Buffer.alloc(0);
    const again = await connected(listener.port, { offload: 'both', session });
    const server = await listener.next();
    expect([again.isSessionReused(), server.isSessionReused()]).toEqual([true, true]);
    expect(server.offload.send).toEqual(inKernel);
    again.end('resumed');
    expect((await readAll(server)).toString()).toBe('resumed');
  });
});

describe('data right behind Finished, offload both', () => {
  it('pitfall 6: whole records in the same segment are opened here and counted', async () => {
    const listener = await startServer({ offload: 'both' });
    const risen = countTlsStat();
    const client = await HandMadeClient.beforeFinished(listener.port);
    for (const text of ['one ', 'two ', 'three ']) client.perform(client.engine.send(Buffer.from(text)));
    client.holding = false;
    client.socket.write(client.take());
    const server = await listener.next();
    expect(server.offload.receive).toEqual(inKernel);
    client.perform(client.engine.send(Buffer.from('four')));
    expect((await readBytes(server, 18)).toString()).toBe('one two three four');
    expect([risen('TlsRxSw'), risen('TlsDecryptError')]).toEqual([1, 0]);
  });

  const parts = [1, 4, 5, 6, 20, 2000];
  it.each(parts)(
    'pitfall 6: a record of which %i bytes came is completed here, and the next are the kernel’s',
    async (part) => {
      const listener = await startServer({ offload: 'both' });
      const risen = countTlsStat();
      const client = await HandMadeClient.beforeFinished(listener.port);
      client.perform(client.engine.send(Buffer.from('whole ')));
      const flight = client.take();
      client.perform(client.engine.send(bytesOf(3000)));
      client.perform(client.engine.send(Buffer.from(' and the next')));
      const rest = client.take();
      client.holding = false;
      client.socket.write(Buffer.concat([flight, rest.subarray(0, part)]));
      const server = await listener.next();
      expect(server.offload.receive).toMatchObject({ where: 'user', reason: 'partial-record' });
      expect((await readBytes(server, 6)).toString()).toBe('whole ');
      await write(server, 'meanwhile');
      await until(() => client.received === 9, 'the other direction');
      client.socket.write(rest.subarray(part));
      const content = await readBytes(server, 3000 + 13);
      expect(digest(content)).toBe(digest(Buffer.concat([bytesOf(3000), Buffer.from(' and the next')])));
      expect(server.offload.receive).toEqual(inKernel);
      expect([risen('TlsRxSw'), risen('TlsDecryptError')]).toEqual([1, 0]);
      client.perform(client.engine.send(Buffer.from('more')));
      expect((await readBytes(server, 4)).toString()).toBe('more');
    },
  );

  it('pitfall 6: close_notify right behind Finished leaves nothing to hand over', async () => {
    const listener = await startServer({ offload: 'both', allowHalfOpen: true });
    const client = await HandMadeClient.beforeFinished(listener.port);
    client.perform(client.engine.send(Buffer.from('short')));
    client.perform(client.engine.close());
    client.holding = false;
    client.socket.write(client.take());
    const server = await listener.next();
    expect((await readAll(server)).toString()).toBe('short');
    expect(server.offload.receive).toMatchObject({ where: 'user', reason: 'closed' });
    server.end('answer');
    await until(() => client.closed, 'close_notify');
    expect(client.data.toString()).toBe('answer');
  });
});

describe('record sizes', () => {
  it('pitfall 12: smaller records are the kernel’s where it can make them, else of user space', async () => {
    const listener = await startServer({ offload: 'send', maxSendFragment: 1000 });
    const risen = countTlsStat();
    const client = await HandMadeClient.connect(listener.port);
    const server = await listener.next();
    const expected = smallerRecords ? inKernel : expect.objectContaining({ where: 'user', reason: 'record-size' });
    expect(server.offload.send).toEqual(expected);
    const before = client.records.length;
    const content = bytesOf(50_000);
    await write(server, content);
    await until(() => client.received === content.length, 'the data');
    expect(digest(client.data)).toBe(digest(content));
    const lengths = client.records.slice(before).map(({ length }) => length);
    // Content type and tag.
    expect(Math.max(...lengths)).toBe(1000 + 1 + 16);
    expect(risen('TlsTxSw')).toBe(smallerRecords ? 1 : 0);
  });

  it('setMaxSendFragment says that it is too late when the kernel seals', async () => {
    const { server, client } = await pair({ client: { offload: 'off' } });
    expect([server.setMaxSendFragment(512), client.setMaxSendFragment(512)]).toEqual([false, true]);
  });

  it('pitfall 11: with expectNoPad a peer that pads is understood', async () => {
    const listener = await startServer({ offload: 'both', expectNoPad: true });
    const risen = countTlsStat();
    const client = sClient(listener.port, '-quiet', '-tls1_3', '-record_padding', '512');
    const server = await listener.next();
    client.stdin.write('first');
    expect((await readBytes(server, 5)).toString()).toBe('first');
    client.stdin.write('second');
    expect((await readBytes(server, 6)).toString()).toBe('second');
    expect(risen('TlsRxNoPadViolation')).toBeGreaterThan(0);
    server.end();
    await once(server, 'close');
  });
});
