/** Records as they come: cut anywhere, put together, padded, in floods; early data that is not accepted. */
import { describe, expect, it } from 'vitest';
import { concat } from '../../../src/bytes.js';
import type { CryptoProvider } from '../../../src/crypto/provider.js';
import type { TlsEvent } from '../../../src/events.js';
import { encodeHeader } from '../../../src/record/header.js';
import { createTicketKeys } from '../../../src/ticket-keys.js';
import type { Change } from '../support/hand.js';
import { HandClient } from '../support/hand-client.js';
import { HandServer } from '../support/hand-server.js';
import { bytes, connectedPair, pair, sessionOf } from '../support/pair.js';

export function recordTests(provider: CryptoProvider): void {
  describe('the byte stream may be cut anywhere', () => {
    it.each([1, 2, 4, 5, 6, 7, 100, 1_000])('into pieces of %i', (size) => {
      const wire = (_from: string, data: Uint8Array) => {
        const pieces: Uint8Array[] = [];
        for (let at = 0; at < data.length; at += size) pieces.push(data.subarray(at, at + size));
        return pieces;
      };
      const connected = pair(provider, { wire }).handshake();
      const { client, server } = connected;
      client.take(client.engine.send(bytes(2_000)));
      client.take(client.engine.updateKeys(true));
      client.take(client.engine.send(bytes(100)));
      client.take(client.engine.close());
      connected.exchange();
      expect(server.data).toHaveLength(2_100);
      expect(server.types.at(-1)).toBe('closed');
    });

    it('a flight of everything at once', () => {
      const connected = connectedPair(provider);
      const { client, server } = connected;
      client.take(client.engine.send(bytes(40_000)));
      client.take(client.engine.updateKeys());
      client.take(client.engine.send(bytes(5)));
      client.take(client.engine.close());
      server.take(server.engine.receive(concat(...client.outgoing.splice(0))));
      expect(server.data).toHaveLength(40_005);
      expect(server.types.filter((type) => type !== 'data')).toEqual(['key_update', 'closed']);
    });

    it('what came good before a bad record is delivered', () => {
      const { client, server } = connectedPair(provider);
      const [event] = client.engine.send(bytes(40_000));
      if (event?.type !== 'transmit') throw new Error('nothing was sent');
      const spoilt = event.data.slice();
      spoilt.set([(spoilt.at(-1) ?? 0) ^ 1], spoilt.length - 1);
      server.take(server.engine.receive(spoilt));
      expect(server.data).toHaveLength(32_768);
      expect(server.engine.error?.alert).toBe('bad_record_mac');
    });
  });

  describe('padding (§5.4)', () => {
    const padded = (type: number, content: Uint8Array, padding: number) =>
      concat(content, Uint8Array.of(type), new Uint8Array(padding));

    it.each([0, 1, 15, 255, 16_000])('of %i bytes is taken off application data', (padding) => {
      const client = new HandClient(provider).clientHello().finished();
      for (const content of [bytes(0), bytes(300), new Uint8Array(20), bytes(1, 0)]) {
        client.wire.sendBytes(client.wire.sealed(padded(23, content, padding)));
      }
      expect(client.end.data).toEqual(Buffer.concat([bytes(300), new Uint8Array(21)]));
    });

    it('of handshake messages and alerts', () => {
      const server = new HandServer(provider).through('finished');
      server.wire.sendBytes(server.wire.sealed(padded(22, Uint8Array.of(24, 0, 0, 1, 0), 200)));
      server.wire.updateSealing();
      server.wire.sendBytes(server.wire.sealed(padded(21, Uint8Array.of(1, 0), 200)));
      expect(server.end.types.slice(-2)).toEqual(['key_update', 'closed']);
    });
  });

  describe('a handshake message', () => {
    it('may come in records of one byte', () => {
      const server = new HandServer(provider);
      const { sendMessages } = server.wire;
      server.wire.sendMessages = (...messages) => {
        for (const byte of concat(...messages)) sendMessages.call(server.wire, Uint8Array.of(byte));
      };
      server.through('finished');
      expect(server.end.engine.state).toBe('connected');
      server.newSessionTicket();
      expect(server.end.types.at(-1)).toBe('ticket');
    });

    it('may share its record with others', () => {
      const server = new HandServer(provider).serverHello();
      const { sendMessages } = server.wire;
      const held: Uint8Array[] = [];
      server.wire.sendMessages = (...messages) => void held.push(...messages);
      server.encryptedExtensions().certificate().certificateVerify();
      server.wire.sendMessages = (...messages) => sendMessages.call(server.wire, ...held, ...messages);
      server.finished();
      expect(server.end.engine.state).toBe('connected');
    });

    it('that never ends is bounded by its header, not by what has come', () => {
      const client = new HandClient(provider, { limits: { handshakeMessage: 500 } });
      client.wire.sendInClear(22, Uint8Array.of(1, 0xff, 0xff, 0xff));
      client.expectRefusal('illegal_parameter');
    });

    it('larger than the memory of one record is taken up to the limit', () => {
      const filler = { type: 0xfafa, data: new Uint8Array(60_000) };
      const large: Change<'client_hello'> = (right) => ({
        ...right,
        extensions: { ...right.extensions, extra: [filler] },
      });
      const client = new HandClient(provider).clientHello(large).finished();
      expect(client.end.engine.state).toBe('connected');
      new HandClient(provider, { limits: { handshakeMessage: 60_000 } })
        .clientHello(large)
        .expectRefusal('illegal_parameter');
    });
  });

  it.each([0x0300, 0x0301, 0x0303, 0x0000, 0xffff])('legacy_record_version 0x%s is ignored (§5.1)', (version) => {
    const wire = (_from: string, data: Uint8Array) => {
      const copy = data.slice();
      // Of the first record, which is never protected and so does not authenticate its header.
      if (copy[0] === 22) copy.set([version >> 8, version & 0xff], 1);
      return [copy];
    };
    const { client, server } = pair(provider, { wire }).handshake();
    expect([client.engine.state, server.engine.state]).toEqual(['connected', 'connected']);
  });

  describe('early data that is not accepted (§4.3.10)', () => {
    const tickets = { protector: createTicketKeys(provider) };
    const early: Change<'client_hello'> = (right) => ({
      ...right,
      extensions: { ...right.extensions, earlyData: true },
    });
    const record = (length: number) => concat(encodeHeader(23, length), bytes(length));
    const hand = (limit: number, groups: readonly ('x25519' | 'secp256r1')[] = ['x25519', 'secp256r1']) => {
      const config = { tickets, groups, limits: { skippedEarlyData: limit } };
      return new HandClient(provider, config, { session: sessionOf(provider, { server: { tickets } }) });
    };

    it('is skipped up to the limit, and the handshake goes on', () => {
      const client = hand(10_000).clientHello(early);
      for (let count = 0; count < 9; count++) client.wire.sendBytes(record(1_000));
      client.finished();
      expect(client.end.engine.state).toBe('connected');
      expect(client.end.engine.info?.resumed).toBe(true);
      client.wire.send(23, bytes(5));
      expect(client.end.data).toHaveLength(5);
    });

    it('is skipped without a PSK as well: no server must refuse it', () => {
      const client = new HandClient(provider, { limits: { skippedEarlyData: 10_000 } }).clientHello(early);
      client.wire.sendBytes(record(1_000));
      expect(client.finished().end.engine.state).toBe('connected');
      expect(client.end.engine.info).toMatchObject({ resumed: false, earlyData: 'rejected' });
    });

    it('beyond the limit is an unexpected_message', () => {
      const client = hand(10_000).clientHello(early);
      for (let count = 0; count < 10; count++) client.wire.sendBytes(record(1_000));
      client.expectRefusal('unexpected_message');
    });

    it('in one write with the ClientHello', () => {
      const client = hand(100_000);
      const { sendBytes } = client.wire;
      client.wire.sendBytes = (hello) => sendBytes.call(client.wire, concat(hello, record(100), record(16_640)));
      client.clientHello(early);
      client.wire.sendBytes = sendBytes;
      expect(client.finished().end.engine.state).toBe('connected');
    });

    it('across a HelloRetryRequest, by type alone', () => {
      const client = hand(10_000, ['secp256r1']).clientHello(early);
      expect(client.retry).toBeDefined();
      for (let count = 0; count < 9; count++) client.wire.sendBytes(record(1_000));
      client.clientHello();
      expect(client.finished().end.engine.state).toBe('connected');
    });

    it('across a HelloRetryRequest beyond the limit is an unexpected_message', () => {
      const client = hand(10_000, ['secp256r1']).clientHello(early);
      for (let count = 0; count < 10; count++) client.wire.sendBytes(record(1_000));
      client.expectRefusal('unexpected_message');
    });

    it('behind the first record that opens is a bad_record_mac', () => {
      const client = hand(10_000).clientHello(early);
      client.wire.sendBytes(record(100));
      client.wire.send(22, Uint8Array.of(20, 0, 0));
      client.wire.sendBytes(record(100));
      client.expectRefusal('bad_record_mac');
    });

    it('that was never announced is a bad_record_mac', () => {
      const client = hand(10_000).clientHello();
      client.wire.sendBytes(record(100));
      client.expectRefusal('bad_record_mac');
    });
  });

  it('no call keeps memory that is not its own, and events share none', () => {
    const { client, server } = connectedPair(provider);
    const sent = bytes(100);
    const events: TlsEvent[] = [...client.engine.send(sent), ...client.engine.send(sent)];
    sent.fill(0);
    for (const event of events) if (event.type === 'transmit') server.take(server.engine.receive(event.data));
    for (const event of events) if (event.type === 'transmit') event.data.fill(0);
    expect(server.data).toEqual(Buffer.from(bytes(200)));
  });
}
