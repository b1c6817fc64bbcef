/** `tls13 delegate`: a key for a few days in the place of a certificate's (RFC 9345). */
import { delegate } from '../delegation.js';
import { asError } from '../errors.js';
import { replaceFile } from './files.js';
import { type Arguments, type Command, UsageError } from './options.js';
import { readOptionFile } from './tls-options.js';

export const delegateCommand: Command = {
  name: 'delegate',
  operands: '',
  mostOperands: 0,
  summary: "Makes a key that serves for days in the place of a certificate's (delegated credentials, RFC 9345).",
  options: {
    cert: { value: 'FILE', help: 'the certificate (PEM), which must have the extension DelegationUsage' },
    key: { value: 'FILE', help: 'its private key, which the servers need not have' },
    lifetime: { value: 'SECONDS', help: 'how long from now, at most 604800 (default: 86400)' },
    client: { help: 'for clients that authenticate with it (default: for servers)' },
    out: { value: 'FILE', help: 'where to put the new key, which is secret, and its credential (default: stdout)' },
  },
  notes: [
    'Give what comes out to tls13 serve as --key, beside the same --cert; behind it the own pair of a certificate, for\n' +
      'clients that accept no delegation.',
  ],
};

export async function delegateKey(given: Arguments): Promise<number> {
  const cert = readOptionFile('cert', needed(given, 'cert'));
  const key = readOptionFile('key', needed(given, 'key'));
  const lifetime = seconds(given.text('lifetime'));
  const made = await delegate({
    cert,
    key,
    role: given.has('client') ? 'client' : 'server',
    ...(lifetime === undefined ? {} : { lifetime }),
  }).catch((error: unknown) => {
    throw new UsageError(asError(error).message);
  });
  const pem = made.key + made.delegatedCredential;
  const file = given.text('out');
  if (file === undefined) process.stdout.write(pem);
  else replaceFile(file, pem, 0o600);
  return 0;
}

function needed(given: Arguments, name: string): string {
  const text = given.text(name);
  if (text === undefined) throw new UsageError(`--${name} is missing`);
  return text;
}

function seconds(text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  if (/^\d{1,9}$/.test(text)) return Number(text);
  throw new UsageError(`--lifetime is a number of seconds, not ${text}`);
}
