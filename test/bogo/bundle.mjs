// Bundles the shim from the packages' sources, one file a provider: thousands of processes start from it.
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { build } from 'esbuild';
import { root } from '../../scripts/lib/run.mjs';

const packages = join(root, 'packages');
// The addon is found from the place of the file that loads it.
const loader = pathToFileURL(join(packages, 'node-crypto/src/load.js')).href;

/** The bundle's path. */
export async function bundleShim(provider, folder) {
  mkdirSync(folder, { recursive: true });
  const outfile = join(folder, `${provider}.cjs`);
  await build({
    entryPoints: [join(root, `test/bogo/src/${provider}.ts`)],
    outfile,
    bundle: true,
    platform: 'node',
    target: 'node20',
    format: 'cjs',
    logLevel: 'warning',
    define: { 'import.meta.url': JSON.stringify(loader) },
    alias: {
      'tls13-core/noble': join(packages, 'tls13-core/src/crypto/noble.ts'),
      'tls13-core/ml-dsa': join(packages, 'tls13-core/src/crypto/noble-ml-dsa.ts'),
      'tls13-core': join(packages, 'tls13-core/src/index.ts'),
      'tls13-node-crypto': join(packages, 'node-crypto/src/index.ts'),
    },
  });
  return outfile;
}
