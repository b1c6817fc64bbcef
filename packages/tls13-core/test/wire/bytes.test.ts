/** Byte strings: joined and compared. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { concat, constantTimeEqual, equal } from '../../src/bytes.js';

const octets = fc.uint8Array({ maxLength: 20 });

describe('bytes', () => {
  it('are joined in order, in a buffer of their own', () => {
    fc.assert(
      fc.property(fc.array(octets, { maxLength: 5 }), (parts) => {
        const whole = concat(...parts);
        expect([...whole]).toEqual(parts.flatMap((part) => [...part]));
        for (const part of parts) expect(whole.buffer).not.toBe(part.buffer);
      }),
    );
  });

  it.each([
    ['equal', equal],
    ['constantTimeEqual', constantTimeEqual],
  ])('%s tells any two apart, and none from its copy', (_name, compare) => {
    fc.assert(
      fc.property(octets, octets, (a, b) => {
        expect(compare(a, a.slice())).toBe(true);
        expect(compare(a, b)).toBe(a.join() === b.join());
        expect(compare(a, concat(a, Uint8Array.of(0)))).toBe(false);
        for (let index = 0; index < a.length; index++) {
          expect(compare(a, a.with(index, (a[index] ?? 0) ^ 0x80))).toBe(false);
        }
      }),
    );
  });
});
