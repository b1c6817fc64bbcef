/** Records that are not protected (§5.1), and nonces (§5.3). */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { concat } from '../../src/bytes.js';
import { Deframer } from '../../src/record/deframer.js';
import { headerLength, plaintextRecords } from '../../src/record/header.js';
import { NonceSequence } from '../../src/record/nonce.js';
import { contentTypes } from '../../src/registry.js';

describe('plaintextRecords', () => {
  it('cuts content into records of the wanted size, and no empty one', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 900 }), fc.integer({ min: 1, max: 400 }), (content, maxFragment) => {
        const deframer = new Deframer();
        deframer.push(plaintextRecords(contentTypes.handshake, content, maxFragment));
        const fragments: Uint8Array[] = [];
        for (let run = deframer.next(); run !== undefined; run = deframer.next()) {
          fragments.push(run.records.slice(headerLength));
        }
        expect(concat(...fragments)).toEqual(content);
        expect(fragments.every(({ length }) => length > 0 && length <= maxFragment)).toBe(true);
        expect(fragments).toHaveLength(Math.ceil(content.length / maxFragment));
      }),
    );
  });

  it('writes the version it is told, TLS 1.2 otherwise', () => {
    const { alert } = contentTypes;
    expect(plaintextRecords(alert, Uint8Array.of(2, 40))).toEqual(Uint8Array.of(21, 3, 3, 0, 2, 2, 40));
    expect(plaintextRecords(alert, Uint8Array.of(2, 40), 100, 0x0301)).toEqual(Uint8Array.of(21, 3, 1, 0, 2, 2, 40));
  });

  it('wants a fragment size that a record may have', () => {
    for (const size of [0, -1, 1.5, 2 ** 14 + 1]) {
      expect(() => plaintextRecords(contentTypes.alert, Uint8Array.of(2, 40), size)).toThrow(RangeError);
    }
  });
});

describe('NonceSequence', () => {
  it('is the sequence number in network byte order, XORed into the end of the iv', () => {
    const iv = fc.uint8Array({ minLength: 12, maxLength: 12 });
    fc.assert(
      fc.property(iv, fc.bigInt({ min: 0n, max: BigInt(Number.MAX_SAFE_INTEGER) - 2n }), (bytes, sequenceNumber) => {
        const sequence = new NonceSequence(bytes, sequenceNumber);
        for (const number of [sequenceNumber, sequenceNumber + 1n]) {
          const expected = BigInt(`0x${Buffer.from(bytes).toString('hex')}`) ^ number;
          const nonce = sequence.nonce();
          expect(BigInt(`0x${Buffer.from(nonce).toString('hex')}`)).toBe(expected);
          expect(sequence.sequenceNumber).toBe(Number(number));
          sequence.advance();
        }
      }),
    );
  });

  it('ends before its numbers are not exact any more', () => {
    const sequence = new NonceSequence(new Uint8Array(12), BigInt(Number.MAX_SAFE_INTEGER) - 1n);
    expect(sequence.nonce()).toHaveLength(12);
    sequence.advance();
    expect(() => sequence.nonce()).toThrow(/update the key/);
  });
});
