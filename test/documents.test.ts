// What the documents say of the code is drawn from the code; here it is held against it.
import { execFileSync } from 'node:child_process';
import { resolve } from 'node:path';
import { expect, it } from 'vitest';

it('docs/state-machine.md is drawn from the transition tables as they are', () => {
  const script = resolve(import.meta.dirname, '../scripts/state-machine.mjs');
  expect(() => execFileSync(process.execPath, [script, '--check'], { stdio: 'pipe' })).not.toThrow();
});
