/** `tls13 ech generate`, and its keys in `tls13 serve` and `tls13 connect`, as processes. */
import { statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { readEchKeys } from '../../src/index.js';
import { createAuthority, keep } from './certificates.js';
import { run, startServer, stopAfterEach, temporaryFolder } from './command.js';

stopAfterEach();
const temporary = temporaryFolder();
let folder: string;
let ca: string;
let pair: { readonly cert: string; readonly key: string };

beforeAll(async () => {
  folder = temporary();
  const authority = await createAuthority('Test CA');
  ca = keep(folder, 'ca', authority).cert;
  pair = keep(folder, 'server', await authority.issue('localhost'));
});

describe('tls13 ech generate', () => {
  it('prints a key file, or keeps it secret and prints what to publish', async () => {
    const printed = await run(['ech', 'generate', '--public-name', 'public.example', '--config-id', '9'], folder);
    expect(printed).toMatchObject({ status: 0, stderr: '' });
    expect(readEchKeys(printed.stdout)).toHaveLength(1);
    const kept = await run(['ech', 'generate', '--public-name', 'public.example', '--out', 'key.pem'], folder);
    expect(kept.status).toBe(0);
    expect(kept.stdout).toMatch(/^[A-Za-z0-9+/]+=*\n$/);
    expect(statSync(join(folder, 'key.pem')).mode & 0o777).toBe(0o600);
  });

  it.each([
    [['ech'], /generate/],
    [['ech', 'destroy'], /not destroy/],
    [['ech', 'generate'], /--public-name is missing/],
    [['ech', 'generate', '--public-name', '10.0.0.1'], /--public-name "10\.0\.0\.1"/],
    [['ech', 'generate', '--public-name', 'a.b', '--config-id', '256'], /--config-id is a number/],
    [['ech', 'generate', '--public-name', 'a.b', '--out', '/nowhere/key.pem'], /--out/],
  ])('%j says what is wrong', async (list, message) => {
    const { status, stderr } = await run(list, folder);
    expect(status).toBe(1);
    expect(stderr).toMatch(message);
  });
});

it('serve opens, connect hides; a stale config is answered with the current one', async () => {
  const generate = (file: string) => run(['ech', 'generate', '--public-name', 'localhost', '--out', file], folder);
  const [{ stdout: current }, { stdout: old }, { stdout: stale }] = [
    await generate('current.pem'),
    await generate('old.pem'),
    await generate('stale.pem'),
  ];
  const keys = ['--ech-key', 'current.pem', '--ech-key', 'old.pem'];
  const { served } = await startServer(folder, '--cert', pair.cert, '--key', pair.key, ...keys);
  const connect = (...more: readonly string[]) =>
    run(['connect', `localhost:${served.port}`, '--ca', ca, ...more], folder, 'GET / HTTP/1.0\r\n\r\n');
  writeFileSync(join(folder, 'config.txt'), current);
  writeFileSync(join(folder, 'config.bin'), Buffer.from(current, 'base64'));
  for (const config of [current.trim(), old.trim(), 'config.txt', 'config.bin', 'current.pem']) {
    expect((await connect('--ech-config', config)).stderr).toMatch(/^tls13: TLSv1\.3.*, ECH\n/);
  }
  const rejected = await connect('--ech-config', stale.trim());
  expect(rejected.status).toBe(4);
  expect(rejected.stderr).toContain(`try again with --ech-config ${current.trim()}\n`);
  expect((await connect('--ech-grease')).stderr).toMatch(/^tls13: TLSv1\.3(?!.*ECH)/);
  expect((await connect('--ech-config', 'AAAAAAAA')).status).toBe(1);
});

it('serve says what is wrong with a key', async () => {
  writeFileSync(join(folder, 'bad.pem'), 'nothing');
  const { status, stderr } = await run(['serve', '--ech-key', 'bad.pem'], folder);
  expect(status).toBe(1);
  expect(stderr).toMatch(/--ech-key/);
});
