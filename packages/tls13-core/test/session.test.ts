import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseSession, type Session, serializeSession } from '../src/session.js';

const session: Session = {
  cipherSuite: 'TLS_AES_128_GCM_SHA256',
  ticket: Uint8Array.of(1, 2, 3),
  psk: new Uint8Array(32).fill(7),
  lifetime: 7_200,
  ageAdd: 0xffff_ffff,
  receivedAt: 1_763_722_000_123,
  serverName: 'example.com',
  alpnProtocol: 'h2',
  peerCertificates: [Uint8Array.of(0x30, 0), Uint8Array.of(0x30, 1, 0)],
  maxEarlyData: 0,
  pskIdentity: undefined,
  localCertificate: undefined,
  peerRawPublicKey: undefined,
  ocspResponse: Uint8Array.of(0x30, 3, 10, 1, 6),
  signedCertificateTimestamps: [Uint8Array.of(0, 1), Uint8Array.of(0)],
};

const bytes = (bounds: { minLength: number; maxLength: number }) => fc.uint8Array(bounds);
const anySession: fc.Arbitrary<Session> = fc
  .constantFrom('TLS_AES_128_GCM_SHA256' as const, 'TLS_AES_256_GCM_SHA384' as const)
  .chain((cipherSuite) => {
    const length = cipherSuite.endsWith('384') ? 48 : 32;
    return fc.record({
      cipherSuite: fc.constant(cipherSuite),
      ticket: bytes({ minLength: 1, maxLength: 300 }),
      psk: bytes({ minLength: length, maxLength: length }),
      lifetime: fc.nat(604_800),
      ageAdd: fc.integer({ min: 0, max: 2 ** 32 - 1 }),
      receivedAt: fc.integer({ min: 0, max: 2 ** 45 }),
      serverName: fc.option(fc.constantFrom('a', 'example.com'), { nil: undefined }),
      alpnProtocol: fc.option(fc.constantFrom('h2', '\u00ff'), { nil: undefined }),
      peerCertificates: fc.array(bytes({ minLength: 1, maxLength: 40 }), { maxLength: 3 }),
      maxEarlyData: fc.integer({ min: 0, max: 2 ** 32 - 1 }),
      pskIdentity: fc.option(fc.uint8Array({ minLength: 1 }), { nil: undefined }),
      localCertificate: fc.option(fc.uint8Array(), { nil: undefined }),
      peerRawPublicKey: fc.option(bytes({ minLength: 1, maxLength: 40 }), { nil: undefined }),
      ocspResponse: fc.option(bytes({ minLength: 1, maxLength: 40 }), { nil: undefined }),
      signedCertificateTimestamps: fc.array(bytes({ minLength: 1, maxLength: 40 }), { maxLength: 3 }),
    });
  });

describe('a stored session', () => {
  it('comes back as it was', () => {
    fc.assert(
      fc.property(anySession, (given) => {
        expect(parseSession(serializeSession(given))).toEqual(given);
      }),
    );
  });

  it('does not share memory with the bytes it came from', () => {
    const stored = serializeSession(session);
    const parsed = parseSession(stored);
    stored.fill(0);
    expect(parsed).toEqual(session);
  });

  it('is refused with TypeError when it was cut, lengthened, or is of another version', () => {
    const stored = serializeSession(session);
    for (let length = 0; length < stored.length; length++) {
      expect(() => parseSession(stored.subarray(0, length))).toThrow(TypeError);
    }
    expect(() => parseSession(Uint8Array.of(...stored, 0))).toThrow(TypeError);
    expect(() => parseSession(Uint8Array.of(9, ...stored.subarray(1)))).toThrow(/version is 9, not /);
  });

  it('is refused with TypeError when its suite is unknown or its PSK does not go with the hash', () => {
    const stored = serializeSession(session);
    expect(() => parseSession(Uint8Array.of(stored[0] ?? 0, 0x13, 0x99, ...stored.subarray(3)))).toThrow(TypeError);
    const mismatched = serializeSession({ ...session, psk: new Uint8Array(48) });
    expect(() => parseSession(mismatched)).toThrow(/PSK has 48 bytes/);
  });

  it('is refused with TypeError or parsed whatever the bytes, and nothing else is thrown', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), (rubbish) => {
        try {
          expect(serializeSession(parseSession(rubbish))).toEqual(rubbish);
        } catch (error) {
          expect(error).toBeInstanceOf(TypeError);
        }
      }),
    );
  });
});
