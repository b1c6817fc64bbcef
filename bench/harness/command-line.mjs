// What the commands that measure have in common: their options, and what they ask for before they begin.
import { existsSync } from 'node:fs';
import { parseArgs } from 'node:util';

/**
 * Runs a command, whose number becomes the status of the process; what it throws is told by its message alone.
 *
 * @param usage shown by --help.
 * @param options as for parseArgs.
 * @param main of the options' values.
 */
export async function runCommand({ usage, options }, main) {
  try {
    const { values } = parseArgs({ options: { ...options, help: { type: 'boolean', default: false } } });
    if (values.help) console.log(usage);
    else process.exitCode = await main(values);
  } catch (error) {
    console.error(error.message);
    process.exitCode = 1;
  }
}

export function demandBuild() {
  if (existsSync(new URL('../../packages/server/dist/index.js', import.meta.url))) return;
  throw new Error('nothing is built yet: run `npm run build` first');
}

/** @throws {Error} if the text is no whole number, or is below the least. */
export function wholeNumber(option, text, least) {
  if (/^\d+$/.test(text) && Number(text) >= least) return Number(text);
  throw new Error(`${option} must be a whole number of at least ${least}, not ${text}`);
}
