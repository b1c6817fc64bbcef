/** What the kernel under test can do by its version, and what its own counters say happened. */
import { readdirSync } from 'node:fs';
import { release } from 'node:os';
import { setTimeout as delay } from 'node:timers/promises';
import { kernel } from 'ktls-bind';

const [major = 0, minor = 0] = release().split('.').map(Number);
const atLeast = (wantedMajor: number, wantedMinor: number) =>
  major > wantedMajor || (major === wantedMajor && minor >= wantedMinor);

/** Keys can be replaced. */
export const rekeys = atLeast(6, 14);
/** Records can be made smaller than 16,384 bytes. */
export const smallerRecords = atLeast(6, 19);

/** How much the counters of /proc/net/tls_stat rise from now on. The probe's own sessions are over before. */
export function countTlsStat(): (name: string) => number {
  kernel.probe();
  const before = kernel.readTlsStat() ?? {};
  return (name) => {
    const value = kernel.readTlsStat()?.[name];
    if (value === undefined) throw new Error(`/proc/net/tls_stat has no ${name}`);
    return value - (before[name] ?? 0);
  };
}

export function descriptors(): number {
  return readdirSync('/proc/self/fd').length;
}

/** Waits for what comes about elsewhere: a callback, another process, the kernel. */
export async function until(condition: () => boolean, what: string, milliseconds = 10_000): Promise<void> {
  for (const end = Date.now() + milliseconds; !condition(); ) {
    if (Date.now() > end) throw new Error(`not within ${milliseconds} ms: ${what}`);
    await delay(10);
  }
}

/** The promise's value, or an error that says what was waited for. */
export async function within<Value>(promise: Promise<Value>, what: string, milliseconds = 15_000): Promise<Value> {
  const stop = new AbortController();
  const late = delay(milliseconds, undefined, { signal: stop.signal }).then(
    () => {
      throw new Error(`not within ${milliseconds} ms: ${what}`);
    },
    () => new Promise<never>(() => undefined),
  );
  try {
    return await Promise.race([promise, late]);
  } finally {
    stop.abort();
  }
}
