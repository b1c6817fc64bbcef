/** A file in user space, part by part: from the page cache, through the thread pool, and from one to the other. */
import { closeSync, mkdtempSync, openSync, readSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { readTransfer } from '../src/read-transfer.js';
import type { FileTransfer } from '../src/transport/types.js';
import { pattern } from './support.js';

const content = pattern(1_500_000);
let folder = '';
let fd = -1;

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'tls13-transfer-'));
  writeFileSync(join(folder, 'content'), content);
  fd = openSync(join(folder, 'content'), 'r');
});
afterAll(() => {
  closeSync(fd);
  rmSync(folder, { recursive: true, force: true });
});

type FromCache = (fd: number, into: Uint8Array, offset: number) => number | undefined;

const everything: FromCache = (file, into, offset) => readSync(file, into, 0, into.length, offset);
const nothing: FromCache = () => undefined;

/** Runs a transfer to a peer that takes everything at once, or each part in a later turn. */
async function run(
  fromCache: FromCache,
  { takesLater = false, stopAfter = Number.POSITIVE_INFINITY, remaining = content.length - 1000 } = {},
) {
  const written: Buffer[] = [];
  const turns: number[] = [];
  let turn = 0;
  let over = false;
  const count = () => {
    turn += 1;
    if (!over) setImmediate(count);
  };
  setImmediate(count);
  const transfer: FileTransfer = { fd, offset: 1000, remaining, progress: () => undefined };
  const error = await new Promise<Error | undefined>((resolve) => {
    const sink = {
      write: (chunks: readonly Uint8Array[], done: (error?: Error) => void) => {
        // As sealing does: the memory may be used again when this returns.
        written.push(Buffer.concat(chunks));
        turns.push(turn);
        if (takesLater) setImmediate(done);
        else done();
      },
      isSending: () => {
        if (written.length < stopAfter) return true;
        setTimeout(resolve, 20);
        return false;
      },
    };
    readTransfer(transfer, sink, resolve, fromCache);
  });
  over = true;
  return { error, bytes: Buffer.concat(written), parts: written.length, turns };
}

describe('a file that is read and sealed', () => {
  for (const takesLater of [false, true]) {
    const peer = takesLater ? 'that takes a part in its own time' : 'that takes all at once';

    it(`comes from the page cache for a peer ${peer}`, async () => {
      const { error, bytes } = await run(everything, { takesLater });
      expect(error).toBeUndefined();
      expect(bytes.equals(content.subarray(1000))).toBe(true);
    });

    it(`comes through the thread pool for a peer ${peer}`, async () => {
      const { error, bytes } = await run(nothing, { takesLater });
      expect(error).toBeUndefined();
      expect(bytes.equals(content.subarray(1000))).toBe(true);
    });

    it(`goes from one to the other, for a peer ${peer}`, async () => {
      let calls = 0;
      const patchy: FromCache = (file, into, offset) => {
        calls += 1;
        if (calls % 3 === 0) return undefined;
        return everything(file, into.subarray(0, calls % 3 === 1 ? 5000 : undefined), offset);
      };
      const { error, bytes } = await run(patchy, { takesLater });
      expect(error).toBeUndefined();
      expect(bytes.equals(content.subarray(1000))).toBe(true);
    });
  }

  it('leaves the loop to others, however fast the peer is', async () => {
    const { turns } = await run(everything);
    for (const turn of new Set(turns)) expect(turns.filter((each) => each === turn).length).toBeLessThanOrEqual(4);
    expect(new Set(turns).size).toBeGreaterThan(3);
  });

  it.each([
    ['the page cache', everything],
    ['the thread pool', nothing],
  ])('stops when its turn is over, from %s', async (_, fromCache) => {
    expect((await run(fromCache, { stopAfter: 2 })).parts).toBe(2);
  });

  it.each([
    ['the page cache', everything],
    ['the thread pool', nothing],
  ])('ends with an error where the file does, from %s', async (_, fromCache) => {
    const { error, bytes } = await run(fromCache, { remaining: content.length });
    expect(error).toMatchObject({ code: 'ERR_TLS_FILE_TRUNCATED' });
    expect(error?.message).toContain('1000 bytes early');
    expect(bytes.equals(content.subarray(1000))).toBe(true);
  });

  it('tells why a file cannot be read', async () => {
    const directory = openSync(folder, 'r');
    const transfer: FileTransfer = { fd: directory, offset: 0, remaining: 10, progress: () => undefined };
    const sink = { write: () => expect.unreachable(), isSending: () => true };
    const error = await new Promise((resolve) => readTransfer(transfer, sink, resolve));
    expect(error).toMatchObject({ code: 'EISDIR' });
    closeSync(directory);
  });
});
