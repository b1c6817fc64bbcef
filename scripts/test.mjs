// `npm test`: sets the machine up, builds, and runs every stage, one after another. With arguments only the stages they
// name, and what names no stage goes to vitest as a filter: `node scripts/test.mjs kernel rekey`.
import { buildAddons } from './lib/addons.mjs';
import { bootstrap } from './lib/bootstrap.mjs';
import { cacheFolder, run } from './lib/run.mjs';

const bin =
  (path) =>
  (...given) =>
    asTest(run(process.execPath, [`node_modules/${path}`, ...given]));
const tsc = bin('typescript/bin/tsc');
const project = (name) => async (filters) => (await import('./lib/vitest.mjs')).runProject(name, filters);

/** Each returns { passed, failed } and, where it is made of tests, which have failed: { failures: string[] }. */
const stages = {
  types: () => tsc('-p', 'tsconfig.test.json'),
  lint: () => bin('@biomejs/biome/bin/biome')('check', '--error-on-warnings'),
  packages: () => asTest(run(process.execPath, ['scripts/check-packages.mjs'])),
  unit: project('unit'),
  interop: project('interop'),
  browser: project('browser'),
  kernel: async (filters) => (await import('./lib/kernel-tests.mjs')).runKernelTests(filters),
  nodes: () => asTest(run(process.execPath, ['scripts/node-versions.mjs'])),
};

const given = process.argv.slice(2);
const chosen = given.filter((word) => Object.hasOwn(stages, word));
const filters = given.filter((word) => !Object.hasOwn(stages, word));
process.exitCode = await main(chosen.length > 0 ? chosen : Object.keys(stages));

async function main(names) {
  const wholeRun = chosen.length === 0;
  if (wholeRun) {
    const ready = timed('set-up', () => bootstrap() && run(process.execPath, ['scripts/system-packages.mjs']) === 0);
    if (!(await ready)) return 1;
  }
  const built = await timed('build', () => buildAddons().length === 0 && tsc('-b').failed === 0);
  if (!built) return 1;

  const total = { passed: 0, failed: 0 };
  const failures = [];
  for (const name of names) {
    const verdict = await timed(name, () => stages[name](filters));
    total.passed += verdict.passed;
    total.failed += verdict.failed;
    if (verdict.failed > 0) failures.push(`${name}: failed`, ...(verdict.failures ?? []));
  }
  if (failures.length > 0) console.log(`\n${failures.join('\n\n')}\n\n(reports in ${cacheFolder}/reports)`);
  console.log(`\n${total.passed} passed, ${total.failed} failed`);
  return total.failed === 0 ? 0 : 1;
}

async function timed(name, work) {
  console.log(`\n── ${name} ${'─'.repeat(Math.max(0, 100 - name.length))}`);
  const begin = performance.now();
  const result = await work();
  console.log(`── ${name}: ${((performance.now() - begin) / 1000).toFixed(1)} s`);
  return result;
}

/** A stage that is not made of tests counts only when it fails. */
function asTest(status) {
  return { passed: 0, failed: status === 0 ? 0 : 1 };
}
