/** `tls13 connect` and `tls13 serve` with a pre-shared key. */
import { once } from 'node:events';
import { afterEach, describe, expect, it } from 'vitest';
import { createServer, type TlsServer } from '../../src/index.js';
import { run, stopAfterEach, temporaryFolder } from './command.js';

stopAfterEach();
const temporary = temporaryFolder();
const servers: TlsServer[] = [];
const key = '0f'.repeat(32);

afterEach(() => {
  for (const server of servers.splice(0)) server.close();
});

describe('connect --psk', () => {
  it('needs no certificate and says what it has instead', async () => {
    const psks = [{ identity: Buffer.from('meter'), key: Buffer.from(key, 'hex') }];
    const server = createServer({ psks }, (connection) => connection.end('bye'));
    servers.push(server);
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    const address = server.address();
    const port = typeof address === 'object' ? address?.port : undefined;
    const words = ['connect', `127.0.0.1:${port}`, '--psk', key, '--psk-identity', 'meter'];
    const { status, stdout, stderr } = await run(words, temporary());
    expect([status, stdout]).toEqual([0, 'bye']);
    expect(stderr).toMatch(/TLSv1\.3, TLS_AES_128_GCM_SHA256, \S+, pre-shared key/);
    expect(stderr).not.toContain('certificate');
    expect(stderr).not.toContain(key);
  });

  it.each([
    [['--psk', key], /--psk and --psk-identity go together/],
    [['--psk', '00ff', '--psk-identity', 'a'], /at least 16 bytes in hexadecimal/],
    [['--psk', key, '--psk-identity', 'a', '--psk-hash', 'md5'], /sha256/],
  ])('%j is a mistake', async (words, message) => {
    const { status, stderr } = await run(['connect', 'localhost:1', ...words], temporary());
    expect(status).toBe(1);
    expect(stderr).toMatch(message);
  });
});
