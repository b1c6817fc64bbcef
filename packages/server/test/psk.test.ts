/** External PSKs as users of the server package give them: options, callbacks of node:tls, and what is refused. */
import { once } from 'node:events';
import { createServer as createNodeServer, connect as nodeConnect } from 'node:tls';
import { describe, expect, it } from 'vitest';
import { type ConnectOptions, connect, createServer, type ExternalPsk, type TlsConnection } from '../src/index.js';
import { cleanUp, eventually, portOf, serve } from './support.js';

const psk: ExternalPsk = { identity: Buffer.from('meter'), key: Buffer.alloc(32, 3) };
const toImport = { externalIdentity: Buffer.from('meter'), key: Buffer.alloc(32, 3), context: Buffer.from('a>b') };

describe('a server with PSKs', () => {
  it('needs no certificate, and says whom it has before it', async () => {
    const seen: TlsConnection[] = [];
    const server = createServer({ psks: [psk, toImport] }, (one) => seen.push(one)).listen(0, '127.0.0.1');
    cleanUp(() => server.close());
    await once(server, 'listening');
    for (const one of [psk, toImport]) {
      const connection = await dial({ port: portOf(server), psks: [one] });
      expect(connection.info).toMatchObject({ authentication: 'psk', peerCertificates: [] });
      expect([connection.authorized, connection.authorizationError]).toEqual([true, null]);
      connection.end();
    }
    await eventually(() => seen.length === 2, 'both connections');
    expect(seen.map((one) => Buffer.from(one.info?.pskIdentity ?? []).toString())).toEqual(['meter', 'meter']);
    expect(seen.map(({ authorized }) => authorized)).toEqual([true, true]);
  });

  it('finds them asynchronously', async () => {
    const server = await serve({ psks: async (identity) => ({ ...psk, identity }) }, (one) => one.end());
    expect((await dial({ port: portOf(server), psks: [psk] })).info?.authentication).toBe('psk');
  });

  it('gives sessions, which are resumed while the PSK is there', async () => {
    const server = await serve({ psks: [psk] }, (one) => one.end('bye'));
    const first = connect({ host: '127.0.0.1', port: portOf(server), psks: [psk] });
    const session = await new Promise<Buffer>((resolve, reject) =>
      first.once('session', resolve).once('error', reject),
    );
    first.destroy();
    const again = await dial({ port: portOf(server), psks: [psk], session });
    expect(again.isSessionReused()).toBe(true);
    expect(again.authorized).toBe(true);
  });
});

describe('a client with PSKs', () => {
  it('believes no certificate, unless it is told to', async () => {
    const server = await serve({}, (one) => one.end());
    await expect(dial({ port: portOf(server), psks: [psk] })).rejects.toThrow();
    const told = { port: portOf(server), psks: [psk], allowCertificate: true, rejectUnauthorized: false };
    expect((await dial(told)).info?.authentication).toBe('certificate');
  });
});

describe('pskCallback', () => {
  it('of a client gets no hint, of a server the connection and the identity', async () => {
    const asked: unknown[] = [];
    const server = await serve(
      {
        pskCallback: (socket, identity) => {
          asked.push(socket.remotePort !== undefined, identity);
          return { psk: psk.key };
        },
      },
      (one) => one.end(),
    );
    const connection = await dial({
      port: portOf(server),
      pskCallback: (hint) => {
        asked.push(hint);
        return { psk: psk.key, identity: 'meter' };
      },
    });
    expect(connection.info?.authentication).toBe('psk');
    expect(asked).toEqual([null, true, 'meter']);
  });

  it('goes with that of node:tls, both ways', async () => {
    const theirs = createNodeServer({ pskCallback: () => Buffer.from(psk.key), ciphers: nodeCiphers }, (one) =>
      one.end(),
    );
    await new Promise<void>((resolve) => theirs.listen(0, '127.0.0.1', resolve));
    cleanUp(() => theirs.close());
    const ours = await dial({ port: portOf(theirs), pskCallback: () => ({ psk: psk.key, identity: 'meter' }) });
    expect(ours.info?.authentication).toBe('psk');
    const server = await serve({ pskCallback: () => psk.key }, (one) => one.end());
    const peer = nodeConnect({
      port: portOf(server),
      host: '127.0.0.1',
      pskCallback: () => ({ psk: Buffer.from(psk.key), identity: 'meter' }),
      ciphers: nodeCiphers,
      checkServerIdentity: () => undefined,
    });
    cleanUp(() => peer.destroy());
    await new Promise((resolve, reject) => peer.once('secureConnect', resolve).once('error', reject));
    expect(peer.getProtocol()).toBe('TLSv1.3');
  });

  it('and psks exclude each other; there is no hint', () => {
    const both = { psks: [psk], pskCallback: () => null };
    expect(() => createServer(both)).toThrow(/pskCallback and psks exclude/);
    expect(() => connect({ port: 1, ...both })).toThrow(/pskCallback and psks exclude/);
    expect(() => createServer(Object.assign({ psks: [psk] }, { pskIdentityHint: 'x' }))).toThrow(/has no hint/);
    expect(() => createServer({ psks: [{ ...psk, key: Buffer.alloc(8) }] })).toThrow(/64 bits can be guessed/);
  });
});

const nodeCiphers = 'PSK+HIGH:TLS_AES_128_GCM_SHA256';

/** Connected, or rejected. */
async function dial(options: ConnectOptions): Promise<TlsConnection> {
  const connection = connect({ host: '127.0.0.1', ...options });
  cleanUp(() => connection.destroy());
  await new Promise((resolve, reject) => connection.once('secureConnect', resolve).once('error', reject));
  return connection;
}
