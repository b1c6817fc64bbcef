/** `tls13 serve` and `tls13 connect` with keys in the place of certificates (RFC 7250), and with OCSP responses. */
import { createPublicKey, generateKeyPairSync } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { createAuthority, keep } from './certificates.js';
import { run, startServer, stopAfterEach, temporaryFolder } from './command.js';

stopAfterEach();
const temporary = temporaryFolder();
let folder: string;
let certificate: { readonly cert: string; readonly key: string };
let ca: string;

beforeAll(async () => {
  folder = temporary();
  for (const name of ['server', 'client']) {
    const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
    writeFileSync(join(folder, `${name}.key`), privateKey.export({ format: 'pem', type: 'pkcs8' }));
    const publicKey = createPublicKey(privateKey).export({ format: 'pem', type: 'spki' });
    writeFileSync(join(folder, `${name}.pub`), publicKey);
  }
  const authority = await createAuthority('Test CA');
  ca = keep(folder, 'ca', authority).cert;
  certificate = keep(folder, 'leaf', await authority.issue('localhost'));
  writeFileSync(join(folder, 'response.der'), Buffer.from('30030a0106', 'hex'));
});

async function serving(...list: string[]): Promise<string> {
  const { served } = await startServer(folder, '.', ...list);
  return `localhost:${served.port}`;
}

/** What `connect` says of the connection, and its status. */
async function connected(to: string, ...list: string[]) {
  const { stderr, status } = await run(['connect', to, '--json', ...list], folder, 'GET / HTTP/1.0\r\n\r\n');
  return { ...JSON.parse(stderr.split('\n')[0] ?? ''), status };
}

describe('tls13', () => {
  it('connect believes the key that it expects, and serve the one of the client', async () => {
    const to = await serving('--raw-public-key', 'server.key', '--expect-raw-public-key', 'client.pub');
    const own = ['--raw-public-key', 'client.key'];
    const seen = await connected(to, '--expect-raw-public-key', 'server.pub', ...own);
    expect(seen).toMatchObject({ event: 'connected', authorized: true, fingerprint256: null, status: 0 });
    expect(seen.rawPublicKey256).toMatch(/^[0-9A-F]{2}(:[0-9A-F]{2}){31}$/);
    const other = await connected(to, '--expect-raw-public-key', 'client.pub', ...own);
    expect(other).toMatchObject({ event: 'ended', status: 4, reason: expect.stringMatching(/certificate_unknown/) });
    const stranger = await connected(to, '--expect-raw-public-key', 'server.pub', '--raw-public-key', 'server.key');
    expect(stranger.status).toBe(3);
  });

  it('serve staples a response, and connect shows it', async () => {
    const to = await serving('--cert', certificate.cert, '--key', certificate.key, '--ocsp', 'response.der');
    expect(await connected(to, '--ca', ca)).toMatchObject({ ocspResponse: 'MAMKAQY=', authorized: true });
    const text = await run(['connect', to, '--ca', ca], folder, 'GET / HTTP/1.0\r\n\r\n');
    expect(text.stderr).toMatch(/certificate .*, verified, OCSP response of 5 bytes, not judged/);
  });
});

describe('a mistake in the command', () => {
  it.each([
    [['connect', 'localhost', '--raw-public-key', 'server.pub'], /--raw-public-key server.pub: .*private key/],
    [['connect', 'localhost', '--expect-raw-public-key', 'server.key'], /server.key: .*this is a private key/],
    [['connect', 'localhost', '--raw-public-key', 'client.key', '--cert', 'c', '--key', 'k'], /exclude each other/],
    [['serve', '.', '--ocsp', 'response.der'], /--ocsp goes with --cert: 1 and 0 were given/],
    [['serve', '.', '--raw-public-key', 'none.key'], /--raw-public-key: ENOENT/],
  ])('%j', async (list, message) => {
    const { status, stderr } = await run(list, folder);
    expect([status, stderr]).toEqual([1, expect.stringMatching(message)]);
  });
});
