// Runs a command at the repository's root in a guest kernel that has (or, with --no-tls, lacks) the tls module:
//   node scripts/kernel.mjs 7.2|6.1 [--no-tls] [--timeout SECONDS] [--write FOLDER]… [--mirror URI] -- COMMAND…
// The exit status is the command's; 99 when there was none.
import { resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { runInGuest } from './lib/guest.mjs';
import { kernels } from './lib/kernels.mjs';

const usage = `usage: node scripts/kernel.mjs ${Object.keys(kernels).join('|')} [--no-tls] [--timeout SECONDS] [--write FOLDER]… [--mirror URI] -- COMMAND…`;

try {
  process.exitCode = await main(process.argv.slice(2));
} catch (error) {
  console.error(error.message);
  process.exitCode = 99;
}

async function main(given) {
  const split = given.indexOf('--');
  const command = split < 0 ? [] : given.slice(split + 1);
  const { values, positionals } = parseArgs({
    args: split < 0 ? given : given.slice(0, split),
    allowPositionals: true,
    options: {
      'no-tls': { type: 'boolean', default: false },
      timeout: { type: 'string', default: '300' },
      write: { type: 'string', multiple: true, default: [] },
      mirror: { type: 'string' },
    },
  });
  const [name, ...more] = positionals;
  if (name === undefined || !Object.hasOwn(kernels, name) || more.length > 0 || command.length === 0) {
    throw new Error(usage);
  }
  const { status, statistics, release } = await runInGuest(name, command, {
    tls: !values['no-tls'],
    seconds: Number(values.timeout),
    writable: values.write.map((folder) => resolve(folder)),
    mirror: values.mirror,
  });
  console.log(`kernel ${release}: exit status ${status}${counters(statistics)}`);
  return status;
}

/** The counters that are not zero, on one line. */
function counters(statistics) {
  const risen = statistics.split('\n').filter((line) => /\s[1-9]\d*$/.test(line));
  return risen.length === 0 ? '' : `; ${risen.map((line) => line.replace(/\s+/, ' ')).join(', ')}`;
}
