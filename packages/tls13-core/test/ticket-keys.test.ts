import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { nobleProvider as provider } from '../src/crypto/noble.js';
import { createTicketKeys, ticketKeyLength } from '../src/ticket-keys.js';

const state = Uint8Array.of(1, 2, 3, 4);
const key = (byte: number) => new Uint8Array(ticketKeyLength).fill(byte);

describe('ticket keys', () => {
  it('open what they sealed, and nothing that was changed in any bit', () => {
    const keys = createTicketKeys(provider);
    const sealed = keys.protect(state);
    expect(keys.unprotect(sealed)).toEqual(state);
    for (let bit = 0; bit < sealed.length * 8; bit += 1) {
      const changed = sealed.map((byte, index) => (index === bit >> 3 ? byte ^ (1 << (bit & 7)) : byte));
      expect(keys.unprotect(changed)).toBeUndefined();
    }
  });

  it('take no other bytes for a ticket', () => {
    const keys = createTicketKeys(provider, { keys: [key(0)] });
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 100 }), (bytes) => {
        expect(keys.unprotect(bytes)).toBeUndefined();
        expect(keys.unprotect(Uint8Array.of(...new Uint8Array(16), ...bytes))).toBeUndefined();
      }),
    );
  });

  it('never seal the same state to the same bytes', () => {
    const keys = createTicketKeys(provider);
    expect(keys.protect(state)).not.toEqual(keys.protect(state));
  });

  it('do not show the state', () => {
    const long = new Uint8Array(64).fill(0x41);
    expect(Buffer.from(createTicketKeys(provider).protect(long)).includes(Buffer.alloc(8, 0x41))).toBe(false);
  });

  it('are shared by processes that were given the same', () => {
    const one = createTicketKeys(provider, { keys: [key(1), key(2)] });
    const other = createTicketKeys(provider, { keys: [key(2), key(1)] });
    expect(other.unprotect(one.protect(state))).toEqual(state);
    expect(one.unprotect(other.protect(state))).toEqual(state);
    expect(createTicketKeys(provider, { keys: [key(2)] }).unprotect(one.protect(state))).toBeUndefined();
  });

  it('come out as they went in, as copies', () => {
    const keys = createTicketKeys(provider, { keys: [key(1), key(2)] });
    const exported = keys.exportKeys();
    expect(exported).toEqual([key(1), key(2)]);
    exported[0]?.fill(9);
    expect(keys.exportKeys()).toEqual([key(1), key(2)]);
    const fresh = createTicketKeys(provider);
    expect(createTicketKeys(provider, { keys: fresh.exportKeys() }).unprotect(fresh.protect(state))).toEqual(state);
  });

  it('open for `keep` rotations after they last sealed', () => {
    const keys = createTicketKeys(provider, { keep: 2 });
    const sealed = keys.protect(state);
    keys.rotate();
    keys.rotate();
    expect(keys.unprotect(sealed)).toEqual(state);
    keys.rotate();
    expect(keys.unprotect(sealed)).toBeUndefined();
    expect(keys.exportKeys()).toHaveLength(3);
  });

  it('rotate by themselves when the time is up, also when nobody looked for long', () => {
    const clock = { milliseconds: 0 };
    const keys = createTicketKeys(provider, { rotationInterval: 10, keep: 1, now: () => clock.milliseconds });
    const sealed = keys.protect(state);
    const [first] = keys.exportKeys();
    clock.milliseconds = 9_999;
    expect(keys.exportKeys()).toEqual([first]);
    clock.milliseconds = 10_000;
    expect(keys.unprotect(sealed)).toEqual(state);
    expect(keys.exportKeys()[1]).toEqual(first);
    clock.milliseconds = 1e12;
    expect(keys.unprotect(sealed)).toBeUndefined();
  });

  it('that were given rotate only when told', () => {
    const clock = { milliseconds: 0 };
    const keys = createTicketKeys(provider, { keys: [key(1)], now: () => clock.milliseconds });
    clock.milliseconds = 1e12;
    expect(keys.exportKeys()).toEqual([key(1)]);
    const sealed = keys.protect(state);
    keys.setKeys([key(2), key(1)]);
    expect(keys.unprotect(sealed)).toEqual(state);
    keys.setKeys([key(2)]);
    expect(keys.unprotect(sealed)).toBeUndefined();
  });

  it('that are malformed are refused, and change nothing', () => {
    const keys = createTicketKeys(provider, { keys: [key(1)] });
    expect(() => keys.setKeys([])).toThrow(/at least one key/);
    expect(() => keys.setKeys([key(2), new Uint8Array(47)])).toThrow(/must be 48 bytes/);
    expect(keys.exportKeys()).toEqual([key(1)]);
    expect(() => createTicketKeys(provider, { keys: [new Uint8Array(80)] })).toThrow(TypeError);
    expect(() => createTicketKeys(provider, { keep: -1 })).toThrow(RangeError);
    expect(() => createTicketKeys(provider, { rotationInterval: 0 })).toThrow(RangeError);
    expect(() => createTicketKeys({ ...provider, aeads: [] })).toThrow(TypeError);
  });
});
