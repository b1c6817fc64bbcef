/**
 * Tickets as RFC 5077 §4 recommends them, over a session in the form that the runner edits: SEQUENCE { format, protocol
 * version, cipher suite, the library's own state }. What the runner changed comes back changed.
 */
import { createCipheriv, createDecipheriv, createHmac, randomBytes, timingSafeEqual } from 'node:crypto';
import type { Protector } from 'tls13-core';
import { contentOf, elements } from './der.js';

export function recommendedTickets(key: Uint8Array): Protector {
  const [name, macKey, encryptionKey] = [key.subarray(0, 16), key.subarray(16, 32), key.subarray(32, 48)];
  const mac = (bytes: Uint8Array) => createHmac('sha256', macKey).update(bytes).digest();
  return {
    protect(state) {
      const iv = randomBytes(16);
      const cipher = createCipheriv('aes-128-cbc', encryptionKey, iv);
      const sealed = Buffer.concat([name, iv, cipher.update(sessionOf(state)), cipher.final()]);
      return new Uint8Array(Buffer.concat([sealed, mac(sealed)]));
    },
    unprotect(ticket) {
      const sealed = ticket.subarray(0, -32);
      if (ticket.length < 80 || !timingSafeEqual(mac(sealed), ticket.subarray(-32))) return undefined;
      if (Buffer.compare(sealed.subarray(0, 16), name) !== 0) return undefined;
      const decipher = createDecipheriv('aes-128-cbc', encryptionKey, sealed.subarray(16, 32));
      return stateOf(Buffer.concat([decipher.update(sealed.subarray(32)), decipher.final()]));
    },
  };
}

const tls13 = [0x03, 0x04] as const;
/** The first byte of the library's state is its format; the cipher suite follows. */
const suite = { start: 1, end: 3 } as const;

function sessionOf(state: Uint8Array): Uint8Array {
  return der(
    0x30,
    der(0x02, Uint8Array.of(1)),
    der(0x02, Uint8Array.from(tls13)),
    der(0x04, state.subarray(suite.start, suite.end)),
    der(0x04, state),
  );
}

/** `undefined` for a session of another version, which this library cannot resume. */
function stateOf(session: Uint8Array): Uint8Array | undefined {
  const [, version, cipherSuite, whole] = elements(contentOf(session)).map(contentOf);
  if (version?.join() !== tls13.join() || cipherSuite === undefined || whole === undefined) return undefined;
  const state = new Uint8Array(whole);
  state.set(cipherSuite, suite.start);
  return state;
}

function der(tag: number, ...parts: readonly Uint8Array[]): Uint8Array {
  const content = Buffer.concat(parts);
  const { length } = content;
  const digits = length < 0x100 ? [length] : [length >> 8, length & 0xff];
  return Uint8Array.from([tag, ...(length < 0x80 ? [length] : [0x80 | digits.length, ...digits]), ...content]);
}
