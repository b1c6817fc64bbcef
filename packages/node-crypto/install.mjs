// Runs when the package is installed: compiles the addon where no prebuilt one fits. Without a compiler the installation
// still succeeds, because the package reports a missing addon as a value at run time.
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import { resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

const here = fileURLToPath(new URL('.', import.meta.url));

// In the repository the root's build compiles it.
if (!existsSync(resolve(here, '../../pnpm-workspace.yaml'))) compile();

function compile() {
  // The headers beside this node spare node-gyp the download of others.
  const prefix = resolve(process.execPath, '../..');
  const headers = existsSync(resolve(prefix, 'include/node/node_api.h')) ? { npm_config_nodedir: prefix } : {};
  const program = createRequire(import.meta.url).resolve('node-gyp-build/bin.js');
  const options = { cwd: here, stdio: 'inherit', env: { ...process.env, ...headers } };
  if (spawnSync(process.execPath, [program], options).status !== 0) {
    console.warn(
      'The native addon could not be compiled (python3, make and a C++17 compiler are needed): going on without.',
    );
  }
}
