/** Connections over real sockets of this machine, by descriptor and by stream: data, ends, pressure, and what node:tls shows. */
import { once } from 'node:events';
import { describe, expect, it } from 'vitest';
import type { TlsConnection } from '../src/index.js';
import { secured } from './fake-pair.js';
import { dial, dialed, eventually, pattern, readAll, readBytes, serve } from './support.js';

const transports = ['native', 'stream'] as const;

for (const transport of transports) {
  describe(`a connection over the ${transport} transport`, () => {
    it('echoes what it is sent and ends in order', async () => {
      const server = await serve({ transport }, (connection) => connection.pipe(connection));
      const client = dial(server, { transport });
      const text = pattern(300_000);
      client.end(text);
      expect((await readAll(client)).equals(text)).toBe(true);
      await eventually(() => server.counters.connections.open === 0, 'the server closed its side');
    });

    it('writes strings in their encodings, several at once and none longer than they are', async () => {
      const server = await serve({ transport }, (connection) => connection.pipe(connection));
      const client = await dialed(server, { transport });
      const parts = [
        ['head: é\r\n', 'latin1'],
        ['ü', 'utf8'],
        ['6869zz', 'hex'],
        ['aGk=!', 'base64'],
        ['ä', 'utf16le'],
      ] as const;
      client.cork();
      for (const [text, encoding] of parts) client.write(text, encoding);
      client.write(Buffer.from('body'));
      client.uncork();
      client.end('6869zz', 'hex');
      const written = [...parts.map(([text, encoding]) => Buffer.from(text, encoding)), Buffer.from('bodyhi')];
      expect(await readAll(client)).toEqual(Buffer.concat(written));
    });

    it('delivers to who listens, holds for who pauses, and in the encoding that was set', async () => {
      const server = await serve({ transport }, (connection) => connection.pipe(connection));
      const client = await dialed(server, { transport });
      const text = 'eins zwei drei vier fünf ';
      let heard = '';
      client.setEncoding('utf8').on('data', (part: string) => {
        heard += part;
        client.pause();
        setImmediate(() => client.resume());
      });
      for (let times = 0; times < 20; times += 1) {
        client.write(text);
        await new Promise((resolve) => setImmediate(resolve));
      }
      client.end();
      await once(client, 'end');
      expect(heard).toBe(text.repeat(20));
    });

    it('keeps half of it open with allowHalfOpen', async () => {
      const server = await serve({ transport, allowHalfOpen: true }, async (connection) => {
        const request = await readAll(connection);
        connection.end(`after the end: ${request}`);
      });
      const client = dial(server, { transport, allowHalfOpen: true });
      client.end('request');
      expect(String(await readAll(client))).toBe('after the end: request');
    });

    it('ends its writing side when the peer ends, without allowHalfOpen', async () => {
      const server = await serve({ transport }, (connection) => connection.resume());
      const client = dial(server, { transport, allowHalfOpen: true });
      client.end();
      client.resume();
      await once(client, 'end');
    });

    it('holds a writer back while nobody reads', async () => {
      let peer: TlsConnection | undefined;
      const server = await serve({ transport }, (connection) => {
        peer = connection;
        connection.pause();
      });
      const client = await dialed(server, { transport });
      const data = pattern(32 * 1024 * 1024);
      client.end(data);
      await new Promise((resolve) => setTimeout(resolve, 100));
      expect(client.writableFinished).toBe(false);
      expect(peer?.bytesRead).toBeLessThan(1024 * 1024);
      if (peer === undefined) throw new Error('no connection came');
      expect((await readAll(peer)).equals(data)).toBe(true);
      expect(peer.bytesRead).toBe(data.length);
    });

    it('tells an end without close_notify from an end', async () => {
      const server = await serve({ transport }, (connection) => connection.destroy(new Error('gone')));
      server.on('secureConnection', (connection) => connection.on('error', () => undefined));
      const client = dial(server, { transport });
      client.resume();
      const [error] = await once(client, 'error');
      expect(['ERR_TLS_TRUNCATED', 'ECONNRESET']).toContain(error.code);
    });

    it('says close_notify when it is destroyed with nothing left to send', async () => {
      const server = await serve({ transport }, (connection) => connection.destroy());
      const client = dial(server, { transport });
      expect((await readAll(client)).length).toBe(0);
    });

    it('takes an end without close_notify for one when told to', async () => {
      const server = await serve({ transport }, (connection) => {
        connection.on('error', () => undefined);
        connection.write('half of it', () => connection.destroy(new Error('gone')));
      });
      const client = dial(server, { transport, tolerateTruncation: true });
      expect(String(await readAll(client))).toBe('half of it');
    });

    it('shows what node:tls shows', async () => {
      const server = await serve({ transport, ALPNProtocols: ['b', 'a'] }, (connection) => {
        connection.end(
          JSON.stringify([
            connection.alpnProtocol,
            connection.servername,
            connection.remoteAddress,
            connection.encrypted,
          ]),
        );
      });
      const client = await dialed(server, { transport, ALPNProtocols: ['a', 'b'] });
      expect(client.authorized).toBe(true);
      expect(client.authorizationError).toBe(null);
      expect(client.alpnProtocol).toBe('b');
      expect(client.getProtocol()).toBe('TLSv1.3');
      expect(client.getCipher()?.name).toBe('TLS_AES_128_GCM_SHA256');
      expect(client.isSessionReused()).toBe(false);
      expect(client.getPeerCertificate()).toMatchObject({ subject: { CN: 'localhost' } });
      expect(client.getPeerX509Certificate()?.checkHost('localhost')).toBe('localhost');
      expect(client.remotePort).toBe(Reflect.get(Object(server.address()), 'port'));
      expect(client.address()).toMatchObject({ address: '127.0.0.1', family: 'IPv4' });
      expect(JSON.parse(String(await readAll(client)))).toEqual(['b', 'localhost', '127.0.0.1', true]);
    });

    it('exports the same keying material on both sides', async () => {
      const server = await serve({ transport }, (connection) => {
        connection.end(connection.exportKeyingMaterial(32, 'EXPERIMENTAL test', Buffer.from('context')));
      });
      const client = await dialed(server, { transport });
      const expected = client.exportKeyingMaterial(32, 'EXPERIMENTAL test', Buffer.from('context'));
      expect((await readAll(client)).equals(expected)).toBe(true);
    });

    it('replaces keys while data flows both ways', async () => {
      const server = await serve({ transport }, (connection) => connection.pipe(connection));
      const client = await dialed(server, { transport });
      for (let round = 0; round < 5; round += 1) {
        const data = pattern(50_000, round);
        client.updateKeys({ requestPeer: round % 2 === 0 });
        client.write(data);
        expect((await readBytes(client, data.length)).equals(data)).toBe(true);
      }
      client.destroy();
    });

    it('emits timeout without traffic, and not while there is some', async () => {
      const server = await serve({ transport }, (connection) => connection.pipe(connection));
      const client = await dialed(server, { transport });
      let timeouts = 0;
      client.setTimeout(150, () => {
        timeouts += 1;
      });
      for (let round = 0; round < 5; round += 1) {
        client.write('x');
        await readBytes(client, 1);
        await new Promise((resolve) => setTimeout(resolve, 60));
      }
      expect(timeouts).toBe(0);
      await once(client, 'timeout');
      client.destroy();
    });
  });
}

describe('packets', () => {
  it('the last data, close_notify and the FIN are one', async () => {
    const { server, client, serverEnd } = await secured({ server: { offload: 'off' } });
    client.resume();
    const before = serverEnd.packets;
    server.end('the last words');
    await once(client, 'end');
    expect(serverEnd.packets - before).toBe(1);
  });

  it('data that was written before the end is not held back for it', async () => {
    const { server, client, serverEnd } = await secured({ server: { offload: 'off' } });
    client.resume();
    const before = serverEnd.packets;
    server.write('not yet the last words');
    expect(serverEnd.packets - before).toBe(1);
    server.end();
    await once(client, 'end');
    expect(serverEnd.packets - before).toBe(2);
  });
});
