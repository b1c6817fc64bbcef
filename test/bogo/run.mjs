// Runs BoringSSL's runner, built elsewhere, over this library:
//
//   node test/bogo/run.mjs --runner PATH --cases LIST [--provider native|noble] [--workers N] [--failures FILE]
//     [--summary] [PATTERN…]
//
// LIST names one case a line; patterns choose among them. Prints passed/unimplemented/failed/disabled. FILE gets what failed
// in the runner's own words; beside it, with .unimplemented behind its name, stand the cases that the shim passed over.
// --summary adds a table by family: what a name begins with.
import { spawn } from 'node:child_process';
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { createInterface } from 'node:readline';
import { parseArgs } from 'node:util';
import { cacheFolder, root } from '../../scripts/lib/run.mjs';
import { bundleShim } from './bundle.mjs';

const { values: options, positionals: patterns } = parseArgs({
  allowPositionals: true,
  options: {
    runner: { type: 'string' },
    cases: { type: 'string' },
    provider: { type: 'string', default: 'native' },
    workers: { type: 'string', default: '3' },
    failures: { type: 'string', default: join(cacheFolder, 'bogo/failures.txt') },
    summary: { type: 'boolean', default: false },
  },
});
if (options.runner === undefined || options.cases === undefined) {
  console.error('wanted are --runner, a runner.test built from BoringSSL, and --cases, a file of case names');
  process.exit(2);
}

const names = readFileSync(options.cases, 'utf8')
  .split('\n')
  .filter((line) => line !== '');
const globs = patterns.map((pattern) => new RegExp(`^${pattern.replaceAll('*', '.*')}$`));
const chosen = names.filter((name) => globs.length === 0 || globs.some((glob) => glob.test(name)));
if (chosen.length === 0) {
  console.error('no case of the list has such a name');
  process.exit(2);
}

// Two runs at once do not share a bundle.
const bundles = join(cacheFolder, 'bogo', String(process.pid));
const bundle = await bundleShim(options.provider, bundles);
const results = await runCases(chosen);
const count = (verdict) => [...results.values()].filter((result) => result.verdict === verdict).length;
const failures = resolve(options.failures);
mkdirSync(dirname(failures), { recursive: true });
const failed = [...results].filter(([, { verdict }]) => verdict === 'FAILED');
writeFileSync(failures, failed.map(([name, { words }]) => `${name}\n${words.join('\n')}\n`).join('\n'));
const passedOver = [...results].filter(([, { verdict }]) => verdict === 'UNIMPLEMENTED').map(([name]) => `${name}\n`);
writeFileSync(`${failures}.unimplemented`, passedOver.join(''));

if (options.summary) console.log(summary());
const disabled = chosen.length - results.size;
console.log(
  `${options.provider}: ${count('PASSED')} passed, ${count('UNIMPLEMENTED')} unimplemented, ` +
    `${failed.length} failed, ${disabled} disabled, of ${chosen.length}`,
);
rmSync(bundles, { recursive: true });
process.exitCode = failed.length === 0 ? 0 : 1;

/** The verdict on each case that ran, and what the runner said of it. */
async function runCases(cases) {
  const runner = spawn(
    resolve(options.runner),
    [
      ...['-shim-path', join(root, 'test/bogo/shim'), '-shim-config', join(root, 'test/bogo/config.json')],
      ...['-allow-unimplemented', '-pipe', '-num-workers', options.workers, '-test', cases.join(';')],
      // A busy machine is not a hanging shim.
      ...['-idle-timeout', '60s', '-test.timeout', '2h'],
    ],
    { env: { ...process.env, BOGO_SHIM: bundle }, stdio: ['ignore', 'pipe', 'inherit'] },
  );
  const verdicts = new Map();
  let last;
  for await (const line of createInterface({ input: runner.stdout })) {
    const [, verdict, name] = /^(PASSED|FAILED|UNIMPLEMENTED) \((.*)\)$/.exec(line) ?? [];
    if (name === undefined) {
      last?.words.push(line);
      continue;
    }
    last = { verdict, words: [] };
    verdicts.set(name, last);
  }
  return verdicts;
}

/** One line a family, all verdicts counted; families of one to three cases share a line. */
function summary() {
  const families = new Map();
  for (const name of chosen) families.set(familyOf(name), [...(families.get(familyOf(name)) ?? []), name]);
  const small = [...families].filter(([, members]) => members.length < 4);
  const large = [...families]
    .filter(([, members]) => members.length >= 4)
    .sort(([one], [other]) => (one < other ? -1 : 1));
  const rows = [...large, [`${small.length} smaller families`, small.flatMap(([, members]) => members)]];
  const line = (cells) => `| ${cells.join(' | ')} |`;
  return [
    line(['Family', 'Passed', 'Unimplemented', 'Failed', 'Disabled']),
    line(['---', '--:', '--:', '--:', '--:']),
    ...rows.map(([family, members]) => {
      const of = (verdict) => members.filter((name) => results.get(name)?.verdict === verdict).length;
      const counts = ['PASSED', 'UNIMPLEMENTED', 'FAILED'].map(of);
      return line([family, ...counts, members.length - counts.reduce((sum, one) => sum + one)]);
    }),
  ].join('\n');
}

/** The words in front that are neither a version nor a transport; two of them where the first says little. */
function familyOf(name) {
  const words = name.split('-').filter((word) => !/^(TLS13|TLS|DTLS|Sync|Async)$/.test(word));
  const [first = name, second] = words;
  return /^(Client|Server|ECH|CertificateSelection)$/.test(first) && second !== undefined
    ? `${first}-${second}`
    : first;
}
