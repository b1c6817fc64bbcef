/** The command line's options: what is taken, what is refused, and that the refusal says what is allowed. */
import { describe, expect, it } from 'vitest';
import { type Command, helpOf, parseArguments, portNumber, UsageError } from '../../src/cli/options.js';

const command: Command = {
  name: 'try',
  operands: '[DIR]',
  mostOperands: 1,
  summary: 'Tries.',
  options: {
    colour: { value: 'NAME', help: 'which' },
    cert: { value: 'FILE', repeated: true, help: 'some' },
    port: { value: 'NUMBER', help: 'where' },
    json: { help: 'machine readable' },
  },
};

const parse = (...list: string[]) => parseArguments(command, list);

describe('parsing', () => {
  it('takes options before and after operands, repeated ones in order', () => {
    const given = parse('--cert', 'a', 'folder', '--cert=b', '--json');
    expect(given.operands).toEqual(['folder']);
    expect(given.texts('cert')).toEqual(['a', 'b']);
    expect(given.has('json')).toBe(true);
    expect(given.text('colour')).toBeUndefined();
    expect(given.texts('colour')).toEqual([]);
  });

  it.each([
    [['--what'], /'--what'/],
    [['--port'], /--port/],
    [['--json=1'], /--json/],
    [['a', 'b'], /takes \[DIR\]; what is b\?/],
  ])('refuses %j', (list, message) => {
    expect(() => parse(...list)).toThrow(UsageError);
    expect(() => parse(...list)).toThrow(message);
  });

  it('reads choices and lists of them, and names what is allowed', () => {
    const choices = ['red', 'green', 'blue'] as const;
    expect(parse('--colour', 'red').oneOf('colour', choices)).toBe('red');
    expect(parse('--colour', 'blue, red').listOf('colour', choices)).toEqual(['blue', 'red']);
    expect(() => parse('--colour', 'grey').oneOf('colour', choices)).toThrow(
      '--colour is red, green or blue, not grey',
    );
    expect(() => parse('--colour', 'red,').listOf('colour', choices)).toThrow(/empty item/);
    expect(() => parse('--colour', 'red,red').listOf('colour', choices)).toThrow(/twice/);
    expect(() => parse('--colour', '').text('colour')).toThrow('--colour is empty');
    expect(() => parse('--cert', '').texts('cert')).toThrow('--cert is empty');
  });

  it.each(['0', '1', '65535'])('takes port %s', (text) => {
    expect(parse('--port', text).port('port')).toBe(Number(text));
  });

  it.each(['-1', '65536', '1e3', '0x10', ' 80', '443x', ''])('refuses port %j', (text) => {
    expect(() => parse(`--port=${text}`).port('port')).toThrow(UsageError);
  });

  it('lets a port be 0 only where the system may choose', () => {
    expect(() => portNumber('PORT', '0', 1)).toThrow('PORT is a number from 1 to 65535, not 0');
  });
});

describe('help', () => {
  it('lists every option with its value, aligned', () => {
    const lines = helpOf(command).split('\n');
    expect(lines[0]).toBe('Usage: tls13 try [DIR] [options]');
    expect(lines.filter((line) => line.startsWith('  --'))).toEqual([
      '  --colour NAME  which',
      '  --cert FILE …  some',
      '  --port NUMBER  where',
      '  --json         machine readable',
      '  --help         show this',
    ]);
  });
});
