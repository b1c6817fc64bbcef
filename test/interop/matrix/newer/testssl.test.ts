/** testssl.sh scans our HTTPS server: nothing of severity MEDIUM or above but what is not the protocol's. */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createHttpsServer } from 'tls13-server';
import { expect, it, onTestFinished } from 'vitest';
import { cacheFolder } from '../../../../scripts/lib/run.mjs';
import { scratch, serverIdentity, trusted } from '../../identities.js';
import { packageVersion, start } from '../peer.js';

/** What is left to say of findings that stand. */
const arguments_: Readonly<Record<string, string>> = {
  cert_expirationStatus: 'the certificate of the tests lives for a month',
  cert_notAfter: 'the certificate of the tests lives for a month',
  cert_revocation: 'the certificate of the tests names no revocation service',
  security_headers: 'headers are the application’s; the one of the tests sends Strict-Transport-Security alone',
};

interface Finding {
  readonly id: string;
  readonly severity: string;
  readonly finding: string;
}

it('testssl.sh finds no weakness', { timeout: 1_200_000 }, async () => {
  const { pem, keyPem } = serverIdentity('p256');
  const server = createHttpsServer({ cert: pem, key: keyPem }, (_request, response) => {
    response.setHeader('strict-transport-security', 'max-age=31536000');
    response.end('hello');
  });
  // It tries all that it should be refused.
  server.on('tlsClientError', () => {});
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => new Promise<void>((resolve) => server.close(() => resolve())));
  const address = server.address();
  const port = typeof address === 'object' ? address?.port : undefined;
  const output = scratch('testssl.json');
  const scan = start('sid', [
    ...['testssl', '--quiet', '--warnings', 'off', '--color', '0', '--ip', '127.0.0.1', '--add-ca', trusted.files.cert],
    ...['--jsonfile', output, `https://localhost:${port}/`],
  ]);
  await scan.exited;
  const found: readonly Finding[] = JSON.parse(readFileSync(output, 'utf8'));
  const severe = found.filter(({ severity }) => ['MEDIUM', 'HIGH', 'CRITICAL'].includes(severity));
  const grade = found.find(({ id }) => id === 'overall_grade')?.finding;
  keep(found.length, grade, severe);
  expect(severe.filter(({ id }) => !Object.hasOwn(arguments_, id))).toEqual([]);
  // It says what the server offers only if it has reached it.
  expect(found.find(({ id }) => id === 'TLS1_3')?.finding).toMatch(/^offered/);
  expect(grade).toMatch(/^A/);
});

function keep(count: number, grade: string | undefined, severe: readonly Finding[]): void {
  const folder = join(cacheFolder, 'reports/interop');
  mkdirSync(folder, { recursive: true });
  const summary =
    `A scan of our HTTPS server: ${count} findings, overall grade ${grade}. None of severity MEDIUM or above is about TLS; ` +
    'those there are:';
  const findings = severe.map((finding) => ({ ...finding, argument: arguments_[finding.id] ?? 'none' }));
  const version = packageVersion('sid', 'testssl.sh');
  writeFileSync(
    join(folder, 'testssl.json'),
    JSON.stringify({ name: 'testssl.sh', version, summary, findings }, null, 1),
  );
}
