/** The tables of README.md: every attack that is said to be tested elsewhere is, by a test of that name. */
import { existsSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';

const read = (path: string) => readFileSync(fileURLToPath(new URL(path, import.meta.url)), 'utf8');

const rows = read('README.md')
  .split('\n')
  .map((line) => line.split('|').map((cell) => cell.trim()))
  .filter((cells) => cells.length === 6 && cells[4]?.startsWith('`'));

describe('attacks that stand elsewhere', () => {
  it('are listed', () => expect(rows.length).toBeGreaterThan(25));

  it.each(rows.map(([, attack = '', from = '', test = '', file = '']) => ({ attack, from, test, file })))(
    '$attack',
    ({ from, test, file }) => {
      const path = `../../${file.replaceAll('`', '')}`;
      expect(existsSync(fileURLToPath(new URL(path, import.meta.url))), path).toBe(true);
      expect(read(path)).toContain(test);
      expect(from).toMatch(/§|20\d\d/);
    },
  );
});
