// Whether the packages, as they would be published, can be resolved and typed by those who install them.
import { spawn } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { root } from './lib/run.mjs';

const folders = readdirSync(join(root, 'packages')).map((name) => join('packages', name));
const checks = (folder) => [
  ['node_modules/publint/src/cli.js', 'run', folder, '--strict', '--pack', 'npm'],
  ['node_modules/@arethetypeswrong/cli/dist/index.js', '--pack', folder, '--profile', 'esm-only', '--format', 'ascii'],
];

for (const folder of folders) {
  // Side by side, and silent when all is well.
  const results = await Promise.all(checks(folder).map(runSilently));
  const failed = results.filter(({ status }) => status !== 0);
  for (const { printed } of failed) console.error(printed);
  console.log(`${folder}: ${failed.length === 0 ? 'resolves and types as it should' : 'not as it should be'}`);
  if (failed.length > 0) process.exitCode = 1;
}

function runSilently(check) {
  return new Promise((done) => {
    const child = spawn(process.execPath, check, { cwd: root, stdio: ['ignore', 'pipe', 'pipe'] });
    let printed = '';
    for (const stream of [child.stdout, child.stderr])
      stream.setEncoding('utf8').on('data', (text) => (printed += text));
    child.on('close', (status) => done({ status, printed }));
  });
}
