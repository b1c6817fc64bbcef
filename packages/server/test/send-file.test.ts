/** sendFile: by the kernel and by reading, every size at the edges, in its turn, and every way in which it can fail. */
import { once } from 'node:events';
import { mkdtempSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { open } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { TlsConnection } from '../src/connection.js';
import type { SendFileOptions } from '../src/send-file.js';
import { type FakePair, type SideOptions, secured } from './fake-pair.js';
import { eventually, pattern, readAll, readBytes } from './support.js';

const content = pattern(5 * 1024 * 1024);
let folder = '';
let file = '';

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'tls13-file-'));
  file = join(folder, 'content');
  writeFileSync(file, content);
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** A file of its own, for tests that change it. */
function fresh(bytes: Uint8Array): string {
  const path = join(folder, `fresh-${Math.random()}`);
  writeFileSync(path, bytes);
  return path;
}

/** Begins to send a file, and comes back when its first bytes have left: what `sendFile` promises, in a list. */
async function underWay(from: TlsConnection, path: string, options: SendFileOptions = {}): Promise<[Promise<number>]> {
  const sending: Promise<number>[] = [];
  await new Promise<void>((resolve) => {
    const sent = from.sendFile(path, { ...options, onProgress: () => resolve() });
    sent.catch(() => undefined);
    sending.push(sent);
  });
  const [sent] = sending;
  if (sent === undefined) throw new Error('sendFile was not called');
  return [sent];
}

async function closed({ kernel }: FakePair): Promise<void> {
  await eventually(() => kernel.openDescriptors === 0, 'every descriptor closed');
}

const kinds: Readonly<Record<string, SideOptions>> = { kernel: { offload: 'send' }, 'user space': { offload: 'off' } };

for (const [kind, side] of Object.entries(kinds)) {
  describe(`sendFile with records of the ${kind}`, () => {
    for (const size of [0, 1, 16_383, 16_384, 16_385, 5 * 1024 * 1024]) {
      it(`sends ${size} bytes`, async () => {
        const { server, client } = await secured({ server: side });
        const path = fresh(content.subarray(0, size));
        const sent = server.sendFile(path);
        server.end();
        expect((await readAll(client)).equals(content.subarray(0, size))).toBe(true);
        expect(await sent).toBe(size);
        expect(server.bytesWritten).toBe(size);
      });
    }

    it('sends a range, end inclusive, from a path, a URL, a descriptor and a FileHandle', async () => {
      const { server, client } = await secured({ server: side });
      const handle = await open(file);
      for (const source of [file, pathToFileURL(file), handle.fd, handle]) {
        const sent = server.sendFile(source, { start: 1000, end: 70_999 });
        expect((await readBytes(client, 70_000)).equals(content.subarray(1000, 71_000))).toBe(true);
        expect(await sent).toBe(70_000);
      }
      expect((await handle.stat()).size).toBe(content.length);
      await handle.close();
    });

    it('keeps its turn among writes, other files and the end', async () => {
      const { server, client } = await secured({ server: side });
      server.cork();
      server.write('before ');
      const first = server.sendFile(file, { end: 99_999 });
      server.write(' between ');
      const second = server.sendFile(file, { start: 5, end: 4 });
      const third = server.sendFile(file, { start: 100_000, end: 200_000 });
      server.write(' after');
      server.uncork();
      server.end(' the end');
      expect(
        String(await readAll(client)) ===
          `before ${String(content.subarray(0, 100_000))} between ${String(content.subarray(100_000, 200_001))} after the end`,
      ).toBe(true);
      expect(await Promise.all([first, second, third])).toEqual([100_000, 0, 100_001]);
    });

    it('reports progress and waits for a slow reader', async () => {
      const pair = await secured({ server: { ...side, prepare: (end) => (end.sendBuffer = 300_000) } });
      const progress: number[] = [];
      pair.client.pause();
      let done = false;
      const sent = pair.server.sendFile(file, {
        onProgress: (bytes, total) => {
          expect(total).toBe(content.length);
          progress.push(bytes);
        },
      });
      sent.then(() => {
        done = true;
      });
      await new Promise((resolve) => setTimeout(resolve, 50));
      expect(done).toBe(false);
      expect((await readBytes(pair.client, content.length)).equals(content)).toBe(true);
      await sent;
      expect(progress.length).toBeGreaterThan(2);
      expect(progress.at(-1)).toBe(content.length);
      expect(progress).toEqual(progress.toSorted((a, b) => a - b));
    });

    it('replaces keys while a file is under way', async () => {
      const { server, client } = await secured({
        server: { ...side, limits: { recordsPerKey: 100 }, prepare: (end) => (end.bytesPerCall = 100_000) },
      });
      const sent = server.sendFile(file);
      client.updateKeys({ requestPeer: true });
      expect((await readBytes(client, content.length)).equals(content)).toBe(true);
      await sent;
      client.write('still here');
      expect(String(await readBytes(server, 10))).toBe('still here');
    });

    it('refuses what cannot be sent, and leaves the connection as it was', async () => {
      const { server, client } = await secured({ server: side });
      await expect(server.sendFile(join(folder, 'missing'))).rejects.toMatchObject({ code: 'ENOENT' });
      await expect(server.sendFile(folder)).rejects.toThrow('regular file');
      await expect(server.sendFile(file, { end: content.length })).rejects.toThrow(RangeError);
      await expect(server.sendFile(file, { start: -1 })).rejects.toThrow(RangeError);
      await expect(server.sendFile(file, { start: 9, end: 5 })).rejects.toThrow(RangeError);
      await expect(server.sendFile(file, { signal: AbortSignal.abort() })).rejects.toMatchObject({
        name: 'AbortError',
      });
      server.end('fine');
      expect(String(await readAll(client))).toBe('fine');
      await expect(server.sendFile(file)).rejects.toMatchObject({ code: 'ERR_TLS_NOT_CONNECTED' });
    });

    it('ends the connection, not cleanly, when the file is truncated under it', async () => {
      const pair = await secured({ server: { ...side, prepare: (end) => (end.sendBuffer = 200_000) } });
      const path = fresh(content);
      const ended = once(pair.server, 'error');
      const broken = once(pair.client, 'error');
      pair.client.pause();
      const [sent] = await underWay(pair.server, path);
      truncateSync(path, 1_000_000);
      pair.client.resume();
      await expect(sent).rejects.toMatchObject({ code: 'ERR_TLS_FILE_TRUNCATED' });
      expect(await ended).toMatchObject([{ code: 'ERR_TLS_FILE_TRUNCATED' }]);
      expect(await broken).toMatchObject([{ code: 'ERR_TLS_TRUNCATED' }]);
      await closed(pair);
    });

    it('rejects when the peer resets the connection', async () => {
      const pair = await secured({ server: { ...side, prepare: (end) => (end.sendBuffer = 200_000) } });
      const ended = once(pair.server, 'error');
      pair.client.on('error', () => undefined);
      pair.client.pause();
      const [sent] = await underWay(pair.server, file);
      pair.client.resetAndDestroy();
      await expect(sent).rejects.toBeInstanceOf(Error);
      await ended;
      await closed(pair);
    });

    it('stops at a signal: under way with the connection, before its turn without it', async () => {
      const pair = await secured({ server: { ...side, prepare: (end) => (end.sendBuffer = 200_000) } });
      pair.server.on('error', () => undefined);
      pair.client.on('error', () => undefined);
      pair.client.pause();
      const [first, second] = [new AbortController(), new AbortController()];
      const [sent] = await underWay(pair.server, file, { signal: first.signal });
      const behind = pair.server.sendFile(file, { signal: second.signal });
      behind.catch(() => undefined);
      second.abort();
      expect(pair.server.destroyed).toBe(false);
      first.abort();
      await expect(sent).rejects.toMatchObject({ name: 'AbortError' });
      await expect(behind).rejects.toBeInstanceOf(Error);
      expect(pair.server.destroyed).toBe(true);
      pair.client.destroy();
      await closed(pair);
    });

    it('rejects every file when the connection is destroyed', async () => {
      const { server } = await secured({ server: side });
      const all = [server.sendFile(file), server.sendFile(file), server.sendFile(file)];
      server.destroy();
      for (const { status } of await Promise.allSettled(all)) expect(status).toBe('rejected');
    });
  });
}
