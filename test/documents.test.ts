// What the documents say of the code is drawn from the code; here it is held against it.
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { offloadReasons } from 'tls13-server';
import { expect, it } from 'vitest';

it('docs/state-machine.md is drawn from the transition tables as they are', () => {
  const script = resolve(import.meta.dirname, '../scripts/state-machine.mjs');
  expect(() => execFileSync(process.execPath, [script, '--check'], { stdio: 'pipe' })).not.toThrow();
});

it('docs/ktls.md has every reason for user space, and no other', () => {
  const text = readFileSync(resolve(import.meta.dirname, '../docs/ktls.md'), 'utf8');
  const [, reasons = ''] = /^## Reasons\n([^#]*)/m.exec(text) ?? [];
  const cells = reasons.split('\n').flatMap((line) => (/^\| (`.*?) \|/.exec(line)?.[1] ?? '').split(', '));
  const codes = cells.filter((cell) => cell !== '').map((cell) => cell.replaceAll('`', ''));
  expect(codes.sort()).toEqual(Object.keys(offloadReasons).sort());
});
