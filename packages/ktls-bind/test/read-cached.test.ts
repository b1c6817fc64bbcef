/** Reading from the page cache: what it brings, where it gives up, and what nobody can mean. */
import { closeSync, mkdtempSync, openSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { readCached } from '../src/read-cached.js';

const content = Buffer.from(Array.from({ length: 100_000 }, (_, index) => index % 251));
let folder = '';
let fd = -1;
/** A file system may not know how (tmpfs, say); one that was just written is in memory. */
let known = false;

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'tls13-cached-'));
  writeFileSync(join(folder, 'content'), content);
  fd = openSync(join(folder, 'content'), 'r');
  known = readCached(fd, Buffer.alloc(1), 0) !== undefined;
});
afterAll(() => {
  closeSync(fd);
  rmSync(folder, { recursive: true, force: true });
});

describe('readCached', () => {
  it.each([
    [0, 100_000],
    [1, 4096],
    [4095, 70_000],
    [99_999, 1],
  ])('reads what it says at offset %i', (offset, length) => {
    const into = Buffer.alloc(length + 8, 0xff);
    const read = readCached(fd, into.subarray(0, length), offset);
    if (!known) return expect(read).toBeUndefined();
    expect(read).toBeGreaterThan(0);
    expect(into.subarray(0, read).equals(content.subarray(offset, offset + (read ?? 0)))).toBe(true);
    // Nothing behind the buffer, nor behind what was read.
    expect(into.subarray(read).every((byte) => byte === 0xff)).toBe(true);
  });

  it('reads less at the end, and nothing behind it', () => {
    expect(readCached(fd, Buffer.alloc(500), 99_900)).toBe(known ? 100 : undefined);
    for (const offset of [100_000, 2 ** 40])
      expect(readCached(fd, Buffer.alloc(500), offset)).toBe(known ? 0 : undefined);
  });

  it('leaves the position of the descriptor where it is', () => {
    readCached(fd, Buffer.alloc(500), 500);
    expect(readFileSync(fd).equals(content)).toBe(true);
  });

  it('brings nothing from what is no file, cannot be read, or is not open', () => {
    const unreadable = openSync(join(folder, 'unreadable'), 'w');
    const directory = openSync(folder, 'r');
    for (const other of [unreadable, directory, 2 ** 30]) {
      expect(readCached(other, Buffer.alloc(10), 0)).toBeUndefined();
    }
    closeSync(unreadable);
    closeSync(directory);
  });

  it('refuses what makes no sense', () => {
    const into = Buffer.alloc(10);
    for (const other of [-1, 1.5, Number.NaN]) expect(() => readCached(other, into, 0)).toThrow(TypeError);
    for (const offset of [-1, 0.5, 2 ** 53]) expect(() => readCached(fd, into, offset)).toThrow(RangeError);
    expect(() => readCached(fd, new Uint8Array(0), 0)).toThrow('at least one byte');
  });
});
