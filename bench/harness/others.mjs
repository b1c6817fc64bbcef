// Programs of others: those on the search path, otherwise those of a Debian in the cache, which is fetched once and
// needs no root. What cannot be had is absent for a reason, which the rows then give.
import { existsSync } from 'node:fs';
import { provideRoot, withLibrariesOf } from '../../scripts/lib/debian-root.mjs';
import { hasProgram, output } from '../../scripts/lib/run.mjs';

/** Where a Debian has it, and what to ask it for its version. */
const known = {
  nginx: { path: 'usr/sbin/nginx', version: '-V' },
  openssl: { path: 'usr/bin/openssl', version: 'version' },
  wrk: { path: 'usr/bin/wrk', version: '-v' },
  h2load: { path: 'usr/bin/h2load', version: '--version' },
};

/**
 * Looks for one of them. @returns `{ command, about }`, the words that its own come after and its name and version, or
 * `{ unavailable }`, why it is not there.
 */
export async function findOther(name) {
  const { path, version } = known[name];
  const command = hasProgram(name) ? [name] : await fetched(path);
  return Array.isArray(command) ? { command, about: `${name} ${versionOf([...command, version])}` } : command;
}

async function fetched(path) {
  if (process.platform !== 'linux' || process.arch !== 'x64') {
    return { unavailable: 'not on the search path, and fetched for linux-x64 only' };
  }
  try {
    const command = withLibrariesOf(await provideRoot('bench'), path);
    return existsSync(command.at(-1)) ? command : { unavailable: `the Debian that was fetched has no ${path}` };
  } catch (error) {
    return { unavailable: `not on the search path, and could not be fetched: ${error.message}` };
  }
}

/** Some print it to standard error, some with a status that is not zero, and nginx says which OpenSSL it runs with. */
function versionOf(command) {
  const text = output('/bin/sh', ['-c', '"$@" 2>&1; true', 'sh', ...command]) ?? '';
  const own = /\d+\.\d+[\w.]*/.exec(text)?.[0] ?? 'of an unknown version';
  const library = /(?:running|built) with (OpenSSL [\w.]+)(?!.*running)/.exec(text)?.[1];
  return library === undefined ? own : `${own} with ${library}`;
}
