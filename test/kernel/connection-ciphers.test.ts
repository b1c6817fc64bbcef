// Connections whose records the kernel protects: every cipher, direction and role, against OpenSSL and against ourselves.
import type { TlsConnection } from 'tls13-server';
import { describe, expect, it } from 'vitest';
import { connected, pair, readAll, readBytes, startServer, write } from './support/connections.js';
import { bytesOf, digest, mebibytes } from './support/files.js';
import { countTlsStat, until } from './support/kernel.js';
import { sClient, sServer } from './support/openssl.js';

const suites = [
  'TLS_AES_128_GCM_SHA256',
  'TLS_AES_256_GCM_SHA384',
  'TLS_CHACHA20_POLY1305_SHA256',
  'TLS_AES_128_CCM_SHA256',
] as const;
const policies = ['send', 'both'] as const;
type Policy = (typeof policies)[number];

const sizes = [0, 1, 16_383, 16_384, 16_385];
const total = sizes.reduce((sum, size) => sum + size, 0);
const message = bytesOf(total);
const inKernel = { where: 'kernel', device: 'software' };
const expectedOffload = (policy: Policy) => ({
  send: inKernel,
  receive: policy === 'both' ? inKernel : expect.objectContaining({ where: 'user', reason: 'policy-send-only' }),
});

/** The message in writes of all sizes, each by itself. */
async function writeSizes(connection: TlsConnection): Promise<void> {
  let at = 0;
  for (const size of sizes) {
    await write(connection, message.subarray(at, at + size));
    at += size;
  }
}

const combinations = suites.flatMap((suite) => policies.map((policy) => [suite, policy] as const));

describe.each(combinations)('%s, offload %s', (suite, policy) => {
  const options = { ciphers: suite, offload: policy };
  const openssl = ['-quiet', '-tls1_3', '-ciphersuites', suite];
  const received = policy === 'both' ? 1 : 0;

  it('our server and s_client', async () => {
    const listener = await startServer(options);
    const risen = countTlsStat();
    const client = sClient(listener.port, ...openssl);
    const connection = await listener.next();
    client.stdin.write(message);
    const [content] = await Promise.all([readBytes(connection, total), writeSizes(connection)]);
    expect(content.equals(message)).toBe(true);
    expect(connection.info?.cipherSuite).toBe(suite);
    expect(connection.offload).toEqual(expectedOffload(policy));
    connection.end();
    expect(await client.exited, client.diagnostics()).toBe(0);
    expect(client.output().equals(message)).toBe(true);
    expect([risen('TlsTxSw'), risen('TlsRxSw'), risen('TlsDecryptError')]).toEqual([1, received, 0]);
  });

  it('our client and s_server', async () => {
    const server = await sServer(...openssl);
    const risen = countTlsStat();
    const connection = await connected(server.port, options);
    server.stdin.write(message);
    const [content] = await Promise.all([readBytes(connection, total), writeSizes(connection)]);
    expect(content.equals(message)).toBe(true);
    expect(connection.info?.cipherSuite).toBe(suite);
    expect(connection.offload).toEqual(expectedOffload(policy));
    await until(() => server.output().length >= total, 'all data at s_server');
    connection.end();
    expect(await server.exited, server.diagnostics()).toBe(0);
    expect(server.output().equals(message)).toBe(true);
    expect([risen('TlsTxSw'), risen('TlsRxSw'), risen('TlsDecryptError')]).toEqual([1, received, 0]);
  });

  it('our server and our client', async () => {
    const risen = countTlsStat();
    const { server, client } = await pair({ server: options, client: options });
    const [up, down] = await Promise.all([
      readBytes(server, total),
      readBytes(client, total),
      writeSizes(server),
      writeSizes(client),
    ]);
    expect([up.equals(message), down.equals(message)]).toEqual([true, true]);
    expect([server.offload, client.offload]).toEqual([expectedOffload(policy), expectedOffload(policy)]);
    client.end();
    const [rest] = await Promise.all([readAll(server), readAll(client)]);
    expect(rest.length).toBe(0);
    expect([risen('TlsTxSw'), risen('TlsRxSw'), risen('TlsDecryptError')]).toEqual([2, 2 * received, 0]);
  });
});

describe.each([...policies, 'off'] as const)('5 MiB each way, offload %s', (offload) => {
  it('in one write, read as it comes', async () => {
    const risen = countTlsStat();
    const { server, client } = await pair({ server: { offload }, client: { offload } });
    const content = bytesOf(mebibytes(5));
    server.end(content);
    client.end(content);
    const [up, down] = await Promise.all([readAll(server), readAll(client)]);
    expect([digest(up), digest(down)]).toEqual([digest(content), digest(content)]);
    expect([risen('TlsTxSw'), risen('TlsRxSw')]).toEqual([offload === 'off' ? 0 : 2, offload === 'both' ? 2 : 0]);
  });
});

describe('the policy', () => {
  it('pitfall 14: by default sends through the kernel and receives in user space', async () => {
    const risen = countTlsStat();
    const { server, client } = await pair({});
    expect([server.offload, client.offload]).toEqual([expectedOffload('send'), expectedOffload('send')]);
    expect([risen('TlsTxSw'), risen('TlsRxSw')]).toEqual([2, 0]);
  });

  it('off leaves both to user space, and says so', async () => {
    const risen = countTlsStat();
    const { server, client } = await pair({ server: { offload: 'off' }, client: { offload: 'off' } });
    const off = { where: 'user', reason: 'policy-off', detail: "the option offload is 'off'" };
    expect([server.offload, client.offload]).toEqual([
      { send: off, receive: off },
      { send: off, receive: off },
    ]);
    expect([risen('TlsTxSw'), risen('TlsRxSw')]).toEqual([0, 0]);
  });

  it('pitfall 12: TLS_AES_128_CCM_8_SHA256, which no kernel has, stays in user space', async () => {
    const risen = countTlsStat();
    const options = { ciphers: 'TLS_AES_128_CCM_8_SHA256', offload: 'both' } as const;
    const { server, client, listener } = await pair({ server: options, client: options });
    const ccm8 = expect.objectContaining({ where: 'user', reason: 'ccm8' });
    expect([server.offload, client.offload]).toEqual([
      { send: ccm8, receive: ccm8 },
      { send: ccm8, receive: ccm8 },
    ]);
    expect(listener.server.counters.offload).toEqual({ send: { ccm8: 1 }, receive: { ccm8: 1 } });
    server.end(message);
    expect((await readAll(client)).equals(message)).toBe(true);
    expect([risen('TlsTxSw'), risen('TlsRxSw')]).toEqual([0, 0]);
  });
});
