/** The command `tls13`: which command, its arguments, its exit status. */
import { readFileSync } from 'node:fs';
import { asError } from '../errors.js';
import { connect, connectCommand } from './connect.js';
import { delegateCommand, delegateKey } from './delegate.js';
import { doctor, doctorCommand } from './doctor.js';
import { ech, echCommand } from './ech.js';
import { type Arguments, type Command, helpOf, parseArguments, UsageError } from './options.js';
import { serve, serveCommand } from './serve.js';

interface Runnable {
  readonly command: Command;
  /** @returns the exit status, when the command has come to its end. */
  readonly run: (given: Arguments) => number | Promise<number>;
}

const commands: readonly Runnable[] = [
  { command: serveCommand, run: serve },
  { command: connectCommand, run: connect },
  { command: echCommand, run: ech },
  { command: delegateCommand, run: delegateKey },
  { command: doctorCommand, run: doctor },
];

const usageStatus = 1;

process.exitCode = await main(process.argv.slice(2));

async function main([name = '--help', ...rest]: readonly string[]): Promise<number> {
  if (name === '--help' || name === '-h') return print(overview());
  if (name === '--version') return print(version());
  const found = commands.find(({ command }) => command.name === name);
  try {
    if (found === undefined) throw new UsageError(`there is no command ${name}`);
    const given = parseArguments(found.command, rest);
    if (given.has('help')) return print(helpOf(found.command));
    return await found.run(given);
  } catch (error) {
    const { message } = asError(error);
    const hint = error instanceof UsageError ? ` (tls13 ${found?.command.name ?? ''} --help)`.replace('  ', ' ') : '';
    process.stderr.write(`tls13: ${message}${hint}\n`);
    return usageStatus;
  }
}

function print(text: string): number {
  process.stdout.write(`${text}\n`);
  return 0;
}

function overview(): string {
  const width = Math.max(...commands.map(({ command }) => command.name.length)) + 2;
  return [
    'Usage: tls13 COMMAND [options]',
    '',
    'TLS 1.3 for Node, with records sealed by the Linux kernel where it can.',
    '',
    ...commands.map(({ command }) => `  ${command.name.padEnd(width)}${command.summary}`),
    '',
    'tls13 COMMAND --help tells more; tls13 --version tells the version.',
  ].join('\n');
}

function version(): string {
  const { version: text }: { version: string } = JSON.parse(
    readFileSync(new URL('../../package.json', import.meta.url), 'utf8'),
  );
  return text;
}
