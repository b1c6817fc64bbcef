/** HTTPS and HTTP/2 over our server, with node's own clients: requests, upgrades, files, closing. */
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import * as http from 'node:http';
import * as http2 from 'node:http2';
import * as https from 'node:https';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as tls from 'node:tls';
import { gunzipSync, gzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { TlsConnection } from '../src/connection.js';
import { connect, createHttpsServer, type HttpApplication, type HttpsServerOptions, sendFile } from '../src/index.js';
import {
  certificates,
  cleanUp,
  eventually,
  openDescriptors,
  pattern,
  portOf,
  readAll,
  serverCredentials,
} from './support.js';

async function serveHttps(application: HttpApplication, options: Partial<HttpsServerOptions> = {}) {
  const server = createHttpsServer({ ...serverCredentials(), ...options }, application);
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  cleanUp(async () => {
    server.closeAllConnections();
    if (server.listening) await new Promise((resolve) => server.close(resolve));
  });
  return server;
}

interface Answer {
  readonly status: number | undefined;
  readonly headers: http.IncomingHttpHeaders;
  readonly body: Buffer;
}

function get(port: number, path: string, options: https.RequestOptions = {}, body = ''): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const request = https.request(
      { host: '127.0.0.1', servername: 'localhost', port, path, ca: certificates().root.pem, ...options },
      async (response) => {
        response.on('error', reject);
        resolve({ status: response.statusCode, headers: response.headers, body: await readAll(response) });
      },
    );
    request.on('error', reject);
    request.end(body);
  });
}

function agent(): https.Agent {
  const made = new https.Agent({ keepAlive: true, maxSockets: 1 });
  cleanUp(() => made.destroy());
  return made;
}

const content = pattern(3_000_000);
let root = '';

beforeAll(() => {
  root = mkdtempSync(join(tmpdir(), 'tls13-www-'));
  writeFileSync(join(root, 'large.bin'), content);
  writeFileSync(join(root, 'page one.html'), '<!doctype html>');
  writeFileSync(join(root, 'empty.txt'), '');
  writeFileSync(join(root, '.secret'), 'secret');
  mkdirSync(join(root, 'folder'));
  writeFileSync(join(root, 'folder', 'index.html'), 'index');
});
afterAll(() => rmSync(root, { recursive: true, force: true }));

const files: HttpApplication = (request, response) => {
  sendFile(request, response, request.url ?? '/', { root }).catch((error) => {
    if (response.headersSent) return;
    response.statusCode = error.status ?? 500;
    response.end('sorry');
  });
};

describe('an HTTPS server', () => {
  it('serves many requests on one connection, bodies both ways', async () => {
    const server = await serveHttps(async (request, response) => {
      const body = await readAll(request);
      response.setHeader('x-secure', String(Reflect.get(request.socket, 'encrypted')));
      response.end(`${request.method} ${request.url} ${body.length} ${request.socket.remoteAddress}`);
    });
    const one = agent();
    for (const size of [0, 10, 100_000]) {
      const { status, headers, body } = await get(
        portOf(server),
        '/x',
        { method: 'POST', agent: one },
        'y'.repeat(size),
      );
      expect([status, headers['x-secure'], String(body)]).toEqual([200, 'true', `POST /x ${size} 127.0.0.1`]);
    }
    expect(server.counters.connections.accepted).toBe(1);
  });

  it('is an http.Server: properties, timeouts, events', async () => {
    const server = await serveHttps((_request, response) => response.end('ok'), { http: { keepAliveTimeout: 123 } });
    expect(server).toBeInstanceOf(http.Server);
    expect(server.keepAliveTimeout).toBe(123);
    expect(server.listening).toBe(true);
    const connections = once(server, 'secureConnection');
    await get(portOf(server), '/', { agent: agent() });
    expect((await connections)[0]).toBeInstanceOf(TlsConnection);
    expect(await new Promise((resolve) => server.getConnections((_error, count) => resolve(count)))).toBe(1);
    // keepAliveTimeout ends the idle connection.
    await eventually(() => server.counters.connections.open === 0, 'the idle connection was closed');
  });

  it('switches protocols', async () => {
    const server = await serveHttps((_request, response) => response.end());
    server.on('upgrade', (_request, socket) => {
      socket.write('HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: echo\r\n\r\n');
      socket.pipe(socket);
    });
    const request = https.request({
      host: '127.0.0.1',
      servername: 'localhost',
      port: portOf(server),
      ca: certificates().root.pem,
      headers: { Connection: 'Upgrade', Upgrade: 'echo' },
    });
    request.end();
    const [response, socket] = await once(request, 'upgrade');
    expect(response.statusCode).toBe(101);
    socket.end('echo this');
    expect(String(await readAll(socket))).toBe('echo this');
  });

  it('answers what is not HTTP with 400, and an end without close_notify quietly', async () => {
    const server = await serveHttps((_request, response) => response.end('ok'));
    const errors: Error[] = [];
    server.on('clientError', (error, socket) => {
      errors.push(error);
      socket.end('HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n');
    });
    const options = { host: '127.0.0.1', port: portOf(server), servername: 'localhost', ca: certificates().root.pem };
    const bad = tls.connect(options);
    bad.write('nonsense\r\n\r\n');
    expect(String(await readAll(bad))).toMatch(/^HTTP\/1.1 400/);
    expect(errors).toHaveLength(1);
    const rude = connect(options);
    rude.on('error', () => undefined);
    rude.write('GET / HTTP/1.1\r\nHost: localhost\r\n\r\n');
    await once(rude, 'data');
    rude.destroy(new Error('gone'));
    await eventually(() => server.counters.connections.open === 0, 'the connection is gone');
    expect(errors).toHaveLength(1);
  });

  it('serves the http client of node over our own connection', async () => {
    const server = await serveHttps((request, response) => response.end(`to ${request.headers.host}`));
    const port = portOf(server);
    const body = await new Promise<Buffer>((resolve, reject) => {
      http
        .get({
          host: 'localhost',
          port,
          createConnection: () =>
            connect({ host: '127.0.0.1', port, servername: 'localhost', ca: certificates().root.pem }),
        })
        .on('error', reject)
        .on('response', (response) => readAll(response).then(resolve, reject));
    });
    expect(String(body)).toBe(`to localhost:${port}`);
  });

  it('refuses application protocols that it does not speak', () => {
    expect(() => createHttpsServer({ ...serverCredentials(), ALPNProtocols: ['h2'] })).toThrow(/http2: true/);
    expect(() => createHttpsServer({ ...serverCredentials(), ALPNProtocols: ['smtp'] })).toThrow(/smtp/);
  });
});

describe('closing an HTTPS server', () => {
  it('ends idle connections at once, others behind their answers, and then emits close', async () => {
    let answer: () => void = () => undefined;
    const server = await serveHttps((request, response) => {
      if (request.url === '/slow') answer = () => response.end('slow');
      else response.end('fast');
    });
    const [idle, busy] = [agent(), agent()];
    await get(portOf(server), '/', { agent: idle });
    const slow = get(portOf(server), '/slow', { agent: busy });
    await eventually(() => server.counters.connections.accepted === 2, 'both are connected');
    await new Promise((resolve) => setTimeout(resolve, 50));
    let closed = false;
    const done = once(server, 'close').then(() => {
      closed = true;
    });
    server.close();
    await eventually(() => server.counters.connections.open === 1, 'the idle one is closed');
    expect(closed).toBe(false);
    answer();
    expect(String((await slow).body)).toBe('slow');
    await done;
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    expect(String((await get(portOf(server), '/')).body)).toBe('fast');
    expect(server.keepAliveTimeout).toBe(5000);
  });

  it('gives up waiting after the timeout of shutdown', async () => {
    const server = await serveHttps(() => undefined);
    const request = get(portOf(server), '/never');
    request.catch(() => undefined);
    await eventually(() => server.counters.handshakes.completed === 1, 'the client is connected');
    await server.shutdown({ timeout: 50 });
    await expect(request).rejects.toBeInstanceOf(Error);
    expect(server.counters.connections.open).toBe(0);
  });
});

describe('HTTP/2', () => {
  async function session(server: { address(): ReturnType<http.Server['address']> }) {
    const client = http2.connect(`https://127.0.0.1:${portOf(server)}`, {
      ca: certificates().root.pem,
      servername: 'localhost',
    });
    cleanUp(() => client.destroy());
    await once(client, 'connect');
    return client;
  }

  async function request(client: http2.ClientHttp2Session, path: string) {
    const stream = client.request({ ':path': path });
    const [headers] = await once(stream, 'response');
    return { headers, body: await readAll(stream) };
  }

  it('is chosen by ALPN, beside HTTP/1.1', async () => {
    const server = await serveHttps((incoming, response) => response.end(`version ${incoming.httpVersion}`), {
      http2: true,
    });
    const client = await session(server);
    expect(client.alpnProtocol).toBe('h2');
    const answers = await Promise.all(Array.from({ length: 20 }, (_, index) => request(client, `/${index}`)));
    for (const { body } of answers) expect(String(body)).toBe('version 2.0');
    expect(String((await get(portOf(server), '/')).body)).toBe('version 1.1');
  });

  it('sends files too', async () => {
    const server = await serveHttps(files, { http2: true });
    const client = await session(server);
    const { headers, body } = await request(client, '/large.bin');
    expect(headers[':status']).toBe(200);
    expect(body.equals(content)).toBe(true);
    expect((await request(client, '/missing')).headers[':status']).toBe(404);
  });

  it('drains when the server closes', async () => {
    const server = await serveHttps((_incoming, response) => setTimeout(() => response.end('late'), 100), {
      http2: true,
    });
    const client = await session(server);
    const answer = request(client, '/');
    await eventually(() => server.counters.handshakes.completed === 1, 'connected');
    await new Promise((resolve) => setTimeout(resolve, 20));
    const closed = new Promise((resolve) => server.close(resolve));
    expect(String((await answer).body)).toBe('late');
    await closed;
  });
});

describe('sendFile of HTTP', () => {
  it('without a root takes a file of the application, by its absolute path', async () => {
    const server = await serveHttps((request, response) => {
      const path = request.url === '/relative' ? 'large.bin' : join(root, 'page one.html');
      sendFile(request, response, path).catch((error) => response.writeHead(500).end(error.message));
    });
    const page = await get(portOf(server), '/');
    expect([page.status, String(page.body)]).toEqual([200, '<!doctype html>']);
    const relative = await get(portOf(server), '/relative');
    expect([relative.status, String(relative.body)]).toEqual([500, expect.stringMatching(/not an absolute path/)]);
  });

  it('answers GET and HEAD with length, type and validators, and keeps the connection', async () => {
    const server = await serveHttps(files);
    const one = agent();
    for (let round = 0; round < 2; round += 1) {
      const whole = await get(portOf(server), '/large.bin', { agent: one });
      expect(whole.status).toBe(200);
      expect(whole.headers).toMatchObject({
        'content-length': String(content.length),
        'content-type': 'application/octet-stream',
        'accept-ranges': 'bytes',
      });
      expect(whole.body.equals(content)).toBe(true);
      const head = await get(portOf(server), '/large.bin', { agent: one, method: 'HEAD' });
      expect(head.headers['content-length']).toBe(String(content.length));
      expect(head.body.length).toBe(0);
      const page = await get(portOf(server), '/page%20one.html', { agent: one });
      expect(page.headers['content-type']).toBe('text/html; charset=utf-8');
      expect(String(page.body)).toBe('<!doctype html>');
      expect((await get(portOf(server), '/empty.txt', { agent: one })).body.length).toBe(0);
      expect(String((await get(portOf(server), '/folder/', { agent: one })).body)).toBe('index');
    }
    expect(server.counters.connections.accepted).toBe(1);
  });

  it('answers ranges and conditions', async () => {
    const server = await serveHttps(files);
    const port = portOf(server);
    const one = agent();
    const ranged = async (range: string, more: http.OutgoingHttpHeaders = {}) =>
      get(port, '/large.bin', { agent: one, headers: { Range: range, ...more } });
    const middle = await ranged('bytes=1000-50000');
    expect(middle.status).toBe(206);
    expect(middle.headers['content-range']).toBe(`bytes 1000-50000/${content.length}`);
    expect(middle.body.equals(content.subarray(1000, 50_001))).toBe(true);
    expect((await ranged('bytes=-10')).body.equals(content.subarray(-10))).toBe(true);
    const beyond = await ranged(`bytes=${content.length}-`);
    expect(beyond.status).toBe(416);
    expect(beyond.headers['content-range']).toBe(`bytes */${content.length}`);
    const { etag = '', 'last-modified': modified = '' } = middle.headers;
    expect((await get(port, '/large.bin', { agent: one, headers: { 'If-None-Match': etag } })).status).toBe(304);
    expect((await get(port, '/large.bin', { agent: one, headers: { 'If-Modified-Since': modified } })).status).toBe(
      304,
    );
    expect((await get(port, '/large.bin', { agent: one, headers: { 'If-Match': '"other"' } })).status).toBe(412);
    expect((await ranged('bytes=0-9', { 'If-Range': etag })).status).toBe(206);
    expect((await ranged('bytes=0-9', { 'If-Range': '"other"' })).status).toBe(200);
    expect(server.counters.connections.accepted).toBe(1);
  });

  it('leaves to the application what it may want to word', async () => {
    const server = await serveHttps(files);
    const port = portOf(server);
    for (const [path, status] of [
      ['/missing', 404],
      ['/.secret', 404],
      ['/..%2f..%2fetc/passwd', 403],
      ['/%zz', 400],
    ] as const) {
      const answer = await get(port, path);
      expect([answer.status, String(answer.body)]).toEqual([status, 'sorry']);
    }
    const redirected = await get(port, '/folder');
    expect([redirected.status, redirected.headers.location]).toEqual([301, '/folder/']);
  });

  it('keeps pipelined requests in order', async () => {
    const server = await serveHttps(files);
    const client = tls.connect({
      host: '127.0.0.1',
      port: portOf(server),
      servername: 'localhost',
      ca: certificates().root.pem,
    });
    const get = (path: string, more = '') => `GET ${path} HTTP/1.1\r\nHost: localhost\r\n${more}\r\n`;
    client.write(
      get('/large.bin', 'Range: bytes=0-99999\r\n') + get('/folder/') + get('/large.bin', 'Connection: close\r\n'),
    );
    const answer = await readAll(client);
    const bodies = answer.length - content.length;
    expect(answer.subarray(bodies).equals(content)).toBe(true);
    expect(answer.indexOf(content.subarray(0, 100_000))).toBeGreaterThan(0);
    expect(answer.indexOf('\r\n\r\nindexHTTP/1.1 200')).toBeGreaterThan(100_000);
  });

  it('leaves the body to what changes it', async () => {
    const server = await serveHttps((request, response) => {
      // As compressing middleware does: it waits for the headers, and takes the body over.
      const { writeHead } = response;
      Reflect.set(response, 'writeHead', (status: number, ...rest: []) => {
        response.removeHeader('content-length');
        response.setHeader('content-encoding', 'gzip');
        return writeHead.call(response, status, ...rest);
      });
      const parts: Buffer[] = [];
      const { end } = response;
      Reflect.set(response, 'write', (part: Buffer) => parts.push(part) > 0);
      Reflect.set(response, 'end', () => end.call(response, gzipSync(Buffer.concat(parts)), 'latin1'));
      files(request, response);
    });
    const { headers, body } = await get(portOf(server), '/large.bin');
    expect(headers['content-encoding']).toBe('gzip');
    expect(gunzipSync(body).equals(content)).toBe(true);
  });

  it('breaks off when the client goes, and closes the file', async () => {
    let failed: unknown;
    const server = await serveHttps((request, response) => {
      sendFile(request, response, '/large.bin', { root }).catch((error) => {
        failed = error;
      });
    });
    const before = openDescriptors();
    const client = connect({
      host: '127.0.0.1',
      port: portOf(server),
      servername: 'localhost',
      ca: certificates().root.pem,
    });
    client.on('error', () => undefined);
    client.write('GET / HTTP/1.1\r\nHost: localhost\r\n\r\n');
    await once(client, 'readable');
    client.pause();
    client.resetAndDestroy();
    await eventually(() => failed !== undefined, 'the response failed');
    expect(failed).toBeInstanceOf(Error);
    await eventually(() => server.counters.connections.open === 0, 'the connection is gone');
    await eventually(() => openDescriptors() <= before, 'the file is closed');
  });
});
