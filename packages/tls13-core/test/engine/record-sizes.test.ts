/** How large records are: record_size_limit (RFC 8449), maxSendFragment, padding (§5.4) and small records to begin with. */
import { describe, expect, it } from 'vitest';
import { concat } from '../../src/bytes.js';
import { nobleProvider as provider } from '../../src/crypto/noble.js';
import { clientSettings, serverSettings } from '../../src/settings/index.js';
import { credential } from './support/certificates.js';
import { HandClient } from './support/hand-client.js';
import { HandServer } from './support/hand-server.js';
import { bytes, clientConfig, type PairOptions, pair, type Role, serverConfig } from './support/pair.js';

/** Content, type and padding of every protected record, by who sent it. */
function recorded(options: PairOptions) {
  const inner: Record<Role, number[]> = { client: [], server: [] };
  const ends = pair(provider, {
    ...options,
    wire(from, chunk) {
      for (let offset = 0; offset < chunk.length; ) {
        const length = ((chunk[offset + 3] ?? 0) << 8) | (chunk[offset + 4] ?? 0);
        if (chunk[offset] === 23) inner[from].push(length - 16);
        offset += 5 + length;
      }
      return [chunk];
    },
  }).handshake();
  expect([ends.client.engine.error, ends.server.engine.error]).toEqual([undefined, undefined]);
  const say = (from: Role, length: number) => {
    inner[from].length = 0;
    ends[from].take(ends[from].engine.send(bytes(length)));
    ends.exchange();
    const to = from === 'client' ? ends.server : ends.client;
    expect(to.engine.error).toBeUndefined();
    expect(to.data).toHaveLength(length);
    to.events.length = 0;
    return inner[from];
  };
  return { ...ends, client: ends.client, server: ends.server, inner, say };
}

const largest = (sizes: readonly number[]) => Math.max(...sizes);

describe('record_size_limit (RFC 8449)', () => {
  it('bounds what the server sends, its flight included, to what the client takes', () => {
    const { client, server, inner, say } = recorded({ client: { recordSizeLimit: 128 } });
    expect(client.engine.info?.recordSizeLimit).toEqual({ send: 16_385, receive: 128 });
    expect(server.engine.info?.recordSizeLimit).toEqual({ send: 128, receive: 16_385 });
    expect(largest(inner.server)).toBe(128);
    expect(inner.server.length).toBeGreaterThan(3);
    expect(say('server', 1000)).toEqual([...Array.from({ length: 7 }, () => 128), 1000 - 7 * 127 + 1]);
    expect(say('client', 16_384)).toEqual([16_385]);
  });

  it('bounds what the client sends, from its Certificate on, to what the server takes', () => {
    const { client, inner, say } = recorded({
      client: { recordSizeLimit: 16_385, credential: credential(provider, 'p256') },
      server: { recordSizeLimit: 64, clientAuthentication: 'require' },
    });
    expect(client.engine.info?.recordSizeLimit).toEqual({ send: 64, receive: 16_385 });
    expect(largest(inner.client)).toBe(64);
    expect(say('client', 100)).toEqual([64, 38]);
    expect(say('server', 16_384)).toEqual([16_385]);
  });

  it('is not there when the client does not ask', () => {
    const { client, server, say } = recorded({ server: { recordSizeLimit: 64 } });
    expect([client.engine.info?.recordSizeLimit, server.engine.info?.recordSizeLimit]).toEqual([undefined, undefined]);
    expect(say('client', 16_384)).toEqual([16_385]);
  });

  it('holds for the records that somebody else seals, and for the count of them', () => {
    const { server } = recorded({
      client: { recordSizeLimit: 1025 },
      server: { limits: { recordsPerKey: 400 } },
    });
    server.engine.detach('send');
    // 100 records of 1,024 bytes are within the limit, 100 more are not.
    expect(server.take(server.engine.countSent(102_400)).map(({ type }) => type)).toEqual([]);
    expect(server.take(server.engine.countSent(102_400)).map(({ type }) => type)).toContain('rekey');
  });

  it.each([63, 0])('§4 a limit of %i is refused', (limit) => {
    const peer = new HandClient(provider);
    peer.clientHello((right) => ({ ...right, extensions: { ...right.extensions, recordSizeLimit: limit } }));
    peer.expectRefusal('illegal_parameter');
  });

  it('§4 a limit above that of every record restricts nothing', () => {
    const peer = new HandServer(provider, { recordSizeLimit: 200 });
    peer.serverHello().encryptedExtensions(() => ({ extensions: { recordSizeLimit: 65_535 } }));
    expect(peer.end.engine.error).toBeUndefined();
  });

  it('§4 a record above the limit of a client: record_overflow, before it is opened', () => {
    const peer = new HandServer(provider, { recordSizeLimit: 64 });
    peer.serverHello().encryptedExtensions(() => ({ extensions: { recordSizeLimit: 16_385 } }));
    peer.certificate();
    peer.expectRefusal('record_overflow');
  });

  it('§4 a record above the limit of a server: record_overflow; one that just fits is taken', () => {
    const reach = () => {
      const peer = new HandClient(provider, { recordSizeLimit: 128 });
      peer.clientHello((right) => ({ ...right, extensions: { ...right.extensions, recordSizeLimit: 16_385 } }));
      peer.finished();
      expect(peer.end.engine.state).toBe('connected');
      return peer;
    };
    const good = reach();
    good.wire.sendBytes(good.wire.sealed(concat(bytes(127), Uint8Array.of(23))));
    expect(good.end.data).toHaveLength(127);
    const padded = reach();
    // Good data in front of it is delivered; padding counts.
    padded.wire.sendBytes(
      concat(
        padded.wire.sealed(concat(bytes(5), Uint8Array.of(23))),
        padded.wire.sealed(concat(bytes(100), Uint8Array.of(23), new Uint8Array(28))),
      ),
    );
    expect(padded.end.data).toHaveLength(5);
    padded.expectEnd('record_overflow');
  });

  it('§4 a record above the limit that somebody else has opened: record_overflow', () => {
    const { server } = recorded({ client: { recordSizeLimit: 16_385 }, server: { recordSizeLimit: 64 } });
    server.engine.detach('receive');
    server.take(server.engine.receiveRecord(22, new Uint8Array(64)));
    expect(server.engine.error?.alert).toBe('record_overflow');
  });

  it('§4 an answer that was not asked for is unsupported_extension', () => {
    const peer = new HandServer(provider);
    peer.serverHello().encryptedExtensions(() => ({ extensions: { recordSizeLimit: 16_385 } }));
    peer.expectRefusal('unsupported_extension');
  });
});

describe('maxSendFragment', () => {
  it('is the content of a record, whatever the peer would take', () => {
    const { inner, say } = recorded({ server: { maxSendFragment: 100 }, client: { recordSizeLimit: 512 } });
    expect(largest(inner.server)).toBe(101);
    expect(say('server', 250)).toEqual([101, 101, 51]);
    expect(say('client', 250)).toEqual([251]);
  });
});

describe('padding (§5.4)', () => {
  it('goes up to a multiple, and never beyond what a record may have', () => {
    const { inner, say } = recorded({ server: { padding: { multiple: 100 } } });
    expect(inner.server.every((size) => size % 100 === 0)).toBe(true);
    expect(say('server', 1)).toEqual([100]);
    expect(say('server', 99)).toEqual([100]);
    expect(say('server', 100)).toEqual([200]);
    expect(say('server', 16_384)).toEqual([16_385]);
    expect(say('client', 1)).toEqual([2]);
  });

  it('keeps to the limit of the peer', () => {
    const { inner, say } = recorded({ server: { padding: { multiple: 1000 } }, client: { recordSizeLimit: 128 } });
    expect(new Set(inner.server)).toEqual(new Set([128]));
    expect(say('server', 300)).toEqual([128, 128, 128]);
  });

  it('is random up to a maximum', () => {
    const { say } = recorded({ client: { padding: { random: 20 } } });
    const sizes = new Set(Array.from({ length: 200 }, () => say('client', 10)[0] ?? 0));
    expect(Math.min(...sizes)).toBeGreaterThanOrEqual(11);
    expect(Math.max(...sizes)).toBeLessThanOrEqual(31);
    expect(sizes.size).toBeGreaterThan(10);
  });

  it('is what a function says, which must keep to the room there is', () => {
    const seen: unknown[] = [];
    const { say } = recorded({
      server: {
        padding(record) {
          if (record.contentType === 23) seen.push(record);
          return record.contentType === 23 ? 7 : 0;
        },
      },
    });
    expect(say('server', 20)).toEqual([28]);
    expect(seen).toEqual([{ contentType: 23, length: 20, room: 16_364 }]);
    const { server } = recorded({
      server: { padding: ({ contentType, room }) => (contentType === 23 ? room + 1 : 0) },
    });
    server.take(server.engine.send(bytes(5)));
    expect(server.engine.error?.alert).toBe('internal_error');
  });
});

describe('small records to begin with', () => {
  it('grow once enough was sent, and are small again after silence', () => {
    let now = 0;
    const { say } = recorded({
      server: { now: () => now, dynamicRecordSizing: { initial: 1000, after: 2500, idle: 500 } },
    });
    expect(say('server', 1500)).toEqual([1001, 501]);
    // 1,000 bytes are left of the small ones.
    expect(say('server', 5000)).toEqual([1001, 4001]);
    now += 499;
    expect(say('server', 3000)).toEqual([3001]);
    now += 500;
    expect(say('server', 1001)).toEqual([1001, 2]);
  });

  it('never make the records of a key too many', () => {
    const { say, server } = recorded({
      server: { limits: { recordsPerKey: 10 }, dynamicRecordSizing: { initial: 100, after: 10_000 } },
    });
    server.events.length = 0;
    expect(say('server', 5000).length).toBeGreaterThanOrEqual(50);
    expect(server.of('key_update').length).toBeGreaterThanOrEqual(4);
  });
});

describe('what cannot be meant', () => {
  it.each([
    [{ recordSizeLimit: 63 }, /recordSizeLimit .*64 to 16385/],
    [{ recordSizeLimit: 16_386 }, /recordSizeLimit/],
    [{ maxSendFragment: 16_385 }, /maxSendFragment/],
    [{ padding: { multiple: 0 } }, /padding\.multiple/],
    [{ padding: { random: -1 } }, /padding\.random/],
    [{ dynamicRecordSizing: { initial: 10 } }, /dynamicRecordSizing\.initial/],
    [{ dynamicRecordSizing: { idle: 1.5 } }, /dynamicRecordSizing\.idle/],
  ])('%j', (config, message) => {
    expect(() => serverSettings(serverConfig(provider, config))).toThrow(message);
    expect(() => clientSettings(clientConfig(provider, config))).toThrow(message);
  });
});
