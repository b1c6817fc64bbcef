// Batched record protection (§5.2 to §5.4) of the native provider, against node:crypto record by record.
import type { RecordProtection, TrafficKeys } from 'tls13-core';
import { describe, expect, it } from 'vitest';
import { nativeProvider } from '../src/index.js';
import { aeads, openRecord, pattern, sealInner, sealRecord, splitRecords, trafficKeys } from './oracle.js';

const protection = required(nativeProvider().recordProtection);
const sizes = [0, 1, 2, 15, 16, 17, 1000, 16_383, 16_384, 16_385, 32_768, 100_000];

describe.each(aeads)('$aead', ({ aead, tagLength }) => {
  const keys = trafficKeys(aead);

  it.each(sizes)('seals %i bytes into records that node:crypto opens', (size) => {
    const content = pattern(size);
    const sealed = protection.sealer(keys).seal(23, content, 16_384);
    const inners = splitRecords(sealed).map((record, index) => openRecord(keys, BigInt(index), record));
    expect(inners.length).toBe(Math.max(1, Math.ceil(size / 16_384)));
    for (const inner of inners) expect(inner.at(-1)).toBe(23);
    expect(same(Buffer.concat(inners.map((inner) => inner.subarray(0, -1))), content)).toBe(true);
  });

  it.each(sizes)('opens %i bytes that node:crypto sealed, merged into one fragment', (size) => {
    const content = pattern(size, 3);
    const records = Buffer.concat(sealedByOracle(keys, content, 16_384));
    const opened = protection.opener(keys).open(records);
    expect(opened).toMatchObject({ consumed: records.length, failure: undefined });
    expect(opened.count).toBe(Math.max(1, Math.ceil(size / 16_384)));
    expect(opened.fragments.map(({ contentType }) => contentType)).toEqual([23]);
    expect(same(opened.fragments[0]?.content, content)).toBe(true);
  });

  it('cuts at the given fragment size and counts on from the given sequence number', () => {
    const start = 2n ** 32n - 2n;
    const later = { ...keys, sequenceNumber: start };
    const sealer = protection.sealer(later);
    const opener = protection.opener(later);
    for (const step of [0, 1]) {
      const records = sealer.seal(23, pattern(250, step), 100);
      const parts = splitRecords(records);
      expect(parts.map((record) => record.length - 6 - tagLength)).toEqual([100, 100, 50]);
      for (const [index, record] of parts.entries()) {
        expect(openRecord(keys, start + BigInt(3 * step + index), record).length).toBe(record.length - 5 - tagLength);
      }
      expect(same(opener.open(records).fragments[0]?.content, pattern(250, step))).toBe(true);
    }
    expect(sealer.sequenceNumber).toBe(2 ** 32 + 4);
    expect(opener.sequenceNumber).toBe(2 ** 32 + 4);
  });

  it('goes on under each of more keys than have a context of OpenSSL at a time', () => {
    const pairs = Array.from({ length: 200 }, (_, index) => {
      const own = { ...keys, key: pattern(keys.key.length, index) };
      return { own, sealer: protection.sealer(own), opener: protection.opener(own) };
    });
    for (const number of [0n, 1n, 2n]) {
      for (const { own, sealer, opener } of pairs) {
        const sealed = sealer.seal(23, pattern(20), 100);
        expect(openRecord(own, number, sealed).length).toBe(21);
        expect(same(opener.open(sealed).fragments[0]?.content, pattern(20))).toBe(true);
      }
      // Some leave in between, and others take their places.
      for (const { sealer, opener } of pairs.splice(0, 50)) {
        sealer.destroy();
        opener.destroy();
        expect(() => sealer.seal(23, pattern(1), 100)).toThrow(TypeError);
      }
    }
  });

  it('stops behind the first record that holds no application data', () => {
    const records = [
      sealRecord(keys, 0n, 23, pattern(10)),
      sealRecord(keys, 1n, 23, pattern(20)),
      sealRecord(keys, 2n, 22, pattern(30), 7),
      sealRecord(keys, 3n, 23, pattern(40)),
    ];
    const opener = protection.opener(keys);
    const first = opener.open(Buffer.concat(records));
    expect(first.count).toBe(3);
    expect(first.consumed).toBe(Buffer.concat(records.slice(0, 3)).length);
    expect(first.fragments).toEqual([
      { contentType: 23, content: plain(pattern(10), pattern(20)) },
      { contentType: 22, content: plain(pattern(30)) },
    ]);
    const second = opener.open(records[3] ?? new Uint8Array());
    expect(second.fragments).toEqual([{ contentType: 23, content: plain(pattern(40)) }]);
    expect(opener.sequenceNumber).toBe(4);
  });

  it('strips padding of any length', () => {
    for (const padding of [1, 255, 16_384 - 10]) {
      const opened = protection.opener(keys).open(sealRecord(keys, 0n, 23, pattern(10), padding));
      expect(opened.fragments).toEqual([{ contentType: 23, content: plain(pattern(10)) }]);
    }
  });

  it('opens empty application data', () => {
    const records = [sealRecord(keys, 0n, 23, new Uint8Array()), sealRecord(keys, 1n, 23, new Uint8Array(), 9)];
    const opened = protection.opener(keys).open(Buffer.concat(records));
    expect(opened).toMatchObject({ count: 2, failure: undefined });
    expect(opened.fragments).toEqual([{ contentType: 23, content: new Uint8Array() }]);
  });

  it('keeps what opened before the record that did not', () => {
    const bad = sealRecord(keys, 1n, 23, pattern(20));
    bad[bad.length - 1] = (bad.at(-1) ?? 0) ^ 1;
    const good = sealRecord(keys, 0n, 23, pattern(10));
    const opener = protection.opener(keys);
    const opened = opener.open(Buffer.concat([good, bad]));
    expect(opened).toMatchObject({ count: 1, consumed: good.length, failure: 'bad_record_mac' });
    expect(opened.fragments).toEqual([{ contentType: 23, content: plain(pattern(10)) }]);
    expect(opener.sequenceNumber).toBe(1);
  });

  it('refuses a record with any one byte of it changed', () => {
    const record = sealRecord(keys, 0n, 23, pattern(24), 3);
    for (let index = 0; index < record.length; index++) {
      // A changed length is another record, not a changed one.
      if (index === 3 || index === 4) continue;
      const changed = Uint8Array.from(record);
      changed[index] = (changed[index] ?? 0) ^ (1 << (index % 8));
      const opened = protection.opener(keys).open(changed);
      const failure = index === 0 ? 'unexpected_message' : 'bad_record_mac';
      expect(opened).toEqual({ fragments: [], count: 0, consumed: 0, failure });
    }
  });

  it('refuses a shorter or longer record, another key, another iv and another sequence number', () => {
    const record = sealRecord(keys, 0n, 23, pattern(24));
    const cut = Uint8Array.from(record.subarray(0, -1));
    cut[4] = (cut[4] ?? 0) - 1;
    const grown = Uint8Array.from([...record, 0]);
    grown[4] = (grown[4] ?? 0) + 1;
    for (const changed of [cut, grown]) {
      expect(protection.opener(keys).open(changed).failure).toBe('bad_record_mac');
    }
    const others: TrafficKeys[] = [
      { ...keys, key: pattern(keys.key.length, 6) },
      { ...keys, iv: pattern(12, 98) },
      { ...keys, sequenceNumber: 1n },
    ];
    for (const other of others) expect(protection.opener(other).open(record).failure).toBe('bad_record_mac');
  });

  it('names the alert of each unlawful record', () => {
    const open = (record: Uint8Array) => protection.opener(keys).open(record);
    const refused = (failure: string) => ({ fragments: [], count: 0, consumed: 0, failure });
    // Shorter than a tag.
    expect(open(Uint8Array.of(23, 3, 3, 0, 0))).toEqual(refused('bad_record_mac'));
    expect(open(Uint8Array.of(23, 3, 3, 0, 3, 1, 2, 3))).toEqual(refused('bad_record_mac'));
    // Not protected.
    expect(open(Uint8Array.of(21, 3, 3, 0, 2, 2, 40))).toEqual(refused('unexpected_message'));
    // No content type inside.
    expect(open(sealInner(keys, 0n, new Uint8Array(0)))).toEqual(refused('unexpected_message'));
    expect(open(sealInner(keys, 0n, new Uint8Array(100)))).toEqual(refused('unexpected_message'));
    // Empty handshake and alert messages, protected change_cipher_spec, an unknown type.
    for (const type of [20, 21, 22, 24, 255]) {
      expect(open(sealRecord(keys, 0n, type, new Uint8Array(0)))).toEqual(refused('unexpected_message'));
    }
    expect(open(sealRecord(keys, 0n, 20, Uint8Array.of(1)))).toEqual(refused('unexpected_message'));
    // Content, padding or ciphertext too long.
    expect(open(sealRecord(keys, 0n, 23, pattern(16_385)))).toEqual(refused('record_overflow'));
    expect(open(sealRecord(keys, 0n, 23, pattern(16_384), 1))).toEqual(refused('record_overflow'));
    const longest = Buffer.concat([Uint8Array.of(23, 3, 3, 0x41, 0x01), pattern(16_641)]);
    expect(open(longest)).toEqual(refused('record_overflow'));
  });

  it('cannot be used after destroy', () => {
    const sealer = protection.sealer(keys);
    const opener = protection.opener(keys);
    const record = sealer.seal(23, pattern(4), 16_384);
    sealer.destroy();
    opener.destroy();
    expect(() => sealer.seal(23, pattern(4), 16_384)).toThrow(/destroyed/);
    expect(() => opener.open(record)).toThrow(/destroyed/);
  });
});

describe('misuse', () => {
  const keys = trafficKeys('aes-128-gcm');

  it('is refused with a sentence', () => {
    const sealer = protection.sealer(keys);
    for (const size of [0, -1, 16_385, 1.5, Number.NaN]) {
      expect(() => sealer.seal(23, pattern(4), size)).toThrow(RangeError);
    }
    expect(() => sealer.seal(22, new Uint8Array(), 16_384)).toThrow(TypeError);
    expect(() => sealer.seal(0, pattern(4), 16_384)).toThrow(RangeError);
    expect(sealer.sequenceNumber).toBe(0);
    expect(() => protection.sealer({ ...keys, key: pattern(15) })).toThrow(/16 bytes, this one has 15/);
    expect(() => protection.opener({ ...keys, iv: pattern(8) })).toThrow(/12 bytes/);
    expect(() => protection.sealer({ ...keys, sequenceNumber: -1n })).toThrow(RangeError);
    expect(() => protection.sealer({ ...keys, sequenceNumber: 2n ** 53n })).toThrow(RangeError);
  });

  it('never uses a sequence number twice: the numbers run out instead', () => {
    const sealer = protection.sealer({ ...keys, sequenceNumber: BigInt(Number.MAX_SAFE_INTEGER) - 1n });
    sealer.seal(23, pattern(1), 16_384);
    expect(() => sealer.seal(23, pattern(1), 16_384)).toThrow(/used up/);
  });

  it('refuses a partial record', () => {
    const record = sealRecord(keys, 0n, 23, pattern(20));
    expect(() => protection.opener(keys).open(record.subarray(0, -1))).toThrow(RangeError);
    expect(() => protection.opener(keys).open(record.subarray(0, 4))).toThrow(RangeError);
  });
});

function sealedByOracle(keys: TrafficKeys, content: Uint8Array, size: number): Uint8Array[] {
  const count = Math.max(1, Math.ceil(content.length / size));
  return Array.from({ length: count }, (_, index) =>
    sealRecord(keys, BigInt(index), 23, content.subarray(index * size, (index + 1) * size)),
  );
}

function plain(...parts: Uint8Array[]): Uint8Array {
  return Uint8Array.from(Buffer.concat(parts));
}

/** Faster than a matcher's on large arrays. */
function same(one: Uint8Array | undefined, other: Uint8Array): boolean {
  return one !== undefined && Buffer.compare(one, other) === 0;
}

function required(value: RecordProtection | undefined): RecordProtection {
  if (value === undefined) throw new Error('the native provider has no record protection');
  return value;
}
