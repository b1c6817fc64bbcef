// Runs one vitest project and reads its verdict from the JSON report.
import { existsSync, mkdirSync, readFileSync, rmSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { cacheFolder, run } from './run.mjs';

export const reportFolder = join(cacheFolder, 'reports');

/** The arguments for node. The config is loaded without writing a bundle of it, which a read-only root would refuse. */
export function vitestCommand(project, report, filters) {
  return [
    'node_modules/vitest/vitest.mjs',
    'run',
    ...['--configLoader', 'runner', '--project', project],
    ...['--reporter=default', '--reporter=json', `--outputFile.json=${report}`],
    ...filters,
  ];
}

export function freshReport(name) {
  const report = join(reportFolder, `${name}.json`);
  mkdirSync(dirname(report), { recursive: true });
  rmSync(report, { force: true });
  return report;
}

/** Runs a project here; returns { passed, failed }. */
export function runProject(project, filters, options = {}) {
  const report = freshReport(options.report ?? project);
  const status = run(process.execPath, vitestCommand(project, report, filters), {
    env: { ...process.env, ...options.env },
  });
  return verdict(report, status);
}

/** Whatever is not a passed test counts as failed: a file that does not load, a skipped test, a run without a report. */
export function verdict(report, status) {
  if (!existsSync(report)) return { passed: 0, failed: 1 };
  const result = JSON.parse(readFileSync(report, 'utf8'));
  const skipped = result.numPendingTests + result.numTodoTests;
  if (skipped > 0) console.error(`${skipped} tests were skipped: a test runs or it is deleted`);
  const failed = result.numFailedTests + skipped;
  return { passed: result.numPassedTests, failed: failed === 0 && (status !== 0 || !result.success) ? 1 : failed };
}
