/** Early data (§2.3, RFC 8470) over real sockets: handed out before the handshake is complete, or held back until it is. */
import { once } from 'node:events';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { connect as connectTcp, createServer as createRelay } from 'node:net';
import { describe, expect, it } from 'vitest';
import {
  type ConnectOptions,
  createHttpsServer,
  createReplayCache,
  type HttpsServerOptions,
  type TlsConnection,
  tooEarly,
} from '../src/index.js';
import {
  cleanUp,
  dial,
  dialed,
  eventually,
  pattern,
  portOf,
  readAll,
  readBytes,
  serve,
  serverCredentials,
} from './support.js';

type Listening = Parameters<typeof dial>[0];

/** A session of the server's, whose tickets come after the handshake. */
async function sessionOf(server: Listening, options: Partial<ConnectOptions> = {}): Promise<Buffer> {
  const connection = dial(server, options);
  const [session] = await once(connection, 'session');
  connection.destroy();
  return session;
}

/** Passes on what both sides say, but the client's second flight only when it is told to. */
async function relay(server: Listening) {
  let release = () => {};
  const released = new Promise<void>((resolve) => {
    release = resolve;
  });
  const tcp = createRelay((client) => {
    const upstream = connectTcp(portOf(server), '127.0.0.1');
    let answered = false;
    upstream.on('data', (bytes) => {
      answered = true;
      client.write(bytes);
    });
    client.on('data', (bytes) => {
      if (answered) released.then(() => upstream.write(bytes));
      else upstream.write(bytes);
    });
    for (const socket of [client, upstream]) {
      socket.on('error', () => {});
      socket.on('close', () => {
        client.destroy();
        upstream.destroy();
      });
    }
  });
  tcp.listen(0, '127.0.0.1');
  await once(tcp, 'listening');
  cleanUp(() => tcp.close());
  return { address: () => tcp.address(), release };
}

for (const transport of ['native', 'stream'] as const) {
  describe(`early data over the ${transport} transport`, () => {
    it('is read and answered before the client has finished, and what follows is as ever', async () => {
      const seen: boolean[] = [];
      const server = await serve({ transport, earlyData: true }, (connection: TlsConnection) => {
        connection.on('data', (bytes: Buffer) => {
          seen.push(connection.inEarlyData);
          connection.write(bytes);
        });
      });
      const between = await relay(server);
      const session = await sessionOf(server);
      const client = dial(between, { transport, session, earlyData: 'early' });
      expect(String(await readBytes(client, 5))).toBe('early');
      expect(seen).toEqual([true]);
      expect(server.connections).toEqual([]);
      between.release();
      await eventually(() => server.connections.length === 1, 'the handshake ended');
      expect(client.earlyDataAccepted).toBe(true);
      expect(client.info?.earlyData).toBe('accepted');
      const [theirs] = server.connections;
      expect(theirs?.info?.earlyData).toBe('accepted');
      expect(theirs?.inEarlyData).toBe(false);
      client.write('later');
      expect(String(await readBytes(client, 5))).toBe('later');
      expect(seen).toEqual([true, false]);
      expect(server.counters.handshakes.resumed).toBe(1);
    });

    it('a long answer goes on from one side of the handshake to the other', async () => {
      const answer = pattern(6_000_000);
      const server = await serve({ transport, earlyData: true }, (connection: TlsConnection) => {
        connection.once('data', () => connection.end(answer));
      });
      const session = await sessionOf(server);
      const client = dial(server, { transport, session, earlyData: 'all of it' });
      expect((await readAll(client)).equals(answer)).toBe(true);
    });

    it('an answer that ends before the handshake does', async () => {
      const server = await serve({ transport, earlyData: true, allowHalfOpen: true }, (connection: TlsConnection) => {
        connection.resume();
        connection.once('data', () => connection.end('short'));
      });
      const between = await relay(server);
      const session = await sessionOf(server);
      const client = dial(between, { transport, session, earlyData: 'x' });
      client.on('data', () => between.release());
      expect(String(await readAll(client))).toBe('short');
    });
  });
}

describe('early data', () => {
  it('comes once: the second time it is lost, and the client is told', async () => {
    const received: string[] = [];
    const server = await serve({ earlyData: { maxSize: 100 } }, (connection: TlsConnection) => {
      connection.on('data', (bytes) => received.push(String(bytes)));
    });
    const session = await sessionOf(server);
    const first = await dialed(server, { session, earlyData: 'once' });
    const again = await dialed(server, { session, earlyData: 'twice' });
    expect([first.earlyDataAccepted, again.earlyDataAccepted]).toEqual([true, false]);
    expect(again.info).toMatchObject({ resumed: true, earlyData: 'rejected' });
    await eventually(() => received.length > 0, 'the data came');
    expect(received).toEqual(['once']);
  });

  it('is all sent, or none of it', async () => {
    const server = await serve({ earlyData: { maxSize: 10 } }, () => {});
    const session = await sessionOf(server);
    const client = await dialed(server, { session, earlyData: 'eleven bytes' });
    expect(client.earlyDataAccepted).toBe(false);
  });

  it('is not accepted unless the server is told to, and needs tickets', async () => {
    const server = await serve({}, () => {});
    const session = await sessionOf(server);
    const client = await dialed(server, { session, earlyData: 'early' });
    expect(client.info).toMatchObject({ resumed: true, earlyData: 'none', earlyDataReason: 'unsupported_for_session' });
    await expect(serve({ earlyData: true, ticketCount: 0 }, () => {})).rejects.toThrow(/needs tickets/);
    await expect(serve({ earlyData: { maxSize: -1 } }, () => {})).rejects.toThrow(RangeError);
  });

  it('exports keying material of its own', async () => {
    let theirs: Uint8Array = Buffer.alloc(0);
    const server = await serve({ earlyData: true }, (connection: TlsConnection) => {
      if (connection.inEarlyData) theirs = connection.exportEarlyKeyingMaterial(32, 'EXPORTER-test');
    });
    const session = await sessionOf(server);
    const client = await dialed(server, { session, earlyData: 'x' });
    await eventually(() => theirs.length > 0, 'the server exported');
    expect(client.exportEarlyKeyingMaterial(32, 'EXPORTER-test').equals(theirs)).toBe(true);
  });

  it('of a client that never finishes is over after handshakeTimeout', async () => {
    let closed = false;
    const server = await serve({ earlyData: true, handshakeTimeout: 300 }, (connection: TlsConnection) => {
      connection.on('error', () => {});
      if (connection.inEarlyData) {
        connection.on('close', () => {
          closed = true;
        });
      }
    });
    const between = await relay(server);
    const session = await sessionOf(server);
    dial(between, { session, earlyData: 'x' }).on('error', () => {});
    await eventually(() => closed, 'the connection ended');
    expect(server.counters.connections.open).toBe(0);
  });

  it('may be remembered elsewhere', async () => {
    const cache = createReplayCache();
    const claims: boolean[] = [];
    const replayCache = {
      async claim(use: Parameters<typeof cache.claim>[0]) {
        const first = await cache.claim(use);
        claims.push(first);
        return first;
      },
    };
    const server = await serve({ earlyData: { replayCache } }, () => {});
    const session = await sessionOf(server);
    for (const accepted of [true, false]) {
      expect((await dialed(server, { session, earlyData: 'x' })).earlyDataAccepted).toBe(accepted);
    }
    expect(claims).toEqual([true, false]);
  });
});

describe('early data in HTTP (RFC 8470)', () => {
  async function site(options: Partial<HttpsServerOptions> = {}) {
    const seen: string[] = [];
    const server = createHttpsServer(
      { ...serverCredentials(), earlyData: true, ...options },
      (request: IncomingMessage, response: ServerResponse) => {
        seen.push(`${request.method} ${request.url} ${request.earlyData}`);
        if (request.url === '/late' && request.earlyData) return tooEarly(response);
        request.resume();
        response.end(`done ${request.headers['early-data']}`);
      },
    );
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    cleanUp(() => server.closeAllConnections());
    const between = await relay(server);
    const session = await sessionOf(server, { ALPNProtocols: ['http/1.1'] });
    const ask = (earlyData: string, other: Partial<ConnectOptions> = {}) =>
      dial(between, { session, earlyData, ALPNProtocols: ['http/1.1'], ...other });
    return { server, seen, between, ask };
  }
  const request = (line: string, more = '') => `${line} HTTP/1.1\r\nHost: localhost\r\n${more}\r\n`;

  it('a GET is answered before the client has finished, and knows it', async () => {
    const { seen, ask } = await site();
    const client = ask(request('GET /'));
    const [answer] = await once(client, 'data');
    expect(String(answer)).toMatch(/^HTTP\/1.1 200 OK[\s\S]*done 1/);
    expect(seen).toEqual(['GET / true']);
  });

  it('a POST waits for the client, and so does whatever comes behind it', async () => {
    const { seen, between, ask } = await site();
    const client = ask(`${request('GET /1')}${request('POST /2', 'Content-Length: 4\r\n')}body${request('GET /3')}`);
    await once(client, 'data');
    await new Promise((resolve) => setTimeout(resolve, 50));
    expect(seen).toEqual(['GET /1 true']);
    between.release();
    await eventually(() => seen.length === 3, 'the others came');
    expect(seen).toEqual(['GET /1 true', 'POST /2 false', 'GET /3 false']);
  });

  it('the application may say 425, and does not when the request comes later', async () => {
    const { seen, between, ask } = await site();
    const client = ask(request('GET /late'));
    const [answer] = await once(client, 'data');
    expect(String(answer)).toMatch(/^HTTP\/1.1 425 Too Early/);
    between.release();
    await eventually(() => client.info !== undefined, 'the handshake ended');
    client.write(request('GET /late'));
    const [second] = await once(client, 'data');
    expect(String(second)).toMatch(/^HTTP\/1.1 200 OK/);
    expect(seen).toEqual(['GET /late true', 'GET /late false']);
  });

  it('a request that a proxy took early is early here', async () => {
    const { seen, between, ask } = await site();
    const client = ask(request('HEAD /1'));
    await once(client, 'data');
    between.release();
    await eventually(() => client.info !== undefined, 'the handshake ended');
    client.write(request('GET /2', 'Early-Data: 1\r\n'));
    await once(client, 'data');
    expect(seen).toEqual(['HEAD /1 true', 'GET /2 true']);
  });
});
