/** Private keys on the thread pool (`asynchronousSigning`). */
import { generateKeyPairSync, type KeyObject } from 'node:crypto';
import { once } from 'node:events';
import { describe, expect, it } from 'vitest';
import { curveKey, Pki } from '../../node-crypto/test/pki.js';
import { createServer } from '../src/index.js';
import { certificates, cleanUp, dial, dialed, eventually, portOf, serve } from './support.js';

const keys: readonly [string, () => KeyObject][] = [
  ['RSA', () => generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey],
  ['P-256', () => curveKey()],
];

describe.each(keys)('a key of %s that signs on the thread pool', (_name, makeKey) => {
  it('shakes hands as it does otherwise', async () => {
    const pair = issued(makeKey());
    const server = await serve({ ...pair, asynchronousSigning: true }, (connection) => connection.end('done'));
    const connection = await dialed(server, { ca: pair.cert });
    const [bytes] = await once(connection, 'data');
    expect(String(bytes)).toBe('done');
  });

  it('may be shown alone, and signs for clients too', async () => {
    const key = makeKey();
    const server = await serve({ ...issued(key), asynchronousSigning: true }, (connection) => connection.end('done'));
    expect(() =>
      createServer({
        key: key.export({ format: 'pem', type: 'pkcs8' }),
        rawPublicKey: true,
        asynchronousSigning: true,
      }),
    ).not.toThrow();
    const client = certificates().client;
    const asking = await serve(
      { requestCert: true, ca: certificates().root.pem, asynchronousSigning: true },
      (connection) => connection.end('known'),
    );
    const connection = await dialed(asking, { cert: client.pem, key: client.keyPem, asynchronousSigning: true });
    const [bytes] = await once(connection, 'data');
    expect(String(bytes)).toBe('known');
    expect(portOf(server)).not.toBe(portOf(asking));
  });

  it('may come back to a connection that is gone, and to a server that closes', async () => {
    const pair = issued(makeKey());
    const failures: Error[] = [];
    const server = await serve({ ...pair, asynchronousSigning: true }, () => undefined);
    server.on('tlsClientError', (error) => failures.push(error));
    const connections = Array.from({ length: 8 }, () => dial(server, { ca: pair.cert }));
    for (const connection of connections) connection.on('error', () => undefined);
    await eventually(() => server.counters.connections.handshaking > 0, 'a handshake to begin');
    for (const connection of connections) connection.destroy();
    const closed = once(server, 'close');
    server.close();
    server.closeAllConnections();
    await closed;
    expect(server.counters.connections.open).toBe(0);
  });
});

/** A certificate for localhost that the key signs itself. */
function issued(key: KeyObject): { cert: string; key: string } {
  const pki = new Pki();
  cleanUp(() => pki.remove());
  const { pem, keyPem } = pki.issue({ name: 'localhost', key, extensions: ['subjectAltName=DNS:localhost'] });
  return { cert: pem, key: keyPem };
}
