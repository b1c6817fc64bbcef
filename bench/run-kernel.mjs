// `npm run bench:kernel`: a static file that the kernel seals, beside nginx, node:https and bare C. On the running kernel where
// that has the tls ULP: then it is processor time. Elsewhere on an emulated machine: then it is a count of instructions.
import { writeFileSync } from 'node:fs';
import { emulatedMachine, provideEmulator, runEmulated } from '../scripts/lib/emulator.mjs';
import { runningKernelHasUlp } from '../scripts/lib/kernels.mjs';
import { goals } from './goals.mjs';
import { demandBuild, runCommand, wholeNumber } from './harness/command-line.mjs';
import { makeFile } from './harness/file.mjs';
import { findOther } from './harness/others.mjs';
import { buildSender } from './harness/sender.mjs';
import { machine, runtime } from './report/machine.mjs';
import { asText } from './report/text.mjs';

const usage = `usage: npm run bench:kernel -- [options]
  --mebibytes N    the length of the file (64, on the emulated machine 16); shown, not kept
  --only TEXT      the rows whose names have this in them; may be repeated; shown, not kept
  --rounds N       measured rounds, at least 5 (5)
  --emulated       on the emulated machine, even where the running kernel has the tls ULP
  --json           the results as JSON on standard output; keeps nothing
  --help
What is measured is kept in docs/benchmarks/, and docs/benchmarks.md is drawn again. The first time it fetches some 300 MB
of Debian packages (an emulator, a kernel, nginx) into the cache folder, without installing them.`;

const emulatedMark = 'TLS13_BENCH_EMULATED';

const flag = { type: 'boolean', default: false };
const options = {
  ...{ emulated: flag, json: flag },
  mebibytes: { type: 'string' },
  only: { type: 'string', multiple: true, default: [] },
  rounds: { type: 'string', default: '5' },
};

await runCommand({ usage, options }, main);

async function main(values) {
  // Within the emulated machine: the same program once more.
  if (process.env[emulatedMark] === 'yes') {
    writeFileSync(process.env.GUEST_RESULT, JSON.stringify(await measureHere(values, true)));
    return 0;
  }
  demandBuild();
  buildSender();
  const emulated = values.emulated || !runningKernelHasUlp();
  const result = emulated ? await measureEmulated() : await measureHere(values, false);
  const set = emulated
    ? { label: 'Emulated machine', runtime: runtime(), machine: await emulatedMachine() }
    : { label: 'Kernel with tls', runtime: runtime(), machine: machine() };
  if (values.json) {
    console.log(JSON.stringify({ ...set, results: [result] }, undefined, 2));
    return 0;
  }
  console.log(
    `${set.runtime}; ${set.machine}\n${asText(result, goals, { ...set, scenarios: { [result.name]: result } })}`,
  );
  if (values.mebibytes === undefined && values.only.length === 0) {
    await keep(emulated ? 'emulated' : 'kernel', { ...set, results: [result] });
  }
  return 0;
}

async function keep(name, set) {
  const [{ keepResults, writeDocument }, { kernelScenarios, scenarios }] = await Promise.all([
    import('./report/results.mjs'),
    import('./scenarios/index.mjs'),
  ]);
  keepResults(name, set);
  writeDocument([...scenarios, ...kernelScenarios].map((scenario) => scenario.name));
  console.log('docs/benchmarks.md is drawn');
}

async function measureEmulated() {
  process.stderr.write('counting instructions on an emulated machine: some ten minutes\n');
  // Fetched here: the guest has no network.
  await Promise.all([provideEmulator(), findOther('nginx')]);
  const command = [process.execPath, ...process.argv.slice(1)];
  const { status, result } = await runEmulated(command, {
    prefix: '[emulated] ',
    say: console.error,
    seconds: 3600,
    environment: { [emulatedMark]: 'yes' },
  });
  if (status === 0 && result !== undefined) return JSON.parse(result);
  throw new Error(`measuring in the emulated machine ended with ${status}`);
}

async function measureHere(values, emulated) {
  const rounds = wholeNumber('--rounds', values.rounds, 5);
  const mebibytes = wholeNumber('--mebibytes', values.mebibytes ?? (emulated ? '16' : '64'), 1);
  const { makeCertificate } = await import('./harness/certificate.mjs');
  const { measure } = await import('./harness/rounds.mjs');
  const { kernelFile, kernelFileInstructions } = await import('./scenarios/kernel-file.mjs');
  const file = makeFile(mebibytes, 'random');
  const nginx = findOther('nginx');
  const context = {
    certificate: makeCertificate(),
    ...{ warmUps: 1, rounds, quick: false, pin: false, file },
    other: () => nginx,
    ...(values.only.length === 0 ? {} : { only: values.only }),
  };
  try {
    return await measure(emulated ? kernelFileInstructions : kernelFile, context, (line) => console.error(line));
  } finally {
    file.remove();
  }
}
