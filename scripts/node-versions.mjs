// Runs test/node-versions/smoke.mjs on every version of Node that the packages promise to work on.
import { majors, provideNode } from './lib/nodes.mjs';
import { runAside } from './lib/run.mjs';

let failed = 0;
for (const program of [process.execPath, ...(await Promise.all(majors.map(provideNode)))]) {
  const status = await runAside(program, ['test/node-versions/smoke.mjs']);
  if (status !== 0) console.error(`${program}: the smoke test ended with ${status}`);
  failed += status === 0 ? 0 : 1;
}
process.exitCode = failed === 0 ? 0 : 1;
