/** A folder, a certificate and test data for the tests of one file. */
import { execFileSync } from 'node:child_process';
import { createHash, randomBytes } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll } from 'vitest';

export const folder = mkdtempSync(join(tmpdir(), 'tls13-kernel-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

export const certFile = join(folder, 'certificate.pem');
export const keyFile = join(folder, 'key.pem');
execFileSync(
  'openssl',
  [
    ...['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-days', '2'],
    ...['-subj', '/CN=localhost', '-addext', 'subjectAltName=DNS:localhost', '-keyout', keyFile, '-out', certFile],
  ],
  { stdio: 'pipe' },
);
export const cert = readFileSync(certFile);
export const key = readFileSync(keyFile);

export const mebibytes = (count: number) => count * 1_048_576;

/** Bytes that repeat nowhere, so that a lost or swapped part shows; made once, for all tests. */
const source = randomBytes(mebibytes(5));

/** The first bytes of the source. */
export function bytesOf(length: number, offset = 0): Buffer {
  return source.subarray(offset, offset + length);
}

export function fileOf(content: Uint8Array, name = `file-${content.length}`): string {
  const path = join(folder, name);
  writeFileSync(path, content);
  return path;
}

/** Stands for content in comparisons: a difference in 5 MiB is not worth a diff. */
export function digest(content: Uint8Array): string {
  return `${content.length} bytes, ${createHash('sha256').update(content).digest('hex')}`;
}
