/** A direction whose records somebody else seals or opens: the keys leave, the protocol stays. */
import { describe, expect, it } from 'vitest';
import type { CryptoProvider, RecordOpener, RecordSealer, TrafficKeys } from '../../../src/crypto/provider.js';
import type { DetachOptions } from '../../../src/engine/types.js';
import { portableRecordProtection } from '../../../src/record/protection.js';
import { createTicketKeys } from '../../../src/ticket-keys.js';
import { authority, credential } from '../support/certificates.js';
import { bytes, connectedPair, type End, type PairOptions } from '../support/pair.js';

/** What the kernel would do for a direction: seals or opens with the keys it was given, control records apart. */
class Kernel {
  readonly #provider: CryptoProvider;
  readonly #end: End;
  #sealer: RecordSealer | undefined;
  #opener: RecordOpener | undefined;
  readonly wire: Uint8Array[] = [];
  data = 0;

  constructor(provider: CryptoProvider, end: End) {
    this.#provider = provider;
    this.#end = end;
  }

  detach(direction: 'send' | 'receive', options?: DetachOptions): TrafficKeys {
    const keys = this.#end.engine.detach(direction, options);
    this.#install(direction, keys);
    return keys;
  }

  send(content: Uint8Array, count = true): void {
    this.#seal(23, content);
    if (count) this.handle(this.#end.engine.countSent(content.length));
  }

  /** Does what events ask for. */
  handle(events: ReturnType<End['engine']['close']>): void {
    for (const event of this.#end.take(events)) {
      if (event.type === 'record') this.#seal(event.contentType, event.fragment);
      if (event.type === 'rekey') this.#install(event.direction, event.keys);
    }
  }

  receive(wire: Uint8Array): void {
    let rest = wire;
    while (rest.length > 0) {
      const { fragments, consumed, failure } = this.#opener?.open(rest) ?? {
        fragments: [],
        consumed: 0,
        failure: 'no key',
      };
      if (failure !== undefined) throw new Error(`the kernel cannot open a record: ${failure}`);
      rest = rest.subarray(consumed);
      for (const { contentType, content } of fragments) {
        if (contentType === 23) {
          this.data += content.length;
          this.handle(this.#end.engine.countReceived(content.length));
        } else {
          this.handle(this.#end.engine.receiveRecord(contentType, content));
        }
      }
    }
  }

  #seal(contentType: number, content: Uint8Array): void {
    if (this.#sealer === undefined) throw new Error('the kernel has no key to seal with');
    this.wire.push(this.#sealer.seal(contentType, content, 16_384));
  }

  #install(direction: 'send' | 'receive', keys: TrafficKeys): void {
    const protection = portableRecordProtection(this.#provider);
    if (direction === 'send') this.#sealer = protection.sealer(keys);
    else this.#opener = protection.opener(keys);
  }
}

export function detachedTests(provider: CryptoProvider): void {
  /** Both directions of the server in other hands; the client is an ordinary engine. */
  function offloaded(options: PairOptions = {}, detaching?: DetachOptions) {
    const connected = connectedPair(provider, options);
    const kernel = new Kernel(provider, connected.server);
    kernel.detach('send', detaching);
    kernel.detach('receive', detaching);
    const flush = () => {
      for (let busy = true; busy; ) {
        const toServer = connected.client.outgoing.splice(0);
        const toClient = kernel.wire.splice(0);
        for (const wire of toServer) kernel.receive(wire);
        for (const wire of toClient) connected.client.take(connected.client.engine.receive(wire));
        busy = toServer.length + toClient.length > 0;
      }
    };
    return { ...connected, kernel, flush };
  }

  it('the keys continue where the engine stopped', () => {
    const connected = connectedPair(provider, {
      server: { tickets: { protector: createTicketKeys(provider), count: 3 } },
    });
    const { client, server } = connected;
    client.take(client.engine.send(bytes(20_000)));
    connected.exchange();
    // Two records of data came; three tickets went.
    expect(server.engine.detach('receive')).toMatchObject({ sequenceNumber: 2n, aead: 'aes-128-gcm' });
    const keys = server.engine.detach('send');
    expect(keys.sequenceNumber).toBeGreaterThan(0n);
    expect([keys.key.length, keys.iv.length]).toEqual([16, 12]);
    expect(() => server.engine.detach('send')).toThrow(TypeError);
    expect(() => server.engine.send(bytes(1))).toThrow(TypeError);
    expect(() => server.engine.receive(bytes(1))).toThrow(TypeError);
  });

  it('data goes both ways', () => {
    const { client, kernel, flush } = offloaded();
    kernel.send(bytes(40_000));
    client.take(client.engine.send(bytes(50_000)));
    flush();
    expect(client.data).toHaveLength(40_000);
    expect(kernel.data).toBe(50_000);
  });

  it('the client is asked for a certificate, and shows one longer than a record', () => {
    const own = credential(provider, 'p256');
    const chain = [...own.certificateChain, ...Array.from({ length: 60 }, () => authority.certificate)];
    const long = { ...own, certificateChain: chain };
    const { client, server, kernel, flush } = offloaded({
      client: { postHandshakeAuthentication: true, credential: long },
    });
    kernel.handle(server.engine.requestCertificate());
    flush();
    expect(server.of('authenticated')).toMatchObject([{ certificates: chain }]);
    kernel.send(bytes(10));
    client.take(client.engine.send(bytes(20)));
    flush();
    expect([client.data.length, kernel.data]).toEqual([10, 20]);
  });

  it.each([false, true])('the peer updates its key, asking for ours: %s', (request) => {
    const { client, server, kernel, flush } = offloaded();
    for (let generation = 0; generation < 5; generation++) {
      client.take(client.engine.updateKeys(request));
      client.take(client.engine.send(bytes(10)));
      flush();
      kernel.send(bytes(10));
      flush();
    }
    expect(kernel.data).toBe(50);
    expect(client.data).toHaveLength(50);
    const directions = server.of('rekey').map(({ direction }) => direction);
    expect(directions.filter((direction) => direction === 'receive')).toHaveLength(5);
    expect(directions.filter((direction) => direction === 'send')).toHaveLength(request ? 5 : 0);
  });

  it('we update our key', () => {
    const { client, server, kernel, flush } = offloaded();
    kernel.handle(server.engine.updateKeys(true));
    kernel.send(bytes(10));
    flush();
    client.take(client.engine.send(bytes(10)));
    flush();
    expect([client.data.length, kernel.data]).toEqual([10, 10]);
    expect(server.types).toEqual(['record', 'rekey', 'key_update', 'rekey', 'key_update']);
  });

  it('alerts and closure', () => {
    const { client, server, kernel, flush } = offloaded();
    kernel.handle(server.engine.close());
    flush();
    expect(client.types.at(-1)).toBe('closed');
    client.take(client.engine.send(bytes(3)));
    client.take(client.engine.close());
    flush();
    expect(kernel.data).toBe(3);
    expect(server.types).toEqual(['record', 'closed']);
    expect(server.engine.receiveEnd()).toEqual([]);
  });

  it('a message of several records, and of several messages in one', () => {
    const { server, kernel } = offloaded();
    const update = Uint8Array.of(24, 0, 0, 1, 0);
    kernel.handle(server.engine.receiveRecord(22, update.subarray(0, 2)));
    expect(server.types).toEqual([]);
    kernel.handle(server.engine.receiveRecord(22, update.subarray(2)));
    expect(server.types).toEqual(['rekey', 'key_update']);
    kernel.handle(server.engine.receiveRecord(22, bytes(10, 24)));
    expect(server.engine.error).toBeDefined();
  });

  it.each([
    [20, [1]],
    [24, [1]],
    [0, [1]],
  ])('a record of type %i: unexpected_message, sealed by whoever seals', (type, content) => {
    const { client, server, kernel, flush } = offloaded();
    kernel.handle(server.engine.receiveRecord(type, Uint8Array.from(content)));
    flush();
    expect(server.engine.error?.alert).toBe('unexpected_message');
    expect(client.engine.error).toMatchObject({ alert: 'unexpected_message', received: true });
  });

  it.each([21, 22])('an empty record of type %i: unexpected_message (§5.4)', (type) => {
    const { server, kernel } = offloaded();
    kernel.handle(server.engine.receiveRecord(type, bytes(0)));
    expect(server.engine.error?.alert).toBe('unexpected_message');
  });

  it('data between the parts of a message: unexpected_message, as where we open records ourselves (§5.1)', () => {
    const { server, kernel } = offloaded();
    kernel.handle(server.engine.receiveRecord(22, Uint8Array.of(24, 0, 0)));
    kernel.handle(server.engine.countReceived(10));
    expect(server.engine.error?.alert).toBe('unexpected_message');
  });

  it('a flood of empty records is bounded, as where we open records ourselves', () => {
    const { server, kernel } = offloaded({ server: { limits: { emptyRecords: 3 } } });
    for (const length of [1, 0, 0, 0, 1, 0, 0, 0]) kernel.handle(server.engine.countReceived(length));
    expect(server.engine.state).toBe('connected');
    kernel.handle(server.engine.countReceived(0));
    expect(server.engine.error?.alert).toBe('unexpected_message');
  });

  describe('in time before a key’s limit (§5.5)', () => {
    it('the key is replaced', () => {
      const limits = { recordsPerKey: 100 };
      const { client, server, kernel, flush } = offloaded({ server: { limits } });
      for (let write = 0; write < 200; write++) kernel.send(bytes(16_384));
      flush();
      expect(client.data).toHaveLength(200 * 16_384);
      // Half of so low a limit is kept back for what is under way.
      expect(server.of('rekey')).toHaveLength(4);
    });

    it('records are counted rounded up, and by their size', () => {
      const limits = { recordsPerKey: 100 };
      const { server, kernel } = offloaded({ server: { limits } });
      for (let write = 0; write < 49; write++) kernel.handle(server.engine.countSent(1));
      expect(server.types).toEqual([]);
      kernel.handle(server.engine.countSent(1));
      expect(server.types).toEqual(['record', 'rekey', 'key_update']);
      kernel.handle(server.engine.countSent(49 * 1_000 + 1, 1_000));
      expect(server.types).toHaveLength(6);
    });

    it('where keys cannot be replaced the connection closes cleanly', () => {
      const limits = { recordsPerKey: 100 };
      const { client, server, kernel, flush } = offloaded({ server: { limits } }, { rekey: false });
      for (let write = 0; write < 50 && server.engine.state === 'connected'; write++) kernel.send(bytes(16_384));
      flush();
      expect(server.engine.error).toMatchObject({ code: 'ERR_TLS_KEY_EXHAUSTED', alert: 'close_notify' });
      expect(client.data).toHaveLength(50 * 16_384);
      expect(client.types.at(-1)).toBe('closed');
      expect(client.engine.error).toBeUndefined();
    });
  });

  describe('where keys cannot be replaced', () => {
    it('updateKeys is refused', () => {
      const { server } = offloaded({}, { rekey: false });
      expect(() => server.engine.updateKeys()).toThrow(TypeError);
      expect(server.engine.state).toBe('connected');
    });

    it.each([false, true])('the peer’s KeyUpdate, asking for ours: %s, ends the connection cleanly', (request) => {
      const { client, server, flush } = offloaded({}, { rekey: false });
      client.take(client.engine.updateKeys(request));
      flush();
      expect(server.engine.error?.code).toBe('ERR_TLS_KEY_EXHAUSTED');
      expect(client.types.at(-1)).toBe('closed');
    });

    it('only sending is detached: the peer’s key may change, ours may not', () => {
      const connected = connectedPair(provider);
      const { client, server } = connected;
      new Kernel(provider, server).detach('send', { rekey: false });
      client.take(client.engine.updateKeys(false));
      client.take(client.engine.send(bytes(4)));
      connected.exchange();
      expect(server.data).toHaveLength(4);
      client.take(client.engine.updateKeys(true));
      connected.exchange();
      expect(server.engine.error?.code).toBe('ERR_TLS_KEY_EXHAUSTED');
    });
  });

  describe('when a direction can be detached', () => {
    it('receiving only at a record boundary', () => {
      const { client, server } = connectedPair(provider);
      const [event] = client.engine.send(bytes(100));
      if (event?.type !== 'transmit') throw new Error('nothing was sent');
      expect(server.engine.wanted).toBe(5);
      for (let at = 0; at < event.data.length; ) {
        expect(server.engine.canDetach('receive')).toBe(at === 0);
        const { wanted } = server.engine;
        server.take(server.engine.receive(event.data.subarray(at, at + wanted)));
        at += wanted;
        expect(at).toBeLessThanOrEqual(event.data.length);
      }
      expect(server.engine.canDetach('receive')).toBe(true);
      expect(server.data).toHaveLength(100);
    });

    it('receiving not within a message', () => {
      const { server } = offloaded();
      expect(server.engine.canDetach('receive')).toBe(false);
      const { client, server: other } = connectedPair(provider);
      expect([client.engine.canDetach('send'), other.engine.canDetach('send')]).toEqual([true, true]);
      other.take(other.engine.close());
      expect(other.engine.canDetach('send')).toBe(false);
    });
  });
}
