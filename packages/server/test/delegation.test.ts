/** Delegated credentials (RFC 9345) as a user meets them: made by `delegate` or the command, presented, refused. */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { type Issued, Pki } from '../../node-crypto/test/pki.js';
import { createSecureContext, delegate } from '../src/index.js';
import { run, stopAfterEach, temporaryFolder } from './cli/command.js';
import { certificates, dialed, serve } from './support.js';

stopAfterEach();
const temporary = temporaryFolder();
const pki = new Pki();
afterAll(() => pki.remove());
const issue = (...more: string[]): Issued =>
  pki.issue({
    name: 'localhost',
    issuer: certificates().root,
    extensions: ['keyUsage=digitalSignature', 'extendedKeyUsage=serverAuth', 'subjectAltName=DNS:localhost', ...more],
  });
const delegating = issue('1.3.6.1.4.1.44363.44=ASN1:NULL');
const { pem: cert, keyPem } = delegating;
const accepting = { delegatedCredentialSchemes: 'ecdsa_secp256r1_sha256:ed25519' };

describe('a server with a delegated credential', () => {
  it('shows it to clients that accept it, and to others its own pair', async () => {
    const delegated = await delegate({ cert, key: keyPem, lifetime: 3600 });
    const server = await serve({ cert, ...delegated, credentials: [{ cert, key: keyPem }] }, () => undefined);
    const new_ = await dialed(server, accepting);
    expect(new_.info?.peerDelegatedCredential).toBe(true);
    expect(new_.authorized).toBe(true);
    const old = await dialed(server);
    expect(old.info?.peerDelegatedCredential).toBe(false);
  });
});

describe('delegate', () => {
  it('is not possible with a certificate without DelegationUsage, nor for long', async () => {
    const plain = issue();
    await expect(delegate({ cert: plain.pem, key: plain.keyPem })).rejects.toThrow(/DelegationUsage/);
    await expect(delegate({ cert, key: keyPem, lifetime: 604_801 })).rejects.toThrow(RangeError);
  });

  it('makes a key and a credential that go together, and with nothing else', async () => {
    const [one, other] = [await delegate({ cert, key: keyPem }), await delegate({ cert, key: keyPem })];
    expect(createSecureContext({ cert, ...one }).credentials).toHaveLength(1);
    expect(() => createSecureContext({ cert, ...one, key: other.key })).toThrow(/is not the private key/);
    expect(() => createSecureContext({ ...one })).toThrow(TypeError);
    expect(() => createSecureContext({ cert, key: one.key, delegatedCredential: cert })).toThrow(
      /DELEGATED CREDENTIAL/,
    );
  });
});

describe('tls13 delegate', () => {
  it('writes what tls13 serve takes as --key', async () => {
    const folder = temporary();
    writeFileSync(join(folder, 'cert.pem'), cert);
    writeFileSync(join(folder, 'key.pem'), keyPem);
    const words = ['delegate', '--cert', 'cert.pem', '--key', 'key.pem', '--lifetime', '60', '--out', 'days.pem'];
    expect(await run(words, folder)).toMatchObject({ status: 0, stdout: '', stderr: '' });
    const made = readFileSync(join(folder, 'days.pem'), 'utf8');
    const server = await serve({ cert, key: made, delegatedCredential: made }, () => undefined);
    expect((await dialed(server, accepting)).info?.peerDelegatedCredential).toBe(true);
    const mistake = await run(['delegate', '--cert', 'cert.pem'], folder);
    expect(mistake).toMatchObject({ status: 1, stderr: expect.stringContaining('--key is missing') });
  });
});
