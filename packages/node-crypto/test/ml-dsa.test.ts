/** ML-DSA keys and signatures (RFC 9881, draft-ietf-tls-mldsa) with every provider. */
import { ml_dsa44, ml_dsa65, ml_dsa87 } from '@noble/post-quantum/ml-dsa.js';
import { describe, expect, it } from 'vitest';
import { certificateOf } from '../../../test/vectors/certificate.js';
import { nobleProvider } from '../../tls13-core/src/crypto/noble.js';
import { nativeProvider, nodeCryptoProvider } from '../src/index.js';

const sets = [
  { scheme: 'mldsa44', arc: 17, algorithm: ml_dsa44 },
  { scheme: 'mldsa65', arc: 18, algorithm: ml_dsa65 },
  { scheme: 'mldsa87', arc: 19, algorithm: ml_dsa87 },
] as const;

describe.each([nobleProvider, nativeProvider(), nodeCryptoProvider()])('$name', (provider) => {
  describe.each(sets)('$scheme', ({ scheme, arc, algorithm }) => {
    const seed = Uint8Array.from({ length: 32 }, (_, index) => index * 7);
    const { publicKey, secretKey } = algorithm.keygen(seed);
    const name = der(0x30, der(0x06, Buffer.from('608648016503040300', 'hex').fill(arc, 8)));
    const spki = der(0x30, name, der(0x03, Uint8Array.of(0), publicKey));
    const pkcs8 = (choice: Uint8Array) => der(0x30, Uint8Array.of(2, 1, 0), name, der(0x04, choice));
    const message = new TextEncoder().encode('a transcript');

    it('is verified by a certificate and by a key alone, under its own scheme only', () => {
      const signature = algorithm.sign(message, secretKey);
      for (const key of [provider.certificateKey(certificateOf(spki)), provider.publicKey(spki)]) {
        expect(key.schemes).toEqual([scheme]);
        expect(key.verify(scheme, message, signature)).toBe(true);
        expect(key.verify('ed25519', message, signature)).toBe(false);
        expect(key.verify(scheme, message.subarray(1), signature)).toBe(false);
        expect(key.verify(scheme, message, signature.subarray(1))).toBe(false);
        expect(
          key.verify(
            scheme,
            message,
            signature.map((byte, index) => (index === 9 ? byte ^ 1 : byte)),
          ),
        ).toBe(false);
      }
    });

    it.each([
      ['the seed', der(0x80, seed)],
      ['the expanded key', der(0x04, secretKey)],
      ['both', der(0x30, der(0x04, seed), der(0x04, secretKey))],
    ])('signs with a private key of %s', async (_what, choice) => {
      const signer = provider.signer(pkcs8(choice));
      expect(signer.schemes).toEqual([scheme]);
      expect(algorithm.verify(await signer.sign(scheme, message), message, publicKey)).toBe(true);
    });

    it.each([
      ['a seed that is short', der(0x80, seed.subarray(1))],
      ['a seed of another key', der(0x30, der(0x04, seed.toReversed()), der(0x04, secretKey))],
      ['nothing', new Uint8Array(0)],
    ])('refuses %s', (_what, choice) => {
      expect(() => provider.signer(pkcs8(choice))).toThrow(TypeError);
    });

    it('refuses a public key of another length, and one of bits', () => {
      const short = der(0x30, name, der(0x03, Uint8Array.of(0), publicKey.subarray(1)));
      const bits = der(0x30, name, der(0x03, Uint8Array.of(1), publicKey));
      for (const wrong of [short, bits]) {
        expect(() => provider.publicKey(wrong)).toThrow(expect.objectContaining({ alert: 'bad_certificate' }));
      }
    });
  });
});

function der(tag: number, ...parts: readonly Uint8Array[]): Uint8Array {
  const content = Buffer.concat(parts);
  const { length } = content;
  const header = length < 0x80 ? [tag, length] : [tag, 0x82, length >> 8, length & 0xff];
  return new Uint8Array(Buffer.concat([Uint8Array.from(header), content]));
}
