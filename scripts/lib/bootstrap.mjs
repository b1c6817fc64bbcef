// Installs the dependencies with the package manager that package.json names, fetched by npx: a bare clone needs only npm.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { root, run } from './run.mjs';

/** Returns whether the dependencies are there. */
export function bootstrap() {
  const { packageManager } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
  return run('npx', ['--yes', packageManager, 'install', '--frozen-lockfile', '--reporter=append-only']) === 0;
}
