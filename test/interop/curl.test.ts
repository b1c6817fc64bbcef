/** Our HTTPS server with curl: as a newcomer would use both. */
import { createHash } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import type { AddressInfo } from 'node:net';
import { basename, dirname } from 'node:path';
import type { NamedGroupName } from 'tls13-core';
import {
  createHttpsServer,
  type HttpsServer,
  type HttpsServerOptions,
  sendFile,
  type TlsConnection,
} from 'tls13-server';
import { describe, expect, it, onTestFinished } from 'vitest';
import { clientIdentity, scratch, serverIdentity, strangersIdentity, trusted } from './identities.js';
import { allSuites, provider } from './ours.js';
import { curl, sha256 } from './peers/curl.js';
import { payload } from './peers/program.js';

const large = payload(5 << 20);
const file = scratch('large.bin');
writeFileSync(file, large);

describe('curl gets from our server', () => {
  it.each(allSuites)('with %s', async (suite) => {
    const { port } = await serve();
    const more = suite === 'TLS_AES_128_CCM_8_SHA256' ? ['--ciphers', 'DEFAULT@SECLEVEL=0'] : [];
    const answer = await curl(port, '/', ['--tls13-ciphers', suite, ...more]);
    expect(answer).toMatchObject({ status: 0, code: 200 });
    expect(answer.text).toContain(`SSL connection using TLSv1.3 / ${suite}`);
    expect(answer.text).toContain(`"cipherSuite":"${suite}"`);
  });

  it.each<{ curve: string; group: NamedGroupName }>([
    { curve: 'X25519', group: 'x25519' },
    { curve: 'P-256', group: 'secp256r1' },
    { curve: 'P-384', group: 'secp384r1' },
    { curve: 'P-521', group: 'secp521r1' },
  ])('with $curve', async ({ curve, group }) => {
    const { port } = await serve();
    const answer = await curl(port, '/', ['--curves', curve]);
    expect(answer).toMatchObject({ status: 0, code: 200 });
    expect(answer.text).toContain(`"group":"${group}"`);
  });

  it.each(['native', 'noble'] as const)('over HTTP/2 (%s)', async (name) => {
    const { port } = await serve({ http2: true, ...provider(name) });
    const answer = await curl(port, '/', ['--http2']);
    expect(answer).toMatchObject({ status: 0, code: 200, httpVersion: '2' });
    expect(answer.text).toContain('"alpnProtocol":"h2"');
  });

  it.each(['--http1.1', '--http2'])('a large file, %s', async (version) => {
    const { port } = await serve({ http2: true });
    const output = scratch(`got${version}`);
    expect(await curl(port, '/large', [version, '--output', output])).toMatchObject({ status: 0, code: 200 });
    expect(readFileSync(output).equals(large)).toBe(true);
  });

  it.each(['--http1.1', '--http2'])('what a HEAD says, %s', async (version) => {
    const { port } = await serve({ http2: true });
    const answer = await curl(port, '/large', [version, '--head']);
    expect(answer).toMatchObject({ status: 0, code: 200 });
    expect(answer.text).toMatch(new RegExp(`content-length: ${large.length}\r?\n`, 'i'));
  });

  it.each(['--http1.1', '--http2'])('a range, %s', async (version) => {
    const { port } = await serve({ http2: true });
    const output = scratch(`range${version}`);
    const answer = await curl(port, '/large', [version, '--range', '1000000-1099999', '--output', output]);
    expect(answer).toMatchObject({ status: 0, code: 206 });
    expect(readFileSync(output).equals(large.subarray(1_000_000, 1_100_000))).toBe(true);
  });

  it('several files over one connection', async () => {
    const { server, port } = await serve();
    let connections = 0;
    server.on('secureConnection', () => {
      connections += 1;
    });
    const [one, two] = [scratch('one'), scratch('two')];
    const url = `https://localhost:${port}/large`;
    const answer = await curl(port, '/large', ['--output', one, url, '--output', two]);
    expect(answer).toMatchObject({ status: 0, code: 200 });
    for (const output of [one, two]) expect(readFileSync(output).equals(large)).toBe(true);
    expect(connections).toBe(1);
  });
});

describe('curl puts to our server', () => {
  it.each(['--http1.1', '--http2'])('a large file, %s', async (version) => {
    const { port } = await serve({ http2: true });
    const answer = await curl(port, '/put', [version, '--upload-file', file]);
    expect(answer).toMatchObject({ status: 0, code: 200 });
    expect(answer.text).toContain(`"sha256":"${sha256(large)}"`);
  });
});

describe('curl and our server', () => {
  it('know the client by its certificate', async () => {
    const { port } = await serve({ requestCert: true, ca: trusted.pem });
    const { files } = clientIdentity('p256');
    const answer = await curl(port, '/', ['--cert', files.cert, '--key', files.key]);
    expect(answer).toMatchObject({ status: 0, code: 200 });
    expect(answer.text).toContain('"client":"CN=client p256"');
  });

  it('refuse a client without one', async () => {
    const { port } = await serve({ requestCert: true, ca: trusted.pem });
    const answer = await curl(port, '/');
    expect(answer.status).not.toBe(0);
    expect(answer.text).toContain('certificate required');
  });

  it('refuse an unknown authority', async () => {
    const { pem, keyPem } = strangersIdentity();
    const { server, port } = await serve({ cert: pem, key: keyPem });
    const failed = new Promise<Error>((resolve) => server.once('tlsClientError', resolve));
    // CURLE_PEER_FAILED_VERIFICATION
    expect(await curl(port, '/')).toMatchObject({ status: 60 });
    expect(await failed).toMatchObject({ alert: 'unknown_ca', received: true });
  });

  it('refuse TLS 1.2', async () => {
    const { port } = await serve();
    const answer = await curl(port, '/', ['--tls-max', '1.2']);
    // CURLE_SSL_CONNECT_ERROR
    expect(answer.status).toBe(35);
    expect(answer.text).toContain('alert protocol version');
  });
});

/** An application that tells a connection what it is, sends a file, and digests what it is given. */
async function serve(options: HttpsServerOptions = {}): Promise<{ server: HttpsServer; port: number }> {
  const { pem, keyPem } = serverIdentity('p256');
  const server = createHttpsServer({ cert: pem, key: keyPem, ciphers: allSuites, ...options }, (request, response) => {
    if (request.url === '/large') {
      sendFile(request, response, basename(file), { root: dirname(file) }).catch((error: Error) =>
        response.destroy(error),
      );
    } else if (request.method === 'PUT') {
      const hash = createHash('sha256');
      request.on('data', (part) => hash.update(part));
      request.on('end', () => response.end(JSON.stringify({ sha256: hash.digest('hex') })));
    } else {
      response.end(JSON.stringify(latest));
    }
  });
  // Each curl has its own server.
  let latest = {};
  server.on('secureConnection', (connection: TlsConnection) => {
    const { info } = connection;
    const client = connection.getPeerX509Certificate()?.subject;
    const { cipherSuite, group, alpnProtocol } = info ?? {};
    latest = { cipherSuite, group, alpnProtocol, client };
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', () => resolve()));
  onTestFinished(async () => {
    const closed = new Promise<void>((resolve) => server.close(() => resolve()));
    server.closeAllConnections();
    await closed;
  });
  return { server, port: portOf(server.address()) };
}

function portOf(address: AddressInfo | string | null): number {
  if (typeof address === 'object' && address !== null) return address.port;
  throw new Error('the server does not listen');
}
