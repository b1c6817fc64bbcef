/** What the doctor looks at, behind one interface so that tests can show it other machines. */
import { spawnSync } from 'node:child_process';
import { readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { arch, release } from 'node:os';
import { gunzipSync } from 'node:zlib';

export interface Machine {
  /** As `process.platform`. */
  readonly platform: string;
  readonly architecture: string;
  /** `6.1.0-37-amd64` */
  readonly kernelRelease: string;
  /** A small file's text without white space at its ends; undefined when it is not there or may not be read. */
  read(path: string): string | undefined;
  /** Names in a folder; empty when it is not there or may not be read. */
  list(path: string): readonly string[];
  /** Where a symbolic link points to. */
  link(path: string): string | undefined;
  /** What a program prints; undefined when it is not installed or fails. */
  run(program: string, list: readonly string[]): string | undefined;
}

export const thisMachine: Machine = {
  platform: process.platform,
  architecture: arch(),
  kernelRelease: release(),
  read: (path) =>
    attempt(() => {
      const bytes = readFileSync(path);
      return (path.endsWith('.gz') ? gunzipSync(bytes, { maxOutputLength: 16_777_216 }) : bytes)
        .toString('utf8')
        .trim();
    }),
  list: (path) => attempt(() => readdirSync(path)) ?? [],
  link: (path) => attempt(() => readlinkSync(path)),
  run(program, list) {
    // Administrators' programs are often not on a user's PATH.
    const env = { ...process.env, LC_ALL: 'C', PATH: `${process.env.PATH ?? ''}:/usr/sbin:/sbin` };
    const { status, stdout } = spawnSync(program, list, { env, encoding: 'utf8', timeout: 5_000, stdio: 'pipe' });
    return status === 0 ? stdout.trim() : undefined;
  },
};

function attempt<T>(work: () => T): T | undefined {
  try {
    return work();
  } catch {
    return undefined;
  }
}
