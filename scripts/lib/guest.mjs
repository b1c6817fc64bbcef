// Boots one of the kernels over this machine's root, read-only, runs a command in it and returns its exit status.

import { existsSync, statfsSync } from 'node:fs';
import { runJob } from './guest-job.mjs';
import { kernels, provideKernel } from './kernels.mjs';

/**
 * @param name      '6.1' or '7.2'
 * @param command   program and arguments, run at the repository's root
 * @param options   tls: false leaves the tls module out; writable: folders of this machine that the guest may write;
 *                  prefix: put before each line of the console; seconds: until the guest is ended; mirror: a Debian archive
 * @returns what runJob of guest-job.mjs does
 */
export async function runInGuest(name, command, options = {}) {
  const { tls = true, writable = [], prefix = '', seconds = 300, megabytes = 2048, mirror } = options;
  const kernel = await provideKernel(name, mirror);
  checkMemoryFolder(megabytes);
  const environment = {
    KERNEL_EXPECT: kernels[name].exact ? name : `${name}+`,
    KERNEL_TLS: tls ? 'yes' : 'no',
  };
  const description = { name, command, modules: kernel.modules, tls, environment, writable, prefix, seconds };
  return runJob(description, (job) => [
    kernel.program,
    `mem=${megabytes}M`,
    ...['rootfstype=hostfs', 'rootflags=/', 'ro', `init=${job}/init`, 'con=null', 'con0=fd:0,fd:1'],
    ...['seccomp=auto', 'quiet', 'panic=-1', `GUEST_JOB=${job}`],
  ]);
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
