/** What hostile peers, and applications that were not careful, try at a connection. Each test names the attack and its source. */
import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import * as http2 from 'node:http2';
import { connect as connectTcp } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PassThrough } from 'node:stream';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { createClientEngine, signatureSchemes, type TlsEngine, type TlsEvent } from 'tls13-core';
import { createProvider } from 'tls13-node-crypto';
import { afterAll, describe, expect, it } from 'vitest';
import { TlsConnection } from '../src/connection.js';
import { CredentialStore, createSecureContext } from '../src/credentials.js';
import { Telemetry } from '../src/diagnostics.js';
import { connect, createHttpsServer, type HttpsServerOptions, sendFile } from '../src/index.js';
import { refused } from '../src/offload.js';
import { StreamTransport } from '../src/transport/stream.js';
import {
  certificates,
  cleanUp,
  dial,
  dialed,
  eventually,
  openDescriptors,
  portOf,
  readAll,
  serve,
  serverCredentials,
} from './support.js';

describe('a session that a lax client took (CWE-295)', () => {
  it('is not resumed by a strict one: a full handshake shows what the server has by now', async () => {
    const { other, server: right } = certificates();
    const server = await serve({ cert: other.pem, key: other.keyPem }, (connection) => connection.resume());
    const lax = dial(server, { rejectUnauthorized: false });
    const [session] = await once(lax, 'session');
    expect(lax.authorizationError).toBe('ERR_TLS_CERT_ALTNAME_INVALID');
    const again = await dialed(server, { rejectUnauthorized: false, session });
    expect(again.isSessionReused()).toBe(true);
    expect(again.authorizationError).toBe('ERR_TLS_CERT_ALTNAME_INVALID');
    server.setCredentials({ cert: right.pem, key: right.keyPem });
    const strict = await dialed(server, { session });
    expect(strict.isSessionReused()).toBe(false);
    expect(strict.authorized).toBe(true);
  });

  it('is not resumed by one that trusts others', async () => {
    const server = await serve({}, (connection) => connection.resume());
    const [session] = await once(dial(server), 'session');
    const [error] = await once(dial(server, { ca: certificates().client.pem, session }), 'error');
    expect(error).toMatchObject({ alert: 'unknown_ca', received: false });
  });
});

describe('data that comes with the last of the handshake (0.5-RTT, §4.2.10 of RFC 8446)', () => {
  it('is told of after secureConnect, where an application may pin a certificate', async () => {
    const server = await serve({}, (connection) => connection.end('early'));
    const connection = new TlsConnection({
      driver: { policy: 'off', offloadOptions: {}, tolerateTruncation: false, maxSendFragment: 16_384 },
      allowHalfOpen: false,
      telemetry: new Telemetry(),
      check: undefined,
      host: {
        secured: () => undefined,
        handshakeFailed: () => false,
        closed: () => undefined,
        keyLogged: () => undefined,
      },
    });
    cleanUp(() => connection.destroy());
    const order: string[] = [];
    for (const event of ['secureConnect', 'data', 'end']) connection.on(event, () => order.push(event));
    const engine = createClientEngine({
      provider: createProvider(),
      serverName: 'localhost',
      verifyPeer: () => undefined,
    });
    const raw = connectTcp(portOf(server), '127.0.0.1');
    connection.start(connectedWithData(engine), new StreamTransport(raw, refused('not-a-socket')));
    await once(connection, 'close');
    expect(order).toEqual(['secureConnect', 'data', 'end']);
  });

  /** An engine that says `connected` in the call that brings the first data. */
  function connectedWithData(engine: TlsEngine): TlsEngine {
    const held: TlsEvent[] = [];
    const receive = (bytes: Uint8Array) => {
      const events = [...held.splice(0), ...engine.receive(bytes)];
      if (events.some(({ type }) => type === 'data')) return events;
      held.push(...events.filter(({ type }) => type !== 'transmit'));
      return events.filter(({ type }) => type === 'transmit');
    };
    return new Proxy(engine, {
      get(target, key) {
        if (key === 'receive') return receive;
        const value: unknown = Reflect.get(target, key, target);
        return typeof value === 'function' ? value.bind(target) : value;
      },
    });
  }
});

describe('files over HTTP', () => {
  const root = mkdtempSync(join(tmpdir(), 'tls13-hostile-'));
  writeFileSync(join(root, 'large'), Buffer.alloc(16 * 1024 * 1024));
  writeFileSync(join(root, 'small'), 'small');
  afterAll(() => rmSync(root, { recursive: true }));

  /** @returns the port, and what became of the answers. */
  async function files(options: Partial<HttpsServerOptions> = {}) {
    const settled: string[] = [];
    const server = createHttpsServer({ ...serverCredentials(), ...options }, async (request, response) => {
      const outcome = sendFile(request, response, request.url ?? '', { root });
      settled.push(await outcome.then(() => 'sent', String));
    });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    cleanUp(async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    });
    return { server, settled };
  }

  it('are not all opened for a client that pipelines requests and reads no answer (CWE-774)', async () => {
    const { server, settled } = await files();
    const client = await dialed(server);
    const before = openDescriptors();
    const request = (name: string) => `GET /${name} HTTP/1.1\r\nHost: x\r\n\r\n`;
    client.write(request('large') + request('small').repeat(300));
    await eventually(() => openDescriptors() > before, 'the first file is open');
    await new Promise((resolve) => setTimeout(resolve, 200));
    expect(openDescriptors()).toBe(before + 1);
    client.destroy();
    await eventually(() => settled.length === 301, 'every answer has failed');
    expect(new Set(settled)).not.toContain('sent');
    await eventually(() => openDescriptors() < before, 'every descriptor is closed');
  });

  it('are not all opened for a client of HTTP/2 that opens streams and reads none (RFC 9113 §10.5)', async () => {
    const { server } = await files({ http2: true });
    const client = http2.connect(`https://localhost:${portOf(server)}`, {
      ca: certificates().root.pem,
      settings: { initialWindowSize: 0 },
      peerMaxConcurrentStreams: 1000,
    });
    cleanUp(() => client.destroy());
    client.on('error', () => undefined);
    await once(client, 'remoteSettings');
    expect(client.remoteSettings.maxConcurrentStreams).toBe(100);
    const before = openDescriptors();
    for (let count = 0; count < 300; count += 1) client.request({ ':path': '/large' }).on('error', () => undefined);
    await eventually(() => openDescriptors() > before, 'files are open');
    await new Promise((resolve) => setTimeout(resolve, 300));
    expect(openDescriptors() - before).toBeLessThanOrEqual(100);
  });

  it('come in order to one that reads them', async () => {
    const { server, settled } = await files();
    const client = await dialed(server);
    const request = (name: string, more = '') => `GET /${name} HTTP/1.1\r\nHost: x\r\n${more}\r\n`;
    client.write(request('large') + request('small').repeat(50) + request('small', 'Connection: close\r\n'));
    const answer = String(await readAll(client));
    expect(answer.split('HTTP/1.1 200 OK')).toHaveLength(53);
    expect(answer.match(/\r\n\r\nsmall/g)).toHaveLength(51);
    expect(new Set(settled)).toEqual(new Set(['sent']));
  });

  it('that are pipes hold no thread: four of them would stop the file system of the whole process', async () => {
    execFileSync('mkfifo', [join(root, 'pipe')]);
    const { server, settled } = await files();
    const clients = await Promise.all(Array.from({ length: 4 }, () => dialed(server)));
    for (const client of clients) {
      client.on('error', () => undefined);
      client.write('GET /pipe HTTP/1.1\r\nHost: x\r\n\r\n');
    }
    await eventually(() => settled.length === 4, 'each was refused');
    expect(settled.every((outcome) => outcome.includes('regular file'))).toBe(true);
    const client = await dialed(server);
    await expect(client.sendFile(join(root, 'pipe'))).rejects.toThrow('regular file');
    expect(String(await readFile(join(root, 'small')))).toBe('small');
  });
});

describe.each(['native', 'stream'] as const)('an exception of a listener, over the %s transport,', (transport) => {
  /** What nobody caught while `task` went on. */
  async function uncaught(task: () => unknown): Promise<unknown> {
    const others = process.listeners('uncaughtException');
    process.removeAllListeners('uncaughtException');
    try {
      return await new Promise((resolve) => {
        process.once('uncaughtException', resolve);
        task();
      });
    } finally {
      for (const other of others) process.on('uncaughtException', other);
    }
  }
  const mistake = new Error('a mistake of the application');
  const fail = () => {
    throw mistake;
  };

  it('of secureConnection is not taken for a fault of the connection', async () => {
    const server = await serve({ transport }, fail);
    expect(await uncaught(() => dial(server))).toBe(mistake);
    expect(server.connections).toHaveLength(1);
  });

  it('of data neither', async () => {
    const server = await serve({ transport }, (connection) => connection.on('data', fail));
    const client = await dialed(server);
    expect(await uncaught(() => client.write('data'))).toBe(mistake);
    expect(server.connections).toHaveLength(1);
  });

  it('of tlsClientError leaves no connection behind', async () => {
    const server = await serve({ transport }, () => undefined);
    server.on('tlsClientError', fail);
    const client = connectTcp(portOf(server), '127.0.0.1');
    expect(await uncaught(() => client.write('GET / HTTP/1.0\r\n\r\n'))).toBe(mistake);
    expect(server.counters.connections).toMatchObject({ open: 0, handshaking: 0 });
    client.destroy();
  });
});

it('names of many kilobytes, all different, are not remembered (CWE-770)', () => {
  const { server, other } = certificates();
  const contexts = [server, other].map(({ pem, keyPem }) => createSecureContext({ cert: pem, key: keyPem }));
  const store = new CredentialStore(contexts);
  const choose = (serverName: string) => store.choose({ ...hello, serverName })?.certificateChain[0];
  const hello = {
    certificateTypes: ['x509' as const],
    legacyVersion: 0x0303,
    versions: [0x0304],
    extensionTypes: [],
    alpnProtocols: [],
    cipherSuites: [],
    groups: [],
    signatureSchemes: Object.values(signatureSchemes),
    certificateSignatureSchemes: Object.values(signatureSchemes),
    delegatedCredentialSchemes: [],
    certificateAuthorities: [],
    bytes: new Uint8Array(),
  };
  expect(choose('OTHER.example')).toEqual(new Uint8Array(other.der));
  setFlagsFromString('--expose-gc');
  const collect: () => void = runInNewContext('gc');
  const used = () => {
    collect();
    return process.memoryUsage().heapUsed;
  };
  const before = used();
  for (let count = 0; count < 900; count += 1) {
    expect(choose(`${count}${String.fromCharCode(97 + (count % 26)).repeat(60_000)}`)).toBeDefined();
  }
  expect(used() - before).toBeLessThan(10_000_000);
});

it('a stream that was over before it was given ends the handshake at once', async () => {
  const socket = new PassThrough().destroy();
  await once(socket, 'close');
  const connection = connect({ socket, servername: 'localhost' });
  cleanUp(() => connection.destroy());
  const [error] = await once(connection, 'error');
  expect(error.code).toBe('ERR_TLS_TRUNCATED');
});

it('clients that connect and say nothing do not keep others out for as long as handshakeTimeout (slowloris)', async () => {
  const server = await serve({ maxHandshakes: 2, handshakeTimeout: 60_000 }, (connection) => connection.end());
  const errors: unknown[] = [];
  server.on('tlsClientError', ({ code }) => errors.push(code));
  const silent = [1, 2].map(() => connectTcp(portOf(server), '127.0.0.1').on('error', () => undefined));
  cleanUp(() => silent.map((raw) => raw.destroy()));
  await eventually(() => server.counters.connections.open === 2, 'every place is taken');
  const begun = performance.now();
  await once(dial(server), 'secureConnect');
  expect(performance.now() - begun).toBeLessThan(10_000);
  expect(errors).toEqual(['ERR_TLS_HANDSHAKE_TIMEOUT']);
  await eventually(() => server.counters.connections.handshaking === 1, 'one of the silent ones is left in peace');
});
