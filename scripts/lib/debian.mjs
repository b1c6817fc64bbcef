// Packages of Debian without installing them: from the archive in this machine's own apt configuration, with lists,
// cache and sources of their own, so that nothing of the machine's changes.
import { existsSync, mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { output, runAside } from './run.mjs';

/** Downloads `packages` of a suite into `folder`, which is for this alone; returns the paths of the .deb files. */
export async function downloadPackages(folder, suite, packages, mirror = debianMirror()) {
  const debs = join(folder, 'debs');
  mkdirSync(debs, { recursive: true });
  const apt = await aptFor(folder, [suite], mirror);
  await apt(['download', '-qq', ...packages], debs);
  return readdirSync(debs).map((name) => join(debs, name));
}

/**
 * As `downloadPackages`, with everything they depend on, as for a machine that has nothing yet. The last suite is the
 * one to prefer.
 */
export async function downloadClosure(folder, suites, packages, mirror = debianMirror()) {
  const apt = await aptFor(folder, suites, mirror);
  const nothing = join(folder, 'status');
  writeFileSync(nothing, '');
  const options = ['-o', `Dir::State::Status=${nothing}`, '-t', suites.at(-1), '--no-install-recommends'];
  await apt(['install', '--download-only', '-y', '-qq', ...options, ...packages], folder);
  const archives = join(folder, 'cache/archives');
  return readdirSync(archives)
    .filter((name) => name.endsWith('.deb'))
    .map((name) => join(archives, name));
}

/** Runs apt-get with the lists of these suites, which it has fetched. */
async function aptFor(folder, suites, mirror) {
  for (const name of ['lists/partial', 'cache/archives/partial']) mkdirSync(join(folder, name), { recursive: true });
  const keyring = '/usr/share/keyrings/debian-archive-keyring.gpg';
  const signed = existsSync(keyring) ? ` [signed-by=${keyring}]` : '';
  const lines = suites.map((suite) => `deb${signed} ${mirror} ${suite} main\n`);
  writeFileSync(join(folder, 'sources.list'), lines.join(''));
  const options = Object.entries({
    'Dir::Etc::SourceList': join(folder, 'sources.list'),
    'Dir::Etc::SourceParts': '/dev/null',
    'Dir::Etc::PreferencesParts': '/dev/null',
    'Dir::State::Lists': join(folder, 'lists'),
    'Dir::Cache': join(folder, 'cache'),
    'Acquire::Check-Valid-Until': 'false',
    'Acquire::Languages': 'none',
    'Acquire::Retries': '3',
    'APT::Sandbox::User': 'root',
  }).flatMap(([key, value]) => ['-o', `${key}=${value}`]);
  const apt = async (command, cwd) => {
    // What apt says goes to standard error: standard output belongs to the script that asked.
    const status = await runAside('apt-get', [...options, ...command], { cwd, stdio: ['ignore', 2, 2] });
    if (status !== 0) {
      throw new Error(
        `apt-get ${command.join(' ')} for Debian ${suites.join('+')} from ${mirror} ended with ${status}`,
      );
    }
  };
  await apt(['update', '-qq'], folder);
  return apt;
}

/** The Debian archive that apt is configured with; a release's own archive, not its updates or security. */
function debianMirror() {
  if (process.env.TLS13_DEBIAN_MIRROR !== undefined) return process.env.TLS13_DEBIAN_MIRROR;
  const format = '$(REPO_URI) $(RELEASE) $(COMPONENT)';
  const targets = output('apt-get', ['indextargets', '--format', format, 'Identifier: Packages']) ?? '';
  const archive = targets
    .split('\n')
    .map((line) => line.split(' '))
    .find(
      ([uri, release, component]) => uri?.includes('debian') && component === 'main' && !/[-/]/.test(release ?? '-'),
    );
  if (archive?.[0] === undefined) {
    throw new Error('apt on this machine knows no Debian archive; name one with TLS13_DEBIAN_MIRROR=<URI>');
  }
  return archive[0];
}
