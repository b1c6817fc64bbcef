// Newer Debians in folders: the packages of a suite with all that they depend on, unpacked side by side, in which
// programs run with their own libraries. Nothing of the machine's own changes.
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { downloadClosure } from './debian.mjs';
import { cacheFolder, hasProgram, run } from './run.mjs';

/** What a program run in a root needs around it. */
const base = ['bash', 'coreutils'];

/** For the peers of the interop matrix. */
export const roots = {
  sid: {
    suites: ['sid'],
    packages: [
      ...['openssl', 'gnutls-bin', 'libnss3-tools', 'curl', 'botan', 'firefox', 'android-boringssl'],
      ...['testssl.sh', 'bsdextrautils', 'procps', 'grep', 'sed', 'gawk', 'hostname', 'bind9-dnsutils'],
    ],
  },
  /** Languages and libraries, for the peers that are programs of ours. */
  developer: {
    suites: ['sid'],
    packages: [
      ...['gcc', 'libc6-dev', 'libwolfssl-dev', 'libmbedtls-dev', 'golang-go', 'openjdk-27-jdk-headless'],
      ...['python3.15', 'ca-certificates'],
    ],
  },
  experimental: { suites: ['sid', 'experimental'], packages: ['openssl'] },
};

/** For the benchmarks: what is compared with, and what loads, of the Debian that most run. */
const benchRoots = {
  bench: { suites: ['bookworm'], packages: ['nginx', 'wrk', 'nghttp2-client', 'openssl'] },
};

/** For the emulated machine (emulator.mjs): what emulates it, and its kernel. */
const machineRoots = {
  emulator: { suites: ['bookworm', 'bookworm-backports'], packages: ['qemu-system-x86', 'busybox-static'] },
  'kernel-amd64': { suites: ['sid'], packages: ['linux-image-amd64'] },
};

const known = { ...roots, ...benchRoots, ...machineRoots };

/** The folder of a root that is there; undefined without it. */
export function rootFolder(name) {
  const folder = join(cacheFolder, 'roots', name);
  return existsSync(join(folder, stampFile)) && readFileSync(join(folder, stampFile), 'utf8') === stamp(name)
    ? folder
    : undefined;
}

/** Fetches the root if it is not there; returns its folder. Takes a minute and up to a gigabyte. */
export async function provideRoot(name) {
  const there = rootFolder(name);
  if (there !== undefined) return there;
  for (const program of ['apt-get', 'dpkg', 'dpkg-deb', 'tar', 'unshare']) {
    if (!hasProgram(program)) throw new Error(`fetching a Debian ${name} needs ${program}: this is no Debian`);
  }
  const { suites, packages } = known[name];
  const parent = join(cacheFolder, 'roots');
  const folder = join(parent, name);
  mkdirSync(parent, { recursive: true });
  const aside = mkdtempSync(join(parent, `.${name}-`));
  try {
    console.error(`fetching Debian ${suites.join('+')}: ${packages.join(' ')}`);
    const target = join(aside, 'root');
    mkdirSync(target);
    const debs = await downloadClosure(aside, suites, [...base, ...packages]);
    // Its links of /bin, /lib and so on must be there before what is unpacked through them.
    const first = debs.filter((path) => /\/base-files_[^/]*$/.test(path));
    for (const deb of [...first, ...debs.filter((path) => !first.includes(path))]) unpack(deb, target);
    for (const name of ['proc', 'dev', 'tmp']) mkdirSync(join(target, name), { recursive: true });
    // What the package's script would have chosen.
    if (existsSync(join(target, 'usr/bin/gawk'))) symlinkSync('gawk', join(target, 'usr/bin/awk'));
    writeFileSync(join(target, 'etc/hosts'), '127.0.0.1 localhost\n::1 localhost\n');
    writeFileSync(join(target, stampFile), stamp(name));
    rmSync(folder, { recursive: true, force: true });
    renameSync(target, folder);
  } finally {
    rmSync(aside, { recursive: true, force: true });
  }
  return folder;
}

/**
 * The command before a command that is to run in a root: it sees the root's files, this machine's network, processes
 * and devices, and the folder for temporary files.
 */
export function inRoot(folder) {
  const asUser = process.getuid?.() === 0 ? [] : ['--map-root-user'];
  const path = 'PATH=/usr/bin:/usr/sbin';
  return ['unshare', ...asUser, '--mount', '/bin/sh', '-c', enter, 'enter', folder, tmpdir(), '/usr/bin/env', path];
}

/**
 * The command before a program of a root that is to see this machine's files: the root's own loader, with the root's
 * libraries. @param path of the program within the root.
 */
export function withLibrariesOf(folder, path) {
  const libraries = ['lib/x86_64-linux-gnu', 'usr/lib/x86_64-linux-gnu'].map((name) => join(folder, name));
  return [
    join(folder, 'lib/x86_64-linux-gnu/ld-linux-x86-64.so.2'),
    '--library-path',
    libraries.join(':'),
    join(folder, path),
  ];
}

const enter = [
  'root=$1 shared=$2',
  'shift 2',
  'mkdir -p "$root$shared"',
  'mount --rbind /proc "$root/proc"',
  'mount --rbind /dev "$root/dev"',
  'mount --rbind "$shared" "$root$shared"',
  'exec chroot "$root" "$@"',
].join(' && ');

const stampFile = '.packages';

function stamp(name) {
  return JSON.stringify(known[name]);
}

function unpack(deb, target) {
  const status = run('/bin/sh', [
    '-c',
    'dpkg-deb --fsys-tarfile "$0" | tar -x -C "$1" --keep-directory-symlink',
    deb,
    target,
  ]);
  if (status !== 0) throw new Error(`${deb} could not be unpacked`);
}
