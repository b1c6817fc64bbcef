// The kernels that the tests boot: Debian's package user-mode-linux, a Linux kernel that is an ordinary program.
// It is fetched from the Debian mirror in this machine's own apt configuration and unpacked without installing it.

import { spawnSync } from 'node:child_process';
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
} from 'node:fs';
import { availableParallelism } from 'node:os';
import { dirname, join } from 'node:path';
import { downloadPackages } from './debian.mjs';
import { cacheFolder, hasProgram, output } from './run.mjs';

/**
 * What can be asked for. 6.1 has no rekey, 7.2 has. `ownLibc`: the suite's program wants a newer C library than this
 * machine may have, so it gets its own one beside it. `exact`: whether a later kernel of the suite will not do.
 */
export const kernels = {
  6.1: { suite: 'bookworm', ownLibc: false, exact: true },
  7.2: { suite: 'sid', ownLibc: true, exact: false },
};

/** Fetches the kernel if it is not there yet; returns its program and the folder for `modprobe -d`. */
export async function provideKernel(name, mirror = process.env.TLS13_DEBIAN_MIRROR) {
  const kernel = kernels[name];
  if (kernel === undefined) throw new Error(`no kernel ${name}: there is ${Object.keys(kernels).join(' and ')}`);
  const folder = join(cacheFolder, 'kernels', name);
  if (!existsSync(folder)) await fetchKernel(name, kernel, folder, mirror);
  return { program: join(folder, 'linux'), modules: join(folder, 'root') };
}

async function fetchKernel(name, kernel, folder, mirror) {
  if (process.arch !== 'x64') throw new Error(`Debian's user-mode-linux exists for x64 only, this is ${process.arch}`);
  const wanted = ['apt-get', 'dpkg', 'modprobe', 'ip', ...(kernel.ownLibc ? ['patchelf'] : [])];
  const absent = wanted.filter((program) => !hasProgram(program));
  if (absent.length > 0)
    throw new Error(`kernel ${name} needs ${absent.join(', ')}: run node scripts/system-packages.mjs`);

  const parent = join(cacheFolder, 'kernels');
  mkdirSync(parent, { recursive: true });
  const aside = mkdtempSync(join(parent, `.${name}-`));
  try {
    console.log(`kernel ${name}: fetching user-mode-linux of Debian ${kernel.suite}`);
    const packages = ['user-mode-linux', ...(kernel.ownLibc ? ['libc6'] : [])];
    await downloadPackages(aside, kernel.suite, packages, mirror);
    unpack(aside, kernel.ownLibc, folder);
    // Another run may have been faster; both unpacked the same.
    try {
      renameSync(join(aside, 'unpacked'), folder);
    } catch (error) {
      if (!existsSync(folder)) throw error;
    }
  } finally {
    rmSync(aside, { recursive: true, force: true });
  }
}

function unpack(aside, ownLibc, folder) {
  const target = join(aside, 'unpacked');
  mkdirSync(join(target, 'root/lib'), { recursive: true });
  for (const file of readdirSync(join(aside, 'debs'))) {
    must('dpkg', ['-x', join(aside, 'debs', file), join(target, file.startsWith('libc6') ? 'libc' : 'package')]);
  }
  // Relative, because the whole is renamed afterwards.
  symlinkSync('../../package/usr/lib/uml/modules', join(target, 'root/lib/modules'));
  const program = join(target, 'linux');
  copyFileSync(join(target, 'package/usr/bin/linux.uml'), program);
  if (!ownLibc) return;
  // The loader has links elsewhere; the library itself is in one place.
  const found = readdirSync(join(target, 'libc'), { recursive: true }).find((path) => path.endsWith('/libc.so.6'));
  if (found === undefined) throw new Error("no libc.so.6 in Debian's libc6");
  const library = join(folder, 'libc', dirname(found));
  must('patchelf', ['--set-interpreter', join(library, 'ld-linux-x86-64.so.2'), '--set-rpath', library, program]);
}

/** Whether this very kernel has the tls ULP; where it is a module and we are root, it is loaded. */
export function runningKernelHasUlp() {
  const list = '/proc/sys/net/ipv4/tcp_available_ulp';
  const has = () => existsSync(list) && readFileSync(list, 'utf8').split(/\s+/).includes('tls');
  if (!has() && process.getuid?.() === 0 && hasProgram('modprobe')) spawnSync('modprobe', ['-q', 'tls']);
  return has();
}

/** Whether two guests fit side by side. */
export function roomForTwo() {
  const match = /^MemAvailable:\s+(\d+) kB/m.exec(readFileSync('/proc/meminfo', 'utf8'));
  return availableParallelism() > 1 && Number(match?.[1] ?? 0) > 5 * 1024 * 1024;
}

function must(command, commandArguments) {
  if (output(command, commandArguments, { stdio: ['ignore', 'pipe', 'inherit'] }) === undefined) {
    throw new Error(`${command} ${commandArguments.join(' ')} failed`);
  }
}
