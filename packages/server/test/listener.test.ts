// Who accepts: the kernel's acceptor where the listening socket is the server's own, node:net elsewhere. Nobody can tell.
import { once } from 'node:events';
import { connect as connectTcp, createServer as createTcpServer, Socket } from 'node:net';
import { kernel } from 'ktls-bind';
import { describe, expect, it } from 'vitest';
import { createHttpsServer, createServer, type TlsServerOptions } from '../src/index.js';
import {
  certificates,
  cleanUp,
  dial,
  dialed,
  openDescriptors,
  portOf,
  readAll,
  serve,
  serverCredentials,
} from './support.js';

/** A server that listens, and how often the kernel's acceptor was asked for. */
function counted(options: Partial<TlsServerOptions> = {}) {
  const seen = { acceptors: 0 };
  const accept: typeof kernel.accept = (...parameters) => {
    seen.acceptors += 1;
    if (kernel.accept === undefined) throw new Error('the native part has no acceptor');
    return kernel.accept(...parameters);
  };
  const server = createServer({ ...serverCredentials(), kernel: { ...kernel, accept }, ...options }, (connection) =>
    connection.end('hello'),
  );
  cleanUp(() => {
    server.closeAllConnections();
    server.close(() => undefined);
  });
  return { server, seen };
}

const greeting = async (server: ReturnType<typeof counted>['server']) => String(await readAll(dial(server)));

describe('a server on a socket of its own', () => {
  it('is told of connections by the kernel, and listens as before', async () => {
    const { server, seen } = counted();
    expect(server.listening).toBe(false);
    const called = new Promise((resolve) => {
      server.listen(0, '127.0.0.1', function listening(this: unknown) {
        resolve(this);
      });
    });
    expect(await called).toBe(server);
    expect(seen.acceptors).toBe(1);
    expect(server.listening).toBe(true);
    expect(server.address()).toMatchObject({ address: '127.0.0.1', family: 'IPv4', port: portOf(server) });
    expect(() => server.listen(0)).toThrow(expect.objectContaining({ code: 'ERR_SERVER_ALREADY_LISTEN' }));
    expect(await greeting(server)).toBe('hello');
    const occupied = createTcpServer().listen(portOf(server), '127.0.0.1');
    expect((await once(occupied, 'error'))[0]).toMatchObject({ code: 'EADDRINUSE' });
    await new Promise((resolve) => server.close(resolve));
    expect(server.listening).toBe(false);
    expect(server.address()).toBe(null);
  });

  it('may be closed as soon as it listens, and listen again', async () => {
    const before = openDescriptors();
    const { server, seen } = counted();
    for (let round = 1; round <= 3; round += 1) {
      server.listen(0, '127.0.0.1', () => server.close());
      await once(server, 'close');
      expect(seen.acceptors).toBe(round);
    }
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    expect(await greeting(server)).toBe('hello');
    await new Promise((resolve) => server.close(resolve));
    await expect.poll(openDescriptors).toBeLessThanOrEqual(before);
  });

  it('shows net.Sockets to whoever listens for them, from then on', async () => {
    const { server, seen } = counted();
    server.listen({ port: 0, host: '127.0.0.1', backlog: 7 });
    await once(server, 'listening');
    const port = portOf(server);
    let listening = 0;
    server.on('listening', () => {
      listening += 1;
    });
    expect(await greeting(server)).toBe('hello');
    const shown = once(server, 'connection');
    expect(portOf(server)).toBe(port);
    expect(await greeting(server)).toBe('hello');
    expect((await shown)[0]).toBeInstanceOf(Socket);
    expect(seen.acceptors).toBe(1);
    expect(listening).toBe(0);
    const before = openDescriptors();
    await new Promise((resolve) => server.close(resolve));
    await expect.poll(openDescriptors).toBeLessThan(before);
  });

  it('does not keep the process alive when it should not', async () => {
    const { server } = counted();
    const before = process.getActiveResourcesInfo().length;
    server.unref().listen(0, '127.0.0.1');
    await once(server, 'listening');
    await new Promise((resolve) => setImmediate(resolve));
    expect(process.getActiveResourcesInfo().length).toBeLessThanOrEqual(before);
    server.ref();
    expect(await greeting(server)).toBe('hello');
  });

  it('tells the addresses of whom it drops', async () => {
    const { server } = counted({ maxConnections: 0 });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    const raw = connectTcp(portOf(server), '127.0.0.1').on('error', () => undefined);
    const [dropped] = await once(server, 'drop');
    expect(dropped).toEqual({
      localAddress: '127.0.0.1',
      localPort: portOf(server),
      localFamily: 'IPv4',
      remoteAddress: '127.0.0.1',
      remotePort: raw.localPort,
      remoteFamily: 'IPv4',
    });
    await once(raw, 'close');
  });

  it('serves HTTPS the same way', async () => {
    const server = createHttpsServer({ ...serverCredentials() }, (_request, response) => response.end('by http'));
    const called = new Promise((resolve) => server.listen(0, '127.0.0.1', () => resolve(server.address())));
    expect(await called).toMatchObject({ port: portOf(server) });
    cleanUp(() => server.close());
    const client = await dialed(server, { ALPNProtocols: ['http/1.1'] });
    client.end('GET / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n');
    expect(String(await readAll(client))).toContain('by http');
  });
});

describe('node:net goes on accepting', () => {
  it('where the listening socket was given', async () => {
    const { server: first } = counted();
    first.on('connection', () => undefined);
    first.listen(0, '127.0.0.1');
    await once(first, 'listening');
    const { server, seen } = counted();
    const other = createTcpServer().listen(0, '127.0.0.1');
    await once(other, 'listening');
    server.listen(other);
    await once(server, 'listening');
    expect(seen.acceptors).toBe(0);
    expect(other.listening).toBe(true);
    const port = portOf(other);
    const raw = connectTcp(port, '127.0.0.1').on('error', () => undefined);
    await once(raw, 'connect');
    raw.destroy();
    expect(other.address()).toMatchObject({ port });
  });

  it('where a signal may close it, somebody listens, or the ClientHello is asked for', async () => {
    const controller = new AbortController();
    const { server: signalled, seen: bySignal } = counted();
    signalled.listen({ port: 0, host: '127.0.0.1', signal: controller.signal });
    const { server: watched, seen: byListener } = counted();
    watched.on('connection', () => undefined);
    watched.listen(0, '127.0.0.1');
    const { server: asking, seen: byHello } = counted({ onClientHello: () => undefined });
    asking.listen(0, '127.0.0.1');
    const { server: streams, seen: byChoice } = counted({ transport: 'stream' });
    streams.listen(0, '127.0.0.1');
    for (const server of [signalled, watched, asking, streams]) {
      if (!server.listening || server.address() === null) await once(server, 'listening');
      expect(await greeting(server)).toBe('hello');
    }
    expect([bySignal, byListener, byHello, byChoice].map(({ acceptors }) => acceptors)).toEqual([0, 0, 0, 0]);
    controller.abort();
    await expect.poll(() => signalled.listening).toBe(false);
  });

  it('where the kernel that was given has no acceptor, or it fails', async () => {
    const { accept, ...without } = kernel;
    const refusing: typeof kernel.accept = () => {
      throw new Error('no descriptor left');
    };
    for (const given of [without, { ...kernel, accept: refusing }]) {
      const server = await serve({ kernel: given }, (connection) => connection.end('hello'));
      expect(String(await readAll(dial(server, { ca: certificates().root.pem })))).toBe('hello');
    }
    expect(accept).toBeDefined();
  });
});
