/** CertificateVerify (§4.5.2): the content that is signed, the choice of a scheme, and every refusal. */
import { generateKeyPairSync, sign, verify } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import type { PublicKey, Signer } from '../../src/crypto/provider.js';
import {
  chooseSignatureScheme,
  handshakeSchemes,
  signedContent,
  verifySignature,
} from '../../src/handshake/certificate-verify.js';
import { leafKey } from '../../src/handshake/peer-certificate.js';
import { type SignatureSchemeName, signatureSchemes } from '../../src/registry.js';
import { certificateFor, keyUsage } from '../engine/support/certificates.js';

const { privateKey, publicKey } = generateKeyPairSync('ed25519');
const key: PublicKey = {
  schemes: ['ed25519'],
  verify: (_scheme, message, signature) => verify(null, message, publicKey, signature),
};
const transcriptHash = new Uint8Array(32).fill(1);
const signature = sign(null, signedContent('server', transcriptHash), privateKey);
const valid = {
  role: 'server',
  key,
  offered: ['ecdsa_secp256r1_sha256', 'ed25519', 'rsa_pkcs1_sha256'],
  algorithm: signatureSchemes.ed25519,
  signature,
  transcriptHash,
} as const;

describe('signedContent', () => {
  it('is the octets that §4.5.2 prints for a transcript hash of 32 ones', () => {
    expect(Buffer.from(signedContent('server', transcriptHash)).toString('hex')).toBe(
      '20'.repeat(64) +
        '544c5320312e332c207365727665722043657274696669636174655665726966' +
        '79' +
        '00' +
        '01'.repeat(32),
    );
  });

  it('differs between the roles', () => {
    expect(Buffer.from(signedContent('client', transcriptHash)).toString('latin1')).toContain(
      'TLS 1.3, client CertificateVerify\0',
    );
  });
});

describe('chooseSignatureScheme', () => {
  const signer = (schemes: readonly SignatureSchemeName[]): Signer => ({ schemes, sign: () => new Uint8Array() });

  it("takes the signer's best among those the peer accepts", () => {
    const both = signer(['rsa_pss_rsae_sha256', 'rsa_pss_rsae_sha384']);
    expect(chooseSignatureScheme(both, [0x0805, 0x0804])).toBe('rsa_pss_rsae_sha256');
    expect(chooseSignatureScheme(both, [0x0805])).toBe('rsa_pss_rsae_sha384');
  });

  it('finds none where they share none, and never PKCS#1', () => {
    expect(chooseSignatureScheme(signer(['ed25519']), [0x0403])).toBeUndefined();
    expect(chooseSignatureScheme(signer(['rsa_pkcs1_sha256']), [0x0401])).toBeUndefined();
    expect(handshakeSchemes(['rsa_pkcs1_sha512', 'ed25519'])).toEqual(['ed25519']);
  });
});

describe('verifySignature', () => {
  it('returns the scheme of a signature that holds', () => {
    expect(verifySignature(valid)).toBe('ed25519');
  });

  it.each([
    ['a scheme that was not offered', { algorithm: signatureSchemes.ecdsa_secp384r1_sha384 }, 'illegal_parameter'],
    ['a code point this library does not know', { algorithm: 0xfe00 }, 'illegal_parameter'],
    ['rsa_pkcs1_sha1', { algorithm: 0x0201 }, 'illegal_parameter'],
    ['ecdsa_sha1', { algorithm: 0x0203 }, 'illegal_parameter'],
    ['PKCS#1, though offered for certificates', { algorithm: signatureSchemes.rsa_pkcs1_sha256 }, 'illegal_parameter'],
    [
      'a scheme that does not suit the key',
      { algorithm: signatureSchemes.ecdsa_secp256r1_sha256 },
      'illegal_parameter',
    ],
    ['a signature over another hash', { transcriptHash: new Uint8Array(32).fill(2) }, 'decrypt_error'],
    ['a signature of the other role', { role: 'client' as const }, 'decrypt_error'],
    ['an empty signature', { signature: new Uint8Array() }, 'decrypt_error'],
  ])('refuses %s (§4.5.2)', (_what, changed, alert) => {
    expect(() => verifySignature({ ...valid, ...changed })).toThrow(
      expect.objectContaining({ name: 'TlsError', alert }),
    );
  });
});

describe('leafKey', () => {
  const provider = { certificateKey: () => key };
  const alertIs = (alert: string) => expect.objectContaining({ name: 'TlsError', alert });

  it.each([
    ['no Key Usage', []],
    ['a Key Usage with digitalSignature', [keyUsage(0x80)]],
    ['a Key Usage with that among others', [keyUsage(0xa8)]],
  ])('is the key of a leaf with %s', (_what, extensions) => {
    expect(leafKey(provider, 'server', certificateFor(publicKey, ...extensions))).toBe(key);
  });

  it.each([0x00, 0x20, 0x7f])('refuses one whose Key Usage is 0x%s: unsupported_certificate (§4.5.1.2)', (bits) => {
    const leaf = certificateFor(publicKey, keyUsage(bits));
    expect(() => leafKey(provider, 'client', leaf)).toThrow(alertIs('unsupported_certificate'));
  });

  it('refuses what is not DER, wherever it is cut: decode_error', () => {
    const leaf = certificateFor(publicKey, keyUsage(0x80));
    for (let length = 0; length < leaf.length; length++) {
      expect(() => leafKey(provider, 'client', leaf.subarray(0, length))).toThrow(alertIs('decode_error'));
    }
    expect(() => leafKey(provider, 'client', Uint8Array.of(...leaf, 0))).toThrow(alertIs('decode_error'));
    expect(() => leafKey(provider, 'client', Uint8Array.of(0x30, 0x84, 0, 0, 0, 0))).toThrow(alertIs('decode_error'));
  });
});
