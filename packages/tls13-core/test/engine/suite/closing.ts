/** How a connection ends (§6.1, §6.2), and what cannot be done before, after and twice. */
import { describe, expect, it } from 'vitest';
import { TlsError } from '../../../src/alert.js';
import type { CryptoProvider } from '../../../src/crypto/provider.js';
import { portableRecordProtection } from '../../../src/record/protection.js';
import { HandClient } from '../support/hand-client.js';
import { HandServer } from '../support/hand-server.js';
import { bytes, connectedPair, pair } from '../support/pair.js';

export function closingTests(provider: CryptoProvider): void {
  it.each(['client', 'server'] as const)('close by the %s closes one direction; the other goes on', (who) => {
    const connected = connectedPair(provider);
    const [self, peer] = who === 'client' ? [connected.client, connected.server] : [connected.server, connected.client];
    self.take(self.engine.close());
    connected.exchange();
    expect(peer.types.at(-1)).toBe('closed');
    peer.take(peer.engine.send(bytes(9)));
    connected.exchange();
    expect(self.data).toHaveLength(9);
    peer.take(peer.engine.close());
    connected.exchange();
    expect(self.types.at(-1)).toBe('closed');
    for (const end of [self, peer]) {
      expect(end.engine.receiveEnd()).toEqual([]);
      expect(end.engine.error).toBeUndefined();
    }
  });

  it('close twice says close_notify once', () => {
    const { client } = connectedPair(provider);
    expect(client.engine.close().map(({ type }) => type)).toEqual(['transmit']);
    expect(client.engine.close()).toEqual([]);
  });

  it('close before the handshake is done tells the peer', () => {
    const { client, server } = pair(provider);
    server.take(server.engine.start());
    client.take(client.engine.start());
    client.take(client.engine.close());
    for (const data of client.outgoing) server.take(server.engine.receive(data));
    expect(server.engine.error).toMatchObject({ alert: 'close_notify', received: true });
  });

  it('what comes behind a close_notify is ignored (§6.1)', () => {
    const client = new HandClient(provider).clientHello().finished();
    client.wire.sendAlert(1, 0);
    client.wire.send(23, bytes(5));
    client.wire.sendBytes(bytes(50, 0xff));
    expect(client.end.engine.state).toBe('connected');
    expect(client.end.data).toHaveLength(0);
    expect(client.end.types.filter((type) => type === 'closed')).toHaveLength(1);
  });

  it('user_canceled and then close_notify is a closure (§6.1)', () => {
    const server = new HandServer(provider).through('finished');
    server.wire.sendAlert(1, 90);
    expect(server.end.types).not.toContain('closed');
    server.wire.sendAlert(1, 0);
    expect(server.end.types.at(-1)).toBe('closed');
  });

  it.each(['client', 'server'] as const)(
    'an end of the stream without close_notify is a truncation to the %s',
    (who) => {
      const { engine } = connectedPair(provider)[who];
      const [event] = engine.receiveEnd();
      expect(event).toMatchObject({ type: 'failed', error: { code: 'ERR_TLS_TRUNCATED' } });
      expect(engine.state).toBe('failed');
    },
  );

  it('an end of the stream in the handshake is a truncation', () => {
    const { client } = pair(provider);
    client.take(client.engine.start());
    client.take(client.engine.receiveEnd());
    expect(client.engine.error?.code).toBe('ERR_TLS_TRUNCATED');
  });

  it('a record cut off by the end of the stream gives no data', () => {
    const { client, server } = connectedPair(provider);
    const [event] = client.engine.send(bytes(100));
    if (event?.type !== 'transmit') throw new Error('nothing was sent');
    server.take(server.engine.receive(event.data.subarray(0, -1)));
    server.take(server.engine.receiveEnd());
    expect(server.types).toEqual(['failed']);
  });

  it('abort sends the alert it is given, once', () => {
    const connected = connectedPair(provider);
    const { client, server } = connected;
    client.take(client.engine.abort(new TlsError('user_canceled', 'enough')));
    expect(client.engine.abort(new TlsError('internal_error', 'again'))).toEqual([]);
    client.take(client.engine.abort(new TlsError('internal_error', 'again')));
    expect(client.types).toEqual(['transmit', 'failed']);
    connected.exchange();
    expect(server.types).toEqual([]);
    expect(server.engine.state).toBe('connected');
  });

  it('a fatal alert reaches the other end as received', () => {
    const connected = connectedPair(provider);
    const { client, server } = connected;
    client.take(client.engine.abort(new TlsError('access_denied', 'not you')));
    connected.exchange();
    expect(server.engine.error).toMatchObject({
      alert: 'access_denied',
      received: true,
      code: 'ERR_TLS_ACCESS_DENIED',
    });
  });

  it('after the end every call says nothing', () => {
    const { client, server } = connectedPair(provider);
    const [data] = server.engine.send(bytes(3));
    client.take(client.engine.abort(new TlsError('internal_error', 'enough')));
    const { engine } = client;
    if (data?.type !== 'transmit') throw new Error('nothing was sent');
    expect([...engine.receive(data.data), ...engine.receiveEnd(), ...engine.close(), ...engine.resume()]).toEqual([]);
    expect(() => engine.send(bytes(1))).toThrow(TypeError);
    expect(() => engine.updateKeys()).toThrow(TypeError);
    expect(() => engine.detach('send')).toThrow(TypeError);
    expect(engine.canDetach('receive')).toBe(false);
  });

  it.each(['abort', 'receiveEnd'] as const)(
    'after %s nothing is exported: the wiped secret is the same for everybody (§7.5)',
    (how) => {
      const { engine } = connectedPair(provider).client;
      expect(engine.exportKeyingMaterial(16, 'EXPERIMENTAL')).toHaveLength(16);
      if (how === 'abort') engine.abort(new TlsError('internal_error', 'enough'));
      else engine.receiveEnd();
      expect(() => engine.exportKeyingMaterial(16, 'EXPERIMENTAL')).toThrow(TypeError);
    },
  );

  it('a sealer that fails ends the connection without an alert, and throws nothing at the driver', () => {
    const broken: CryptoProvider = {
      ...provider,
      recordProtection: {
        ...portableRecordProtection(provider),
        sealer: (keys) => {
          const sealer = portableRecordProtection(provider).sealer(keys);
          let records = 0;
          return {
            get sequenceNumber() {
              return sealer.sequenceNumber;
            },
            seal(...parameters) {
              records += 1;
              if (records > 1) throw new RangeError('the sequence numbers are used up');
              return sealer.seal(...parameters);
            },
            destroy: () => sealer.destroy(),
          };
        },
      },
    };
    const { client } = connectedPair(provider, { client: { provider: broken } });
    client.take(client.engine.send(bytes(1)));
    client.take(client.engine.send(bytes(1)));
    expect(client.types).toEqual(['transmit', 'failed']);
    expect(client.engine.error).toMatchObject({ alert: 'internal_error', message: 'the sequence numbers are used up' });
  });

  describe('what the caller does wrong is a TypeError', () => {
    it('before the handshake is done', () => {
      const { client } = pair(provider);
      expect(() => client.engine.send(bytes(1))).toThrow(TypeError);
      expect(() => client.engine.updateKeys()).toThrow(TypeError);
      expect(() => client.engine.detach('receive')).toThrow(TypeError);
      expect(() => client.engine.receiveRecord(22, bytes(1))).toThrow(TypeError);
      expect(() => client.engine.exportKeyingMaterial(32, 'EXPERIMENTAL')).toThrow(TypeError);
      client.take(client.engine.start());
      expect(() => client.engine.start()).toThrow(TypeError);
    });

    it('after close', () => {
      const { client } = connectedPair(provider);
      client.take(client.engine.close());
      expect(() => client.engine.send(bytes(1))).toThrow(TypeError);
      expect(() => client.engine.updateKeys()).toThrow(TypeError);
      expect(client.engine.canDetach('send')).toBe(false);
    });
  });
}
