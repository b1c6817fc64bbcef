/** What comes with certificates, or in their place: compression, stapled responses, keys they delegate to. */
import { execFileSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import * as zlib from 'node:zlib';
import type { CertificateCompressionName } from 'tls13-core';
import { delegate } from 'tls13-server';
import { expect } from 'vitest';
import { clientIdentity, delegatingIdentity, scratch, serverIdentity, trusted } from '../../identities.js';
import { dial } from '../../ours.js';
import { type Feature, simple } from './feature.js';

const group = 'Certificates';

const algorithms: readonly CertificateCompressionName[] = ['zlib', 'brotli', 'zstd'];

const compression = algorithms.map((name): Feature => {
  const ours = { certificateCompression: [name] };
  const missing = name === 'zstd' && !('zstdCompressSync' in zlib);
  return {
    id: `compress-${name}`,
    title: `Certificate compression (RFC 8879): the server’s, ${name}`,
    group,
    client: simple({ theirs: { compression: name }, ours, info: { localCertificateCompression: name } }),
    server: simple({ theirs: { compression: name }, ours, info: { peerCertificateCompression: name } }),
    ...(missing ? { open: 'Node has zstd since 22.15' } : {}),
  };
});

export const certificates: readonly Feature[] = [
  ...compression,
  {
    id: 'compress-client',
    title: 'Certificate compression: the client’s',
    group,
    client: async (cell) => {
      const ours = { requestCert: true, ca: trusted.pem, certificateCompression: ['zlib'] as const };
      const pair = await cell.connect({ identity: clientIdentity('p256').files, compression: 'zlib' }, ours);
      await cell.check(pair, { peerCertificateCompression: 'zlib' }, {});
      expect(pair.connection.authorized).toBe(true);
    },
    server: async (cell) => {
      const { pem, keyPem } = clientIdentity('p256');
      const ours = { cert: pem, key: keyPem, certificateCompression: ['zlib'] as const };
      const pair = await cell.connect({ requestCert: true, compression: 'zlib' }, ours);
      await cell.check(pair, { localCertificateCompression: 'zlib' }, { verified: true });
    },
  },
  {
    id: 'staple',
    title: 'A stapled OCSP response',
    group,
    client: async (cell) => {
      const { file, der } = ocspResponse();
      const pair = await cell.connect({ staple: file }, { asServer: { ocspResponse: der } });
      await cell.check(pair, {}, { verified: true });
      expect((await pair.link.said(1)).stapled).toBe(true);
    },
    server: async (cell) => {
      const { file, der } = ocspResponse();
      const pair = await cell.connect({ staple: file });
      await cell.check(pair, {}, {});
      const given = pair.connection.info?.ocspResponse;
      // Some make one of their own.
      if (pair.link.makesStaples === true) expect(given?.[0]).toBe(0x30);
      else expect(Buffer.from(given ?? [])).toEqual(der);
    },
  },
  {
    id: 'delegated',
    title: 'Delegated credentials (RFC 9345)',
    group,
    client: async (cell) => {
      const { pem, keyPem } = delegatingIdentity();
      const delegated = await delegate({ cert: pem, key: keyPem });
      const ours = { cert: pem, ...delegated, credentials: [{ cert: pem, key: keyPem }] };
      const pair = await cell.connect({ delegatedCredential: true }, ours);
      await cell.check(pair, { localDelegatedCredential: true }, { verified: true });
    },
  },
  {
    id: 'authorities',
    title: 'certificate_authorities, from the server',
    group,
    client: async (cell) => {
      const ours = { requestCert: true, rejectUnauthorized: false, ca: trusted.pem };
      const pair = await cell.connect({}, ours);
      await cell.check(pair, {}, {});
      await pair.link.program.until(/Interop CA\n/);
    },
    server: async (cell) => {
      const { pem, keyPem } = clientIdentity('p256');
      const link = await cell.server({ requestCert: true });
      const seen: string[] = [];
      const connection = await dial(link.port, {
        onCertificateRequest: ({ certificateAuthorities }) => {
          for (const name of certificateAuthorities) seen.push(Buffer.from(name).toString('latin1'));
          return { cert: pem, key: keyPem };
        },
      });
      await cell.check({ link, connection }, {}, { verified: true });
      expect([...new Set(seen)]).toEqual([expect.stringContaining('Interop CA')]);
    },
  },
];

/** For the server's certificate, by the authority. */
function ocspResponse(): { file: string; der: Buffer } {
  const { files } = serverIdentity('p256');
  const [request, file, index] = ['ocsp.request', 'ocsp.response', 'ocsp.index'].map(scratch);
  if (request === undefined || file === undefined || index === undefined) throw new Error('three names');
  const run = (...words: string[]) => execFileSync('openssl', words, { encoding: 'utf8', stdio: 'pipe' });
  const serial = run('x509', '-noout', '-serial', '-in', files.cert).trim().replace('serial=', '');
  writeFileSync(index, `V\t991231235959Z\t\t${serial}\tunknown\t/CN=localhost\n`);
  const authority = ['-CA', trusted.files.cert, '-rsigner', trusted.files.cert, '-rkey', trusted.files.key];
  run('ocsp', '-issuer', trusted.files.cert, '-cert', files.cert, '-no_nonce', '-reqout', request);
  run('ocsp', '-index', index, ...authority, '-reqin', request, '-ndays', '7', '-respout', file);
  return { file, der: readFileSync(file) };
}
