/** What the protocol reads of a certificate, held against OpenSSL's reading of certificates that OpenSSL made. */
import { execFileSync } from 'node:child_process';
import { generateKeyPairSync, X509Certificate } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import {
  certificateExtension,
  certificateFields,
  certificateSignatureSchemes,
  certificateValidity,
  maySign,
} from '../../src/x509/certificate.js';
import { authority, certificateFor, identity } from '../engine/support/certificates.js';

const { publicKey } = generateKeyPairSync('ed25519');

describe('certificateValidity', () => {
  it.each([
    ['20250102030405Z', '20490607080910Z'],
    ['19991231235959Z', '20500101000000Z'],
  ])('reads %s to %s', (from, to) => {
    const der = openssl(
      generateKeyPairSync('ed25519').privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(),
      from,
      to,
    );
    const { validFrom, validTo } = new X509Certificate(der);
    expect(certificateValidity(certificateFields(der))).toEqual({
      notBefore: Date.parse(validFrom),
      notAfter: Date.parse(validTo),
    });
  });
});

describe('certificateSignatureSchemes', () => {
  it('names the scheme of the signature', () => {
    expect(certificateSignatureSchemes(certificateFields(certificateFor(publicKey)))).toEqual(['ed25519']);
  });

  it('says nothing of a certificate that signs itself', () => {
    expect(certificateSignatureSchemes(certificateFields(authority.certificate))).toBeUndefined();
  });
});

describe('the fields of a certificate', () => {
  it('hold its extensions and its key', () => {
    const fields = certificateFields(identity('p256').certificate);
    expect(certificateExtension(fields, '2.5.29.17')).toBeInstanceOf(Uint8Array);
    expect(certificateExtension(fields, '2.5.29.37')).toBeUndefined();
    expect(maySign(fields)).toBe(true);
    const spki = new X509Certificate(identity('p256').certificate).publicKey.export({ type: 'spki', format: 'der' });
    expect(fields.subjectPublicKeyInfo?.bytes).toEqual(new Uint8Array(spki));
  });
});

/** Self-signed, with exact dates, which only `openssl ca` takes. */
function openssl(keyPem: string, startdate: string, enddate: string): Uint8Array {
  const folder = mkdtempSync(join(tmpdir(), 'tls13-x509-'));
  try {
    const write = (name: string, text: string) => {
      writeFileSync(join(folder, name), text);
      return join(folder, name);
    };
    const configuration = write(
      'conf',
      `[ca]\ndefault_ca=own\n[own]\ndatabase=${write('index', '')}\nnew_certs_dir=${folder}\npolicy=any\nrand_serial=yes\n` +
        'default_md=default\n[any]\ncommonName=supplied\n[req]\ndistinguished_name=name\n[name]\n',
    );
    const key = write('key', keyPem);
    const run = (...words: string[]) => execFileSync('openssl', words, { stdio: ['ignore', 'pipe', 'pipe'] });
    const request = join(folder, 'csr');
    run('req', '-new', '-config', configuration, '-key', key, '-subj', '/CN=host.example', '-out', request);
    const dates = ['-startdate', startdate, '-enddate', enddate];
    const pem = run(
      'ca',
      '-batch',
      '-notext',
      '-selfsign',
      '-config',
      configuration,
      '-keyfile',
      key,
      '-in',
      request,
      ...dates,
    );
    return new Uint8Array(new X509Certificate(pem).raw);
  } finally {
    rmSync(folder, { recursive: true });
  }
}
