// Builds the native addons with node-gyp, without the network: the headers are those beside the running node.

import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync, statSync } from 'node:fs';
import { createRequire } from 'node:module';
import { basename, dirname, join, resolve } from 'node:path';
import { root } from './run.mjs';

const addonFolders = ['packages/node-crypto', 'packages/ktls-bind'].map((folder) => join(root, folder));

/** Builds what is older than its sources; returns the names of the addons that could not be built. */
export function buildAddons() {
  return addonFolders.filter((folder) => !buildAddon(folder)).map((folder) => basename(folder));
}

function buildAddon(folder) {
  const name = basename(folder);
  const sources = join(folder, 'native');
  const target = join(folder, 'build/Release');
  const sourceTimes = filesOf(sources).concat(join(folder, 'binding.gyp')).map(modified);
  const built = filesOf(target, '.node').map(modified);
  if (built.length > 0 && Math.max(...sourceTimes) <= Math.min(...built)) return true;

  const nodeGyp = createRequire(join(root, 'package.json')).resolve('node-gyp/bin/node-gyp.js');
  console.log(`addon ${name}: building for node ${process.version}`);
  const result = spawnSync(process.execPath, [nodeGyp, 'configure', 'build', '--jobs', '2', ...nodeFolder()], {
    cwd: folder,
    encoding: 'utf8',
    env: { ...process.env, npm_config_loglevel: 'warn' },
  });
  if (result.status === 0) return true;
  console.error(result.stdout + result.stderr);
  console.error(
    `addon ${name}: not built (${result.error?.message ?? `node-gyp ended with ${result.status}`}). ` +
      'It needs python3, make, g++ and the headers of this node. Without it the package works in user space only.',
  );
  return false;
}

/** node-gyp downloads headers unless told where they are; a node installed from its tarball or package has them. */
function nodeFolder() {
  const prefix = resolve(process.execPath, '../..');
  return existsSync(join(prefix, 'include/node/node_api.h')) ? [`--nodedir=${prefix}`] : [];
}

function filesOf(folder, ending = '') {
  if (!existsSync(folder)) return [];
  return readdirSync(folder, { recursive: true })
    .map((name) => join(folder, name))
    .filter((path) => path.endsWith(ending) && statSync(path).isFile() && basename(dirname(path)) !== 'obj.target');
}

function modified(path) {
  return statSync(path, { throwIfNoEntry: false })?.mtimeMs ?? 0;
}
