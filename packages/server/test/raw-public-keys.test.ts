/** Raw public keys (RFC 7250) by the options of servers and clients: who is believed, who is not, and with which alert. */
import { createPublicKey, type KeyObject } from 'node:crypto';
import { once } from 'node:events';
import { generateEchConfig } from 'tls13-core';
import { createProvider, keySigner } from 'tls13-node-crypto';
import { describe, expect, it } from 'vitest';
import { curveKey } from '../../node-crypto/test/pki.js';
import { echPem } from '../src/ech.js';
import {
  type ConnectOptions,
  createSecureContext,
  createServer,
  type TlsConnection,
  type TlsServerOptions,
} from '../src/index.js';
import { certificates, cleanUp, dial, dialed, readAll, serve, serverCredentials } from './support.js';

const serverKey = curveKey();
const clientKey = curveKey('P-384');
const stranger = curveKey();
const publicOf = (key: KeyObject) => createPublicKey(key);
const spki = (key: KeyObject) => publicOf(key).export({ format: 'der', type: 'spki' });
const pem = (key: KeyObject) => publicOf(key).export({ format: 'pem', type: 'spki' }).toString();
const secret = (key: KeyObject) => key.export({ format: 'pem', type: 'pkcs8' }).toString();

const ended = (connection: TlsConnection) => void connection.end();
const told = (connection: TlsConnection) => {
  const key = connection.getPeerPublicKey();
  const shown = key === undefined ? 'nobody' : key.equals(publicOf(clientKey)) ? 'the client' : 'somebody';
  connection.end(`${shown} ${connection.authorized} ${connection.authorizationError}`);
};

async function serveRaw(options: Partial<TlsServerOptions> = {}, listener = ended) {
  const server = createServer({ key: secret(serverKey), rawPublicKey: true, ...options }, listener);
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  cleanUp(() => {
    server.closeAllConnections();
    server.close();
  });
  return server;
}

async function failures(server: Awaited<ReturnType<typeof serve>>, options: Partial<ConnectOptions>) {
  const failed = once(server, 'tlsClientError');
  const client = dial(server, options);
  client.resume();
  const [error] = await once(client, 'error');
  return { client: error, server: (await failed)[0] };
}

describe('a client that expects a raw public key', () => {
  it.each([
    ['PEM', pem(serverKey)],
    ['DER', spki(serverKey)],
    ['a key object', publicOf(serverKey)],
    ['a list', [pem(stranger), pem(serverKey)]],
    ['a function', (key: KeyObject) => key.equals(publicOf(serverKey))],
    ['a promise', async (key: KeyObject) => key.equals(publicOf(serverKey))],
  ])('given as %s, believes the server that has it', async (_name, expectedRawPublicKeys) => {
    const client = await dialed(await serveRaw(), { expectedRawPublicKeys });
    expect(client.authorized).toBe(true);
    expect(client.getPeerCertificate()).toEqual({});
    expect(client.getPeerX509Certificate()).toBeUndefined();
    expect(client.getPeerPublicKey()?.equals(publicOf(serverKey))).toBe(true);
    expect(Buffer.from(client.info?.peerRawPublicKey ?? []).equals(spki(serverKey))).toBe(true);
  });

  it.each([
    ['a list', pem(stranger)],
    ['a function', () => false],
    ['a promise', async () => false],
  ])('refuses another key, by %s: certificate_unknown', async (_name, expectedRawPublicKeys) => {
    const errors = await failures(await serveRaw(), { expectedRawPublicKeys });
    expect(errors.client).toMatchObject({ alert: 'certificate_unknown', code: 'RPK_UNTRUSTED', received: false });
    expect(errors.server).toMatchObject({ alert: 'certificate_unknown', received: true });
  });

  it('goes on with rejectUnauthorized false, and shows why', async () => {
    const expectedRawPublicKeys = pem(stranger);
    const client = await dialed(await serveRaw(), { expectedRawPublicKeys, rejectUnauthorized: false });
    expect([client.authorized, client.authorizationError]).toEqual([false, 'RPK_UNTRUSTED']);
  });

  it('takes no certificate in its place, unless allowCertificate: unsupported_certificate', async () => {
    const server = await serve({}, ended);
    const expectedRawPublicKeys = pem(serverKey);
    const errors = await failures(server, { expectedRawPublicKeys });
    expect(errors.server).toMatchObject({ alert: 'unsupported_certificate', received: false });
    expect(errors.client).toMatchObject({ alert: 'unsupported_certificate', received: true });
    const client = await dialed(server, { expectedRawPublicKeys, allowCertificate: true });
    expect(client.getPeerCertificate().subject?.CN).toBe('localhost');
    expect(client.authorized).toBe(true);
  });

  it('resumes, and judges the key again', async () => {
    const server = await serveRaw();
    const first = dial(server, { expectedRawPublicKeys: pem(serverKey) });
    const [session] = await once(first, 'session');
    const again = await dialed(server, { expectedRawPublicKeys: pem(serverKey), session });
    expect([again.isSessionReused(), again.authorized]).toEqual([true, true]);
    // A session of a key that is no longer expected is not offered: the full handshake tells.
    const errors = await failures(server, { expectedRawPublicKeys: pem(stranger), session });
    expect(errors.client).toMatchObject({ code: 'RPK_UNTRUSTED' });
    const asked = await failures(server, { expectedRawPublicKeys: async () => false, session });
    expect(asked.client).toMatchObject({ code: 'RPK_UNTRUSTED' });
  });
});

describe('whoever does not expect one', () => {
  it('is not shown one: the server has nothing else and says unsupported_certificate', async () => {
    const errors = await failures(await serveRaw(), { rejectUnauthorized: false });
    expect(errors.server).toMatchObject({ alert: 'unsupported_certificate' });
  });

  it('gets the certificate of a server that has both', async () => {
    const credentials = [{ key: secret(serverKey), rawPublicKey: true }];
    const server = await serve({ credentials }, ended);
    expect((await dialed(server)).getPeerCertificate().subject?.CN).toBe('localhost');
    const raw = await dialed(server, { expectedRawPublicKeys: pem(serverKey) });
    expect(raw.info?.peerRawPublicKey).toBeDefined();
  });
});

describe('a server that expects raw public keys', () => {
  const asking = { requestCert: true, expectedRawPublicKeys: pem(clientKey) };
  const own = (key: KeyObject) => ({ key: secret(key), rawPublicKey: true }) as const;

  it('believes the client that has it', async () => {
    const server = await serve(asking, told);
    expect(String(await readAll(dial(server, own(clientKey))))).toBe('the client true null');
  });

  it('refuses another key, and a client with none', async () => {
    const server = await serve(asking, told);
    const other = await failures(server, own(stranger));
    expect(other.server).toMatchObject({ alert: 'certificate_unknown', code: 'RPK_UNTRUSTED' });
    // It can show certificates alone, and says so.
    const none = await failures(server, {});
    expect(none.server).toMatchObject({ alert: 'unsupported_certificate' });
    const { pem: cert, keyPem: key } = certificates().client;
    expect((await failures(server, { cert, key })).server).toMatchObject({ alert: 'unsupported_certificate' });
  });

  it('takes certificates too with allowCertificate', async () => {
    const server = await serve({ ...asking, allowCertificate: true, ca: certificates().root.pem }, told);
    const { pem: cert, keyPem: key } = certificates().client;
    expect(String(await readAll(dial(server, { cert, key })))).toBe('somebody true null');
    expect(String(await readAll(dial(server, own(clientKey))))).toBe('the client true null');
  });

  it('knows the client again by its session', async () => {
    const server = await serve(asking, told);
    const first = dial(server, own(clientKey));
    first.resume();
    const [session] = await once(first, 'session');
    const again = dial(server, { ...own(clientKey), session });
    expect(String(await readAll(again))).toBe('the client true null');
    expect(again.isSessionReused()).toBe(true);
    // Another key does not go with the session of this one.
    const other = await failures(server, { ...own(stranger), session });
    expect(other.server).toMatchObject({ code: 'RPK_UNTRUSTED' });
  });

  it('asks for it after the handshake as well', async () => {
    const later = { postHandshakeAuthentication: true, expectedRawPublicKeys: pem(clientKey) };
    const server = await serve(later, async (connection) => {
      const before = connection.authorized;
      const certificate = await connection.requestCertificate();
      connection.end(`${before} ${certificate} ${connection.authorized} ${connection.getPeerPublicKey()?.type}`);
    });
    const client = dial(server, { ...own(clientKey), postHandshakeAuthentication: true });
    expect(String(await readAll(client))).toBe('false undefined true public');
  });
});

describe('a client whose ECH was rejected', () => {
  const publicName = 'other.example';
  const stale = generateEchConfig(createProvider(), { publicName, configId: 2 });

  it('refuses a raw public key for the public name, although it expects that key of the server', async () => {
    const server = await serveRaw({ ech: { keys: echPem(generateEchConfig(createProvider(), { publicName })) } });
    for (const rejectUnauthorized of [true, false]) {
      const errors = await failures(server, {
        expectedRawPublicKeys: pem(serverKey),
        rejectUnauthorized,
        ech: { configs: stale.configList },
      });
      expect(errors.client).toMatchObject({ alert: 'certificate_unknown', message: expect.stringMatching(/§6\.1\.7/) });
    }
  });
});

describe('what cannot be meant', () => {
  it.each<[string, Partial<TlsServerOptions>, RegExp]>([
    ['a certificate beside it', { ...serverCredentials(), rawPublicKey: true }, /leave cert out/],
    ['no key', { rawPublicKey: true }, /give the private key/],
    ['another key', { key: secret(serverKey), rawPublicKey: pem(stranger) }, /not the public key of key/],
    ['a signer alone', { signer: keySigner(serverKey), rawPublicKey: true }, /must be the public key/],
    ['a response', { key: secret(serverKey), rawPublicKey: true, ocspResponse: Uint8Array.of(48, 0) }, /has none/],
    [
      'a private key expected',
      { ...serverCredentials(), expectedRawPublicKeys: secret(stranger), requestCert: true },
      /private key/,
    ],
    ['nobody asked', { ...serverCredentials(), expectedRawPublicKeys: pem(stranger) }, /needs requestCert/],
    ['none expected', { ...serverCredentials(), expectedRawPublicKeys: [], requestCert: true }, /is empty/],
    ['rubbish expected', { ...serverCredentials(), expectedRawPublicKeys: 'key', requestCert: true }, /not readable/],
  ])('%s', (_name, options, message) => {
    expect(() => createServer(options)).toThrow(message);
  });

  it('but a signer with its public key can', async () => {
    const signing = { signer: keySigner(serverKey), rawPublicKey: publicOf(serverKey) };
    expect(createSecureContext(signing).certificates).toEqual([undefined]);
    const server = await serveRaw();
    server.setCredentials(signing);
    expect((await dialed(server, { expectedRawPublicKeys: pem(serverKey) })).authorized).toBe(true);
  });
});
