// `npm run bench`: measures our stack against node's in the same run, and prints ratios. docs/benchmarks.md says how.
import { existsSync } from 'node:fs';
import { parseArgs } from 'node:util';

const usage = `usage: npm run bench -- [options]
  --quick        less of everything: a minute or two instead of many
  --only NAME    this scenario; may be repeated. A name that several begin with stands for all of them
  --rounds N     measured rounds, at least 5 (5 with --quick, else 9)
  --pin          keep the serving process on processor 0 and the loading one on 1 (needs taskset)
  --json         the results as JSON on standard output
  --markdown     the results as tables for a document
  --list         the scenarios, and what they measure
  --help`;

try {
  process.exitCode = await main();
} catch (error) {
  console.error(error.message);
  process.exitCode = 1;
}

async function main() {
  const { values } = parseArgs({
    options: {
      quick: { type: 'boolean', default: false },
      only: { type: 'string', multiple: true, default: [] },
      rounds: { type: 'string' },
      pin: { type: 'boolean', default: false },
      json: { type: 'boolean', default: false },
      markdown: { type: 'boolean', default: false },
      list: { type: 'boolean', default: false },
      help: { type: 'boolean', default: false },
    },
  });
  if (values.help) {
    console.log(usage);
    return 0;
  }
  if (!existsSync(new URL('../packages/server/dist/index.js', import.meta.url))) {
    throw new Error('nothing is built yet: run `npm run build` first');
  }
  // Loaded only now: they need what the line above asks for.
  const { scenarios } = await import('./scenarios/index.mjs');
  const chosen = choose(scenarios, values.only);
  if (values.list) {
    for (const { name, measures } of chosen) console.log(`${name}: ${measures}`);
    return 0;
  }
  return runAll(chosen, values);
}

async function runAll(chosen, values) {
  const { makeCertificate } = await import('./harness/certificate.mjs');
  const { measure } = await import('./harness/rounds.mjs');
  const { asMarkdown, asText, machine } = await import('./harness/report.mjs');
  const context = {
    certificate: makeCertificate(),
    warmUps: values.quick ? 1 : 2,
    rounds: wholeRounds(values.rounds ?? (values.quick ? '5' : '9')),
    pin: values.pin,
    amount: ({ quick, full }) => (values.quick ? quick : full),
  };
  const quiet = values.json || values.markdown;
  if (!quiet)
    console.log(
      `${machine()}\nmedians of ${context.rounds} interleaved rounds; below 1.00 × is cheaper than the first row\n`,
    );
  const results = [];
  let failures = 0;
  for (const scenario of chosen) {
    const progress = startProgress(`[${results.length + failures + 1}/${chosen.length}] ${scenario.name}`);
    try {
      results.push(await measure(scenario, context, progress.report));
      progress.end();
      if (!quiet) console.log(asText(results.at(-1)));
    } catch (error) {
      failures += 1;
      progress.end();
      console.error(`${scenario.name} failed: ${error.message}`);
    }
  }
  if (values.json) console.log(JSON.stringify({ machine: machine(), rounds: context.rounds, results }, undefined, 2));
  if (values.markdown) console.log(results.map(asMarkdown).join('\n'));
  return failures === 0 ? 0 : 1;
}

function choose(scenarios, only) {
  if (only.length === 0) return scenarios;
  const unknown = only.find((name) => !scenarios.some((scenario) => scenario.name.startsWith(name)));
  if (unknown !== undefined) {
    throw new Error(`no scenario is called ${unknown}; there are ${scenarios.map(({ name }) => name).join(', ')}`);
  }
  return scenarios.filter((scenario) => only.some((name) => scenario.name.startsWith(name)));
}

function wholeRounds(text) {
  const rounds = Number(text);
  if (Number.isInteger(rounds) && rounds >= 5) return rounds;
  throw new Error(`--rounds must be a whole number of at least 5, not ${text}`);
}

/** On a terminal one line that changes; elsewhere one line a scenario. All of it on standard error. */
function startProgress(title) {
  const { stderr } = process;
  if (!stderr.isTTY) {
    stderr.write(`${title}\n`);
    return { report: () => {}, end: () => {} };
  }
  const line = (text) => stderr.write(`\r\u001b[2K${text}`);
  return { report: (text) => line(`${title}: ${text}`), end: () => line('') };
}
