/** Keys are gone from native memory once they are destroyed: another process looks at all of the holder's memory. */
import { type ChildProcess, spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { closeSync, mkdtempSync, openSync, readFileSync, readSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, describe, expect, it } from 'vitest';

const folder = mkdtempSync(join(tmpdir(), 'wiped-'));
afterAll(() => rmSync(folder, { recursive: true }));

/** How often the bytes stand in the writable memory of a process. */
function found(pid: number, bytes: Uint8Array): number {
  const memory = openSync(`/proc/${pid}/mem`, 'r');
  const buffer = Buffer.alloc(1 << 20);
  let count = 0;
  try {
    for (const line of readFileSync(`/proc/${pid}/maps`, 'latin1').split('\n')) {
      const [, from = '', to = ''] = /^([0-9a-f]+)-([0-9a-f]+) rw/.exec(line) ?? [];
      if (from === '') continue;
      const end = Number.parseInt(to, 16);
      for (let at = Number.parseInt(from, 16); at < end; at += buffer.length - bytes.length) {
        const length = readable(memory, buffer, at, Math.min(buffer.length, end - at));
        const part = buffer.subarray(0, length);
        for (let place = part.indexOf(bytes); place >= 0; place = part.indexOf(bytes, place + 1)) count += 1;
      }
    }
  } finally {
    closeSync(memory);
    buffer.fill(0);
  }
  return count;
}

/** Bytes read; none where the kernel keeps a mapping to itself. */
function readable(memory: number, buffer: Buffer, at: number, length: number): number {
  try {
    return readSync(memory, buffer, 0, length, at);
  } catch {
    return 0;
  }
}

async function says({ stdout }: ChildProcess, word: string): Promise<void> {
  const [line] = await once(stdout ?? process.stdin, 'data');
  expect(String(line).trim()).toBe(word);
}

describe.runIf(process.platform === 'linux')('native memory', () => {
  it.each(['aead', 'sealer', 'opener', 'share'])('%s: the key is there, and after destroy() nowhere', async (what) => {
    const key = randomBytes(32);
    const path = join(folder, what);
    writeFileSync(path, key, { mode: 0o600 });
    const holder = spawn(process.execPath, [fileURLToPath(new URL('holder.mjs', import.meta.url)), what, path], {
      stdio: ['pipe', 'pipe', 'inherit'],
    });
    try {
      await says(holder, 'held');
      const { pid = 0 } = holder;
      expect(found(pid, key)).toBeGreaterThan(0);
      holder.stdin?.write('\n');
      await says(holder, 'wiped');
      expect(found(pid, key)).toBe(0);
    } finally {
      holder.kill();
    }
  });
});
