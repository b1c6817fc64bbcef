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

/** Runs a project here; returns { passed, failed, failures }. */
export function runProject(project, filters, options = {}) {
  const report = freshReport(options.report ?? project);
  const status = run(process.execPath, vitestCommand(project, report, filters), {
    env: { ...process.env, ...options.env },
  });
  return verdict(report, status);
}

/**
 * Whatever is not a passed test counts as failed: a file that does not load, a skipped test, a run without a report.
 * `failures` says which and why, in a few lines each: where a log is cut, its end is what is kept.
 */
export function verdict(report, status) {
  if (!existsSync(report)) return { passed: 0, failed: 1, failures: [`${report} was not written (status ${status})`] };
  const result = JSON.parse(readFileSync(report, 'utf8'));
  const failures = result.testResults.flatMap(failuresOf);
  if (failures.length === 0 && (status !== 0 || !result.success)) failures.push(`vitest ended with status ${status}`);
  return { passed: result.numPassedTests, failed: failures.length, failures };
}

/** Of one file: its tests that did not pass, or what kept the file itself from being loaded. */
function failuresOf(file) {
  const tests = file.assertionResults.filter(({ status }) => status !== 'passed').map(describeTest);
  const messages = tests.length === 0 && file.status === 'failed' ? [beginningOf(file.message)] : tests;
  return messages.map((message) => `${file.name}\n  ${message}`);
}

function describeTest({ fullName, status, failureMessages }) {
  if (status !== 'failed') return `${fullName}: ${status} (a test runs or it is deleted)`;
  return [fullName, ...failureMessages.map(beginningOf)].join('\n  ');
}

function beginningOf(message) {
  return message.split('\n').slice(0, 12).join('\n  ');
}
