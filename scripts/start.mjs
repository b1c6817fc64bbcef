// `npm start`: installs, builds, then serves the example site (or the folder given) in this same process. package.json
// runs it by `exec`, without a shell between: a shell that meets Ctrl-C would turn the server's exit status 0 into 130.
// (Where the shell has no exec: node scripts/start.mjs.)
import { join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { buildAddons } from './lib/addons.mjs';
import { bootstrap } from './lib/bootstrap.mjs';
import { root, run } from './lib/run.mjs';

const withoutValue = new Set(['--json', '--help', '-h']);

if (!bootstrap()) process.exit(1);
buildAddons();
if (run(process.execPath, ['node_modules/typescript/bin/tsc', '-b']) !== 0) process.exit(1);

const given = process.argv.slice(2);
const folder = hasFolder(given) ? [] : [join(root, 'examples/site')];
const program = resolve(root, 'packages/server/bin/tls13.js');
if (process.env.INIT_CWD !== undefined) process.chdir(process.env.INIT_CWD);
process.argv = [process.execPath, program, 'serve', ...given, ...folder];
await import(pathToFileURL(program).href);

/** Whether one of the arguments is neither an option nor an option's value. */
function hasFolder(list) {
  return list.some((argument, index) => {
    if (argument.startsWith('-')) return false;
    const before = list[index - 1] ?? '';
    return !before.startsWith('-') || before.includes('=') || withoutValue.has(before) || before === '--';
  });
}
