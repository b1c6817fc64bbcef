// The ground that the kernel tests stand on: the kernel that was asked for, with its tls module, and a loopback interface.
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { createServer, connect as dial } from 'node:net';
import { release } from 'node:os';
import { describe, expect, it } from 'vitest';

describe('the kernel under test', () => {
  it('is the one that was asked for', () => {
    const asked = /^(\d+)\.(\d+)(\+?)$/.exec(process.env.KERNEL_EXPECT ?? '');
    expect(
      asked,
      'KERNEL_EXPECT comes from scripts/kernel.mjs: run these tests with npm run test:kernel',
    ).not.toBeNull();
    const [, major, minor, orLater] = asked ?? [];
    const wanted = Number(major) * 1000 + Number(minor);
    const [foundMajor, foundMinor] = release().split('.').map(Number);
    const found = Number(foundMajor) * 1000 + Number(foundMinor);
    if (orLater === '+') expect(found).toBeGreaterThanOrEqual(wanted);
    else expect(found).toBe(wanted);
  });

  it('has the tls ULP and its counters', () => {
    expect(readFileSync('/proc/sys/net/ipv4/tcp_available_ulp', 'utf8').split(/\s+/)).toContain('tls');
    expect(readFileSync('/proc/net/tls_stat', 'utf8')).toMatch(/^TlsTxSw\s+\d+$/m);
  });

  it('has a loopback interface', async () => {
    const server = createServer((socket) => socket.end('here')).listen(0, '127.0.0.1');
    await once(server, 'listening');
    const address = server.address();
    if (address === null || typeof address === 'string') throw new Error(`no port: ${address}`);
    const chunks: Buffer[] = [];
    const client = dial(address.port, '127.0.0.1').on('data', (chunk: Buffer) => chunks.push(chunk));
    await once(client, 'close');
    server.close();
    expect(Buffer.concat(chunks).toString()).toBe('here');
  });
});
