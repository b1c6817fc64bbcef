// Whether the packages, as they would be published, can be resolved and typed by those who install them.
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { root, runAside } from './lib/run.mjs';

const packages = readdirSync(join(root, 'packages')).map((name) => join('packages', name));

let failed = 0;
for (const folder of packages) {
  const checks = [
    ['node_modules/publint/src/cli.js', 'run', folder, '--strict', '--pack', 'npm'],
    [
      'node_modules/@arethetypeswrong/cli/dist/index.js',
      '--pack',
      folder,
      '--profile',
      'esm-only',
      '--format',
      'ascii',
    ],
  ];
  for (const check of checks) if ((await runAside(process.execPath, check)) !== 0) failed += 1;
}
process.exitCode = failed === 0 ? 0 : 1;
