// `npm run bench`: measures our stack against others in the same run, and draws docs/benchmarks.md from what it finds.
import { majors, provideNode } from '../scripts/lib/nodes.mjs';
import { runAside } from '../scripts/lib/run.mjs';
import { goals } from './goals.mjs';
import { demandBuild, runCommand, wholeNumber } from './harness/command-line.mjs';
import { asText } from './report/text.mjs';

const usage = `usage: npm run bench -- [options]
  --quick        less of everything: a few minutes instead of many; shown, not kept
  --only NAME    this scenario; may be repeated. A name that several begin with stands for all of them
  --rounds N     measured rounds, at least 5 (5 with --quick, else 7)
  --pin          keep the serving process on processor 0 and the loading one on 1 (needs taskset)
  --node WHICH   with another Node: its program, or one of ${majors.join(', ')}, which is fetched; may be repeated
  --keep         keep what --quick finds as well
  --json         the results as JSON on standard output; keeps nothing
  --draw         measures nothing: draws docs/benchmarks.md from what is kept
  --list         the scenarios, and what they measure
  --help
What is measured is kept in docs/benchmarks/nodeMAJOR.json, in place of the same scenarios there; the others stay if they are
of the same machine and version of Node. From these files docs/benchmarks.md and its charts are drawn.`;

const ownMajor = Number(process.versions.node.split('.')[0]);

const flag = { type: 'boolean', default: false };
const options = {
  ...{ quick: flag, pin: flag, keep: flag, json: flag, draw: flag, list: flag },
  only: { type: 'string', multiple: true, default: [] },
  node: { type: 'string', multiple: true, default: [] },
  rounds: { type: 'string' },
};

await runCommand({ usage, options }, main);

async function main(values) {
  demandBuild();
  if (values.node.length > 0) return withNodes(values.node);
  // Loaded only now: they need what was built.
  const { scenarios } = await import('./scenarios/index.mjs');
  const chosen = choose(scenarios, values.only);
  if (values.list) {
    for (const { name, measures } of chosen) console.log(`${name}: ${measures}`);
    return 0;
  }
  if (values.draw) return draw(scenarios);
  return runAll(scenarios, chosen, values);
}

/** The same once more with each of these Nodes, one after the other. */
async function withNodes(nodes) {
  let status = 0;
  for (const node of nodes) {
    const program = /^\d+$/.test(node) ? await nodeOf(Number(node)) : node;
    status ||= await runAside(program, [process.argv[1], ...withoutNodes(process.argv.slice(2))]);
  }
  return status;
}

function nodeOf(major) {
  return major === ownMajor ? process.execPath : provideNode(major);
}

function withoutNodes(given) {
  return given.filter((word, index) => !/^--node(=|$)/.test(word) && given[index - 1] !== '--node');
}

async function runAll(scenarios, chosen, values) {
  const { makeCertificate } = await import('./harness/certificate.mjs');
  const { findOther } = await import('./harness/others.mjs');
  const { measure } = await import('./harness/rounds.mjs');
  const { machine, runtime } = await import('./report/machine.mjs');
  const context = {
    certificate: makeCertificate(),
    warmUps: values.quick ? 1 : 2,
    rounds: wholeNumber('--rounds', values.rounds ?? (values.quick ? '5' : '7'), 5),
    quick: values.quick,
    pin: values.pin,
    other: onceEach(findOther),
    amount: ({ quick, full }) => (values.quick ? quick : full),
  };
  const set = { label: `Node ${ownMajor}`, nodeMajor: ownMajor, runtime: runtime(), machine: machine() };
  if (!values.json) {
    console.log(`${set.runtime}; ${set.machine}`);
    console.log(`medians of ${context.rounds} interleaved rounds; below 1.00 × is cheaper than the first row\n`);
  }
  const { keepResults } = await import('./report/results.mjs');
  const keeps = !values.json && (!values.quick || values.keep);
  const results = [];
  const failed = [];
  for (const scenario of chosen) {
    const progress = startProgress(`[${results.length + failed.length + 1}/${chosen.length}] ${scenario.name}`);
    try {
      const result = await measure(scenario, context, progress.report);
      results.push(result);
      progress.end();
      if (!values.json) console.log(asText(result, goals, { ...set, scenarios: { [result.name]: result } }));
      // At once: a run that is interrupted has not run for nothing.
      if (keeps) keepResults(`node${ownMajor}`, { ...set, results: [result] });
    } catch (error) {
      failed.push(scenario.name);
      progress.end();
      console.error(`${scenario.name} failed: ${error.message}`);
    }
  }
  if (values.json) console.log(JSON.stringify({ ...set, results }, undefined, 2));
  else nameAbsences(results);
  if (keeps) await draw(scenarios);
  if (failed.length > 0) console.error(`failed: ${failed.join(', ')}`);
  return failed.length === 0 ? 0 : 1;
}

/** What this machine could not measure, and why, once a reason. */
function nameAbsences(results) {
  const reasons = new Map();
  for (const { name: scenario, rows } of results) {
    for (const { name, unavailable } of rows) {
      if (unavailable !== undefined)
        reasons.set(unavailable, [...(reasons.get(unavailable) ?? []), `${scenario}: ${name}`]);
    }
  }
  for (const [reason, rows] of reasons) console.log(`Not measured here, ${rows.join('; ')}:\n  ${reason}\n`);
}

async function draw(scenarios) {
  const { writeDocument } = await import('./report/results.mjs');
  writeDocument(scenarios.map(({ name }) => name));
  console.log('docs/benchmarks.md is drawn');
  return 0;
}

/** The same function, which remembers what it answered. */
function onceEach(find) {
  const found = new Map();
  return (name) => {
    if (!found.has(name)) found.set(name, find(name));
    return found.get(name);
  };
}

function choose(scenarios, only) {
  if (only.length === 0) return scenarios;
  const unknown = only.find((name) => !scenarios.some((scenario) => scenario.name.startsWith(name)));
  if (unknown !== undefined) {
    throw new Error(`no scenario is called ${unknown}; there are ${scenarios.map(({ name }) => name).join(', ')}`);
  }
  return scenarios.filter((scenario) => only.some((name) => scenario.name.startsWith(name)));
}

/** On a terminal one line that changes; elsewhere a line as a scenario begins and ends. All of it on standard error. */
function startProgress(title) {
  const { stderr } = process;
  const began = performance.now();
  const end = () => `${title}: ${Math.round((performance.now() - began) / 1000)} s`;
  if (!stderr.isTTY) {
    stderr.write(`${title}\n`);
    return { report: () => {}, end: () => stderr.write(`${end()}\n`) };
  }
  const line = (text) => stderr.write(`\r\u001b[2K${text}`);
  return { report: (text) => line(`${title}: ${text}`), end: () => line(`${end()}\n`) };
}
