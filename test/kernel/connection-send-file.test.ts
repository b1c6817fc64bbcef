// Files through connections: sendfile(2) where the kernel seals, in their place among the writes, and what can go wrong.

import { type FileHandle, open, truncate } from 'node:fs/promises';
import { afterEach, beforeEach, describe, expect, it, onTestFinished } from 'vitest';
import { failure, pair, readAll, readBytes, startServer, write } from './support/connections.js';
import { bytesOf, digest, fileOf, folder, mebibytes } from './support/files.js';
import { HandMadeClient } from './support/hand-made.js';
import { countTlsStat, until } from './support/kernel.js';
import { sClient } from './support/openssl.js';

const sizes = [0, 1, 16_383, 16_384, 16_385, mebibytes(5)];
const policies = ['send', 'both', 'off'] as const;

async function opened(path: string, flags = 'r'): Promise<FileHandle> {
  const handle = await open(path, flags);
  onTestFinished(() => handle.close());
  return handle;
}

describe.each(policies)('offload %s', (offload) => {
  const sessions = offload === 'off' ? 0 : 1;
  let risenInTest = countTlsStat();

  beforeEach(() => {
    risenInTest = countTlsStat();
  });

  // Whatever else a test shows, it shows it of the path it is named for.
  afterEach(() => {
    expect(risenInTest('TlsTxSw') > 0).toBe(offload !== 'off');
  });

  it('sends files of 0 bytes, 1 byte, 16 KiB ± 1 and 5 MiB', async () => {
    const risen = countTlsStat();
    const { server, client } = await pair({ server: { offload }, client: { offload: 'off' } });
    for (const size of sizes) {
      const content = bytesOf(size);
      const [sent, received] = await Promise.all([server.sendFile(fileOf(content)), readBytes(client, size)]);
      expect(sent).toBe(size);
      expect(digest(received)).toBe(digest(content));
    }
    server.end();
    expect((await readAll(client)).length).toBe(0);
    expect(server.bytesWritten).toBe(sizes.reduce((sum, size) => sum + size, 0));
    expect([risen('TlsTxSw'), risen('TlsRxSw')]).toEqual([sessions, offload === 'both' ? 1 : 0]);
  });

  it('sends a range, from a path, a descriptor or a handle whose position it does not move', async () => {
    const path = fileOf(bytesOf(mebibytes(1)));
    const { server, client } = await pair({ server: { offload }, client: { offload: 'off' } });
    const handle = await opened(path);
    await handle.read(Buffer.alloc(10));
    const ranges = [
      { start: 1 },
      { end: 0 },
      { start: 16_384, end: 32_768 },
      { start: 1_048_575, end: 1_048_575 },
      { start: 5, end: 4 },
      { start: 1_048_576 },
    ];
    for (const source of [path, handle.fd, handle]) {
      for (const range of ranges) {
        const { start = 0, end = 1_048_575 } = range;
        const expected = bytesOf(end - start + 1, start);
        const [sent, received] = await Promise.all([
          server.sendFile(source, range),
          readBytes(client, expected.length),
        ]);
        expect(sent).toBe(expected.length);
        expect(digest(received)).toBe(digest(expected));
      }
    }
    const next = Buffer.alloc(4);
    await handle.read(next);
    expect(next.equals(bytesOf(4, 10))).toBe(true);
  });

  it('keeps files and writes in order', async () => {
    const { server, client } = await pair({ server: { offload }, client: { offload: 'off' } });
    const parts = [
      bytesOf(10, 1),
      bytesOf(100_000, 2),
      bytesOf(1, 3),
      bytesOf(20_000, 4),
      bytesOf(0),
      bytesOf(300_000, 5),
    ];
    const sending: Array<Promise<unknown>> = [];
    for (const [index, content] of parts.entries()) {
      if (index % 2 === 0) server.write(content);
      else sending.push(server.sendFile(fileOf(content, `part-${index}`)));
    }
    sending.push(server.sendFile(fileOf(bytesOf(70_000, 6), 'part-last')));
    server.end('the end');
    const received = await readAll(client);
    await Promise.all(sending);
    const expected = Buffer.concat([...parts, bytesOf(70_000, 6), Buffer.from('the end')]);
    expect(digest(received)).toBe(digest(expected));
  });

  it('reports progress up to the total', async () => {
    const { server, client } = await pair({ server: { offload }, client: { offload: 'off' } });
    const steps: number[] = [];
    const size = mebibytes(3);
    const sending = server.sendFile(fileOf(bytesOf(size)), {
      onProgress: (sent, total) => {
        expect(total).toBe(size);
        steps.push(sent);
      },
    });
    await Promise.all([sending, readBytes(client, size)]);
    expect(steps.at(-1)).toBe(size);
    expect(steps).toEqual([...new Set(steps)].sort((a, b) => a - b));
  });

  it('a file that cannot be sent rejects, and the connection goes on', async () => {
    const { server, client } = await pair({ server: { offload }, client: { offload: 'off' } });
    await expect(server.sendFile(`${folder}/missing`)).rejects.toMatchObject({ code: 'ENOENT' });
    await expect(server.sendFile(folder)).rejects.toThrow('sendFile needs a regular file');
    await expect(server.sendFile(fileOf(bytesOf(10)), { end: 10 })).rejects.toThrow('the file has 10 bytes');
    server.end('still here');
    expect((await readAll(client)).toString()).toBe('still here');
  });

  it('pitfall 9: a file truncated while it is sent ends the connection, and not with close_notify', async () => {
    const { server, client, sending, path } = await stalled(offload, 'truncated');
    await truncate(path, 4096);
    client.socket.resume();
    await expect(sending).rejects.toMatchObject({ code: 'ERR_TLS_FILE_TRUNCATED' });
    await until(() => client.error !== undefined, 'the end at the client');
    expect(client.error).toMatchObject({ code: 'ERR_TLS_TRUNCATED' });
    expect(client.received).toBeLessThan(stalledSize);
    expect(server.destroyed).toBe(true);
  });

  it('pitfall 10: a peer that resets in the middle of a file gives an error, and no SIGPIPE', async () => {
    const { server, client, sending } = await stalled(offload, 'reset');
    const failed = failure(server);
    client.socket.resetAndDestroy();
    await expect(sending).rejects.toMatchObject({ code: expect.stringMatching(/^(ECONNRESET|EPIPE)$/) });
    expect(await failed).toMatchObject({ code: expect.stringMatching(/^(ECONNRESET|EPIPE)$/) });
    // Writing into what is gone is where the signal would come.
    await expect(server.sendFile(fileOf(bytesOf(10)))).rejects.toMatchObject({ code: 'ERR_TLS_NOT_CONNECTED' });
  });

  it('an abort in the middle of a file ends the connection, and not with close_notify', async () => {
    const stop = new AbortController();
    const { server, client, sending } = await stalled(offload, 'aborted', stop.signal);
    stop.abort();
    await expect(sending).rejects.toMatchObject({ name: 'AbortError' });
    client.socket.resume();
    await until(() => client.error !== undefined || client.over, 'the end at the client');
    expect(client.closed).toBe(false);
    expect(server.destroyed).toBe(true);
  });
});

describe('what is on the wire', () => {
  it('a file of 5 MiB, with s_client as its peer, makes full records', async () => {
    const listener = await startServer({ offload: 'send' });
    const risen = countTlsStat();
    const client = sClient(listener.port, '-quiet', '-tls1_3');
    const connection = await listener.next();
    const content = bytesOf(mebibytes(5));
    expect(await connection.sendFile(fileOf(content))).toBe(content.length);
    connection.end();
    expect(await client.exited, client.diagnostics()).toBe(0);
    expect(digest(client.output())).toBe(digest(content));
    expect(risen('TlsTxSw')).toBe(1);
  });

  it('pitfall 13: what is written together is one record, not one each', async () => {
    const risen = countTlsStat();
    const listener = await startServer({ offload: 'send', ticketCount: 0 });
    const client = await HandMadeClient.connect(listener.port);
    const connection = await listener.next();
    const [before = 0] = client.recordsPerKey;
    connection.cork();
    for (let count = 0; count < 50; count += 1) connection.write(bytesOf(100));
    connection.uncork();
    await until(() => client.received === 5000, 'the data');
    expect((client.recordsPerKey[0] ?? 0) - before).toBe(1);
    await write(connection, bytesOf(mebibytes(1)));
    await until(() => client.received === 5000 + mebibytes(1), 'the data');
    expect((client.recordsPerKey[0] ?? 0) - before).toBeLessThan(1 + 64 + 16);
    expect(risen('TlsTxSw')).toBe(1);
  });

  it('pitfall 11: with zeroCopy, the same bytes', async () => {
    const risen = countTlsStat();
    const { server, client } = await pair({ server: { zeroCopy: true } });
    expect(server.offload.send).toEqual({ where: 'kernel', device: 'software' });
    const content = bytesOf(mebibytes(1));
    const [sent, received] = await Promise.all([server.sendFile(fileOf(content)), readBytes(client, content.length)]);
    expect(sent).toBe(content.length);
    expect(digest(received)).toBe(digest(content));
    expect(risen('TlsTxSw')).toBeGreaterThan(0);
  });
});

const stalledSize = mebibytes(64);

/** In the middle of a file: the client has stopped to read, and the buffers in between are full. */
async function stalled(offload: (typeof policies)[number], name: string, signal?: AbortSignal) {
  const listener = await startServer({ offload });
  const client = await HandMadeClient.connect(listener.port);
  const server = await listener.next();
  server.on('error', () => undefined);
  client.socket.pause();
  // More than any buffer holds, and nothing on the disk: most of it is a hole.
  const path = fileOf(bytesOf(mebibytes(1)), name);
  await truncate(path, stalledSize);
  let sent = 0;
  const onProgress = (bytes: number) => {
    sent = bytes;
  };
  const sending = server.sendFile(path, signal === undefined ? { onProgress } : { onProgress, signal });
  sending.catch(() => undefined);
  await settled(() => sent);
  expect(sent).toBeGreaterThan(0);
  expect(sent).toBeLessThan(stalledSize);
  return { server, client, sending, path };
}

/** Waits until a number has not changed for a while. */
async function settled(value: () => number): Promise<void> {
  for (let last = -1; last <= 0 || value() !== last; ) {
    last = value();
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
}
