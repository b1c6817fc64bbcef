/** `tls13 serve` as a process, asked by Node's own clients. */
import { X509Certificate } from 'node:crypto';
import { mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import type { IncomingMessage } from 'node:http';
import { connect as connectHttp2 } from 'node:http2';
import { Agent, request as httpsRequest } from 'node:https';
import { connect as connectTcp, createServer as createTcpServer } from 'node:net';
import { join } from 'node:path';
import { buffer, text } from 'node:stream/consumers';
import { setTimeout as delay } from 'node:timers/promises';
import { connect as connectTls, type TLSSocket } from 'node:tls';
import { beforeAll, describe, expect, it } from 'vitest';
import { createAuthority, type Issued, keep } from './certificates.js';
import { Command, run, startServer, stopAfterEach, temporaryFolder } from './command.js';

stopAfterEach();
const temporary = temporaryFolder();
let folder: string;
let site: string;

beforeAll(async () => {
  folder = temporary();
  site = join(folder, 'site');
  mkdirSync(join(site, 'sub'), { recursive: true });
  mkdirSync(join(site, 'empty'));
  writeFileSync(join(site, 'index.html'), '<h1>hello</h1>');
  writeFileSync(join(site, 'sub', 'index.html'), 'below');
  writeFileSync(join(site, 'hundred.txt'), 'x'.repeat(100));
  writeFileSync(join(site, '.hidden'), 'hidden');
  writeFileSync(join(folder, 'secret.txt'), 'secret');
});

describe('what it prints', () => {
  it('is one object with --json, and the development certificate stays', async () => {
    const first = await startServer(folder, site);
    const { url, port, pid, offload, certificates, provider } = first.served;
    expect(url).toBe(`https://localhost:${port}/`);
    expect(pid).toBe(first.child.pid);
    expect(offload.policy).toBe('auto');
    expect(offload.summary).toMatch(/^(kernel: send, |user space: )/);
    expect(provider).toMatch(/^(native|node)$/);
    expect(certificates).toMatchObject([{ file: join('.tls13', 'development-cert.pem') }]);
    expect(await fingerprintAt(port)).toBe(certificates[0]?.fingerprint256);
    const second = await startServer(folder, site);
    expect(second.served.certificates).toEqual(certificates);
  });

  it('is address, fingerprint and offload, in this order, without', async () => {
    const server = new Command(['serve', site, '--port', '0'], folder);
    await server.printed('stdout', /(.*\n){3}/);
    const [url, fingerprint, offload] = server.stdout.split('\n');
    expect(url).toMatch(/^https:\/\/localhost:\d+\/$/);
    const port = Number(new URL(url ?? '').port);
    expect(fingerprint).toContain(`SHA-256 ${await fingerprintAt(port)}  DNS:localhost`);
    expect(offload).toMatch(/^(kernel: send, [A-Z].*, (no )?rekey|user space: .*)$/);
  });

  it('says why nothing is handed over when that is asked for', async () => {
    const { served } = await startServer(folder, site, '--offload', 'off');
    expect(served.offload).toEqual({ policy: 'off', summary: 'user space: turned off by --offload off' });
  });
});

describe('files', () => {
  it('come whole, in ranges, by HEAD, and only when they have changed', async () => {
    const { served } = await startServer(folder, site);
    const index = await get(served.port, '/');
    expect(index).toMatchObject({ status: 200, body: '<h1>hello</h1>' });
    expect(index.headers['content-type']).toBe('text/html; charset=utf-8');
    expect(index.headers['x-content-type-options']).toBe('nosniff');
    expect(await get(served.port, '/sub/')).toMatchObject({ status: 200, body: 'below' });
    expect(await get(served.port, '/sub')).toMatchObject({ status: 301, headers: { location: '/sub/' } });

    const range = await get(served.port, '/hundred.txt', { headers: { range: 'bytes=10-19' } });
    expect(range).toMatchObject({ status: 206, body: 'x'.repeat(10), headers: { 'content-range': 'bytes 10-19/100' } });
    const beyond = await get(served.port, '/hundred.txt', { headers: { range: 'bytes=100-' } });
    expect(beyond).toMatchObject({ status: 416, headers: { 'content-range': 'bytes */100' } });

    const head = await get(served.port, '/hundred.txt', { method: 'HEAD' });
    expect(head).toMatchObject({ status: 200, body: '', headers: { 'content-length': '100' } });
    const etag = String(head.headers.etag);
    expect(await get(served.port, '/hundred.txt', { headers: { 'if-none-match': etag } })).toMatchObject({
      status: 304,
      body: '',
    });
  });

  it('are those of the folder, and nothing else is', async () => {
    const { served } = await startServer(folder, site);
    const expected = {
      '/nothing': 404,
      '/empty/': 404,
      '/.hidden': 404,
      '/../secret.txt': 403,
      '/sub/../../secret.txt': 403,
      '/%2e%2e/secret.txt': 403,
      '/..%2fsecret.txt': 403,
      '/%00': 400,
      '/%': 400,
      '*': 400,
    };
    for (const [path, status] of Object.entries(expected)) {
      const answer = await get(served.port, path);
      expect([path, answer.status]).toEqual([path, status]);
      expect(answer.body).toMatch(new RegExp(`^${status} `));
    }
  });

  it('leaves its own certificate out of a folder that holds it', async () => {
    const { served } = await startServer(folder);
    expect(await get(served.port, '/secret.txt')).toMatchObject({ status: 200, body: 'secret' });
    expect(await get(served.port, '/.tls13/development-key.pem')).toMatchObject({ status: 404 });
  });

  it('are not written', async () => {
    const { served } = await startServer(folder, site);
    expect(await get(served.port, '/', { method: 'POST' })).toMatchObject({
      status: 405,
      headers: { allow: 'GET, HEAD' },
    });
  });

  it('come over HTTP/2 when it is offered', async () => {
    const { served } = await startServer(folder, site, '--alpn', 'h2,http/1.1');
    const session = connectHttp2(served.url, { rejectUnauthorized: false });
    try {
      expect(await text(session.request({ ':path': '/sub/' }))).toBe('below');
      const status = JSON.parse(await text(session.request({ ':path': '/.well-known/tls13/status' })));
      expect(status.connection).toMatchObject({ alpnProtocol: 'h2', resumed: false });
    } finally {
      session.destroy();
    }
  });
});

describe('the status', () => {
  it("is about the visitor's own connection", async () => {
    const { served } = await startServer(
      folder,
      site,
      '--suites',
      'TLS_CHACHA20_POLY1305_SHA256',
      '--groups',
      'secp384r1',
    );
    const answer = await get(served.port, '/.well-known/tls13/status');
    expect(answer).toMatchObject({
      status: 200,
      headers: { 'cache-control': 'no-store', 'content-type': 'application/json' },
    });
    const { connection, server } = JSON.parse(answer.body);
    const kernelSends = served.offload.summary.startsWith('kernel');
    expect(connection).toMatchObject({
      protocol: 'TLSv1.3',
      cipherSuite: 'TLS_CHACHA20_POLY1305_SHA256',
      group: 'secp384r1',
      signatureScheme: 'ecdsa_secp256r1_sha256',
      serverName: 'localhost',
      resumed: false,
      send: { where: kernelSends ? 'kernel' : 'user' },
      receive: { where: 'user', reason: 'policy-send-only', detail: expect.any(String) },
      bytesSent: 0,
    });
    expect(connection.bytesReceived).toBeGreaterThan(0);
    expect(server).toMatchObject({
      offload: served.offload,
      provider: served.provider,
      counters: { handshakes: { completed: 1, resumed: 0, failed: 0 }, connections: { open: 1 } },
    });
    const head = await get(served.port, '/.well-known/tls13/status', { method: 'HEAD' });
    expect(head).toMatchObject({ status: 200, body: '' });
  });

  it('tells a resumed session', async () => {
    const { served } = await startServer(folder, site);
    // An agent keeps sessions; without keep-alive each request has a connection of its own.
    const agent = new Agent({ maxCachedSessions: 10 });
    const ask = async () =>
      JSON.parse((await get(served.port, '/.well-known/tls13/status', { agent })).body).connection;
    expect(await ask()).toMatchObject({ resumed: false, signatureScheme: 'ecdsa_secp256r1_sha256' });
    expect(await ask()).toMatchObject({ resumed: true, signatureScheme: null });
  });
});

describe('the large download', () => {
  it('has the size that was asked for, and 64 MiB if none was', async () => {
    const { served } = await startServer(folder, site);
    const path = '/.well-known/tls13/download';
    const usual = await get(served.port, path, { method: 'HEAD' });
    expect(usual).toMatchObject({
      status: 200,
      headers: {
        'content-length': '67108864',
        'cache-control': 'no-store',
        'content-type': 'application/octet-stream',
      },
    });
    const response = await open(served.port, `${path}?size=5000000`);
    const bytes = await buffer(response);
    expect(bytes.equals(Buffer.alloc(5_000_000))).toBe(true);
    expect(await get(served.port, `${path}?size=0`)).toMatchObject({ status: 200, body: '' });
    const range = await get(served.port, `${path}?size=100`, { headers: { range: 'bytes=90-' } });
    expect(range).toMatchObject({ status: 206, headers: { 'content-range': 'bytes 90-99/100' } });
  });

  it('refuses sizes that are none, or beyond 1 GiB', async () => {
    const { served } = await startServer(folder, site);
    for (const size of ['-1', '1e9', '1073741825', '', 'x']) {
      const answer = await get(served.port, `/.well-known/tls13/download?size=${size}`);
      expect(answer).toMatchObject({ status: 400, body: '400 size is a number of bytes up to 1073741824\n' });
    }
  });
});

describe('certificates', () => {
  it('are chosen by name among several', async () => {
    const authority = await createAuthority('Test CA');
    const pairs = await Promise.all(['a.example', 'b.example'].map((name) => authority.issue(name)));
    const { served } = await startServer(folder, site, ...named(pairs));
    for (const [index, name] of ['a.example', 'b.example'].entries()) {
      const socket = await secure(served.port, { servername: name, ca: authority.cert });
      expect(socket.authorized).toBe(true);
      expect(socket.getPeerX509Certificate()?.fingerprint256).toBe(served.certificates[index]?.fingerprint256);
      socket.destroy();
    }
    // The first is for whoever asks for none of them.
    expect(await fingerprintAt(served.port)).toBe(served.certificates[0]?.fingerprint256);
  });

  it('are read again on SIGHUP; a mistake leaves the old ones in use', async () => {
    const authority = await createAuthority('Test CA');
    const paths = keep(folder, 'reload', await authority.issue('first.example'));
    const server = await startServer(folder, site, '--cert', paths.cert, '--key', paths.key);
    const { port } = server.served;
    const open = await secure(port, { servername: 'first.example', ca: authority.cert });

    const next = await authority.issue('second.example');
    keep(folder, 'reload', next);
    server.child.kill('SIGHUP');
    const [, shown] = await server.printed('stderr', /now presenting SHA-256 (\S+)/);
    expect(shown).toBe(new X509Certificate(next.cert).fingerprint256);
    expect(await fingerprintAt(port)).toBe(shown);

    writeFileSync(paths.key, 'nonsense');
    server.child.kill('SIGHUP');
    await server.printed('stderr', /certificates not reloaded: --cert \S+reload\.pem --key \S+reload-key\.pem: /);
    expect(await fingerprintAt(port)).toBe(shown);

    // What was open before goes on.
    open.write('GET /sub/ HTTP/1.1\r\nHost: first.example\r\nConnection: close\r\n\r\n');
    expect(await text(open)).toMatch(/below$/);
  });

  it('are asked of clients with --client-ca', async () => {
    const authority = await createAuthority('Client CA');
    const ca = keep(folder, 'client-ca', authority);
    const { cert, key } = await authority.issue('client.example');
    const { served } = await startServer(folder, site, '--client-ca', ca.cert);
    await expect(get(served.port, '/')).rejects.toThrow(/certificate.required|alert|ECONNRESET/i);
    expect(await get(served.port, '/', { cert, key })).toMatchObject({ status: 200 });
  });
});

describe('stopping', () => {
  it.each(['SIGINT', 'SIGTERM'] as const)('%s lets a download be finished, even if it comes twice', async (signal) => {
    const server = await startServer(folder, site);
    const { port } = server.served;
    const size = 30_000_000;
    const response = await open(port, `/.well-known/tls13/download?size=${size}`);
    response.pause();
    await delay(50);
    server.child.kill(signal);
    server.child.kill(signal);
    await server.printed('stderr', /finishing what is being sent/);
    await expect(tcp(port)).rejects.toThrow(/ECONNREFUSED/);
    expect((await buffer(response)).length).toBe(size);
    expect(await server.finished).toMatchObject({ status: 0, signal: null });
  });

  it('ends at once when asked again after a second', async () => {
    const server = await startServer(folder, site);
    const response = await open(server.served.port, '/.well-known/tls13/download?size=30000000');
    response.pause();
    response.on('error', () => undefined);
    server.child.kill('SIGINT');
    await delay(1_200);
    server.child.kill('SIGINT');
    expect(await server.finished).toMatchObject({ status: 130 });
  });

  it('does not wait for connections that have asked for nothing', async () => {
    const server = await startServer(folder, site);
    const { port } = server.served;
    const silent = await secure(port, { servername: 'localhost', rejectUnauthorized: false });
    const kept = await get(port, '/', { agent: new Agent({ keepAlive: true }) });
    expect(kept.status).toBe(200);
    const raw = await tcp(port);
    silent.on('error', () => undefined);
    raw.on('error', () => undefined);
    const begin = performance.now();
    server.child.kill('SIGINT');
    expect(await server.finished).toMatchObject({ status: 0 });
    expect(performance.now() - begin).toBeLessThan(5_000);
  });
});

describe('mistakes', () => {
  it.each([
    [['--port', '65536'], /--port is a number from 0 to 65535, not 65536/],
    [['--offload', 'maybe'], /--offload is auto, send, both or off, not maybe/],
    [['--provider', 'x'], /--provider is native, node or noble, not x/],
    [['--groups', 'x25519,p256'], /--groups is secp256r1, .*X25519MLKEM768 or SecP384r1MLKEM1024, not p256/],
    [['--suites', 'AES'], /--suites is TLS_AES_128_GCM_SHA256, .*, not AES/],
    [['--alpn', 'spdy'], /--alpn is h2 or http\/1\.1, not spdy/],
    [['--cert', 'a.pem'], /--cert and --key come in pairs: 1 and 0 were given/],
    [['--cert', 'no.pem', '--key', 'no.pem'], /--cert: ENOENT.*no\.pem/],
    [['--client-ca', 'no.pem'], /--client-ca: ENOENT/],
    [['no-such-folder'], /no-such-folder is not a folder/],
    [['--frobnicate'], /'--frobnicate'/],
  ])('%j', async (list, message) => {
    const { status, stdout, stderr } = await run(['serve', ...list], folder);
    expect(stderr).toMatch(message);
    expect(stderr.trim().split('\n')).toHaveLength(1);
    expect({ status, stdout }).toEqual({ status: 1, stdout: '' });
  });

  it('a port that is taken is told by 2', async () => {
    const taken = createTcpServer();
    await new Promise<void>((done) => void taken.listen(0, '127.0.0.1', done));
    const address = taken.address();
    const port = typeof address === 'object' && address !== null ? address.port : 0;
    const { status, stderr } = await run(['serve', site, '--port', String(port)], folder);
    taken.close();
    expect(status).toBe(2);
    expect(stderr).toMatch(/EADDRINUSE/);
  });
});

describe('options', () => {
  it.each(['node', 'noble'])('--provider %s serves too', async (provider) => {
    const { served } = await startServer(folder, site, '--provider', provider);
    expect(served.provider).toBe(provider);
    expect(await get(served.port, '/')).toMatchObject({ status: 200, body: '<h1>hello</h1>' });
  });

  it('--key-log writes the secrets, for their owner alone', async () => {
    const file = join(folder, 'keys.log');
    const { served } = await startServer(folder, site, '--key-log', file);
    await get(served.port, '/');
    const labels = readFileSync(file, 'latin1')
      .split('\n')
      .map((line) => line.split(' ')[0]);
    expect(labels).toEqual(
      expect.arrayContaining(['CLIENT_HANDSHAKE_TRAFFIC_SECRET', 'SERVER_TRAFFIC_SECRET_0', 'EXPORTER_SECRET']),
    );
    expect(statSync(file).mode & 0o777).toBe(0o600);
  });

  it('--host listens where it says', async () => {
    const { served } = await startServer(folder, site, '--host', '127.0.0.2');
    expect(served.url).toBe(`https://127.0.0.2:${served.port}/`);
    await expect(tcp(served.port)).rejects.toThrow(/ECONNREFUSED/);
  });
});

interface Asked {
  readonly method?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly agent?: Agent;
  readonly cert?: string;
  readonly key?: string;
}

/** The response, its body unread. The path goes out as it is. */
function open(port: number, path: string, asked: Asked = {}): Promise<IncomingMessage> {
  return new Promise((done, fail) => {
    const options = { port, host: '127.0.0.1', servername: 'localhost', rejectUnauthorized: false, agent: false };
    httpsRequest({ ...options, path, ...asked }, done)
      .on('error', fail)
      .end();
  });
}

async function get(port: number, path: string, asked: Asked = {}) {
  const response = await open(port, path, asked);
  return { status: response.statusCode, headers: response.headers, body: await text(response) };
}

function secure(
  port: number,
  options: { servername: string; ca?: string; rejectUnauthorized?: boolean },
): Promise<TLSSocket> {
  return new Promise((done, fail) => {
    const socket = connectTls({ port, host: '127.0.0.1', ALPNProtocols: ['http/1.1'], ...options }, () => done(socket));
    socket.once('error', fail);
  });
}

function tcp(port: number): Promise<ReturnType<typeof connectTcp>> {
  return new Promise((done, fail) => {
    const socket = connectTcp(port, '127.0.0.1', () => done(socket));
    socket.once('error', fail);
  });
}

async function fingerprintAt(port: number): Promise<string | undefined> {
  const socket = await secure(port, { servername: 'localhost', rejectUnauthorized: false });
  const certificate = socket.getPeerX509Certificate();
  socket.destroy();
  return certificate?.fingerprint256;
}

function named(pairs: readonly Issued[]): readonly string[] {
  return pairs.flatMap((pair, index) => {
    const paths = keep(folder, `named-${index}`, pair);
    return ['--cert', paths.cert, '--key', paths.key];
  });
}
