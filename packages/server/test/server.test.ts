/** The server: certificates by name, client certificates, resumption, limits, reload, and how it closes. */
import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { once } from 'node:events';
import { connect as connectTcp } from 'node:net';
import { Duplex } from 'node:stream';
import * as tls from 'node:tls';
import { describe, expect, it } from 'vitest';
import { connect, createSecureContext, createServer, type SniCallback, type TlsConnection } from '../src/index.js';
import {
  certificates,
  cleanUp,
  dial,
  dialed,
  eventually,
  openDescriptors,
  portOf,
  readAll,
  readBytes,
  serve,
  serverCredentials,
} from './support.js';

const ended = (connection: TlsConnection) => connection.end();

function credentialsOf(name: 'server' | 'other' | 'client') {
  const { pem, keyPem } = certificates()[name];
  return { cert: pem, key: keyPem };
}

async function subjectFor(server: Awaited<ReturnType<typeof serve>>, servername: string): Promise<unknown> {
  const client = await dialed(server, { servername, rejectUnauthorized: false });
  const certificate = client.getPeerCertificate();
  client.destroy();
  return certificate.subject?.CN;
}

describe('the certificate of a server', () => {
  it('is the one that holds the name asked for, else the first', async () => {
    const server = await serve({ credentials: [credentialsOf('other')] }, ended);
    expect(await subjectFor(server, 'other.example')).toBe('other.example');
    expect(await subjectFor(server, 'localhost')).toBe('localhost');
    expect(await subjectFor(server, 'unknown.example')).toBe('localhost');
  });

  it('may be given as lists of chains and keys, in any order', async () => {
    const { server: first, other } = certificates();
    const server = await serve({ cert: [first.pem, other.pem], key: [other.keyPem, first.keyPem] }, ended);
    expect(await subjectFor(server, 'other.example')).toBe('other.example');
    expect(await subjectFor(server, 'localhost')).toBe('localhost');
  });

  it('is what an SNICallback says, at once or later', async () => {
    const context = createSecureContext(credentialsOf('other'));
    const callbacks: readonly SniCallback[] = [
      (_name, callback) => callback(null, context),
      (_name, callback) => setTimeout(() => callback(null, credentialsOf('other')), 5),
    ];
    for (const SNICallback of callbacks) {
      const server = await serve({ SNICallback }, ended);
      expect(await subjectFor(server, 'anything.example')).toBe('other.example');
    }
  });

  it('falls back to the first when an SNICallback has none, and fails when it fails', async () => {
    const server = await serve(
      {
        SNICallback: (name, callback) =>
          setImmediate(() => (name === 'bad.example' ? callback(new Error('no such host')) : callback(null))),
      },
      ended,
    );
    expect(await subjectFor(server, 'good.example')).toBe('localhost');
    const failed = once(server, 'tlsClientError');
    const client = dial(server, { servername: 'bad.example' });
    const [error] = await once(client, 'error');
    expect(error).toMatchObject({ alert: 'internal_error', received: true });
    expect(String((await failed)[0])).toContain('no such host');
  });

  it('can be added for a name, and replaced without a restart', async () => {
    const server = await serve({}, (connection) => connection.pipe(connection));
    const before = await dialed(server);
    server.addContext('*.example', credentialsOf('other'));
    expect(await subjectFor(server, 'any.example')).toBe('other.example');
    expect(await subjectFor(server, 'a.b.example')).toBe('localhost');
    server.setCredentials(credentialsOf('other'));
    expect(await subjectFor(server, 'localhost')).toBe('other.example');
    expect(() => server.setCredentials({ cert: certificates().server.pem, key: certificates().other.keyPem })).toThrow(
      /private key/,
    );
    expect(await subjectFor(server, 'localhost')).toBe('other.example');
    before.write('still open');
    expect(String(await readBytes(before, 10))).toBe('still open');
  });
});

describe("a server's certificate, for the client", () => {
  it('is refused for another name or an unknown authority', async () => {
    const server = await serve({}, ended);
    const refusals = [
      [{ servername: 'other.example' }, 'ERR_TLS_CERT_ALTNAME_INVALID'],
      [{ ca: certificates().client.pem }, /UNABLE_TO|SELF_SIGNED/],
    ] as const;
    for (const [options, code] of refusals) {
      const failed = once(server, 'tlsClientError');
      const [error] = await once(dial(server, options), 'error');
      expect(error.code).toMatch(code);
      expect((await failed)[0]).toMatchObject({ received: true });
    }
  });

  it('is accepted with rejectUnauthorized false, and the reason shown', async () => {
    const server = await serve({}, ended);
    const client = await dialed(server, { servername: 'other.example', rejectUnauthorized: false });
    expect(client.authorized).toBe(false);
    expect(client.authorizationError).toBe('ERR_TLS_CERT_ALTNAME_INVALID');
  });

  it('is judged by checkServerIdentity when there is one', async () => {
    const server = await serve({}, ended);
    let seen: unknown;
    const client = await dialed(server, {
      servername: 'whatever.example',
      checkServerIdentity: (hostname, certificate) => {
        seen = [hostname, certificate.subject.CN];
        return undefined;
      },
    });
    expect(seen).toEqual(['whatever.example', 'localhost']);
    expect(client.authorized).toBe(true);
    const [error] = await once(dial(server, { checkServerIdentity: () => new Error('not him') }), 'error');
    expect(String(error)).toContain('not him');
  });

  it('is judged again when a session resumes under a stricter client', async () => {
    const server = await serve({}, (connection) => connection.pipe(connection));
    const lax = dial(server, { servername: 'other.example', rejectUnauthorized: false });
    const [session] = await once(lax, 'session');
    const [error] = await once(dial(server, { servername: 'other.example', session }), 'error');
    expect(error.code).toBe('ERR_TLS_CERT_ALTNAME_INVALID');
  });
});

describe('client certificates', () => {
  const asking = {
    requestCert: true,
    get ca() {
      return certificates().root.pem;
    },
  };

  it('are required by default', async () => {
    const server = await serve({ ...asking }, (connection) => {
      connection.end(`${connection.authorized} ${connection.getPeerCertificate().subject?.CN}`);
    });
    expect(String(await readAll(dial(server, credentialsOf('client'))))).toBe('true a client');
    const failed = once(server, 'tlsClientError');
    const without = dial(server);
    without.resume();
    const [error] = await once(without, 'error');
    expect(error).toMatchObject({ alert: 'certificate_required', received: true });
    expect((await failed)[0]).toMatchObject({ code: 'ERR_TLS_CERTIFICATE_REQUIRED' });
  });

  it('are shown, not enforced, with rejectUnauthorized false', async () => {
    const server = await serve({ ...asking, rejectUnauthorized: false }, (connection) => {
      connection.end(`${connection.authorized} ${connection.authorizationError}`);
    });
    expect(String(await readAll(dial(server)))).toBe('false null');
    expect(String(await readAll(dial(server, credentialsOf('client'))))).toBe('true null');
    expect(String(await readAll(dial(server, credentialsOf('server'))))).toMatch(/^false INVALID_PURPOSE/);
  });
});

describe('application protocols', () => {
  it('are chosen by ALPNCallback, which may refuse', async () => {
    const server = await serve(
      { ALPNCallback: ({ servername, protocols }) => protocols.find((name) => name === `for-${servername}`) },
      ended,
    );
    const client = await dialed(server, { ALPNProtocols: ['other', 'for-localhost'] });
    expect(client.alpnProtocol).toBe('for-localhost');
    const [error] = await once(dial(server, { ALPNProtocols: ['other'] }), 'error');
    expect(error).toMatchObject({ alert: 'no_application_protocol', received: true });
    const none = await dialed(server);
    expect(none.alpnProtocol).toBe(false);
  });
});

describe('resumption', () => {
  async function sessionOf(server: Awaited<ReturnType<typeof serve>>): Promise<Buffer> {
    const client = dial(server);
    const [session] = await once(client, 'session');
    expect(client.isSessionReused()).toBe(false);
    expect(client.getSession()).toBeDefined();
    client.destroy();
    return session;
  }

  it('works by tickets, on another server with the same keys too', async () => {
    const server = await serve({}, ended);
    const session = await sessionOf(server);
    const again = await dialed(server, { session });
    expect(again.isSessionReused()).toBe(true);
    expect(again.authorized).toBe(true);
    const sibling = await serve({ ticketKeys: server.getTicketKeys() }, ended);
    expect((await dialed(sibling, { session })).isSessionReused()).toBe(true);
    expect(server.counters.handshakes).toEqual({ completed: 2, resumed: 1, failed: 0 });
  });

  it('ends in a full handshake after the keys were replaced, or without tickets', async () => {
    const server = await serve({}, ended);
    const session = await sessionOf(server);
    server.setTicketKeys(Buffer.alloc(48, 7));
    expect((await dialed(server, { session })).isSessionReused()).toBe(false);
    const without = await serve({ ticketCount: 0, ticketKeys: server.getTicketKeys() }, ended);
    expect((await dialed(without, { session })).isSessionReused()).toBe(false);
  });
});

describe('limits', () => {
  it('end a handshake that takes too long', async () => {
    const server = await serve({ handshakeTimeout: 50 }, ended);
    const failed = once(server, 'tlsClientError');
    const raw = connectTcp(portOf(server), '127.0.0.1');
    raw.on('error', () => undefined);
    await once(raw, 'close');
    expect((await failed)[0]).toMatchObject({ code: 'ERR_TLS_HANDSHAKE_TIMEOUT' });
    expect(server.counters.connections.open).toBe(0);
  });

  it('give each handshake its own time, though one timer serves all', async () => {
    const server = await serve({ handshakeTimeout: 200 }, ended);
    server.on('tlsClientError', () => undefined);
    const silent = async () => {
      const raw = connectTcp(portOf(server), '127.0.0.1').on('error', () => undefined);
      const since = performance.now();
      await once(raw, 'close');
      return performance.now() - since;
    };
    const first = silent();
    await eventually(() => server.counters.connections.handshaking === 1, 'the first is being shaken hands with');
    await dialed(server);
    const second = silent();
    // The clock of timers is a millisecond behind at most.
    expect(await first).toBeGreaterThan(198);
    expect(await second).toBeGreaterThan(198);
    expect(server.counters.handshakes.failed).toBe(2);
  });

  it('let only so many handshakes run at once; the others wait', async () => {
    const server = await serve({ maxHandshakes: 2, handshakeTimeout: 200 }, ended);
    server.on('tlsClientError', () => undefined);
    const silent = [1, 2].map(() => connectTcp(portOf(server), '127.0.0.1').on('error', () => undefined));
    cleanUp(() => silent.map((raw) => raw.destroy()));
    await eventually(() => server.counters.connections.open === 2, 'both are being shaken hands with');
    const client = dial(server);
    let secure = false;
    client.once('secureConnect', () => {
      secure = true;
    });
    await eventually(() => server.counters.connections.handshaking === 3, 'the third waits');
    expect(secure).toBe(false);
    await once(client, 'secureConnect');
  });

  it('refuse connections beyond maxConnections', async () => {
    const server = await serve({ maxConnections: 1 }, (connection) => connection.resume());
    await dialed(server);
    const dropped = once(server, 'drop');
    const second = dial(server);
    const [error] = await once(second, 'error');
    expect(['ECONNRESET', 'ERR_TLS_TRUNCATED', 'EPIPE']).toContain(error.code);
    expect((await dropped)[0]).toMatchObject({ remoteAddress: '127.0.0.1' });
    expect(server.counters.connections.dropped).toBe(1);
  });

  it('close connections that are idle, with close_notify', async () => {
    const server = await serve({ idleTimeout: 80 }, (connection) => connection.pipe(connection));
    const client = await dialed(server);
    for (let round = 0; round < 4; round += 1) {
      client.write('x');
      await readBytes(client, 1);
      await new Promise((resolve) => setTimeout(resolve, 40));
    }
    const start = Date.now();
    client.resume();
    await once(client, 'end');
    expect(Date.now() - start).toBeLessThan(1000);
  });
});

describe('what is not a handshake', () => {
  it('is answered with an alert and reported', async () => {
    const server = await serve({}, ended);
    const failed = once(server, 'tlsClientError');
    const raw = connectTcp(portOf(server), '127.0.0.1');
    raw.write('GET / HTTP/1.1\r\nHost: localhost\r\n\r\n');
    const answer = await readAll(raw);
    expect(answer[0]).toBe(21);
    const [error, connection] = await failed;
    expect(error.code).toMatch(/^ERR_TLS_/);
    expect(connection.destroyed).toBe(true);
    expect(server.counters.handshakes.failed).toBe(1);
    expect(Object.values(server.counters.alerts.sent)).toEqual([1]);
  });

  it('does not crash a server that nobody listens to, wherever it stops', async () => {
    const server = await serve({}, ended);
    for (const bytes of [0, 1, 5, 100]) {
      const raw = connectTcp(portOf(server), '127.0.0.1');
      raw.end(Buffer.from('16030100c8010000c40303'.padEnd(bytes * 2, '0').slice(0, bytes * 2), 'hex'));
      raw.resume();
      await once(raw, 'close');
    }
    expect((await dialed(server)).getProtocol()).toBe('TLSv1.3');
  });
});

describe('a server', () => {
  it('talks to node:tls, both ways', async () => {
    const server = await serve({ ALPNProtocols: ['x'] }, (connection) => connection.pipe(connection));
    const client = tls.connect({
      port: portOf(server),
      host: '127.0.0.1',
      servername: 'localhost',
      ca: certificates().root.pem,
      ALPNProtocols: ['x'],
    });
    client.end('to node');
    expect(String(await readAll(client))).toBe('to node');

    const theirs = tls.createServer({ ...serverCredentials(), ALPNProtocols: ['x'] }, (socket) => socket.pipe(socket));
    theirs.listen(0, '127.0.0.1');
    await once(theirs, 'listening');
    cleanUp(() => theirs.close());
    const ours = dial(theirs, { ALPNProtocols: ['x'] });
    ours.end('from node');
    expect(String(await readAll(ours))).toBe('from node');
  });

  it('takes raw connections by its event, streams among them', async () => {
    const server = await serve({}, (connection) => connection.end(`${connection.offload.send.reason}`));
    const [near, far] = pipes();
    server.emit('connection', far);
    const client = connect({ socket: near, servername: 'localhost', ca: certificates().root.pem });
    expect(String(await readAll(client))).toBe('not-a-socket');
  });

  it('serves a Unix socket', async () => {
    const path = `\0tls13-test-${process.pid}-${Math.random()}`;
    const server = createServer(serverCredentials(), (connection) => connection.end('by path'));
    server.listen(path);
    await once(server, 'listening');
    const client = connect({ path, servername: 'localhost', ca: certificates().root.pem });
    expect(String(await readAll(client))).toBe('by path');
    await new Promise((resolve) => server.close(resolve));
  });

  it('logs secrets when somebody listens', async () => {
    const server = await serve({}, ended);
    const lines: Buffer[] = [];
    server.on('keylog', (line) => lines.push(line));
    const client = dial(server);
    const own: Buffer[] = [];
    client.on('keylog', (line) => own.push(line));
    await once(client, 'secureConnect');
    expect(lines.map(String).toSorted()).toEqual(own.map(String).toSorted());
    expect(String(lines[0])).toMatch(/^[A-Z_0-9]+ [0-9a-f]{64} [0-9a-f]{64}\n$/);
  });

  it('publishes handshakes, resumptions, alerts and offload', async () => {
    const seen: string[] = [];
    const listeners = ['handshake', 'resumption', 'alert:sent', 'alert:received', 'offload'].map((name) => {
      const listener = () => seen.push(name);
      subscribe(`tls13:${name}`, listener);
      return () => unsubscribe(`tls13:${name}`, listener);
    });
    const server = await serve({}, ended);
    const first = dial(server);
    const [session] = await once(first, 'session');
    await readAll(dial(server, { session }));
    await once(dial(server, { servername: 'other.example' }), 'error');
    await eventually(() => seen.includes('alert:received'), 'the server received the alert');
    for (const off of listeners) off();
    expect(new Set(seen)).toEqual(new Set(['handshake', 'resumption', 'alert:sent', 'alert:received', 'offload']));
  });

  it('closes when its last connection has ended', async () => {
    const server = await serve({}, (connection) => connection.pipe(connection));
    const client = await dialed(server);
    const port = portOf(server);
    let closed = false;
    server.close(() => {
      closed = true;
    });
    await once(connectTcp(port, '127.0.0.1'), 'error');
    client.write('x');
    await readBytes(client, 1);
    expect(closed).toBe(false);
    client.end();
    client.resume();
    await eventually(() => closed, 'closed');
    const error = await new Promise<Error | undefined>((resolve) => server.close(resolve));
    expect(error).toMatchObject({ code: 'ERR_SERVER_NOT_RUNNING' });
  });

  it('shuts down gracefully: what was written arrives, with close_notify', async () => {
    const data = Buffer.alloc(3_000_000, 'x');
    const server = await serve({}, (connection) => {
      connection.resume();
      connection.write(data);
    });
    const clients = await Promise.all([dialed(server), dialed(server), dialed(server)]);
    const read = clients.map(readAll);
    await server.shutdown();
    for (const bytes of await Promise.all(read)) expect(bytes.length).toBe(data.length);
    expect(server.counters.connections.open).toBe(0);
  });

  it('does not wait for ever when it shuts down', async () => {
    const server = await serve({ allowHalfOpen: true }, (connection) => connection.resume());
    const client = await dialed(server, { allowHalfOpen: true });
    client.on('error', () => undefined);
    connectTcp(portOf(server), '127.0.0.1').on('error', () => undefined);
    await server.shutdown({ timeout: 50 });
    expect(server.counters.connections.open).toBe(0);
  });

  it('can listen again', async () => {
    const server = await serve({}, ended);
    await new Promise((resolve) => server.close(resolve));
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    await dialed(server);
  });

  it('leaves no descriptor behind, whoever drops the connection, at any step', async () => {
    const server = await serve({}, (connection) => {
      connection.on('error', () => undefined);
      connection.resume();
    });
    const before = openDescriptors();
    for (let round = 0; round < 200; round += 1) {
      const client = dial(server);
      client.on('error', () => undefined);
      if (round % 4 === 1) await once(client, 'connect');
      if (round % 4 === 2) await once(client, 'secureConnect');
      if (round % 4 === 3) {
        await once(client, 'secureConnect');
        for (const connection of server.connections) connection.destroy();
      }
      client.destroy();
    }
    await eventually(() => server.counters.connections.open === 0, 'no connection left');
    await eventually(() => openDescriptors() <= before, 'no descriptor left');
  });
});

describe('a wrong configuration', () => {
  it('is refused at construction, in a sentence', () => {
    const refused = (options: object) => () => createServer({ ...serverCredentials(), ...options });
    expect(() => createServer({})).toThrow(/cert and key are missing/);
    expect(() => createServer({ cert: certificates().server.pem })).toThrow(/give the private key/);
    expect(refused({ minVersion: 'TLSv1.2' })).toThrow(/speaks TLSv1.3 only/);
    expect(refused({ pfx: Buffer.alloc(1) })).toThrow(/convert it to PEM/);
    expect(refused({ ciphers: 'ECDHE-RSA-AES128-GCM-SHA256' })).toThrow(/not a suite of TLS 1.3/);
    expect(refused({ ecdhCurve: 'secp256k1' })).toThrow(/secp256k1/);
    expect(refused({ sigalgs: 'nonsense' })).toThrow(/nonsense/);
    expect(refused({ offload: 'maybe' })).toThrow(/offload must be one of auto, send, both, off/);
    expect(refused({ maxSendFragment: 10 })).toThrow(/maxSendFragment/);
    expect(refused({ ticketKeys: Buffer.alloc(47) })).toThrow(/48 bytes/);
    expect(refused({ requestCert: true, ca: 'nonsense' })).toThrow(/PEM/);
    expect(refused({ crl: 'x', requestCert: true })).toThrow(/crl needs ca/);
    expect(() => connect({ host: 'localhost' })).toThrow(/port is missing/);
    expect(() => connect({ port: 1, servername: 'not a name' })).toThrow(/not a DNS host name/);
  });
});

/** Two streams that are each other's other end. */
function pipes(): readonly [Duplex, Duplex] {
  const make = (other: () => Duplex) =>
    new Duplex({
      read: () => undefined,
      write: (chunk, _encoding, callback) => {
        other().push(chunk);
        callback();
      },
      final: (callback) => {
        other().push(null);
        callback();
      },
    });
  const near: Duplex = make(() => far);
  const far: Duplex = make(() => near);
  return [near, far];
}
