/** `tls13 serve --early-data` and `tls13 connect --early-data`: accepted once, and sent all the same when it is not. */
import { once } from 'node:events';
import { existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeAll, describe, expect, it } from 'vitest';
import { createServer, type TlsServer, type TlsServerOptions } from '../../src/index.js';
import { Command, run, startServer, stopAfterEach, temporaryFolder } from './command.js';

stopAfterEach();
const temporary = temporaryFolder();
const servers: TlsServer[] = [];
const request = 'GET /hello.txt HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n';
let folder: string;
let file: string;

beforeAll(() => {
  folder = temporary();
  file = join(folder, 'request.txt');
  writeFileSync(file, request);
  writeFileSync(join(folder, 'hello.txt'), 'hello');
});

afterEach(() => {
  for (const server of servers.splice(0)) server.close();
});

/** `connect` until the server closes: an HTTP server of Node's gives up whoever half-closes. */
function connected(...list: string[]) {
  return new Command(['connect', ...list, '--insecure'], folder).finished;
}

/** What `connect --json` says of the connection, and what came. */
async function ask(...list: string[]) {
  const { status, stdout, stderr } = await connected(...list, '--json');
  const [said] = stderr.split('\n').map((line) => (line === '' ? undefined : JSON.parse(line)));
  return { status, stdout, said };
}

describe('a session', () => {
  it('carries the request at once, which is answered each time, whether it was accepted or not', async () => {
    const { served } = await startServer(folder, folder, '--early-data', '--max-early-data', '1000');
    const words = (data: string, session = 'session') => {
      return [`localhost:${served.port}`, '--session', join(folder, session), '--early-data', data];
    };
    const seen: unknown[] = [];
    for (let count = 0; count < 2; count++) {
      const { status, stdout, said } = await ask(...words(file));
      expect([status, stdout]).toEqual([0, expect.stringMatching(/hello$/)]);
      seen.push([said.earlyData, said.earlyDataReason]);
    }
    expect(seen).toEqual([
      ['none', 'no_session_offered'],
      ['accepted', 'accepted'],
    ]);
    const long = join(folder, 'long.txt');
    writeFileSync(long, request.replace('\r\n\r\n', `\r\nX: ${'x'.repeat(1000)}\r\n\r\n`));
    // A server that has answered early data and closed gives no new ticket, and each serves once.
    await ask(...words(file, 'another'));
    expect((await connected(...words(long, 'another'))).stderr).toContain('handshake: it is more than was permitted\n');
  });

  it('is not made with --num-tickets 0', async () => {
    const { served } = await startServer(folder, folder, '--num-tickets', '0');
    const session = join(folder, 'none');
    await ask(`localhost:${served.port}`, '--session', session, '--early-data', file);
    expect(existsSync(session)).toBe(false);
  });
});

it('an external PSK carries it without any session, if the server agreed on it', async () => {
  const key = '0f'.repeat(32);
  const claimed = new Set<string>();
  const replayCache = { claim: ({ id }: { id: Uint8Array }) => claimed.size < claimed.add(id.join()).size };
  const earlyData = { maxSize: 1000, cipherSuite: 'TLS_AES_128_GCM_SHA256', alpnProtocol: 'one' } as const;
  const psk = { identity: Buffer.from('meter'), key: Buffer.from(key, 'hex'), earlyData };
  const port = await listening({ psks: [psk], earlyData: { replayCache }, ALPNProtocols: ['one'] });
  const words = [`127.0.0.1:${port}`, '--psk', key, '--psk-identity', 'meter', '--early-data', file];
  const { status, stdout, said } = await ask(...words, '--alpn', 'one,two');
  expect([status, stdout, said.earlyData, said.resumed]).toEqual([0, request, 'accepted', false]);
  const other = await ask(...words);
  expect([other.stdout, other.said.earlyData]).toEqual([request, 'rejected']);
});

it.each<[string, string[], RegExp]>([
  ['connect', ['--early-data', 'nowhere'], /--early-data: ENOENT/],
  ['connect', ['--ticket-request', '3'], /--ticket-request is two numbers/],
  ['connect', ['--ticket-request', '3,256'], /--ticket-request is a number from 0 to 255, not 256/],
  ['serve', ['--max-early-data', '1'], /--max-early-data goes with --early-data/],
  ['serve', ['--early-data', '--num-tickets', '0'], /--early-data needs tickets/],
  ['serve', ['--num-tickets', '17'], /--num-tickets is a number from 0 to 16, not 17/],
])('%s %j is a mistake', async (command, words, message) => {
  const { status, stderr } = await run([command, ...(command === 'connect' ? ['localhost:1'] : []), ...words], folder);
  expect(status).toBe(1);
  expect(stderr).toMatch(message);
});

/** Sends back what it gets, and closes. */
async function listening(options: TlsServerOptions): Promise<number | undefined> {
  const server = createServer(options, (connection) => connection.once('data', (bytes) => connection.end(bytes)));
  servers.push(server);
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  return typeof address === 'object' ? address?.port : undefined;
}
