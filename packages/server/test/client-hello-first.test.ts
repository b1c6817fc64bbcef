/** onClientHello: what it sees, what it can choose, and that a socket which is given back is as it was. */
import { once } from 'node:events';
import { connect as connectTcp, createServer as createTcpServer, Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import {
  connect as connectNode,
  createSecureContext as createNodeContext,
  type TLSSocket as NodeSocket,
  TLSSocket,
} from 'node:tls';
import { describe, expect, it } from 'vitest';
import type { ClientHello, ClientHelloDecision, TlsServerOptions } from '../src/index.js';
import { certificates, cleanUp, dial, eventually, portOf, readAll, serve, serverCredentials } from './support.js';

const transports = ['native', 'stream'] as const;

function nodeClient(port: number, options: object = {}): NodeSocket {
  const client = connectNode({
    port,
    host: '127.0.0.1',
    servername: 'localhost',
    ca: certificates().root.pem,
    ...options,
  });
  cleanUp(() => client.destroy());
  return client;
}

/** A server whose connections say hello. */
function greeting(options: Partial<TlsServerOptions>) {
  return serve(options, (connection) => connection.end('hello'));
}

describe.each(transports)('onClientHello over the %s transport', (transport) => {
  it('sees the hello and its JA4, and goes on', async () => {
    const seen: ClientHello[] = [];
    const addresses: unknown[] = [];
    const see = (hello: ClientHello) => {
      seen.push(hello);
      addresses.push(Reflect.get(hello.socket, 'remoteAddress'));
    };
    const server = await greeting({ transport, onClientHello: see });
    const client = dial(server, { ALPNProtocols: ['h2'] });
    expect((await readAll(client)).toString()).toBe('hello');
    expect(seen).toHaveLength(1);
    expect(seen[0]).toMatchObject({ serverName: 'localhost', alpnProtocols: ['h2'], versions: [0x0304] });
    expect(seen[0]?.ja4).toMatch(/^t13d\d{4}h2_[0-9a-f]{12}_[0-9a-f]{12}$/);
    expect(addresses).toEqual(['127.0.0.1']);
  });

  it('may decide later, and sees a hello that comes byte by byte', async () => {
    let looks = 0;
    const server = await greeting({
      transport,
      onClientHello: async () => {
        looks += 1;
        await new Promise((resolve) => setTimeout(resolve, 20));
        return {};
      },
    });
    const front = createTcpServer((downstream) => {
      const upstream = connectTcp({ port: portOf(server), host: '127.0.0.1', noDelay: true });
      downstream.on('data', async (bytes: Buffer) => {
        for (const byte of bytes.subarray(0, 12)) {
          upstream.write(Buffer.of(byte));
          await new Promise((resolve) => setTimeout(resolve, 2));
        }
        upstream.write(bytes.subarray(12));
      });
      upstream.pipe(downstream);
      for (const socket of [upstream, downstream]) socket.on('error', () => {});
    }).listen(0, '127.0.0.1');
    await once(front, 'listening');
    cleanUp(() => front.close());
    const client = nodeClient(portOf(front));
    expect((await readAll(client)).toString()).toBe('hello');
    expect(looks).toBe(1);
  });

  it('chooses other credentials and options for the connection', async () => {
    const { other, root } = certificates();
    const own: ClientHelloDecision = {
      options: { cert: other.pem, key: other.keyPem, ALPNProtocols: ['special'], ciphers: 'TLS_AES_256_GCM_SHA384' },
    };
    const server = await greeting({
      transport,
      onClientHello: ({ serverName }) => (serverName === 'other.example' ? own : undefined),
    });
    for (let round = 0; round < 2; round += 1) {
      const client = nodeClient(portOf(server), {
        servername: 'other.example',
        ca: root.pem,
        ALPNProtocols: ['special'],
      });
      await once(client, 'secureConnect');
      expect(client.getPeerCertificate().subject.CN).toBe('other.example');
      expect(client.alpnProtocol).toBe('special');
      expect(client.getCipher().name).toBe('TLS_AES_256_GCM_SHA384');
    }
    const usual = nodeClient(portOf(server));
    await once(usual, 'secureConnect');
    expect(usual.getPeerCertificate().subject.CN).toBe('localhost');
  });

  it('refuses with an alert of its choice', async () => {
    const server = await greeting({ transport, onClientHello: () => ({ alert: 'access_denied' }) });
    const failed = once(server, 'tlsClientError');
    const [error] = await once(nodeClient(portOf(server)), 'error');
    expect(error).toMatchObject({ code: 'ERR_SSL_TLSV1_ALERT_ACCESS_DENIED' });
    expect((await failed)[0]).toMatchObject({ alert: 'access_denied', received: false });
    await eventually(() => server.counters.connections.open === 0, 'the connection is gone');
  });

  it('that throws refuses with internal_error, and the server goes on', async () => {
    let calls = 0;
    const server = await greeting({
      transport,
      onClientHello: () => {
        calls += 1;
        if (calls === 1) throw new Error('a mistake');
      },
    });
    const failed = once(server, 'tlsClientError');
    await once(nodeClient(portOf(server)), 'error');
    expect((await failed)[0]).toMatchObject({ alert: 'internal_error', message: expect.stringContaining('a mistake') });
    expect((await readAll(nodeClient(portOf(server)))).toString()).toBe('hello');
  });

  it('gives the socket back, and node:tls shakes hands in TLS 1.2 as if it had been alone', async () => {
    const context = createNodeContext(serverCredentials());
    const server = await greeting({
      transport,
      onClientHello: ({ versions }) => (versions.includes(0x0304) ? undefined : { giveBack: old }),
    });
    function old(socket: Duplex): void {
      const secure = new TLSSocket(asSocket(socket), { isServer: true, secureContext: context });
      secure.on('error', () => {});
      secure.end('hello from 1.2');
    }
    const client = nodeClient(portOf(server), { maxVersion: 'TLSv1.2' });
    expect((await readAll(client)).toString()).toBe('hello from 1.2');
    expect(client.getProtocol()).toBe('TLSv1.2');
    expect((await readAll(nodeClient(portOf(server)))).toString()).toBe('hello');
    await eventually(() => server.counters.connections.open === 0, 'nothing is left');
  });

  it('gives the socket back with every byte, also those behind the hello', async () => {
    const received: Buffer[] = [];
    let given: Duplex | undefined;
    const server = await greeting({
      transport,
      onClientHello: () => ({
        giveBack: (socket) => {
          given = socket;
          socket.on('data', (bytes: Buffer) => received.push(bytes));
          socket.resume();
        },
      }),
    });
    const hello = await firstFlight();
    const sent = Buffer.concat([hello, Buffer.from('and more')]);
    const client = connectTcp({ port: portOf(server), host: '127.0.0.1' });
    cleanUp(() => client.destroy());
    client.write(sent);
    await eventually(() => Buffer.concat(received).length >= sent.length, 'all bytes came back');
    expect(Buffer.concat(received).equals(sent)).toBe(true);
    given?.destroy();
  });

  it('is not asked about what is no ClientHello: the engine answers that', async () => {
    let asked = 0;
    const ask = () => {
      asked += 1;
    };
    const server = await greeting({ transport, onClientHello: ask });
    const failed = once(server, 'tlsClientError');
    const client = connectTcp({ port: portOf(server), host: '127.0.0.1' });
    cleanUp(() => client.destroy());
    client.write('GET / HTTP/1.0\r\n\r\n');
    expect((await failed)[0]).toMatchObject({ alert: 'unexpected_message' });
    expect(asked).toBe(0);
  });

  it('a client that leaves, and one that says nothing, are dropped in time', async () => {
    const server = await greeting({ transport, handshakeTimeout: 200, onClientHello: () => undefined });
    const left = connectTcp({ port: portOf(server), host: '127.0.0.1' });
    await once(left, 'connect');
    left.on('error', () => {});
    left.end(Buffer.of(22, 3));
    const silent = connectTcp({ port: portOf(server), host: '127.0.0.1' });
    silent.on('error', () => {});
    cleanUp(() => silent.destroy());
    await once(silent, 'close');
    await eventually(() => server.counters.connections.open === 0, 'both are gone');
  });

  it('a decision that never comes is cut off by handshakeTimeout', async () => {
    const never = new Promise<undefined>(() => {});
    const server = await greeting({ transport, handshakeTimeout: 200, onClientHello: () => never });
    const client = nodeClient(portOf(server));
    const closed = new Promise((resolve) => client.once('close', resolve));
    client.on('error', () => {});
    await closed;
    await eventually(() => server.counters.connections.open === 0, 'it is gone');
  });

  it('close() drops those whose hello has not come', async () => {
    const server = await greeting({ transport, onClientHello: () => undefined });
    const client = connectTcp({ port: portOf(server), host: '127.0.0.1' });
    cleanUp(() => client.destroy());
    await eventually(() => server.counters.connections.open === 1, 'it is there');
    const closed = once(server, 'close');
    server.close();
    await closed;
  });
});

it('a wrong choice of options is internal_error to the client and a sentence to the server', async () => {
  const server = await greeting({ onClientHello: () => ({ options: { ciphers: 'RC4' } }) });
  const failed = once(server, 'tlsClientError');
  await once(nodeClient(portOf(server)), 'error');
  expect((await failed)[0]).toMatchObject({ alert: 'internal_error', message: expect.stringContaining("'RC4'") });
});

describe('channelBinding (RFC 9266)', () => {
  it('is what the peer exports', async () => {
    let theirs: Buffer | undefined;
    const server = await serve({}, (connection) => {
      theirs = connection.channelBinding();
      connection.end('hello');
    });
    const client = nodeClient(portOf(server));
    await once(client, 'secureConnect');
    await readAll(client);
    expect(theirs).toHaveLength(32);
    expect(theirs).toEqual(client.exportKeyingMaterial(32, 'EXPORTER-Channel-Binding', Buffer.alloc(0)));
  });
});

function asSocket(stream: Duplex): Socket {
  if (stream instanceof Socket) return stream;
  throw new Error('not a socket of node:net');
}

/** A ClientHello of node:tls, as bytes. */
async function firstFlight(): Promise<Buffer> {
  const listener = createTcpServer().listen(0, '127.0.0.1');
  await once(listener, 'listening');
  const client = nodeClient(portOf(listener));
  client.on('error', () => {});
  const [socket] = await once(listener, 'connection');
  const [bytes] = await once(socket, 'data');
  socket.destroy();
  listener.close();
  return bytes;
}
