/** Joining handshake fragments: what an attacker can make of their number. */
import { describe, expect, it } from 'vitest';
import { HandshakeJoiner } from '../../src/engine/joiner.js';

function message(length: number, fill: number): Uint8Array {
  const bytes = new Uint8Array(length).fill(fill);
  bytes.set([11, 0, (length - 4) >> 8, (length - 4) & 0xff]);
  return bytes;
}

describe('handshake fragments', () => {
  it('of one byte each cost no more than their number: a stranger sends 65,535 of them in one ClientHello (CWE-407)', () => {
    const joiner = new HandshakeJoiner(131_072);
    const whole = message(65_535, 7);
    const begun = performance.now();
    for (const byte of whole) {
      joiner.next();
      joiner.push(Uint8Array.of(byte));
    }
    const taken = performance.now() - begun;
    expect(Buffer.compare(joiner.next() ?? Buffer.alloc(0), whole)).toBe(0);
    expect(joiner.midMessage).toBe(false);
    // Copied anew for each fragment it takes seconds.
    expect(taken).toBeLessThan(1_000);
  });

  it.each([1, 2, 5, 20, 24])('may not follow message %i in its record: a key change may be next (§5.1)', (type) => {
    const joiner = new HandshakeJoiner(131_072);
    const last = Uint8Array.of(type, 0, 0, 0);
    joiner.push(last);
    expect(joiner.next()).toEqual(last);
    joiner.push(Uint8Array.of(...last, 8));
    expect(() => joiner.next()).toThrow(expect.objectContaining({ alert: 'unexpected_message' }));
  });

  it('do not overwrite a message that was handed out, however the next ones come', () => {
    const joiner = new HandshakeJoiner(131_072);
    const messages = [40, 4, 300, 41, 5_000, 6].map((length, index) => message(length, index + 1));
    const stream = Uint8Array.from(messages.flatMap((one) => [...one]));
    for (const size of [1, 3, 7, 64, 5_391]) {
      const taken: Uint8Array[] = [];
      for (let at = 0; at < stream.length; at += size) {
        joiner.push(stream.subarray(at, at + size));
        for (let next = joiner.next(); next !== undefined; next = joiner.next()) taken.push(next);
      }
      expect(taken).toEqual(messages);
      expect(joiner.midMessage).toBe(false);
    }
  });
});
