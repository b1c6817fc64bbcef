// Reading from the page cache on file systems that know how and on those that do not: the bytes, or nothing.
import { closeSync, mkdtempSync, openSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { readCached } from 'ktls-bind';
import { afterAll, describe, expect, it } from 'vitest';
import { pair, readBytes } from './support/connections.js';
import { bytesOf, digest } from './support/files.js';

/** These are in memory, at least in a guest; what node comes from is on a disk of the host's. */
const made = ['/dev/shm', tmpdir()].map((where) => {
  const folder = mkdtempSync(join(where, 'tls13-cached-'));
  writeFileSync(join(folder, 'content'), bytesOf(300_000));
  return folder;
});
afterAll(() => {
  for (const folder of made) rmSync(folder, { recursive: true });
});

describe.each([...made.map((folder) => join(folder, 'content')), process.execPath])('%s', (path) => {
  const content = readFileSync(path).subarray(0, 300_000);

  it('is read at once or not at all', () => {
    const file = openSync(path, 'r');
    const into = new Uint8Array(100_000);
    const length = readCached(file, into, 1000);
    closeSync(file);
    if (length === undefined) return expect(into.every((byte) => byte === 0)).toBe(true);
    expect(length).toBeGreaterThan(0);
    expect(digest(into.subarray(0, length))).toBe(digest(content.subarray(1000, 1000 + length)));
  });

  it('is sent either way', async () => {
    const { server, client } = await pair({ server: { offload: 'off' } });
    const sent = server.sendFile(path, { end: content.length - 1 });
    expect(digest(await readBytes(client, content.length))).toBe(digest(content));
    expect(await sent).toBe(content.length);
  });
});
