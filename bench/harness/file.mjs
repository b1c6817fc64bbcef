// The files that are served while somebody looks at what that costs.
import { randomFillSync } from 'node:crypto';
import { mkdtempSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const mebibyte = 1024 * 1024;

const contents = {
  random: () => randomFillSync(Buffer.allocUnsafeSlow(mebibyte)),
  text: () => Buffer.alloc(mebibyte, 'a line of text that is neither all zeros nor random\n'),
};

/**
 * @param content 'random' or 'text', or 'sparse': all zeros, which take no place on the disk.
 * @returns { path, length in bytes, remove() }.
 */
export function makeFile(mebibytes, content) {
  const folder = mkdtempSync(join(tmpdir(), 'tls13-bench-'));
  const path = join(folder, 'file.bin');
  const length = mebibytes * mebibyte;
  writeFileSync(path, '');
  if (content === 'sparse') truncateSync(path, length);
  else fill(path, mebibytes, contents[content]());
  return { path, length, remove: () => rmSync(folder, { recursive: true, force: true }) };
}

/** The same as `open(file)`, which serves the file and ends with a `close()` of its own; that then removes the file too. */
export async function whileThereIs(file, open) {
  try {
    const opened = await open(file);
    const close = async () => {
      await opened.close();
      file.remove();
    };
    return { ...opened, close };
  } catch (error) {
    file.remove();
    throw error;
  }
}

function fill(path, mebibytes, piece) {
  for (let written = 0; written < mebibytes; written += 1) writeFileSync(path, piece, { flag: 'a' });
}
