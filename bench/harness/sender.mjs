// The bare C programs (bench/native/sender.c): built where they are older than their source, and started one mode a process.
import { spawn, spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { cacheFolder, hasProgram } from '../../scripts/lib/run.mjs';

const source = fileURLToPath(new URL('../native/sender.c', import.meta.url));
const program = join(cacheFolder, 'bench', 'sender');

/** Throws an Error that says what is missing. */
export function buildSender() {
  if (existsSync(program) && statSync(program).mtimeMs >= statSync(source).mtimeMs) return;
  if (!hasProgram('cc')) throw new Error('bench/native/sender.c needs a C compiler: run npm run setup');
  if (!existsSync('/usr/include/openssl/evp.h')) {
    throw new Error("bench/native/sender.c needs OpenSSL's headers (libssl-dev): run npm run setup");
  }
  mkdirSync(dirname(program), { recursive: true });
  const words = ['-std=gnu11', '-O2', '-Wall', '-Wextra', '-o', program, source, '-lcrypto'];
  const { status, stderr, error } = spawnSync('cc', words, { encoding: 'utf8' });
  if (status !== 0) throw new Error(`cc ${words.join(' ')}: ${error?.message ?? stderr}`);
}

/** @param mode of sender.c. @returns { pid, port, stop }. */
export async function startSender(mode, path) {
  const child = spawn(program, [mode, path], { stdio: ['ignore', 'pipe', 'inherit'] });
  const ended = new Promise((resolve) => {
    child.once('error', resolve);
    child.once('exit', (code, signal) => resolve(new Error(`the program sender ended: ${signal ?? code}`)));
  });
  const port = await new Promise((resolve, reject) => {
    createInterface({ input: child.stdout }).once('line', (line) => resolve(Number(line)));
    ended.then(reject);
  });
  return {
    pid: child.pid,
    port,
    stop: async () => {
      child.kill('SIGKILL');
      await ended;
    },
  };
}
