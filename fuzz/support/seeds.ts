/** Failing cases as files in `fuzz/seeds`: one a property and seed, replayed by every bounded run. */
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

export interface KeptSeed {
  readonly property: string;
  readonly seed: number;
  /** fast-check's path to the shrunk case. */
  readonly path: string;
  /** The report when it was found: for people. */
  readonly report: string;
}

const folder = fileURLToPath(new URL('../seeds', import.meta.url));

export function keptSeeds(property: string): readonly KeptSeed[] {
  return readdirSync(folder)
    .filter((name) => name.endsWith('.json'))
    .map((name) => JSON.parse(readFileSync(join(folder, name), 'utf8')) as KeptSeed)
    .filter((kept) => kept.property === property);
}

/** The path of the file. */
export function keepSeed(kept: KeptSeed): string {
  const name = `${kept.property.replace(/[^a-z0-9]+/gi, '-')}-${kept.seed}.json`;
  const path = join(folder, name);
  mkdirSync(folder, { recursive: true });
  writeFileSync(path, `${JSON.stringify(kept, undefined, 2)}\n`);
  return path;
}
