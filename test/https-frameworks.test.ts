/** express and fastify over our HTTPS server, as they are used. */
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import type { IncomingMessage } from 'node:http';
import * as https from 'node:https';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import express from 'express';
import fastify from 'fastify';
import { createHttpsServer, sendFile, TlsConnection } from 'tls13-server';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { developmentCertificate } from '../packages/server/src/cli/development-certificate.js';

let folder = '';
let credentials = { cert: '', key: '' };

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'tls13-frameworks-'));
  writeFileSync(join(folder, 'file.txt'), 'x'.repeat(200_000));
  const { cert, key } = await developmentCertificate(folder);
  credentials = { cert, key };
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

async function request(port: number, path: string, options: https.RequestOptions = {}, body?: string) {
  const outgoing = https.request({ host: 'localhost', family: 4, port, path, ca: credentials.cert, ...options });
  outgoing.end(body);
  const [response]: IncomingMessage[] = await once(outgoing, 'response');
  if (response === undefined) throw new Error('no response came');
  const chunks: Buffer[] = [];
  for await (const chunk of response) chunks.push(chunk);
  return { status: response.statusCode, headers: response.headers, body: Buffer.concat(chunks).toString() };
}

const json = { method: 'POST', headers: { 'content-type': 'application/json' } };

describe('express', () => {
  it('routes, parses, streams and sends files', async () => {
    const app = express();
    app.use(express.json());
    app.get('/hello/:name', (incoming, response) => {
      response.json({
        name: incoming.params.name,
        secure: incoming.secure,
        ip: incoming.ip,
        protocol: incoming.protocol,
      });
    });
    app.post('/echo', (incoming, response) => {
      response.send(incoming.body);
    });
    app.use('/static', express.static(folder));
    app.get('/file', (incoming, response, next) => {
      sendFile(incoming, response, '/file.txt', { root: folder }).catch(next);
    });
    app.get('/missing', (incoming, response, next) => {
      sendFile(incoming, response, '/missing.txt', { root: folder }).catch(next);
    });
    const server = createHttpsServer(credentials, app);
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    const { port } = Object(server.address());
    const agent = new https.Agent({ keepAlive: true, maxSockets: 1 });
    const hello = await request(port, '/hello/world', { agent });
    expect(JSON.parse(hello.body)).toEqual({ name: 'world', secure: true, ip: '127.0.0.1', protocol: 'https' });
    expect((await request(port, '/echo', { ...json, agent }, '{"a":1}')).body).toBe('{"a":1}');
    expect((await request(port, '/static/file.txt', { agent })).body.length).toBe(200_000);
    expect((await request(port, '/file', { agent, headers: { range: 'bytes=0-9' } })).body).toBe('x'.repeat(10));
    expect((await request(port, '/file', { agent })).body.length).toBe(200_000);
    expect((await request(port, '/missing', { agent })).status).toBe(404);
    expect(server.counters.connections.accepted).toBe(1);
    agent.destroy();
    await server.shutdown();
  });
});

describe('fastify', () => {
  it('runs with serverFactory', async () => {
    const app = fastify({ serverFactory: (handler) => createHttpsServer(credentials, handler) });
    app.get('/hello', async (incoming) => ({ ip: incoming.ip, ours: incoming.socket instanceof TlsConnection }));
    app.post('/echo', async (incoming) => incoming.body);
    app.get('/file', async (incoming, reply) => {
      reply.hijack();
      await sendFile(incoming.raw, reply.raw, '/file.txt', { root: folder });
    });
    await app.listen({ port: 0, host: '127.0.0.1' });
    const { port } = Object(app.server.address());
    expect(JSON.parse((await request(port, '/hello')).body)).toEqual({ ip: '127.0.0.1', ours: true });
    expect((await request(port, '/echo', json, '{"a":1}')).body).toBe('{"a":1}');
    expect((await request(port, '/file')).body.length).toBe(200_000);
    await app.close();
    expect(app.server.listening).toBe(false);
  });
});
