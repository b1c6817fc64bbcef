// The certificate that every server presents: P-256 unless it is said, self-signed, made anew for each run.
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const kinds = {
  'P-256': ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes'],
  'RSA-4096': ['-newkey', 'rsa:4096', '-nodes'],
};

/** @param kind P-256 or RSA-4096. @returns `{ cert, key }` in PEM, for localhost. */
export function makeCertificate(kind = 'P-256') {
  const folder = mkdtempSync(join(tmpdir(), 'tls13-bench-'));
  const [certificate, key] = [join(folder, 'cert.pem'), join(folder, 'key.pem')];
  const extensions = ['-addext', 'subjectAltName=DNS:localhost', '-addext', 'basicConstraints=critical,CA:FALSE'];
  const files = ['-subj', '/CN=localhost', '-days', '2', '-keyout', key, '-out', certificate];
  try {
    execFileSync('openssl', ['req', '-x509', ...kinds[kind], ...files, ...extensions], { stdio: 'pipe' });
    return { cert: readFileSync(certificate, 'utf8'), key: readFileSync(key, 'utf8') };
  } catch (error) {
    throw new Error(`the program openssl, which makes the certificate, did not: ${error.message}`);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
