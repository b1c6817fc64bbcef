// Boots one of the kernels over this machine's root, read-only, runs a command in it and returns its exit status.

import { spawn } from 'node:child_process';
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  statfsSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { createInterface } from 'node:readline';
import { kernels, provideKernel } from './kernels.mjs';
import { cacheFolder, root } from './run.mjs';

const startMark = '@guest-start@';
const endMark = '@guest-end@';
const passedOn = /^(KERNEL_|TLS13_|VITEST_|FORCE_COLOR$|NO_COLOR$|NODE_OPTIONS$|CI$)/;

/**
 * @param name      '6.1' or '7.2'
 * @param command   program and arguments, run at the repository's root
 * @param options   tls: false leaves the tls module out; writable: folders of this machine that the guest may write;
 *                  prefix: put before each line of the console; seconds: until the guest is ended; mirror: a Debian archive
 * @returns status  the command's exit status; statistics: /proc/net/tls_stat at the end; release: the kernel's
 */
export async function runInGuest(name, command, options = {}) {
  const { tls = true, writable = [], prefix = '', seconds = 300, megabytes = 2048, mirror } = options;
  const kernel = await provideKernel(name, mirror);
  checkMemoryFolder(megabytes);
  const job = mkdtempSync(join(tmpdir(), 'tls13-guest-'));
  try {
    writeJob(job, name, command, { tls, writable, modules: kernel.modules });
    const console_ = await boot(kernel.program, job, { prefix, seconds, megabytes });
    const read = (file) => (existsSync(join(job, file)) ? readFileSync(join(job, file), 'utf8') : undefined);
    const status = read('status');
    if (status === undefined)
      throw new Error(`kernel ${name}: ${console_.ended}\n${console_.lines.slice(-40).join('\n')}`);
    return { status: Number(status), statistics: read('tls_stat') ?? '', release: (read('release') ?? '').trim() };
  } finally {
    rmSync(job, { recursive: true, force: true });
  }
}

/** The guest's init reads these files instead of a kernel command line, which allows neither spaces nor length. */
function writeJob(job, name, command, { tls, writable, modules }) {
  const { exact } = kernels[name];
  const environment = {
    ...Object.fromEntries(Object.entries(process.env).filter(([key]) => passedOn.test(key))),
    KERNEL_EXPECT: exact ? name : `${name}+`,
    KERNEL_TLS: tls ? 'yes' : 'no',
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
  const exports = Object.entries(environment).map(([key, value]) => `export ${key}=${quote(value)}`);
  writeFileSync(join(job, 'command'), `${exports.join('\n')}\nexec ${command.map(quote).join(' ')}\n`);
  const init = join(job, 'init');
  writeFileSync(init, readFileSync(join(root, 'scripts/kernel-init.sh')));
  chmodSync(init, 0o755);
}

function boot(program, job, { prefix, seconds, megabytes }) {
  const parameters = [
    `mem=${megabytes}M`,
    ...['rootfstype=hostfs', 'rootflags=/', 'ro', `init=${job}/init`, 'con=null', 'con0=fd:0,fd:1'],
    ...['seccomp=auto', 'quiet', 'panic=-1', `GUEST_JOB=${job}`],
  ];
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
      if (shown) console.log(prefix + text);
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

/** The guest's memory is a file there; a small one (a container's 64 MB) would end it with SIGBUS in the middle. */
function checkMemoryFolder(megabytes) {
  const folder = '/dev/shm';
  if (!existsSync(folder)) return;
  const { type, bavail, bsize } = statfsSync(folder);
  const tmpfs = 0x01021994;
  const free = Math.floor((bavail * bsize) / 2 ** 20);
  if (type === tmpfs && free < megabytes) {
    throw new Error(
      `a guest kernel needs ${megabytes} MB in ${folder}, ${free} MB are free (containers: --shm-size=5g)`,
    );
  }
}

function quote(text) {
  return `'${text.replaceAll("'", "'\\''")}'`;
}
