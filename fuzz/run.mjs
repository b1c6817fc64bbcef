// `npm run fuzz -- --minutes N [--only WORD] [--seed N]`: every property in turn, over and over, with progress. A failing
// case is written to fuzz/seeds, where the bounded tests replay it. Exits with 1 when there was one.
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { createViteServer } from 'vitest/node';

const { values } = parseArgs({
  options: {
    minutes: { type: 'string', default: '10' },
    only: { type: 'string', default: '' },
    seed: { type: 'string' },
    help: { type: 'boolean', short: 'h', default: false },
  },
});
const minutes = Number(values.minutes);
const firstSeed = values.seed === undefined ? Math.floor(Math.random() * 2 ** 31) : Number(values.seed);
if (values.help || !(minutes > 0) || !Number.isSafeInteger(firstSeed)) {
  console.log('usage: npm run fuzz -- [--minutes N] [--only PART-OF-A-NAME] [--seed N]');
  process.exit(values.help ? 0 : 1);
}

/** Milliseconds that a property has at a time. */
const slice = 5_000;

// Vite reads TypeScript as the tests do: there is no build of its own to be out of date.
const vite = await createViteServer({
  root: fileURLToPath(new URL('..', import.meta.url)),
  configFile: false,
  appType: 'custom',
  logLevel: 'error',
  server: { middlewareMode: true, hmr: false, ws: false, watch: null },
  optimizeDeps: { noDiscovery: true },
});
let stopped = false;
process.once('SIGINT', () => {
  stopped = true;
});
try {
  process.exitCode = await run();
} finally {
  await vite.close();
}

async function run() {
  const { properties } = await vite.ssrLoadModule('/fuzz/properties/index.ts').catch((error) => {
    throw new Error('the properties do not load; is everything built (npm run build)?', { cause: error });
  });
  const { keepSeed } = await vite.ssrLoadModule('/fuzz/support/seeds.ts');
  const chosen = properties.filter(({ name }) => name.includes(values.only));
  if (chosen.length === 0) throw new Error(`no property has ${JSON.stringify(values.only)} in its name`);

  const end = performance.now() + minutes * 60_000;
  const totals = new Map(chosen.map(({ name }) => [name, { runs: 0, time: 0, failures: 0 }]));
  let seed = firstSeed;
  console.log(`${chosen.length} properties for ${minutes} min, from seed ${firstSeed}`);
  for (let round = 1; performance.now() < end && !stopped; round += 1) {
    for (const property of chosen) {
      const left = end - performance.now();
      if (left <= 0 || stopped) break;
      const total = totals.get(property.name);
      const begin = performance.now();
      const outcome = await property.check({ seed, runs: 1_000_000, time: Math.min(slice, left) });
      total.runs += outcome.runs;
      total.time += performance.now() - begin;
      if (outcome.failure !== undefined) {
        total.failures += 1;
        const { seed: failing, path, report } = outcome.failure;
        const file = keepSeed({ property: property.name, seed: failing, path, report });
        console.log(`\nFAILED: ${property.name}\nseed ${failing}, path ${path}, kept in ${file}\n${report}\n`);
      }
      seed = (seed + 1) % 2 ** 31;
    }
    const runs = [...totals.values()].reduce((sum, total) => sum + total.runs, 0);
    const minutesLeft = Math.max(0, (end - performance.now()) / 60_000).toFixed(1);
    console.log(`round ${round}: ${runs} runs, ${failures(totals)} failures, ${minutesLeft} min left`);
  }
  for (const [name, total] of totals) {
    const rate = total.time === 0 ? 0 : Math.round((total.runs * 1_000) / total.time);
    console.log(
      `${String(total.runs).padStart(9)} runs ${String(rate).padStart(6)}/s ${String(total.failures).padStart(3)} failed  ${name}`,
    );
  }
  return failures(totals) === 0 ? 0 : 1;
}

function failures(totals) {
  return [...totals.values()].reduce((sum, total) => sum + total.failures, 0);
}
