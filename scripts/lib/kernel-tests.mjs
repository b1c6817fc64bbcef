// The kernel tests: in both guests, in one without the tls module, and on the running kernel where it has the ULP.
import { readFileSync } from 'node:fs';
import { release } from 'node:os';
import { runInGuest } from './guest.mjs';
import { kernels, roomForTwo, runningKernelHasUlp } from './kernels.mjs';
import { freshReport, reportFolder, runProject, verdict, vitestCommand } from './vitest.mjs';

const withoutTls = { name: '7.2', project: 'kernel-without-tls', tls: false };

/** Returns { passed, failed, failures } over all kernels. */
export async function runKernelTests(filters) {
  const jobs = Object.keys(kernels).map((name) => ({ name, project: 'kernel', tls: true }));
  if (filters.length === 0) jobs.push(withoutTls);
  const summary = [];
  const waiting = [...jobs];
  const worker = async () => {
    for (let job = waiting.shift(); job !== undefined; job = waiting.shift()) summary.push(await runJob(job, filters));
  };
  await Promise.all(roomForTwo() ? [worker(), worker()] : [worker()]);
  if (runningKernelHasUlp()) summary.push(runHere(filters));
  else console.log(`the running kernel ${release()} has no tls ULP: the guests alone were used`);
  for (const { title, statistics } of summary) console.log(`\n${title}\n${statistics.trimEnd()}`);
  const sum = (key) => summary.reduce((total, entry) => total + entry[key], 0);
  const failures = summary.flatMap((entry) => entry.failures.map((failure) => `${entry.title}\n${failure}`));
  return { passed: sum('passed'), failed: sum('failed'), failures };
}

async function runJob({ name, project, tls }, filters) {
  const label = tls ? name : `${name} without tls`;
  const report = freshReport(`${project}-${name}`);
  // One file after another: the kernel's counters are those of the whole guest.
  const command = [process.execPath, ...vitestCommand(project, report, filters), '--no-file-parallelism'];
  try {
    const options = { tls, writable: [reportFolder], prefix: `[${label}] `, seconds: 480 };
    const { status, statistics, release: found } = await runInGuest(name, command, options);
    const counts = verdict(report, status);
    const title = `guest kernel ${found}${tls ? '' : ' without tls'}: ${counts.passed} passed, ${counts.failed} failed`;
    return { ...counts, title, statistics };
  } catch (error) {
    console.error(`[${label}] ${error.message}`);
    const title = `guest kernel ${label}: no verdict`;
    return { passed: 0, failed: 1, failures: [error.message], title, statistics: '' };
  }
}

function runHere(filters) {
  const env = { KERNEL_EXPECT: /^\d+\.\d+/.exec(release())?.[0] ?? '', KERNEL_TLS: 'yes' };
  const counts = runProject('kernel', ['--no-file-parallelism', ...filters], { env, report: 'kernel-running' });
  const title = `running kernel ${release()}: ${counts.passed} passed, ${counts.failed} failed`;
  return { ...counts, title, statistics: readFileSync('/proc/net/tls_stat', 'utf8') };
}
