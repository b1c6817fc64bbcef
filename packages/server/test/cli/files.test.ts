/** Files that the command keeps, in folders where others may write. */
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { replaceFile } from '../../src/cli/files.js';
import { cleanUp } from '../support.js';

it('a link that somebody laid where the next file is made is not written through (CWE-59)', () => {
  const folder = mkdtempSync(join(tmpdir(), 'tls13-files-'));
  cleanUp(() => rmSync(folder, { recursive: true }));
  const file = join(folder, 'session');
  const elsewhere = join(folder, 'elsewhere');
  writeFileSync(elsewhere, 'theirs', { mode: 0o644 });
  symlinkSync(elsewhere, `${file}.${process.pid}`);
  for (const content of ['secret', Uint8Array.from(Buffer.from('another'))]) {
    replaceFile(file, content, 0o600);
    expect(readFileSync(file)).toEqual(Buffer.from(content));
  }
  expect(readFileSync(elsewhere, 'utf8')).toBe('theirs');
  expect(statSync(elsewhere).mode & 0o777).toBe(0o644);
  expect(statSync(file).mode & 0o777).toBe(0o600);
  expect(readdirSync(folder).toSorted()).toEqual(['elsewhere', 'session']);
});
