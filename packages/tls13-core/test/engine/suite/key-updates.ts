/** KeyUpdate (§4.7.3, §7.2) and the limits of §5.5. */
import { describe, expect, it } from 'vitest';
import type { CryptoProvider } from '../../../src/crypto/provider.js';
import { HandClient } from '../support/hand-client.js';
import { HandServer } from '../support/hand-server.js';
import { bytes, connectedPair, type End, type Pair } from '../support/pair.js';

export function keyUpdateTests(provider: CryptoProvider): void {
  const updates = (end: End) => end.of('key_update').map(({ direction, requested }) => `${direction} ${requested}`);

  /** Data passes both ways. */
  function expectAlive(connected: Pair): void {
    const { client, server } = connected;
    const before = [client.data.length, server.data.length];
    client.take(client.engine.send(bytes(10)));
    server.take(server.engine.send(bytes(20)));
    connected.exchange();
    expect([client.data.length, server.data.length]).toEqual([(before[0] ?? 0) + 20, (before[1] ?? 0) + 10]);
  }

  it.each(['client', 'server'] as const)('by the %s alone', (who) => {
    const connected = connectedPair(provider);
    const [self, peer] = who === 'client' ? [connected.client, connected.server] : [connected.server, connected.client];
    self.take(self.engine.updateKeys());
    expectAlive(connected);
    expect(updates(self)).toEqual(['send false']);
    expect(updates(peer)).toEqual(['receive false']);
  });

  it.each(['client', 'server'] as const)('by the %s, asking for the other’s', (who) => {
    const connected = connectedPair(provider);
    const [self, peer] = who === 'client' ? [connected.client, connected.server] : [connected.server, connected.client];
    self.take(self.engine.updateKeys(true));
    connected.exchange();
    expect(updates(peer), 'a peer with nothing to say has time').toEqual(['receive false']);
    expectAlive(connected);
    expect(updates(self)).toEqual(['send false', 'receive true']);
    expect(updates(peer)).toEqual(['receive false', 'send true']);
  });

  it('by both at once, both asking', () => {
    const connected = connectedPair(provider);
    connected.client.take(connected.client.engine.updateKeys(true));
    connected.server.take(connected.server.engine.updateKeys(true));
    connected.exchange();
    expectAlive(connected);
    for (const end of [connected.client, connected.server]) {
      expect(updates(end).filter((update) => update.startsWith('send'))).toEqual(['send false', 'send true']);
    }
  });

  it('every generation of keys goes on', () => {
    const connected = connectedPair(provider);
    for (let generation = 0; generation < 20; generation++) {
      connected.client.take(connected.client.engine.updateKeys(generation % 3 === 0));
      expectAlive(connected);
    }
  });

  it('several requests are answered by one update, before the next data (§4.7.3)', () => {
    const client = new HandClient(provider).clientHello().finished();
    const { end } = client;
    for (let count = 0; count < 5; count++) client.keyUpdate('update_requested');
    expect(updates(end)).toEqual(Array(5).fill('receive false'));
    expect(end.engine.canDetach('send'), 'nobody else would send the answer first').toBe(false);
    end.take(end.engine.send(bytes(1)));
    expect(updates(end)).toEqual([...Array(5).fill('receive false'), 'send true']);
    expect(end.engine.canDetach('send')).toBe(true);
  });

  it('an update of our own is an answer too', () => {
    const client = new HandClient(provider).clientHello().finished();
    client.keyUpdate('update_requested');
    const { end } = client;
    end.take(end.engine.updateKeys());
    end.take(end.engine.send(bytes(1)));
    expect(updates(end)).toEqual(['receive false', 'send false']);
  });

  it('a second request of ours is not made while the first is not answered (§4.7.3)', () => {
    const server = new HandServer(provider).through('finished');
    const { end, wire } = server;
    const sent = wire.messages.length;
    for (let count = 0; count < 3; count++) {
      end.take(end.engine.updateKeys(true));
      wire.read();
      wire.updateOpening();
    }
    const asked = wire.messages.slice(sent).map(({ body }) => ('requestUpdate' in body ? body.requestUpdate : body));
    expect(asked).toEqual(['update_requested', 'update_not_requested', 'update_not_requested']);
    server.keyUpdate('update_not_requested');
    end.take(end.engine.updateKeys(true));
    wire.read();
    expect(wire.messages.at(-1)?.body).toEqual({ requestUpdate: 'update_requested' });
  });

  it('a request that comes after close is not answered', () => {
    const connected = connectedPair(provider);
    const { client, server } = connected;
    client.take(client.engine.close());
    server.take(server.engine.updateKeys(true));
    connected.exchange();
    expect(updates(client)).toEqual(['receive false']);
    server.take(server.engine.send(bytes(5)));
    expect(connected.exchange().client.data).toHaveLength(5);
  });

  it('is counted by itself: empty records, warning alerts and updates in turn are no flood of any of them', () => {
    const client = new HandClient(provider, { limits: { keyUpdates: 6, emptyRecords: 3 } }).clientHello().finished();
    for (let turn = 0; turn < 6; turn++) {
      for (let empty = 0; empty < 3; empty++) client.wire.send(23, bytes(0));
      if (turn < 4) client.wire.send(21, Uint8Array.of(1, 90));
      client.keyUpdate('update_not_requested');
    }
    expect(client.end.engine.error).toBeUndefined();
    client.keyUpdate('update_not_requested');
    client.expectEnd('unexpected_message');
  });

  it('a flood without data between is an unexpected_message, with data it is none', () => {
    const limits = { keyUpdates: 4 };
    const server = new HandServer(provider, { limits }).through('finished');
    for (let count = 0; count < 20; count++) {
      if (count % 4 === 3) server.wire.send(23, bytes(1));
      server.keyUpdate('update_not_requested');
    }
    expect(server.end.engine.state).toBe('connected');
    for (let count = 0; count < 5; count++) server.keyUpdate('update_not_requested');
    server.expectEnd('unexpected_message');
  });

  describe('in time before a key’s limit (§5.5)', () => {
    it('whatever the sizes, no key seals more records than recordsPerKey', () => {
      const limits = { recordsPerKey: 4 };
      const connected = connectedPair(provider, { client: { limits }, server: { limits } });
      const { client, server } = connected;
      let length = 0;
      for (const size of [1, 1, 1, 1, 1, 16_384 * 10 + 1, 40_000, 3]) {
        client.take(client.engine.send(bytes(size)));
        length += size;
      }
      let records = 0;
      for (const event of client.events) {
        if (event.type === 'transmit') records += countRecords(event.data);
        if (event.type !== 'key_update') continue;
        // The records of a generation, its KeyUpdate included, which was the last.
        expect(records).toBeLessThanOrEqual(4);
        records = 0;
      }
      expect(updates(client).length).toBeGreaterThan(4);
      connected.exchange();
      expect(server.data).toHaveLength(length);
      expect(updates(server)).toHaveLength(updates(client).length);
      expectAlive(connected);
    });

    it('a limit beyond the suite’s own is not reached either', () => {
      const connected = connectedPair(provider, { client: { limits: { recordsPerKey: Number.MAX_SAFE_INTEGER } } });
      const { client } = connected;
      client.engine.detach('send');
      // 2^24.5 full records, less what is kept back for those under way.
      client.take(client.engine.countSent(23_700_000 * 16_384));
      expect(updates(client)).toEqual([]);
      client.take(client.engine.countSent(30_000 * 16_384));
      expect(updates(client)).toEqual(['send false']);
    });
  });
}

function countRecords(wire: Uint8Array): number {
  let count = 0;
  for (let at = 0; at < wire.length; at += 5 + (((wire[at + 3] ?? 0) << 8) | (wire[at + 4] ?? 0))) count += 1;
  return count;
}
