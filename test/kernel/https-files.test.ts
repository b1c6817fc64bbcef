// HTTPS over kernel records, with curl: files by sendfile(2), ranges, an application of express, uploads.
import { once } from 'node:events';
import { mkdirSync } from 'node:fs';
import type { IncomingMessage } from 'node:http';
import { join } from 'node:path';
import express from 'express';
import {
  createHttpsServer,
  type HttpApplication,
  type HttpsServerOptions,
  sendFile,
  TlsConnection,
} from 'tls13-server';
import { describe, expect, it, onTestFinished } from 'vitest';
import { portOf } from './support/connections.js';
import { curl, curlAll } from './support/curl.js';
import { bytesOf, cert, digest, fileOf, folder, key, mebibytes } from './support/files.js';
import { countTlsStat, until } from './support/kernel.js';

const root = join(folder, 'site');
mkdirSync(root);
const large = bytesOf(mebibytes(5));
fileOf(large, 'site/large.bin');
fileOf(Buffer.alloc(0), 'site/empty.txt');
fileOf(bytesOf(16_385), 'site/edge.bin');
fileOf(Buffer.from('<!doctype html><title>here</title>'), 'site/index.html');
const inKernel = { where: 'kernel', device: 'software' };

async function serve(application: HttpApplication, options: Partial<HttpsServerOptions> = {}) {
  const server = createHttpsServer({ cert, key, ...options }, application);
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return portOf(server);
}

/** Serves the site, and tells which bytes went by the connection's sendFile, and where connections were protected. */
async function serveSite(options: Partial<HttpsServerOptions> = {}) {
  const seen = { byFile: 0, offload: new Set<string>() };
  const port = await serve((request, response) => {
    const { socket } = request;
    if (socket instanceof TlsConnection) seen.offload.add(socket.offload.send.where);
    let last = 0;
    const onProgress = (sent: number) => {
      seen.byFile += sent - last;
      last = sent;
    };
    sendFile(request, response, request.url ?? '/', { root, onProgress }).catch((error) => {
      response.statusCode = Reflect.get(error, 'status') ?? 500;
      response.end('not here');
    });
  }, options);
  return { port, seen };
}

describe('files to curl', () => {
  it('whole, by sendfile with records of the kernel', async () => {
    const { port, seen } = await serveSite();
    const risen = countTlsStat();
    const answer = await curl(port, '/large.bin', '--tlsv1.3');
    expect([answer.status, digest(answer.body)]).toEqual([200, digest(large)]);
    expect(answer.headers['content-length']).toEqual([String(large.length)]);
    expect(answer.headers['content-type']).toEqual(['application/octet-stream']);
    expect([seen.byFile, [...seen.offload]]).toEqual([large.length, ['kernel']]);
    expect([risen('TlsTxSw'), risen('TlsRxSw')]).toEqual([1, 0]);
  });

  it('several on one connection, headers and bodies in order', async () => {
    const { port, seen } = await serveSite();
    const risen = countTlsStat();
    const answers = await curlAll(port, ['/edge.bin', '/empty.txt', '/index.html', '/missing', '/edge.bin']);
    expect(answers.map(({ status, connects, body }) => [status, connects, body.length])).toEqual([
      [200, 1, 16_385],
      [200, 0, 0],
      [200, 0, 34],
      [404, 0, 8],
      [200, 0, 16_385],
    ]);
    expect(answers[4]?.body.equals(bytesOf(16_385))).toBe(true);
    expect(seen.byFile).toBe(2 * 16_385 + 34);
    expect(risen('TlsTxSw')).toBe(1);
  });

  it('ranges, HEAD and conditions', async () => {
    const { port, seen } = await serveSite();
    const ranges = ['0-0', '16383-16384', '100-', '-16384', '1000000-3000000'];
    const bounds = [
      [0, 1],
      [16_383, 16_385],
      [100, large.length],
      [large.length - 16_384, large.length],
      [1_000_000, 3_000_001],
    ];
    for (const [index, range] of ranges.entries()) {
      const [start = 0, end = 0] = bounds[index] ?? [];
      const { status, headers, body } = await curl(port, '/large.bin', '--range', range);
      expect([status, headers['content-range']]).toEqual([206, [`bytes ${start}-${end - 1}/${large.length}`]]);
      expect(digest(body)).toBe(digest(large.subarray(start, end)));
    }
    const sent = seen.byFile;
    const beyond = await curl(port, '/large.bin', '--range', '6000000-');
    expect([beyond.status, beyond.headers['content-range']]).toEqual([416, [`bytes */${large.length}`]]);
    const head = await curl(port, '/large.bin', '--head');
    expect([head.status, head.headers['content-length']]).toEqual([200, [String(large.length)]]);
    const [etag = ''] = head.headers.etag ?? [];
    const unchanged = await curl(port, '/large.bin', '--header', `If-None-Match: ${etag}`);
    expect([unchanged.status, unchanged.body.length, seen.byFile]).toEqual([304, 0, sent]);
  });

  it('with HTTP/2 as well', async () => {
    const { port, seen } = await serveSite({ http2: true });
    const risen = countTlsStat();
    const answer = await curl(port, '/large.bin', '--http2');
    expect([answer.status, answer.httpVersion, digest(answer.body)]).toEqual([200, '2', digest(large)]);
    expect([seen.byFile, risen('TlsTxSw')]).toEqual([0, 1]);
  });
});

describe('an application of express', () => {
  it('takes an upload that the kernel opens, and answers what it seals', async () => {
    const app = express();
    let offload: unknown;
    app.post('/upload', express.raw({ limit: '10mb', type: () => true }), (request, response) => {
      offload = offloadOf(request);
      response.json({ received: digest(request.body) });
    });
    const port = await serve(app, { offload: 'both' });
    const risen = countTlsStat();
    const path = join(root, 'large.bin');
    const answer = await curl(port, '/upload', '--data-binary', `@${path}`, '--header', 'Expect:');
    expect([answer.status, JSON.parse(answer.body.toString())]).toEqual([200, { received: digest(large) }]);
    expect(offload).toEqual({ send: inKernel, receive: inKernel });
    expect([risen('TlsTxSw'), risen('TlsRxSw'), risen('TlsDecryptError')]).toEqual([1, 1, 0]);
  });

  it('streams an upload back while it comes', async () => {
    const app = express();
    app.post('/echo', (request, response) => {
      response.type('application/octet-stream');
      request.pipe(response);
    });
    const port = await serve(app, { offload: 'both' });
    const path = join(root, 'large.bin');
    const answer = await curl(port, '/echo', '--data-binary', `@${path}`, '--header', 'Expect: 100-continue');
    expect([answer.status, digest(answer.body)]).toEqual([200, digest(large)]);
  });

  it('sends files and its own answers on one connection', async () => {
    const app = express();
    app.get('/hello', (_request, response) => void response.send('hello'));
    app.use((request, response, next) => {
      sendFile(request, response, request.path, { root }).catch(next);
    });
    const port = await serve(app);
    const risen = countTlsStat();
    const answers = await curlAll(port, ['/hello', '/edge.bin', '/hello', '/']);
    expect(answers.map(({ status, body }) => [status, body.length])).toEqual([
      [200, 5],
      [200, 16_385],
      [200, 5],
      [200, 34],
    ]);
    expect(risen('TlsTxSw')).toBe(1);
  });

  it('a client that leaves in the middle of a file harms nobody', async () => {
    const { port, seen } = await serveSite();
    const aborted = curl(port, '/large.bin', '--limit-rate', '100k', '--max-time', '0.7');
    await expect(aborted).rejects.toMatchObject({ code: 28 });
    await until(() => seen.byFile > 0, 'the beginning of the file');
    const answer = await curl(port, '/edge.bin');
    expect([answer.status, answer.body.length]).toEqual([200, 16_385]);
  });
});

function offloadOf(request: IncomingMessage): unknown {
  return request.socket instanceof TlsConnection ? request.socket.offload : undefined;
}
