/** The command `tls13` on a kernel that seals: what it prints, what a visitor is told, and that the kernel counted it. */
import { readFileSync } from 'node:fs';
import { request } from 'node:https';
import { join } from 'node:path';
import { buffer } from 'node:stream/consumers';
import { kernel } from 'ktls-bind';
import { describe, expect, it } from 'vitest';
import { run, startServer, stopAfterEach, temporaryFolder } from '../../packages/server/test/cli/command.js';

stopAfterEach();
const folder = temporaryFolder();
const site = join(import.meta.dirname, '../../examples/site');

describe('tls13 on this kernel', () => {
  it('serves by the kernel, says so, and the kernel has counted it', async () => {
    const rekey = kernel.probe().rekey.send ? 'rekey' : 'no rekey';
    const { served } = await startServer(folder(), site);
    expect(served.offload).toEqual({ policy: 'auto', summary: `kernel: send, AES-GCM/CCM/ChaCha20, ${rekey}` });
    const before = sealedByKernel();
    const { connection, server } = JSON.parse(String(await get(served.port, '/.well-known/tls13/status')));
    expect(connection).toMatchObject({
      send: { where: 'kernel', device: 'software' },
      receive: { where: 'user', reason: 'policy-send-only' },
    });
    expect(server.counters.offload.send).toEqual({ kernel: 1 });
    const size = 3_000_001;
    const zeros = await get(served.port, `/.well-known/tls13/download?size=${size}`);
    expect(zeros.equals(Buffer.alloc(size))).toBe(true);
    const page = await get(served.port, '/index.html');
    expect(page.equals(readFileSync(join(site, 'index.html')))).toBe(true);
    expect(sealedByKernel() - before).toBe(3);
  });

  it('connects with both directions in the kernel, to a server that has both there too', async () => {
    const { served } = await startServer(folder(), site, '--offload', 'both');
    const asking = 'GET /.well-known/tls13/status HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n';
    const ca = join(folder(), '.tls13/development-cert.pem');
    const list = ['connect', `127.0.0.1:${served.port}`, '--servername', 'localhost', '--ca', ca, '--offload', 'both'];
    const { status, stdout, stderr } = await run([...list, '--json'], folder(), asking);
    const inKernel = { where: 'kernel', device: 'software' };
    expect(JSON.parse(stdout.split('\r\n\r\n')[1] ?? '').connection).toMatchObject({
      send: inKernel,
      receive: inKernel,
    });
    expect(JSON.parse(stderr.split('\n')[0] ?? '')).toMatchObject({ send: inKernel, receive: inKernel });
    expect(status).toBe(0);
  });

  it('finds it in good order', async () => {
    const { stdout } = await run(['doctor', '--json'], folder());
    const { offload, findings } = JSON.parse(stdout);
    expect(offload.summary).toBe(kernel.probe().summary);
    const statusOf = (check: string) => findings.find((one: { check: string }) => one.check === check)?.status;
    expect(statusOf('kernel.ulp')).toBe('ok');
    expect(statusOf('kernel.cipher.aes-256-gcm')).toBe('ok');
    expect(statusOf('kernel.counters')).toBe('ok');
  });
});

function sealedByKernel(): number {
  return kernel.readTlsStat()?.TlsTxSw ?? 0;
}

/** On a connection of its own. */
function get(port: number, path: string): Promise<Buffer> {
  return new Promise((done, fail) => {
    const options = { port, host: '127.0.0.1', path, rejectUnauthorized: false, agent: false };
    request(options, (response) => buffer(response).then(done, fail))
      .on('error', fail)
      .end();
  });
}
