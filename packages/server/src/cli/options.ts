/** The command line: what a command takes, parsing by node:util, values checked, and the help made of the same table. */
import { type ParseArgsConfig, parseArgs } from 'node:util';

/** The caller's mistake: shown as one sentence, exit status 1. */
export class UsageError extends Error {
  override readonly name = 'UsageError';
}

export interface Option {
  /** What stands for the value in the help; an option without is a switch. */
  readonly value?: string;
  readonly repeated?: boolean;
  /** One line: what it does, what is allowed, the default. */
  readonly help: string;
}

export interface Command {
  readonly name: string;
  /** What follows the name: `[DIR]`. */
  readonly operands: string;
  readonly mostOperands: number;
  readonly summary: string;
  readonly options: Readonly<Record<string, Option>>;
  /** Paragraphs below the options. */
  readonly notes?: readonly string[];
}

/** @throws UsageError for an unknown option, a missing value, too many operands. */
export function parseArguments(command: Command, list: readonly string[]): Arguments {
  const options: NonNullable<ParseArgsConfig['options']> = { help: { type: 'boolean', short: 'h' } };
  for (const [name, { value, repeated = false }] of Object.entries(command.options)) {
    options[name] = { type: value === undefined ? 'boolean' : 'string', multiple: repeated };
  }
  const { values, positionals } = parsed({ args: [...list], options, allowPositionals: true, strict: true });
  if (positionals.length > command.mostOperands) {
    const extra = positionals.slice(command.mostOperands).join(' ');
    throw new UsageError(`tls13 ${command.name} takes ${command.operands || 'no operand'}; what is ${extra}?`);
  }
  return new Arguments(values, positionals);
}

/** The values given, each looked up as what it must be. */
export class Arguments {
  readonly operands: readonly string[];
  readonly #values: Readonly<Record<string, unknown>>;

  constructor(values: Readonly<Record<string, unknown>>, operands: readonly string[]) {
    this.#values = values;
    this.operands = operands;
  }

  has(name: string): boolean {
    return this.#values[name] === true;
  }

  text(name: string): string | undefined {
    const value = this.#values[name];
    if (typeof value !== 'string') return undefined;
    if (value === '') throw new UsageError(`--${name} is empty`);
    return value;
  }

  /** All values of a repeated option, in order. */
  texts(name: string): readonly string[] {
    const value = this.#values[name];
    if (!Array.isArray(value)) return [];
    return value.map((item: unknown) => {
      if (typeof item !== 'string' || item === '') throw new UsageError(`--${name} is empty`);
      return item;
    });
  }

  oneOf<const Choice extends string>(name: string, choices: readonly Choice[]): Choice | undefined {
    const text = this.text(name);
    return text === undefined ? undefined : chosen(name, text, choices);
  }

  /** A list with commas between, best first, without repetition. */
  listOf<const Choice extends string>(name: string, choices: readonly Choice[]): readonly Choice[] | undefined {
    const words = this.words(name);
    return words?.map((word) => chosen(name, word, choices));
  }

  words(name: string): readonly string[] | undefined {
    const text = this.text(name);
    if (text === undefined) return undefined;
    const words = text.split(',').map((word) => word.trim());
    if (words.includes('')) throw new UsageError(`--${name} is a list with commas between: ${text} has an empty item`);
    if (new Set(words).size < words.length) throw new UsageError(`--${name} names something twice: ${text}`);
    return words;
  }

  /** A whole number within bounds, both included. */
  number(name: string, lowest: number, highest: number): number | undefined {
    const text = this.text(name);
    return text === undefined ? undefined : wholeNumber(`--${name}`, text, lowest, highest);
  }

  /** A TCP port; 0 lets the system choose where that makes sense. */
  port(name: string, least: 0 | 1 = 0): number | undefined {
    const text = this.text(name);
    return text === undefined ? undefined : portNumber(`--${name}`, text, least);
  }
}

/** @param what how the value is called in the message. */
export function portNumber(what: string, text: string, least: 0 | 1): number {
  return wholeNumber(what, text, least, 65_535);
}

/** @param what as `portNumber`. */
export function wholeNumber(what: string, text: string, lowest: number, highest: number): number {
  const value = /^\d{1,10}$/.test(text) ? Number(text) : Number.NaN;
  if (value >= lowest && value <= highest) return value;
  throw new UsageError(`${what} is a number from ${lowest} to ${highest}, not ${text}`);
}

export function helpOf(command: Command): string {
  const rows = Object.entries({ ...command.options, help: { help: 'show this' } }).map(([name, option]: Row) => {
    const value = option.value === undefined ? '' : ` ${option.value}`;
    return [`  --${name}${value}${option.repeated === true ? ' …' : ''}`, option.help] as const;
  });
  const width = Math.max(...rows.map(([left]) => left.length)) + 2;
  const usage = ['tls13', command.name, command.operands, '[options]'].filter((word) => word !== '').join(' ');
  return [
    `Usage: ${usage}`,
    '',
    command.summary,
    '',
    ...rows.map(([left, right]) => `${left.padEnd(width)}${right}`),
    ...(command.notes ?? []).flatMap((note) => ['', note]),
  ].join('\n');
}

type Row = [string, Option];

function parsed(config: ParseArgsConfig): { values: Readonly<Record<string, unknown>>; positionals: string[] } {
  try {
    return parseArgs(config);
  } catch (error) {
    if (!(error instanceof TypeError)) throw error;
    // Node adds a hint about `--` that only confuses here.
    throw new UsageError(error.message.split('. ', 1)[0] ?? error.message);
  }
}

function chosen<const Choice extends string>(name: string, text: string, choices: readonly Choice[]): Choice {
  const choice = choices.find((candidate) => candidate === text);
  if (choice !== undefined) return choice;
  throw new UsageError(`--${name} is ${anyOf(choices)}, not ${text}`);
}

function anyOf(choices: readonly string[]): string {
  return choices.length === 1 ? String(choices[0]) : `${choices.slice(0, -1).join(', ')} or ${choices.at(-1)}`;
}
