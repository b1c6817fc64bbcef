/** What every RecordProtection must do (§5.2 to §5.4), as a suite: sealed here, opened by the portable one, and the other way round. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { concat } from '../../packages/tls13-core/src/bytes.js';
import { nobleProvider } from '../../packages/tls13-core/src/crypto/noble.js';
import type { AeadName, RecordProtection, TrafficKeys } from '../../packages/tls13-core/src/crypto/provider.js';
import { aeadKeyLength } from '../../packages/tls13-core/src/crypto/suites.js';
import { encodeHeader, headerLength } from '../../packages/tls13-core/src/record/header.js';
import { portableRecordProtection } from '../../packages/tls13-core/src/record/protection.js';
import { contentTypes } from '../../packages/tls13-core/src/registry.js';

const { alert, application_data, change_cipher_spec, handshake } = contentTypes;
const portable = portableRecordProtection(nobleProvider);

export function recordProtectionSuite(name: string, protection: RecordProtection, aeads: readonly AeadName[]): void {
  describe.each(aeads)(`record protection: ${name}, %s`, (aead) => {
    const keys = keysOf(aead);
    /** One record around any TLSInnerPlaintext, right or wrong. */
    const sealInner = (inner: Uint8Array, sequenceNumber = 0): Uint8Array => {
      const cipher = nobleProvider.aead(aead, keys.key);
      const header = encodeHeader(application_data, inner.length + cipher.tagLength);
      const nonce = keys.iv.slice();
      nonce[11] = (nonce[11] ?? 0) ^ sequenceNumber;
      return concat(header, cipher.seal(nonce, header, inner));
    };

    it('seals what the portable protection opens, and opens what it seals', () => {
      const any = fc.record({
        content: fc.uint8Array({ maxLength: 3000 }),
        maxFragment: fc.integer({ min: 64, max: 2 ** 14 }),
        sequenceNumber: fc.bigInt({ min: 0n, max: 2n ** 52n }),
      });
      fc.assert(
        fc.property(any, ({ content, maxFragment, sequenceNumber }) => {
          const from = { ...keys, sequenceNumber };
          const count = Math.max(1, Math.ceil(content.length / maxFragment));
          const records = protection.sealer(from).seal(application_data, content, maxFragment).slice();
          expect(records).toEqual(portable.sealer(from).seal(application_data, content, maxFragment));
          for (const opener of [protection.opener(from), portable.opener(from)]) {
            const opened = opener.open(records);
            expect(concat(...opened.fragments.map((fragment) => fragment.content))).toEqual(content);
            expect(opened.fragments.every((fragment) => fragment.contentType === application_data)).toBe(true);
            expect(opened).toMatchObject({ count, consumed: records.length, failure: undefined });
            expect(opener.sequenceNumber).toBe(Number(sequenceNumber) + count);
          }
        }),
        { numRuns: 40 },
      );
    });

    it('counts records from the sequence number it was given', () => {
      const sealer = protection.sealer({ ...keys, sequenceNumber: 7n });
      expect(sealer.sequenceNumber).toBe(7);
      sealer.seal(handshake, new Uint8Array(250), 100);
      expect(sealer.sequenceNumber).toBe(10);
      const opener = protection.opener({ ...keys, sequenceNumber: 10n });
      expect(opener.open(sealer.seal(alert, Uint8Array.of(1, 0), 100))).toMatchObject({ count: 1 });
      expect([sealer.sequenceNumber, opener.sequenceNumber]).toEqual([11, 11]);
    });

    it('seals a full record of 2^14 bytes, and an empty one of application data alone', () => {
      const content = Uint8Array.from({ length: 2 ** 14 }, (_, index) => index & 0xff);
      const sealer = protection.sealer(keys);
      const full = sealer.seal(application_data, content, 2 ** 14).slice();
      const empty = sealer.seal(application_data, new Uint8Array(0), 2 ** 14).slice();
      const opener = protection.opener(keys);
      const opened = opener.open(full);
      expect(opened.fragments[0]?.content).toEqual(content);
      expect(opener.open(empty)).toMatchObject({ count: 1, consumed: empty.length, failure: undefined });
      expect(() => protection.sealer(keys).seal(handshake, new Uint8Array(0), 100)).toThrow(TypeError);
      expect(() => protection.sealer(keys).seal(application_data, content, 2 ** 14 + 1)).toThrow(RangeError);
      expect(() => protection.sealer(keys).seal(application_data, content, 0)).toThrow(RangeError);
    });

    it('finds the content type behind any padding', () => {
      for (const padding of [0, 1, 15, 16, 17, 5000]) {
        const inner = concat(Uint8Array.of(0, 1, 2, 0, handshake), new Uint8Array(padding));
        const opened = protection.opener(keys).open(sealInner(inner));
        expect(opened.fragments).toEqual([{ contentType: handshake, content: Uint8Array.of(0, 1, 2, 0) }]);
        expect(opened.failure).toBeUndefined();
      }
    });

    it('stops behind the first record that is not application data', () => {
      const sealer = portable.sealer(keys);
      const records = concat(
        sealer.seal(application_data, Uint8Array.of(1, 2), 100),
        sealer.seal(application_data, Uint8Array.of(3), 100),
        sealer.seal(handshake, Uint8Array.of(4), 100),
      );
      const last = sealer.seal(application_data, Uint8Array.of(5), 100);
      const opener = protection.opener(keys);
      const opened = opener.open(concat(records, last));
      expect(opened).toMatchObject({ count: 3, consumed: records.length, failure: undefined });
      expect(opened.fragments.at(-1)).toEqual({ contentType: handshake, content: Uint8Array.of(4) });
      expect(opener.open(last)).toMatchObject({ count: 1, consumed: last.length, failure: undefined });
    });

    it('opens nothing of a record in which a bit was flipped, and says bad_record_mac', () => {
      const first = portable.sealer(keys).seal(application_data, Uint8Array.of(9, 9, 9), 100);
      fc.assert(
        fc.property(fc.uint8Array({ minLength: 1, maxLength: 200 }), fc.nat(), fc.nat(7), (content, position, bit) => {
          const record = portable.sealer({ ...keys, sequenceNumber: 1n }).seal(application_data, content, 2 ** 14);
          // The header's type and length are looked at before the tag is.
          const mutable = [
            1,
            2,
            ...Array.from({ length: record.length - headerLength }, (_, index) => headerLength + index),
          ];
          const index = mutable[position % mutable.length] ?? headerLength;
          record[index] = (record[index] ?? 0) ^ (1 << bit);
          const opened = protection.opener(keys).open(concat(first, record));
          expect(opened).toMatchObject({ count: 1, consumed: first.length, failure: 'bad_record_mac' });
          expect(concat(...opened.fragments.map((fragment) => fragment.content))).toEqual(Uint8Array.of(9, 9, 9));
        }),
        { numRuns: 60 },
      );
    });

    it('opens no record twice, out of order, or under another key', () => {
      const sealer = portable.sealer(keys);
      const [first, second] = [0, 1].map(() => sealer.seal(application_data, Uint8Array.of(1), 100));
      if (first === undefined || second === undefined) throw new Error('two records were sealed');
      const opener = protection.opener(keys);
      expect(opener.open(second).failure).toBe('bad_record_mac');
      expect(opener.open(first)).toMatchObject({ count: 1, failure: undefined });
      expect(opener.open(first).failure).toBe('bad_record_mac');
      const other = protection.opener({ ...keys, key: keys.key.map((byte) => byte ^ 1) });
      expect(other.open(first)).toMatchObject({ fragments: [], count: 0, consumed: 0, failure: 'bad_record_mac' });
    });

    it.each([
      ['nothing but padding', new Uint8Array(20), 'unexpected_message'],
      ['nothing at all', new Uint8Array(0), 'unexpected_message'],
      ['an empty handshake record', Uint8Array.of(handshake), 'unexpected_message'],
      ['an empty alert behind padding', Uint8Array.of(alert, 0, 0, 0), 'unexpected_message'],
      ['a protected change_cipher_spec', Uint8Array.of(1, change_cipher_spec), 'unexpected_message'],
      ['an unknown content type', Uint8Array.of(1, 24), 'unexpected_message'],
      ['2^14 + 1 bytes of content', new Uint8Array(2 ** 14 + 2).fill(application_data), 'record_overflow'],
      [
        '2^14 bytes of content and padding beyond the limit',
        concat(new Uint8Array(2 ** 14), Uint8Array.of(application_data, 0)),
        'record_overflow',
      ],
    ])('refuses %s', (_, inner, failure) => {
      const opened = protection.opener(keys).open(sealInner(inner));
      expect(opened).toMatchObject({ fragments: [], count: 0, consumed: 0, failure });
    });

    it('refuses records that are too long, too short, or not application data', () => {
      const opener = protection.opener(keys);
      const tooLong = concat(encodeHeader(application_data, 2 ** 14 + 257), new Uint8Array(2 ** 14 + 257));
      expect(opener.open(tooLong).failure).toBe('record_overflow');
      expect(opener.open(concat(encodeHeader(application_data, 3), new Uint8Array(3))).failure).toBe('bad_record_mac');
      expect(opener.open(encodeHeader(application_data, 0)).failure).toBe('bad_record_mac');
      expect(opener.open(concat(encodeHeader(handshake, 20), new Uint8Array(20))).failure).toBe('unexpected_message');
      expect(() => opener.open(encodeHeader(application_data, 20))).toThrow(RangeError);
      expect(opener.sequenceNumber).toBe(0);
    });

    it('opens a long run of records of many sizes', () => {
      const sealer = protection.sealer(keys);
      const contents = Array.from({ length: 150 }, (_, index) => new Uint8Array((index * 37) % 500).fill(index));
      const records = concat(...contents.map((content) => sealer.seal(application_data, content, 2 ** 14).slice()));
      const opened = protection.opener(keys).open(records);
      expect(opened).toMatchObject({ count: 150, consumed: records.length, failure: undefined });
      expect(concat(...opened.fragments.map(({ content }) => content))).toEqual(concat(...contents));
    });

    it('refuses keys that are none', () => {
      for (const make of [protection.sealer, protection.opener]) {
        expect(() => make({ ...keys, key: keys.key.subarray(1) })).toThrow(RangeError);
        expect(() => make({ ...keys, iv: keys.iv.subarray(1) })).toThrow(RangeError);
        expect(() => make({ ...keys, sequenceNumber: -1n })).toThrow(RangeError);
        expect(() => make({ ...keys, sequenceNumber: 2n ** 64n })).toThrow(RangeError);
      }
    });

    it('never wraps its sequence number', () => {
      const last = { ...keys, sequenceNumber: BigInt(Number.MAX_SAFE_INTEGER) };
      expect(() => protection.sealer(last).seal(application_data, Uint8Array.of(1), 100)).toThrow(RangeError);
    });

    it('seals and opens nothing when destroyed', () => {
      const sealer = protection.sealer(keys);
      const record = sealer.seal(application_data, Uint8Array.of(1), 100).slice();
      const opener = protection.opener(keys);
      sealer.destroy();
      opener.destroy();
      expect(() => sealer.seal(application_data, Uint8Array.of(1), 100)).toThrow(TypeError);
      expect(() => opener.open(record)).toThrow(TypeError);
    });
  });
}

function keysOf(aead: AeadName): TrafficKeys {
  return {
    aead,
    key: Uint8Array.from({ length: aeadKeyLength(aead) }, (_, index) => index + 1),
    iv: Uint8Array.from({ length: 12 }, (_, index) => 0xa0 + index),
    sequenceNumber: 0n,
  };
}
