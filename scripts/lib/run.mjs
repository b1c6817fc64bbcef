// Running programs from the repository's root, and the places that the scripts share.
import { spawn, spawnSync } from 'node:child_process';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

export const root = resolve(fileURLToPath(import.meta.url), '../../..');

/** Everything that is fetched or written by the scripts and may be deleted at any time; ignored by git. */
export const cacheFolder = process.env.TLS13_CACHE ?? join(root, '.cache');

/** Runs a program with this terminal; returns its exit status (128 + n after signal n, 127 when it is not there). */
export function run(command, commandArguments, options = {}) {
  const result = spawnSync(command, commandArguments, { cwd: root, stdio: 'inherit', ...options });
  if (result.error !== undefined) {
    console.error(`${command}: ${result.error.message}`);
    return 127;
  }
  return result.status ?? 128;
}

/** The same without blocking. */
export function runAside(command, commandArguments, options = {}) {
  return new Promise((done) => {
    const child = spawn(command, commandArguments, { cwd: root, stdio: 'inherit', ...options });
    child.on('error', (error) => {
      console.error(`${command}: ${error.message}`);
      done(127);
    });
    child.on('close', (status) => done(status ?? 128));
  });
}

/** What a program prints on its standard output, or undefined when it fails. */
export function output(command, commandArguments, options = {}) {
  const result = spawnSync(command, commandArguments, { cwd: root, encoding: 'utf8', ...options });
  return result.status === 0 ? result.stdout : undefined;
}

/** Whether a program of this name is on the search path. */
export function hasProgram(name) {
  // An ordinary user's path lacks the folders of modprobe and ip.
  const env = { ...process.env, PATH: `${process.env.PATH ?? ''}:/usr/local/sbin:/usr/sbin:/sbin` };
  return output('/bin/sh', ['-c', 'command -v "$1"', 'sh', name], { env }) !== undefined;
}
