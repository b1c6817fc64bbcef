// An emulated machine in which a program's processor time is a count of its instructions: QEMU without KVM, where every
// instruction of the guest takes one nanosecond of the guest's clock (-icount shift=0). The kernel is Debian's own for
// real machines, with AES-NI; the root is this machine's, shared read-only, with memory over it.

import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { cpioArchive } from './cpio.mjs';
import { provideRoot, withLibrariesOf } from './debian-root.mjs';
import { runJob } from './guest-job.mjs';
import { hasProgram, output } from './run.mjs';

/** What the first root holds beside its init: enough to mount the second. */
const firstModules = ['9p', '9pnet_virtio', 'overlay', 'virtio-rng'];

/** Fetches what is not there yet. @returns the folders of the emulator and of the kernel. */
export async function provideEmulator() {
  if (process.arch !== 'x64')
    throw new Error(`the emulated machine is an x64 one, and shares programs: not ${process.arch}`);
  for (const program of ['modprobe', 'depmod', 'ip', 'bash']) {
    if (!hasProgram(program)) throw new Error(`the emulated machine needs ${program}: run npm run setup`);
  }
  const [emulator, kernel] = [await provideRoot('emulator'), await provideRoot('kernel-amd64')];
  const version = kernelVersion(kernel);
  if (!existsSync(join(kernel, 'usr/lib/modules', version, 'modules.dep.bin'))) {
    if (output('depmod', ['-b', kernel, version], { stdio: ['ignore', 'pipe', 'ignore'] }) === undefined) {
      throw new Error(`depmod -b ${kernel} ${version} failed`);
    }
  }
  return { emulator, kernel };
}

/** What it is, in a line. */
export async function emulatedMachine() {
  const { emulator, kernel } = await provideEmulator();
  const command = [...withLibrariesOf(emulator, 'usr/bin/qemu-system-x86_64'), '--version'];
  const version = /version (\S+)/.exec(output(command[0], command.slice(1)) ?? '')?.[1] ?? 'of an unknown version';
  return `QEMU ${version} (TCG, icount), one processor with AES-NI and AVX2, Linux ${kernelVersion(kernel)}`;
}

/** Boots it and runs a command. @param options megabytes; prefix, say, seconds, environment: see runJob of guest-job.mjs. */
export async function runEmulated(command, options = {}) {
  const { prefix = '', say, seconds = 900, megabytes = 3072, environment = {} } = options;
  const { emulator, kernel } = await provideEmulator();
  const version = kernelVersion(kernel);
  const firstRoot = join(kernel, 'first-root.cpio');
  writeFileSync(firstRoot, cpioArchive(firstFiles(emulator, kernel, version)));
  const description = {
    name: `${version} (emulated)`,
    command,
    ...{ modules: kernel, tls: true, environment: { TMPDIR: '/run', ...environment } },
    ...{ writable: [], prefix, say, seconds },
  };
  return runJob(description, (job) => [
    ...withLibrariesOf(emulator, 'usr/bin/qemu-system-x86_64'),
    ...['-L', join(emulator, 'usr/share/qemu'), '-L', join(emulator, 'usr/share/seabios')],
    ...['-nodefaults', '-no-user-config', '-display', 'none', '-serial', 'stdio', '-no-reboot'],
    ...['-accel', 'tcg,thread=single', '-smp', '1', '-icount', 'shift=0,sleep=off', '-cpu', 'max,-erms,-fsrm'],
    ...['-machine', 'q35', '-m', `${megabytes}M`, '-device', 'virtio-rng-pci'],
    ...['-virtfs', shared('root', '/', 'readonly=on'), '-virtfs', shared('job', job, 'readonly=off')],
    ...['-kernel', join(kernel, 'usr/lib/modules', version, 'vmlinuz'), '-initrd', firstRoot],
    ...['-append', `console=ttyS0 quiet panic=-1 rdinit=/init GUEST_JOB=${job}`],
  ]);
}

function shared(tag, folder, mode) {
  return `local,path=${folder.replaceAll(',', ',,')},mount_tag=${tag},security_model=none,multidevs=remap,${mode}`;
}

function kernelVersion(kernel) {
  const [version] = readdirSync(join(kernel, 'usr/lib/modules'));
  if (version === undefined) throw new Error(`no kernel in ${kernel}: delete that folder`);
  return version;
}

function firstFiles(emulator, kernel, version) {
  const modules = [...new Set(firstModules.flatMap((name) => dependencies(kernel, version, name)))];
  const folders = ['bin', 'proc', 'host', 'memory', 'new', 'modules'];
  return [
    ...folders.map((path) => ({ path })),
    { path: 'init', content: readFileSync(new URL('../emulated-init.sh', import.meta.url)) },
    { path: 'bin/busybox', content: readFileSync(join(emulator, 'bin/busybox')) },
    { path: 'modules/order', content: Buffer.from(modules.map((path) => `${basename(path)}\n`).join('')) },
    ...modules.map((path) => ({ path: `modules/${basename(path)}`, content: readFileSync(path) })),
  ];
}

/** The files of a module and of those it needs, in the order in which they are loaded. */
function dependencies(kernel, version, name) {
  const lines = output('modprobe', ['-d', kernel, '-S', version, '--show-depends', name]);
  if (lines === undefined) throw new Error(`the kernel ${version} has no module ${name}`);
  return lines.split('\n').flatMap((line) => (line.startsWith('insmod ') ? [line.slice(7).trim()] : []));
}
