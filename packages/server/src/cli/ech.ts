/** `tls13 ech generate`: a key for Encrypted Client Hello, and what to publish in DNS. */
import { generateEchConfig } from 'tls13-core';
import { createProvider } from 'tls13-node-crypto';
import { echPem } from '../ech.js';
import { asError } from '../errors.js';
import { replaceFile } from './files.js';
import { type Arguments, type Command, UsageError } from './options.js';

export const echCommand: Command = {
  name: 'ech',
  operands: 'generate',
  mostOperands: 1,
  summary: 'Makes a key for Encrypted Client Hello (RFC 9849), as OpenSSL and nginx read it too (RFC 9934).',
  options: {
    'public-name': { value: 'NAME', help: 'the name that everybody may see; the server needs a certificate for it' },
    out: { value: 'FILE', help: 'where to put the key, which is secret (default: stdout)' },
    'config-id': { value: 'NUMBER', help: '0 to 255, other than those in use (default: random)' },
    'max-name-length': { value: 'NUMBER', help: 'of the longest name to hide, 0 to 255 (default: 64)' },
  },
  notes: [
    'With --out, stdout gets the ECHConfigList in base64: publish it as the parameter ech of the HTTPS record of every\n' +
      'name to hide, e.g.  secret.example. HTTPS 1 . ech="…"  and give the file to tls13 serve --ech-key.',
  ],
};

export function ech(given: Arguments): number {
  const [verb] = given.operands;
  if (verb !== 'generate') throw new UsageError(`tls13 ech generate is what there is, not ${verb ?? 'nothing'}`);
  const publicName = given.text('public-name');
  if (publicName === undefined) throw new UsageError('--public-name is missing: the name that everybody may see');
  const configId = byte(given, 'config-id');
  const maximumNameLength = byte(given, 'max-name-length');
  const key = made({
    publicName,
    ...(configId === undefined ? {} : { configId }),
    ...(maximumNameLength === undefined ? {} : { maximumNameLength }),
  });
  const pem = echPem(key);
  const file = given.text('out');
  if (file === undefined) {
    process.stdout.write(pem);
    return 0;
  }
  try {
    replaceFile(file, pem, 0o600);
  } catch (error) {
    throw new UsageError(`--out ${file}: ${asError(error).message}`);
  }
  process.stdout.write(`${Buffer.from(key.configList).toString('base64')}\n`);
  return 0;
}

function made(options: Parameters<typeof generateEchConfig>[1]): ReturnType<typeof generateEchConfig> {
  try {
    return generateEchConfig(createProvider(), options);
  } catch (error) {
    throw new UsageError(asError(error).message.replace('publicName', '--public-name'));
  }
}

function byte(given: Arguments, name: string): number | undefined {
  const text = given.text(name);
  if (text === undefined) return undefined;
  if (/^\d{1,3}$/.test(text) && Number(text) < 256) return Number(text);
  throw new UsageError(`--${name} is a number from 0 to 255, not ${text}`);
}
