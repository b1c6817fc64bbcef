/** The presentation language (§3): widths, and bounds held both ways. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  type Codec,
  decode,
  empty,
  encode,
  enumerated,
  fixed,
  octetString,
  opaque,
  rest,
  struct,
  uint8,
  uint16,
  uint24,
  uint32,
  vector,
  within,
} from '../../src/wire/codec.js';
import { Reader } from '../../src/wire/reader.js';
import { Writer } from '../../src/wire/writer.js';
import { alertOf, bytes, hex } from './support.js';

describe('numbers (§3.3)', () => {
  it.each([
    ['uint8', uint8, 0xff, 'ff'],
    ['uint16', uint16, 0x0304, '0304'],
    ['uint24', uint24, 0x010203, '010203'],
    ['uint32', uint32, 0xfffefdfc, 'fffefdfc'],
  ])('%s is in network byte order', (_name, codec, value, encoded) => {
    expect(encode(codec, value)).toEqual(hex(encoded));
    expect(decode(codec, hex(encoded), 'number')).toBe(value);
  });

  it.each([
    ['uint8', uint8, 256],
    ['uint16', uint16, 65_536],
    ['uint24', uint24, 2 ** 24],
    ['uint32', uint32, 2 ** 32],
    ['uint8', uint8, -1],
    ['uint16', uint16, 1.5],
    ['uint32', uint32, Number.NaN],
  ])('%s does not write %d', (_name, codec, value) => {
    expect(() => encode(codec, value)).toThrow(RangeError);
  });

  it('needs all of its bytes', () => {
    expect(alertOf(() => decode(uint32, hex('010203'), 'number'))).toBe('decode_error');
  });
});

describe('vectors (§3.4)', () => {
  it.each([
    [1, 255, '01'],
    [1, 256, '0001'],
    [1, 65_535, '0001'],
    [1, 65_536, '000001'],
    [1, 2 ** 24 - 1, '000001'],
    [1, 2 ** 24, '00000001'],
  ])('<%d..%d> has a length of %s', (floor, ceiling, prefix) => {
    expect(encode(opaque(floor, ceiling), hex('aa'))).toEqual(hex(`${prefix} aa`));
    expect(decode(opaque(floor, ceiling), hex(`${prefix} aa`), 'vector')).toEqual(hex('aa'));
  });

  const bounded: readonly (readonly [string, (length: number) => unknown, (length: number) => unknown])[] = [
    [
      'opaque<4..8>',
      (length) => encode(opaque(4, 8), bytes(length)),
      (length) => decode(opaque(4, 8), Uint8Array.of(length, ...bytes(length)), 'opaque'),
    ],
    [
      'uint16<4..8>',
      (length) =>
        encode(
          vector(uint16, 4, 8),
          Array.from({ length: length / 2 }, () => 1),
        ),
      (length) => decode(vector(uint16, 4, 8), Uint8Array.of(length, ...bytes(length)), 'vector'),
    ],
    [
      'one inner value in <4..8>',
      (length) => encode(within(rest, 4, 8), bytes(length)),
      (length) => decode(within(rest, 4, 8), Uint8Array.of(length, ...bytes(length)), 'inner'),
    ],
    [
      'octetString<4..8>',
      (length) => encode(octetString(4, 8), 'a'.repeat(length)),
      (length) => decode(octetString(4, 8), Uint8Array.of(length, ...bytes(length)), 'string'),
    ],
  ];

  it.each(bounded)('%s holds both bounds, in bytes, both ways', (_name, write, read) => {
    for (const length of [4, 6, 8]) {
      expect(() => write(length)).not.toThrow();
      expect(alertOf(() => read(length))).toBeUndefined();
    }
    for (const length of [0, 2, 10]) {
      expect(() => write(length)).toThrow(RangeError);
      expect(alertOf(() => read(length))).toBe('decode_error');
    }
  });

  it('holds a whole number of items', () => {
    expect(alertOf(() => decode(vector(uint16, 0, 8), hex('03 000100'), 'vector'))).toBe('decode_error');
  });

  it('does not reach past its own length, whatever stands behind it', () => {
    const codec = struct({ inner: vector(opaque(0, 255), 0, 255), behind: rest });
    expect(alertOf(() => decode(codec, hex('02 05aa bbccddee'), 'struct'))).toBe('decode_error');
  });

  it('holds nothing behind the one value within it', () => {
    expect(alertOf(() => decode(within(uint8, 0, 8), hex('02 0102'), 'inner'))).toBe('decode_error');
  });

  it('nests', () => {
    const codec = vector(vector(uint16, 0, 255), 0, 2 ** 16 - 1);
    const encoded = hex('0009 04 00010002 00 02 0003');
    expect(encode(codec, [[1, 2], [], [3]])).toEqual(encoded);
    expect(decode(codec, encoded, 'nested')).toEqual([[1, 2], [], [3]]);
  });
});

describe('other types', () => {
  it('reads a fixed length and nothing else', () => {
    expect(decode(fixed(2), hex('0102'), 'fixed')).toEqual(hex('0102'));
    expect(alertOf(() => decode(fixed(2), hex('01'), 'fixed'))).toBe('decode_error');
    expect(alertOf(() => decode(fixed(2), hex('010203'), 'fixed'))).toBe('decode_error');
    expect(() => encode(fixed(2), hex('010203'))).toThrow(RangeError);
  });

  it('keeps the order of the fields of a struct', () => {
    const codec = struct({ second: uint8, first: uint16 });
    expect(encode(codec, { first: 1, second: 2 })).toEqual(hex('02 0001'));
    expect(decode(codec, hex('02 0001'), 'struct')).toEqual({ first: 1, second: 2 });
  });

  it('reads an enumerated by name, and an unknown value as illegal_parameter', () => {
    const codec = enumerated(uint8, { red: 3, blue: 5 });
    expect(decode(codec, hex('05'), 'color')).toBe('blue');
    expect(encode(codec, 'red')).toEqual(hex('03'));
    expect(alertOf(() => decode(codec, hex('04'), 'color'))).toBe('illegal_parameter');
  });

  it('reads an empty struct as true, and nothing behind it', () => {
    expect(decode(empty, hex(''), 'empty')).toBe(true);
    expect(encode(empty, true)).toEqual(hex(''));
    expect(alertOf(() => decode(empty, hex('00'), 'empty'))).toBe('decode_error');
  });

  it('reads every byte as one character, and writes nothing else', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 255 }), (value) => {
        const codec = octetString(0, 255);
        const text = decode(codec, Uint8Array.of(value.length, ...value), 'string');
        expect(text).toHaveLength(value.length);
        expect(encode(codec, text)).toEqual(Uint8Array.of(value.length, ...value));
      }),
    );
    expect(() => encode(octetString(0, 255), 'ł')).toThrow(RangeError);
  });
});

describe('the cursor and the buffer', () => {
  it('reads views, not copies', () => {
    const received = hex('02 aabb');
    expect(decode(opaque(0, 255), received, 'view').buffer).toBe(received.buffer);
  });

  it('refuses trailing bytes and says how many there are', () => {
    const reader = new Reader(hex('0102'), 'Thing');
    expect(reader.uint(1)).toBe(1);
    expect(() => reader.end()).toThrow('Thing: 1 byte after its end');
    expect(() => reader.bytes(2)).toThrow('Thing: 2 bytes wanted, 1 byte left');
  });

  it('grows to whatever is written', () => {
    const writer = new Writer();
    const whole: number[] = [];
    for (let size = 1; size < 3_000; size *= 3) {
      writer.bytes(bytes(size, size % 256));
      whole.push(...bytes(size, size % 256));
    }
    expect(writer.finish()).toEqual(Uint8Array.from(whole));
  });

  it('gives back whatever it wrote, and reads any bytes as a value or an error of the peer', () => {
    const codec: Codec<{ readonly list: readonly Uint8Array[]; readonly number: number }> = struct({
      list: vector(opaque(1, 300), 0, 1_000),
      number: uint24,
    });
    fc.assert(
      fc.property(
        fc.array(fc.uint8Array({ minLength: 1, maxLength: 60 }), { maxLength: 12 }),
        fc.integer({ min: 0, max: 2 ** 24 - 1 }),
        (list, number) => {
          expect(decode(codec, encode(codec, { list, number }), 'struct')).toEqual({ list, number });
        },
      ),
    );
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 40 }), (received) => {
        const alert = alertOf(() => {
          // Every length is minimal, so that what was read can only be written one way.
          expect(encode(codec, decode(codec, received, 'struct'))).toEqual(received);
        });
        expect([undefined, 'decode_error']).toContain(alert);
      }),
    );
  });
});
