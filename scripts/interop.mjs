// `npm run interop`: every feature with every foreign TLS program, in both roles, as a table. With --all also programs of
// a newer Debian, which it fetches into the cache, and the table is kept in docs/interop.md.
import { existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { buildAddons } from './lib/addons.mjs';
import { provideRoot, roots } from './lib/debian-root.mjs';
import { interopDocument, interopText } from './lib/interop-table.mjs';
import { cacheFolder, root, run } from './lib/run.mjs';
import { runProject } from './lib/vitest.mjs';

const usage = `usage: npm run interop -- [options] [FILTER…]
  --all      also the programs of a newer Debian, fetched into the cache; keeps the table in docs/interop.md
  --table    runs nothing: shows the table of what was run last
  --write    keeps that table in docs/interop.md
  --help
  FILTER     only the test files whose path contains it: openssl, nss, …`;

const reports = join(cacheFolder, 'reports/interop');

try {
  process.exitCode = await main();
} catch (error) {
  console.error(error.message);
  process.exitCode = 1;
}

async function main() {
  const flags = { type: 'boolean', default: false };
  const { values, positionals } = parseArgs({
    options: { all: flags, table: flags, write: flags, help: flags },
    allowPositionals: true,
  });
  if (values.help) {
    console.log(usage);
    return 0;
  }
  const whole = positionals.length === 0;
  const failed = values.table || values.write ? 0 : await runAll(values.all, positionals, whole);
  const results = readResults();
  console.log(interopText(results));
  if (values.write || (values.all && whole)) writeFileSync(join(root, 'docs/interop.md'), interopDocument(results));
  return failed === 0 ? 0 : 1;
}

/** Returns how many tests failed. */
async function runAll(all, filters, whole) {
  if (all) for (const name of Object.keys(roots)) await provideRoot(name);
  if (buildAddons().length > 0 || run(process.execPath, ['node_modules/typescript/bin/tsc', '-b']) !== 0) return 1;
  if (whole) rmSync(reports, { recursive: true, force: true });
  const paths = filters.length === 0 ? ['test/interop/matrix/'] : filters;
  const projects = all ? ['interop', 'interop-newer'] : ['interop'];
  // A filter may fit the files of one project only.
  const options = ['--passWithNoTests', ...paths];
  return projects.map((name) => runProject(name, options).failed).reduce((sum, count) => sum + count, 0);
}

function readResults() {
  if (!existsSync(reports)) throw new Error('nothing was run yet');
  return readdirSync(reports)
    .sort()
    .map((name) => JSON.parse(readFileSync(join(reports, name), 'utf8')));
}
