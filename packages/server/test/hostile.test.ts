/** What hostile peers, and applications that were not careful, try at a connection. Each test names the attack and its source. */
import { once } from 'node:events';
import { connect as connectTcp } from 'node:net';
import { createClientEngine, type TlsEngine, type TlsEvent } from 'tls13-core';
import { createProvider } from 'tls13-node-crypto';
import { describe, expect, it } from 'vitest';
import { TlsConnection } from '../src/connection.js';
import { Telemetry } from '../src/diagnostics.js';
import { refused } from '../src/offload.js';
import { StreamTransport } from '../src/transport/stream.js';
import { certificates, cleanUp, dial, dialed, portOf, serve } from './support.js';

describe('a session that a lax client took (CWE-295)', () => {
  it('is not resumed by a strict one: a full handshake shows what the server has by now', async () => {
    const { other, server: right } = certificates();
    const server = await serve({ cert: other.pem, key: other.keyPem }, (connection) => connection.resume());
    const lax = dial(server, { rejectUnauthorized: false });
    const [session] = await once(lax, 'session');
    expect(lax.authorizationError).toBe('ERR_TLS_CERT_ALTNAME_INVALID');
    const again = await dialed(server, { rejectUnauthorized: false, session });
    expect(again.isSessionReused()).toBe(true);
    expect(again.authorizationError).toBe('ERR_TLS_CERT_ALTNAME_INVALID');
    server.setCredentials({ cert: right.pem, key: right.keyPem });
    const strict = await dialed(server, { session });
    expect(strict.isSessionReused()).toBe(false);
    expect(strict.authorized).toBe(true);
  });

  it('is not resumed by one that trusts others', async () => {
    const server = await serve({}, (connection) => connection.resume());
    const [session] = await once(dial(server), 'session');
    const [error] = await once(dial(server, { ca: certificates().client.pem, session }), 'error');
    expect(error).toMatchObject({ alert: 'unknown_ca', received: false });
  });
});

describe('data that comes with the last of the handshake (0.5-RTT, §4.2.10 of RFC 8446)', () => {
  it('is told of after secureConnect, where an application may pin a certificate', async () => {
    const server = await serve({}, (connection) => connection.end('early'));
    const connection = new TlsConnection({
      driver: { policy: 'off', offloadOptions: {}, tolerateTruncation: false, maxSendFragment: 16_384 },
      allowHalfOpen: false,
      telemetry: new Telemetry(),
      check: undefined,
      host: {
        secured: () => undefined,
        handshakeFailed: () => false,
        closed: () => undefined,
        keyLogged: () => undefined,
      },
    });
    cleanUp(() => connection.destroy());
    const order: string[] = [];
    for (const event of ['secureConnect', 'data', 'end']) connection.on(event, () => order.push(event));
    const engine = createClientEngine({
      provider: createProvider(),
      serverName: 'localhost',
      verifyPeer: () => undefined,
    });
    const raw = connectTcp(portOf(server), '127.0.0.1');
    connection.start(connectedWithData(engine), new StreamTransport(raw, refused('not-a-socket')));
    await once(connection, 'close');
    expect(order).toEqual(['secureConnect', 'data', 'end']);
  });

  /** An engine that says `connected` in the call that brings the first data. */
  function connectedWithData(engine: TlsEngine): TlsEngine {
    const held: TlsEvent[] = [];
    const receive = (bytes: Uint8Array) => {
      const events = [...held.splice(0), ...engine.receive(bytes)];
      if (events.some(({ type }) => type === 'data')) return events;
      held.push(...events.filter(({ type }) => type !== 'transmit'));
      return events.filter(({ type }) => type === 'transmit');
    };
    return new Proxy(engine, {
      get(target, key) {
        if (key === 'receive') return receive;
        const value: unknown = Reflect.get(target, key, target);
        return typeof value === 'function' ? value.bind(target) : value;
      },
    });
  }
});
