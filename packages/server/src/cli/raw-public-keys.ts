/** `--raw-public-key` and `--expect-raw-public-key`: keys in the place of certificates (RFC 7250), for `serve` and `connect`. */
import { createHash } from 'node:crypto';
import { createSecureContext } from '../credentials.js';
import { asError } from '../errors.js';
import type { CommonOptions } from '../options.js';
import { readExpectedKeys } from '../raw-public-keys.js';
import { type Arguments, type Option, UsageError } from './options.js';
import { readOptionFile } from './tls-options.js';

/** What is expected of the peer. */
export const expectedKeyOption = {
  value: 'FILE',
  repeated: true,
  help: 'accept a peer that shows this public key (PEM) alone, and certificates only with authorities',
} as const satisfies Option;

/** @param certificates whether they are accepted too. */
export function expectedKeysOf(
  given: Arguments,
  certificates: boolean,
): Pick<CommonOptions, 'expectedRawPublicKeys' | 'allowCertificate'> {
  const keys = given.texts('expect-raw-public-key').map((file) => {
    const key = readOptionFile('expect-raw-public-key', file);
    tried('expect-raw-public-key', file, () => readExpectedKeys(key));
    return key;
  });
  if (keys.length === 0) return {};
  return { expectedRawPublicKeys: keys, ...(certificates ? { allowCertificate: true } : {}) };
}

/** A credential without a certificate, and the SHA-256 of its key. */
export function rawPublicKeyOf(file: string) {
  const options = { key: readOptionFile('raw-public-key', file), rawPublicKey: true } as const;
  const [credential] = tried('raw-public-key', file, () => createSecureContext(options).credentials);
  return { options, fingerprint: keyFingerprint(credential?.rawPublicKey ?? new Uint8Array()) };
}

/** SHA-256 of a SubjectPublicKeyInfo, spelled as those of certificates are: `AB:CD:…`. */
export function keyFingerprint(publicKey: Uint8Array): string {
  const digest = createHash('sha256').update(publicKey).digest('hex').toUpperCase();
  return digest.replaceAll(/..(?=.)/g, '$&:');
}

function tried<T>(option: string, file: string, read: () => T): T {
  try {
    return read();
  } catch (error) {
    throw new UsageError(`--${option} ${file}: ${asError(error).message}`);
  }
}
