// Installs what the tests need from Debian: as root where something is missing, otherwise it names it and ends with 1.
// apt's own configuration decides where packages come from.

import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { isAbsolute } from 'node:path';
import { hasProgram, run } from './lib/run.mjs';

/** Program or file → the Debian package that brings it, and what for. */
const needed = [
  ['openssl', 'openssl', 'a peer in the interop and kernel tests'],
  ['curl', 'curl', 'a peer in the interop tests'],
  ['gnutls-cli', 'gnutls-bin', 'a peer in the interop tests'],
  ['tstclnt', 'libnss3-tools', 'a peer in the interop tests'],
  ['javac', 'openjdk-17-jdk-headless', 'a peer in the interop tests'],
  ['/usr/include/wolfssl/ssl.h', 'libwolfssl-dev', 'a peer in the interop tests'],
  ['chromium', 'chromium', 'the browser tests'],
  ['modprobe', 'kmod', 'the guest kernels'],
  ['patchelf', 'patchelf', 'the guest kernels'],
  ['ip', 'iproute2', 'the guest kernels'],
  ['g++', 'g++', 'the native addons'],
  ['make', 'make', 'the native addons'],
  ['/usr/include/openssl/evp.h', 'libssl-dev', 'the bare C program of bench:kernel'],
  ['/usr/bin/python3', 'python3', 'node-gyp, and a peer in the interop tests'],
];

const missing = needed.filter(([name]) => !(isAbsolute(name) ? existsSync(name) : hasProgram(name)));
if (missing.length > 0) process.exitCode = install([...new Set(missing.map(([, name]) => name))]);

function install(packages) {
  const list = packages.join(' ');
  if (!existsSync('/usr/bin/apt-get') || process.getuid?.() !== 0) {
    const purposes = [...new Set(missing.map(([, , purpose]) => purpose))].join(', ');
    console.error(`Missing on this machine: ${list} (for ${purposes}). As root: apt-get install ${list}`);
    return 1;
  }
  console.log(`installing ${list}`);
  const environment = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' };
  const command = ['install', '-y', '-qq', '--no-install-recommends', ...packages];
  // The package lists may be there and fresh enough; only when not are they fetched.
  const first = spawnSync('apt-get', command, { env: environment, stdio: 'ignore' });
  if (first.status === 0) return 0;
  run('apt-get', ['update', '-qq'], { env: environment });
  const status = run('apt-get', command, { env: environment, stdio: ['ignore', 'ignore', 'inherit'] });
  if (status !== 0) console.error(`apt-get install ${list} ended with ${status}`);
  return status === 0 ? 0 : 1;
}
