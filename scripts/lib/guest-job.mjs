// A job in a guest kernel, whatever boots it: what the guest is to run, its console, and its verdict, by way of a folder
// that it and this machine share. The guest's side is scripts/kernel-init.sh.

import { spawn } from 'node:child_process';
import { chmodSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { createInterface } from 'node:readline';
import { cacheFolder, root } from './run.mjs';

const startMark = '@guest-start@';
const endMark = '@guest-end@';
const passedOn = /^(KERNEL_|TLS13_|VITEST_|FORCE_COLOR$|NO_COLOR$|NODE_OPTIONS$|CI$)/;

/**
 * @param description  name: the guest's, for messages; command: program and arguments, run at the repository's root;
 *                     modules: the folder for `modprobe -d`; tls: whether that module is loaded; environment: more of it;
 *                     writable: folders of this machine that the guest may write; prefix: put before each line of the
 *                     console; say: what is done with a line, console.log if not given; seconds: until the guest is ended
 * @param machine      function of the job's folder: the command that boots the guest
 * @returns status  the command's exit status; statistics: /proc/net/tls_stat at the end; release: the kernel's;
 *          result: what the command wrote to the file that GUEST_RESULT names, undefined if nothing
 */
export async function runJob(description, machine) {
  const { name, prefix, seconds, say } = description;
  const job = mkdtempSync(join(tmpdir(), 'tls13-guest-'));
  try {
    writeJob(job, description);
    const console_ = await boot(machine(job), job, { prefix, seconds, say });
    const read = (file) => (existsSync(join(job, file)) ? readFileSync(join(job, file), 'utf8') : undefined);
    const status = read('status');
    if (status === undefined) {
      throw new Error(`kernel ${name}: ${console_.ended}\n${console_.lines.slice(-40).join('\n')}`);
    }
    return {
      status: Number(status),
      statistics: read('tls_stat') ?? '',
      release: (read('release') ?? '').trim(),
      result: read('result'),
    };
  } finally {
    rmSync(job, { recursive: true, force: true });
  }
}

/** The guest's init reads these files instead of a kernel command line, which allows neither spaces nor length. */
function writeJob(job, { command, modules, tls, environment, writable }) {
  const variables = {
    ...Object.fromEntries(Object.entries(process.env).filter(([key]) => passedOn.test(key))),
    ...environment,
    GUEST_RESULT: join(job, 'result'),
    HOME: '/tmp/home',
    VITE_CACHE: '/tmp/vite',
    PATH: `${dirname(process.execPath)}:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin`,
  };
  const settings = { MODULES: modules, LOAD_TLS: tls ? 'yes' : 'no', ROOT: root };
  const readable = [root, cacheFolder, dirname(dirname(process.execPath))];
  for (const folder of writable) mkdirSync(folder, { recursive: true });
  const lines = [
    ...Object.entries(settings).map(([key, value]) => `${key}=${quote(value)}`),
    `READABLE=(${readable.map(quote).join(' ')})`,
    `WRITABLE=(${writable.map(quote).join(' ')})`,
  ];
  writeFileSync(join(job, 'settings'), `${lines.join('\n')}\n`);
  const exports = Object.entries(variables).map(([key, value]) => `export ${key}=${quote(value)}`);
  writeFileSync(join(job, 'command'), `${exports.join('\n')}\nexec ${command.map(quote).join(' ')}\n`);
  const init = join(job, 'init');
  writeFileSync(init, readFileSync(join(root, 'scripts/kernel-init.sh')));
  chmodSync(init, 0o755);
}

function boot([program, ...parameters], job, { prefix, seconds, say = console.log }) {
  return new Promise((done, fail) => {
    // A group of its own: a guest is several processes of this machine, and all must go together.
    const child = spawn(program, parameters, { cwd: job, stdio: ['ignore', 'pipe', 'pipe'], detached: true });
    const lines = [];
    let shown = false;
    let ended = 'the guest ended without a verdict';
    const show = (line) => {
      const text = line.replaceAll('\r', '');
      lines.push(text);
      if (text.includes(endMark)) shown = false;
      if (shown) say(prefix + text);
      if (text.includes(startMark)) shown = true;
    };
    createInterface({ input: child.stdout }).on('line', show);
    createInterface({ input: child.stderr }).on('line', show);
    const stop = () => {
      try {
        process.kill(-child.pid, 'SIGKILL');
      } catch (error) {
        if (error.code !== 'ESRCH') throw error;
      }
    };
    const interrupted = (signal) => {
      stop();
      process.exit(signal === 'SIGINT' ? 130 : 143);
    };
    const timer = setTimeout(() => {
      ended = `no verdict within ${seconds} s, the guest was ended (--timeout SECONDS allows more)`;
      stop();
    }, seconds * 1000);
    process.on('SIGINT', interrupted).on('SIGTERM', interrupted);
    const settle = () => {
      clearTimeout(timer);
      process.off('SIGINT', interrupted).off('SIGTERM', interrupted);
    };
    child.on('error', (error) => {
      settle();
      fail(new Error(`${program}: ${error.message}`));
    });
    child.on('close', () => {
      settle();
      stop();
      done({ lines, ended });
    });
  });
}

function quote(text) {
  return `'${text.replaceAll("'", "'\\''")}'`;
}
