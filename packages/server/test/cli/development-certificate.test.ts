/** The development certificate: what it holds, that it is kept, and when it is made anew. */
import { createPrivateKey, X509Certificate } from 'node:crypto';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { developmentCertificate } from '../../src/cli/development-certificate.js';

const day = 86_400_000;
let parent: string;
let folder: string;

beforeEach(() => {
  parent = mkdtempSync(join(tmpdir(), 'tls13-certificate-'));
  folder = join(parent, '.tls13');
});

afterEach(() => rmSync(parent, { recursive: true, force: true }));

describe('developmentCertificate', () => {
  it('is for this machine alone, P-256, for at most 397 days', async () => {
    const { cert, key } = await developmentCertificate(folder);
    const certificate = new X509Certificate(cert);
    expect(certificate.checkPrivateKey(createPrivateKey(key))).toBe(true);
    expect(certificate.checkHost('localhost')).toBe('localhost');
    expect(certificate.checkIP('127.0.0.1')).toBe('127.0.0.1');
    expect(certificate.checkIP('::1')).toBe('::1');
    expect(certificate.checkHost('example.com')).toBeUndefined();
    expect(certificate.ca).toBe(false);
    expect(certificate.publicKey.asymmetricKeyDetails?.namedCurve).toBe('prime256v1');
    const lasts = Date.parse(certificate.validTo) - Date.parse(certificate.validFrom);
    expect(lasts).toBeLessThanOrEqual(397 * day);
    expect(Date.parse(certificate.validTo)).toBeGreaterThan(Date.now() + 395 * day);
    expect(Date.parse(certificate.validFrom)).toBeLessThan(Date.now());
  });

  it('is kept, its key for the owner alone, the folder ignored by git', async () => {
    const first = await developmentCertificate(folder);
    expect(first).toMatchObject({ file: join(folder, 'development-cert.pem'), notKept: undefined });
    expect(statSync(join(folder, 'development-key.pem')).mode & 0o777).toBe(0o600);
    expect(readFileSync(join(folder, '.gitignore'), 'utf8')).toBe('*\n');
    expect(readdirSync(folder).toSorted()).toEqual(['.gitignore', 'development-cert.pem', 'development-key.pem']);
    expect(await developmentCertificate(folder)).toEqual(first);
  });

  it.each([
    ['when it ends within a day', 396],
    ['when it has ended', 500],
    ['when it has not begun', -2],
  ])('is made anew %s', async (_name, days) => {
    const first = await developmentCertificate(folder);
    const later = await developmentCertificate(folder, Date.now() + days * day);
    expect(later.cert).not.toBe(first.cert);
    expect(await developmentCertificate(folder, Date.now() + days * day)).toEqual(later);
  });

  it.each(['development-cert.pem', 'development-key.pem'])('is made anew when %s is damaged', async (name) => {
    const first = await developmentCertificate(folder);
    writeFileSync(join(folder, name), 'nonsense');
    const next = await developmentCertificate(folder);
    expect(next.cert).not.toBe(first.cert);
    expect(new X509Certificate(next.cert).checkPrivateKey(createPrivateKey(next.key))).toBe(true);
  });

  it('is made anew when certificate and key are not of one run', async () => {
    const first = await developmentCertificate(folder);
    const other = await developmentCertificate(join(parent, 'other'));
    writeFileSync(join(folder, 'development-key.pem'), other.key);
    const next = await developmentCertificate(folder);
    expect([first.cert, other.cert]).not.toContain(next.cert);
  });

  it('serves all the same where nothing can be kept, and says so', async () => {
    const file = join(parent, 'file');
    writeFileSync(file, '');
    const made = await developmentCertificate(join(file, 'folder'));
    expect(made.file).toBeUndefined();
    expect(made.notKept).toMatch(/ENOTDIR/);
    expect(new X509Certificate(made.cert).checkPrivateKey(createPrivateKey(made.key))).toBe(true);
    expect(existsSync(join(file, 'folder'))).toBe(false);
  });
});
