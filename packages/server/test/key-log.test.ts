/** SSLKEYLOGFILE (RFC 9850): who writes what where, and who does not. */
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { dialed, readAll, serve } from './support.js';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'key-log-'));
});
afterEach(() => {
  delete process.env.SSLKEYLOGFILE;
  rmSync(folder, { recursive: true });
});

const labels = [
  'CLIENT_HANDSHAKE_TRAFFIC_SECRET',
  'SERVER_HANDSHAKE_TRAFFIC_SECRET',
  'CLIENT_TRAFFIC_SECRET_0',
  'SERVER_TRAFFIC_SECRET_0',
  'EXPORTER_SECRET',
];

function linesOf(path: string): readonly (readonly string[])[] {
  const text = readFileSync(path, 'latin1');
  return text
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => line.split(' '));
}

async function connection(server: object, client: object): Promise<void> {
  const listening = await serve(server, (peer) => peer.end('hello'));
  await readAll(await dialed(listening, client));
}

it('both ends write the same secrets to the file of the environment, with one warning', async () => {
  const path = join(folder, 'both');
  process.env.SSLKEYLOGFILE = path;
  const warned = once(process, 'warning');
  await connection({}, {});
  const lines = linesOf(path);
  for (const label of labels) {
    const [one, two, ...more] = lines.filter(([name]) => name === label);
    expect(one?.slice(1).map((hex) => hex.length)).toEqual([64, expect.toSatisfy((length: number) => length >= 64)]);
    expect(two).toEqual(one);
    expect(more).toEqual([]);
  }
  expect(statSync(path).mode & 0o777).toBe(0o600);
  expect((await warned)[0]).toMatchObject({ code: 'TLS13_KEYLOG' });
});

it('the option names another file, and false none', async () => {
  const path = join(folder, 'environment');
  process.env.SSLKEYLOGFILE = path;
  await connection({ keyLogFile: join(folder, 'server') }, { keyLogFile: false });
  expect(linesOf(join(folder, 'server')).map(([label]) => label)).toEqual(labels);
  expect(() => statSync(path)).toThrow('ENOENT');
});

it('without either nothing is written, and a file that cannot be is a warning, not a failure', async () => {
  await connection({}, {});
  process.env.SSLKEYLOGFILE = join(folder, 'no such folder', 'log');
  const warned = once(process, 'warning');
  await connection({}, {});
  expect((await warned)[0]).toMatchObject({ message: expect.stringContaining('ENOENT') });
});
