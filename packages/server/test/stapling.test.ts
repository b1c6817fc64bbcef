/** OCSP responses and SCTs by the options and events of node:tls, and what is asked for. */

import { X509Certificate } from 'node:crypto';
import { once } from 'node:events';
import { connect as connectTls } from 'node:tls';
import { describe, expect, it } from 'vitest';
import { createHttpsServer, createServer, type TlsConnection, type TlsServerOptions } from '../src/index.js';
import { certificates, cleanUp, dial, dialed, portOf, serve, serverCredentials } from './support.js';

const response = Buffer.from('30030a0106', 'hex');
const other = Buffer.from('30030a0103', 'hex');
const sct = Uint8Array.of(0, 1, 2);
const ended = (connection: TlsConnection) => void connection.end();
type Answer = (error: Error | null, response?: Buffer | null) => void;

/** What a client is shown, by its event. */
async function shown(options: Partial<TlsServerOptions>, client = {}): Promise<unknown> {
  const connection = dial(await serve(options, ended), client);
  const [got] = await once(connection, 'OCSPResponse');
  return got;
}

describe('ocspResponse', () => {
  it.each([
    ['bytes', response],
    ['a function', () => response],
    ['a promise', async () => response],
  ])('is shown to a client that asks, as clients do: %s', async (_name, ocspResponse) => {
    const server = await serve({ ocspResponse }, ended);
    const client = dial(server);
    const [got] = await once(client, 'OCSPResponse');
    // It comes first: whoever judges it can still end the connection.
    expect(client.alpnProtocol).not.toBeNull();
    expect(got).toEqual(response);
    expect(Buffer.from(client.info?.ocspResponse ?? [])).toEqual(response);
    expect((await dialed(server, { requestOCSP: false })).info?.ocspResponse).toBeUndefined();
  });

  it('is told apart from none by the event, which may end the connection', async () => {
    expect(await shown({})).toBeNull();
    const client = dial(await serve({}, ended));
    let secure = false;
    client.once('secureConnect', () => {
      secure = true;
    });
    client.once('OCSPResponse', (got) => client.destroy(got === null ? new Error('no response') : undefined));
    const [error] = await once(client, 'error');
    expect([error.message, secure]).toEqual(['no response', false]);
  });

  it('goes with one certificate each', async () => {
    const { other: named } = certificates();
    const credentials = [{ cert: named.pem, key: named.keyPem, ocspResponse: other }];
    expect(await shown({ ocspResponse: response, credentials })).toEqual(response);
    const toName = { servername: 'other.example' };
    expect(await shown({ ocspResponse: response, credentials }, toName)).toEqual(other);
  });

  it('of a client is shown to a server that asks', async () => {
    const { pem: cert, keyPem: key } = certificates().client;
    for (const requestOCSP of [true, false]) {
      const asking = { requestCert: true, ca: certificates().root.pem, requestOCSP };
      const server = await serve(asking, ended);
      const accepted = once(server, 'secureConnection');
      dial(server, { cert, key, ocspResponse: response }).resume();
      expect((await accepted)[0].info.ocspResponse).toEqual(requestOCSP ? new Uint8Array(response) : undefined);
    }
  });

  it('that cannot be meant', () => {
    const pair = serverCredentials();
    expect(() => createServer({ ...pair, ocspResponse: Buffer.from('-----BEGIN') })).toThrow(/in DER/);
    const two = { cert: [pair.cert, certificates().other.pem], key: [pair.key, certificates().other.keyPem] };
    expect(() => createServer({ ...two, ocspResponse: response })).toThrow(/give each certificate its own/);
  });
});

describe('the event OCSPRequest', () => {
  async function asking(answer: (done: Answer) => void, options = {}) {
    const server = await serve(options, ended);
    const asked: (Buffer | null)[][] = [];
    server.on('OCSPRequest', (certificate: Buffer, issuer: Buffer | null, done: Answer) => {
      asked.push([certificate, issuer]);
      answer(done);
    });
    return { server, asked };
  }

  it('asks for the response, with the certificate and its issuer', async () => {
    const { server: pair, root } = certificates();
    const withIssuer = { cert: pair.pem + root.pem, key: pair.keyPem };
    const { server, asked } = await asking((done) => setImmediate(done, null, response), withIssuer);
    const client = dial(server);
    expect((await once(client, 'OCSPResponse'))[0]).toEqual(response);
    expect(asked).toEqual([[Buffer.from(pair.der), Buffer.from(root.der)]]);
  });

  it('has no issuer where none is configured, and may answer nothing, in place of what was given', async () => {
    const { server, asked } = await asking((done) => done(null, null), { ocspResponse: response });
    expect((await once(dial(server), 'OCSPResponse'))[0]).toBeNull();
    expect(asked[0]?.[1]).toBeNull();
  });

  it('does not come for clients that do not ask, nor when a session is resumed', async () => {
    const { server, asked } = await asking((done) => done(null, response));
    const first = dial(server, { requestOCSP: false });
    const [session] = await once(first, 'session');
    const again = await dialed(server, { session });
    expect([again.isSessionReused(), asked.length]).toEqual([true, 0]);
  });

  it('with an error ends the handshake', async () => {
    const { server } = await asking((done) => done(new Error('the responder is down')));
    const failed = once(server, 'tlsClientError');
    const [error] = await once(dial(server), 'error');
    expect(error).toMatchObject({ alert: 'internal_error', received: true });
    expect(String((await failed)[0])).toContain('the responder is down');
  });

  it('comes for the context of an SNICallback, and with HTTPS; node:tls is shown the answer', async () => {
    const server = createHttpsServer({ SNICallback: (_name, done) => done(null, serverCredentials()) });
    server.on('OCSPRequest', (certificate: Buffer, _issuer: unknown, done: Answer) => {
      expect(new X509Certificate(certificate).subject).toBe('CN=localhost');
      done(null, response);
    });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    cleanUp(() => server.shutdown({ timeout: 1 }));
    const ca = certificates().root.pem;
    const options = { port: portOf(server), host: '127.0.0.1', servername: 'localhost', ca, requestOCSP: true };
    const client = connectTls(options);
    cleanUp(() => client.destroy());
    expect((await once(client, 'OCSPResponse'))[0]).toEqual(response);
  });
});

describe('SCTs', () => {
  it('are shown to clients that ask, and kept apart from others', async () => {
    const server = await serve({ signedCertificateTimestamps: [sct] }, ended);
    expect((await dialed(server, { requestSCT: true })).info?.signedCertificateTimestamps).toEqual([sct]);
    expect((await dialed(server)).info?.signedCertificateTimestamps).toEqual([]);
    expect(() => createServer({ ...serverCredentials(), signedCertificateTimestamps: [] })).toThrow(/is empty/);
  });
});
