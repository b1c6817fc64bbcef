/** What servers and clients say of authorities, names that are asked for again, contexts that stay, and node:tls's codes. */
import { once } from 'node:events';
import { connect as connectTls } from 'node:tls';
import { certificateSubject } from 'tls13-core';
import { describe, expect, it } from 'vitest';
import { authority, Pki, serverLeaf } from '../../node-crypto/test/pki.js';
import { createHttpsServer, createServer, type TlsConnection, TlsError } from '../src/index.js';
import { certificates, dial, dialed, portOf, serve, serverCredentials } from './support.js';

const ended = (connection: TlsConnection) => void connection.end();
const subjectOf = (der: Uint8Array) => certificateSubject(der);

describe('certificateAuthorities', () => {
  async function namesSeen(options: object): Promise<readonly Uint8Array[]> {
    const server = await serve({ requestCert: true, rejectUnauthorized: false, ...options }, ended);
    return new Promise((resolve) => {
      dial(server, {
        onCertificateRequest: ({ certificateAuthorities }) => {
          resolve(certificateAuthorities);
          return undefined;
        },
      }).resume();
    });
  }

  it('of a server are those of ca, as with node:tls, unless it says otherwise', async () => {
    const { root, client } = certificates();
    const ca = root.pem;
    expect(await namesSeen({ ca })).toEqual([subjectOf(root.der)]);
    expect(await namesSeen({ ca: [ca, ca] })).toEqual([subjectOf(root.der)]);
    expect(await namesSeen({ ca, certificateAuthorities: false })).toEqual([]);
    expect(await namesSeen({ ca, certificateAuthorities: [client.pem] })).toEqual([subjectOf(client.der)]);
    expect(await namesSeen({})).toEqual([]);
  });

  it('of a client are seen by onClientHello, when it says so', async () => {
    const seen: (readonly Uint8Array[])[] = [];
    const server = await serve({ onClientHello: (hello) => void seen.push(hello.certificateAuthorities) }, ended);
    await dialed(server, { certificateAuthorities: true });
    await dialed(server);
    expect(seen).toEqual([[subjectOf(certificates().root.der)], []]);
  });

  it('prefer the certificate of an authority that the client names', async () => {
    const pki = new Pki();
    const second = pki.issue({ name: 'second root', extensions: authority });
    const extensions = [...serverLeaf.slice(0, 3), 'subjectAltName=DNS:localhost'];
    const leaf = pki.issue({ name: 'of the second', issuer: second, extensions });
    pki.remove();
    const server = await serve({ credentials: [{ cert: leaf.pem, key: leaf.keyPem }] }, ended);
    const chosen = async (options: object) => (await dialed(server, options)).getPeerCertificate().subject?.CN;
    expect(await chosen({})).toBe('localhost');
    expect(await chosen({ ca: second.pem, certificateAuthorities: true })).toBe('of the second');
  });

  it('true means nothing without ca', () => {
    const options = { ...serverCredentials(), requestCert: true, certificateAuthorities: true };
    expect(() => createServer(options)).toThrow(/names the authorities of ca, which is missing/);
  });
});

describe('SNICallback', () => {
  it('is asked when a session is resumed too: who is gone is not resumed', async () => {
    const asked: string[] = [];
    let gone = false;
    const server = await serve(
      {
        SNICallback: (name, done) => {
          asked.push(name);
          if (gone) done(new TlsError('unrecognized_name', 'it is not here any more'));
          else setImmediate(done, null, serverCredentials());
        },
      },
      ended,
    );
    const first = dial(server);
    const [session] = await once(first, 'session');
    expect((await dialed(server, { session })).isSessionReused()).toBe(true);
    expect(asked).toEqual(['localhost', 'localhost']);
    gone = true;
    const [error] = await once(dial(server, { session }), 'error');
    expect(error).toMatchObject({ alert: 'unrecognized_name', received: true });
  });

  it('is no way to take the session of one name to another', async () => {
    const { other } = certificates();
    const SNICallback = (name: string, done: (error: null, context: object) => void) =>
      done(null, name === 'localhost' ? serverCredentials() : { cert: other.pem, key: other.keyPem });
    const server = await serve({ SNICallback }, ended);
    const [session] = await once(dial(server), 'session');
    const elsewhere = await dialed(server, { servername: 'other.example', session });
    expect(elsewhere.isSessionReused()).toBe(false);
    expect(elsewhere.getPeerCertificate().subject?.CN).toBe('other.example');
  });
});

describe('setCredentials', () => {
  it('keeps the contexts that were added', async () => {
    const { other, server: own } = certificates();
    const server = await serve({}, ended);
    server.addContext('*.example', { cert: other.pem, key: other.keyPem });
    server.setCredentials({ cert: own.pem, key: own.keyPem });
    expect((await dialed(server)).getPeerCertificate().subject?.CN).toBe('localhost');
    const named = await dialed(server, { servername: 'other.example' });
    expect(named.getPeerCertificate().subject?.CN).toBe('other.example');
  });
});

describe('newSession and resumeSession', () => {
  it('are refused with what to use', () => {
    for (const server of [createServer(serverCredentials()), createHttpsServer(serverCredentials())]) {
      for (const event of ['newSession', 'resumeSession']) {
        expect(() => server.on(event, () => undefined)).toThrow(/give ticketKeys or a sessionStore/);
      }
      expect(server.listenerCount('newSession')).toBe(0);
    }
  });
});

describe('authorizationError', () => {
  const pki = new Pki();
  const root = pki.issue({ name: 'root', extensions: authority });
  const intermediate = pki.issue({ name: 'intermediate', extensions: authority, issuer: root });
  const stranger = pki.issue({ name: 'stranger', extensions: authority });
  const extensions = [...serverLeaf.slice(0, 3), 'subjectAltName=DNS:localhost'];
  const leafOf = (issuer: typeof root, more: object = {}) => pki.issue({ issuer, extensions, ...more });
  const chains = {
    'a good one': [leafOf(intermediate), intermediate],
    'no intermediate': [leafOf(intermediate)],
    'an unknown root': [leafOf(stranger), stranger],
    'an unknown issuer': [leafOf(stranger)],
    'self-signed': [pki.issue({ extensions })],
    expired: [leafOf(root, { days: -1 })],
    'expired, of an unknown issuer': [leafOf(stranger, { days: -1 })],
    'for clients': [leafOf(root, { extensions: ['extendedKeyUsage=clientAuth', 'subjectAltName=DNS:localhost'] })],
    'for another name': [leafOf(root, { extensions: serverLeaf })],
    'for another name, expired': [leafOf(root, { extensions: serverLeaf, days: -1 })],
  };
  pki.remove();

  it.each(Object.entries(chains))('is what node:tls shows of the same chain: %s', async (_name, chain) => {
    const cert = chain.map(({ pem }) => pem).join('');
    const server = await serve({ cert, key: chain[0]?.keyPem ?? '' }, (connection) => connection.resume());
    const options = { port: portOf(server), host: '127.0.0.1', servername: 'localhost', ca: root.pem };
    const theirs = connectTls({ ...options, rejectUnauthorized: false });
    await once(theirs, 'secureConnect');
    const error: unknown = theirs.authorizationError;
    const wanted = error instanceof Error && 'code' in error ? error.code : (error ?? null);
    theirs.destroy();
    const ours = await dialed(server, { ca: root.pem, rejectUnauthorized: false });
    expect(ours.authorizationError).toBe(wanted);
    expect(ours.authorized).toBe(wanted === null);
    if (wanted === null) return;
    const [refusal] = await once(dial(server, { ca: root.pem }), 'error');
    expect(refusal.code).toBe(wanted);
  });
});
