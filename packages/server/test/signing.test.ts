/** Private keys on the thread pool (`asynchronousSigning`), and signers that take their time and fail. */
import { generateKeyPairSync, type KeyObject } from 'node:crypto';
import { once } from 'node:events';
import { type Signer, TlsError } from 'tls13-core';
import { credential } from 'tls13-node-crypto';
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

const later = () => new Promise((resolve) => setTimeout(resolve, 5));

/** What it does, what the server says of it, and what the client hears. */
const failures: readonly [string, Signer['sign'], { code: string; message: RegExp }, RegExp][] = [
  [
    'throws',
    () => {
      throw new Error('the HSM is not there');
    },
    { code: 'ERR_TLS_INTERNAL_ERROR', message: /the HSM is not there/ },
    /internal_error/,
  ],
  [
    'rejects',
    async () => {
      await later();
      throw new Error('the KMS said no');
    },
    { code: 'ERR_TLS_INTERNAL_ERROR', message: /the KMS said no/ },
    /internal_error/,
  ],
  [
    'returns what is no signature',
    async () => {
      await later();
      return new Uint8Array(64).fill(7);
    },
    { code: 'ERR_TLS_DECRYPT_ERROR', message: /decrypt_error/ },
    /CertificateVerify/,
  ],
];

describe.each(failures)('a signer that %s', (_name, sign, seen, heard) => {
  it('ends that handshake, with the alert that says so, and no other', async () => {
    const { pem, keyPem } = certificates().server;
    const own = credential({ cert: pem, key: keyPem }).signer;
    let failing = true;
    const signer: Signer = {
      schemes: own.schemes,
      sign: (scheme, message) => (failing ? sign(scheme, message) : own.sign(scheme, message)),
    };
    const server = createServer({ cert: pem, signer }, (connection) => connection.end('done'));
    cleanUp(() => server.close());
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    const failed = once(server, 'tlsClientError');
    const connection = dial(server);
    const [error] = await once(connection, 'error');
    expect(error).toBeInstanceOf(TlsError);
    expect(error.message).toMatch(heard);
    const [serverError] = await failed;
    expect(serverError).toBeInstanceOf(TlsError);
    expect(serverError).toMatchObject({ code: seen.code });
    expect(serverError.message).toMatch(seen.message);
    await eventually(() => server.counters.connections.open === 0, 'the connection to be gone');
    expect(server.counters.connections.handshaking).toBe(0);
    failing = false;
    const next = await dialed(server);
    expect(String((await once(next, 'data'))[0])).toBe('done');
  });
});

/** A certificate for localhost that the key signs itself. */
function issued(key: KeyObject): { cert: string; key: string } {
  const pki = new Pki();
  cleanUp(() => pki.remove());
  const { pem, keyPem } = pki.issue({ name: 'localhost', key, extensions: ['subjectAltName=DNS:localhost'] });
  return { cert: pem, key: keyPem };
}
