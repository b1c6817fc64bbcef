// What the figures were taken on.
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { cpus, loadavg, release, totalmem } from 'node:os';

export function machine() {
  const [cpu] = cpus();
  const memory = Math.round(totalmem() / 2 ** 30);
  return `${cpus().length} × ${cpu?.model.trim() ?? 'unknown processor'}, ${memory} GiB, ${process.platform} ${release()} ${process.arch}`;
}

export function runtime() {
  return `Node ${process.version}, OpenSSL ${process.versions.openssl}`;
}

/** The average number of running processes of the last minute. */
export function load() {
  return loadavg()[0].toFixed(1);
}

/** The processors' time so far in ticks, and how much of it the machine under this one took for itself; Linux only. */
export function stolenTime() {
  try {
    const [, ...ticks] = readFileSync('/proc/stat', 'utf8').split('\n', 1)[0].split(/\s+/);
    // Guests' time, behind stolen time, is counted among the rest already.
    return { all: ticks.slice(0, 8).reduce((sum, one) => sum + Number(one), 0), stolen: Number(ticks[7]) };
  } catch {
    return { all: 0, stolen: 0 };
  }
}

/** The commit that is measured, with a mark where the tree differs from it; undefined outside of a repository. */
export function commit() {
  try {
    const git = (...words) => execFileSync('git', words, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] });
    const changed = git('status', '--porcelain', '--untracked-files=no', '--', 'packages', 'bench').trim() !== '';
    return `${git('rev-parse', '--short', 'HEAD').trim()}${changed ? ' and changes' : ''}`;
  } catch {
    return undefined;
  }
}
