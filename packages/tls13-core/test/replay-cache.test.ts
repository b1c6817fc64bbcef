/** The replay cache of a single process (§8.1): once, for as long as the ticket lives, within its bounds. */
import { describe, expect, it } from 'vitest';
import { createReplayCache } from '../src/replay-cache.js';

const begin = 1_800_000_000_000;

function at(capacity?: number) {
  const clock = { time: begin };
  const cache = createReplayCache({ now: () => clock.time, ...(capacity === undefined ? {} : { capacity }) });
  /** `id` distinguishes tickets; they live for two hours unless told. */
  const claim = (id: number, issuedAt = begin, expiresAt = issuedAt + 7_200_000) =>
    cache.claim({ id: new Uint8Array(32).fill(id), issuedAt, expiresAt });
  return { clock, claim };
}

describe('createReplayCache', () => {
  it('lets every ticket be claimed once', () => {
    const { claim } = at();
    expect([claim(1), claim(2), claim(1), claim(2), claim(3)]).toEqual([true, true, false, false, true]);
  });

  it('remembers until the ticket has expired, to the last millisecond', () => {
    const { clock, claim } = at();
    expect(claim(1)).toBe(true);
    for (const later of [1, 3_600_000, 7_199_999]) {
      clock.time = begin + later;
      expect(claim(1)).toBe(false);
    }
    clock.time = begin + 7_200_000;
    expect(claim(1)).toBe(false);
  });

  it('refuses tickets of before it began: they may have served already', () => {
    const { claim } = at();
    expect(claim(1, begin - 1)).toBe(false);
    expect(claim(1, begin)).toBe(true);
  });

  it('refuses all when it is full, and makes room by what has expired alone', () => {
    const { clock, claim } = at(2);
    expect([claim(1), claim(2, begin, begin + 60_000), claim(3)]).toEqual([true, true, false]);
    expect(claim(1)).toBe(false);
    clock.time = begin + 180_000;
    expect([claim(3), claim(4)]).toEqual([true, false]);
    expect(claim(1)).toBe(false);
  });

  it('goes on when everything has expired', () => {
    const { clock, claim } = at(1);
    expect(claim(1)).toBe(true);
    clock.time = begin + 8_000_000;
    expect([claim(2, clock.time), claim(3, clock.time)]).toEqual([true, false]);
  });

  it.each([0, -1, 1.5, Number.NaN])('refuses the capacity %s', (capacity) => {
    expect(() => createReplayCache({ capacity })).toThrow(RangeError);
  });
});
