/** record_size_limit, padding and small first records under kernel sending: who makes the records, and of what size. */
import { describe, expect, it } from 'vitest';
import { pair, startServer, write } from './support/connections.js';
import { bytesOf, digest } from './support/files.js';
import { HandMadeClient } from './support/hand-made.js';
import { countTlsStat, smallerRecords, until } from './support/kernel.js';

const inKernel = { where: 'kernel', device: 'software' };
const inUserSpace = (reason: string) => expect.objectContaining({ where: 'user', reason });

describe('record_size_limit (RFC 8449)', () => {
  it('of the peer is told to the kernel, or keeps sending in user space where it takes none', async () => {
    const listener = await startServer({ offload: 'send' });
    const risen = countTlsStat();
    const client = await HandMadeClient.connect(listener.port, { recordSizeLimit: 1001 });
    const server = await listener.next();
    expect(server.info?.recordSizeLimit).toEqual({ send: 1001, receive: 16_385 });
    expect(server.offload.send).toEqual(smallerRecords ? inKernel : inUserSpace('record-size'));
    const before = client.records.length;
    const content = bytesOf(50_000);
    await write(server, content);
    await until(() => client.received === content.length, 'the data');
    expect(digest(client.data)).toBe(digest(content));
    // Content, its type, and the tag.
    expect(Math.max(...client.records.slice(before).map(({ length }) => length))).toBe(1000 + 1 + 16);
    expect(risen('TlsTxSw')).toBe(smallerRecords ? 1 : 0);
  });

  it('of our own keeps receiving in user space, and of the largest record restricts nothing', async () => {
    const limits = { client: { recordSizeLimit: 16_385, offload: 'both' }, server: { offload: 'both' } } as const;
    const free = await pair(limits);
    expect(free.server.offload).toEqual({ send: inKernel, receive: inKernel });
    const bounded = await pair({ ...limits, server: { offload: 'both', recordSizeLimit: 2000 } });
    expect(bounded.server.offload.receive).toEqual(inUserSpace('record-size-limit'));
    const content = bytesOf(100_000);
    // Without a reader only so much is read as fits.
    bounded.server.resume();
    await write(bounded.client, content);
    await until(() => bounded.server.bytesRead >= content.length, 'the data');
  });
});

describe('what the kernel cannot do stays in user space', () => {
  it.each([
    ['padding', { padding: { multiple: 512 } }],
    ['dynamic-record-sizing', { dynamicRecordSizing: { initial: 1369 } }],
  ] as const)('%s', async (reason, options) => {
    const listener = await startServer({ offload: 'both', ...options });
    const risen = countTlsStat();
    const client = await HandMadeClient.connect(listener.port);
    const server = await listener.next();
    expect(server.offload).toEqual({ send: inUserSpace(reason), receive: inKernel });
    expect([risen('TlsTxSw'), risen('TlsRxSw')]).toEqual([0, 1]);
    const content = bytesOf(10_000);
    await write(server, content);
    await until(() => client.received === content.length, 'the data');
    expect(digest(client.data)).toBe(digest(content));
  });
});
