// HPKE against the vectors of RFC 9180 and, for every suite, against @hpke/core in both directions.
import { Chacha20Poly1305 } from '@hpke/chacha20poly1305';
import {
  Aes128Gcm,
  Aes256Gcm,
  CipherSuite,
  DhkemP256HkdfSha256,
  DhkemP384HkdfSha384,
  DhkemX25519HkdfSha256,
  HkdfSha256,
  HkdfSha384,
} from '@hpke/core';
import { describe, expect, it } from 'vitest';
import { nativeProvider, nodeCryptoProvider } from '../../../node-crypto/src/index.js';
import { hasHpkeSuite, hpkeRecipient, hpkeSender, hpkeSenderWith, kemGroup } from '../../src/crypto/hpke.js';
import { nobleProvider } from '../../src/crypto/noble.js';
import type { HpkeAeadName, HpkeKdfName, HpkeKemName } from '../../src/registry.js';

const providers = [nobleProvider, nativeProvider(), nodeCryptoProvider()];
const bytes = (hex: string) => new Uint8Array(Buffer.from(hex, 'hex'));
const text = (words: string) => new TextEncoder().encode(words);

/** RFC 9180 Appendix A.1.1: DHKEM(X25519, HKDF-SHA256), HKDF-SHA256, AES-128-GCM, base mode. */
const vector = {
  suite: { kem: 'DHKEM_X25519_HKDF_SHA256', kdf: 'HKDF_SHA256', aead: 'AES_128_GCM' },
  info: bytes('4f6465206f6e2061204772656369616e2055726e'),
  skEm: bytes('52c4a758a802cd8b936eceea314432798d5baf2d7e9235dc084ab1b9cfa2f736'),
  skRm: bytes('4612c550263fc8ad58375df3f557aac531d26850903e55a9f23f21d8534e8ac8'),
  pkRm: bytes('3948cfe0ad1ddb695d780e59077195da6c56506b027329794ab02bca80815c4d'),
  enc: bytes('37fda3567bdbd628e88668c3c8d7e97d1d1253b6d4ea6d44c150f741f1bf4431'),
  plaintext: bytes('4265617574792069732074727574682c20747275746820626561757479'),
  /** Under the sequence numbers 0 and 1; the associated data is "Count-0" and "Count-1". */
  ciphertexts: [
    bytes('f938558b5d72f1a23810b4be2ab4f84331acc02fc97babc53a52ae8218a355a96d8770ac83d07bea87e13c512a'),
    bytes('af2d7e9ac9ae7e270f46ba1f975be53c09f8d875bdc8535458c2494e8a6eab251c03d0c22a56b8ca42c2063b84'),
  ],
  exported: bytes('3853fe2b4035195a573ffc53856e77058e15d9ea064de3e59f4961d0095250ee'),
} as const;

describe.each(providers)('$name', (provider) => {
  it('does what Appendix A.1.1 of RFC 9180 shows', () => {
    const { suite, info, plaintext, ciphertexts, pkRm, enc, exported } = vector;
    const own = provider.importKeyShare('x25519', vector.skRm);
    expect(own.keyExchange).toEqual(pkRm);
    const sender = hpkeSenderWith(provider, suite, provider.importKeyShare('x25519', vector.skEm), pkRm, info);
    const recipient = hpkeRecipient(provider, suite, own, enc, info);
    expect(sender?.enc).toEqual(enc);
    expect(sender?.overhead).toBe(16);
    for (const [index, ciphertext] of ciphertexts.entries()) {
      const associatedData = text(`Count-${index}`);
      expect(sender?.seal(associatedData, plaintext)).toEqual(ciphertext);
      expect(recipient?.open(associatedData, ciphertext)).toEqual(plaintext);
    }
    expect(sender?.export(new Uint8Array(0), 32)).toEqual(exported);
    expect(recipient?.export(new Uint8Array(0), 32)).toEqual(exported);
  });

  it('opens nothing that was changed, and the next message still', () => {
    const { suite, info, plaintext, skRm, enc, ciphertexts } = vector;
    const recipient = hpkeRecipient(provider, suite, provider.importKeyShare('x25519', skRm), enc, info);
    const changed = ciphertexts[0].slice();
    changed[3] = (changed[3] ?? 0) ^ 1;
    expect(recipient?.open(text('Count-0'), changed)).toBeUndefined();
    expect(recipient?.open(text('Count-1'), ciphertexts[0])).toBeUndefined();
    expect(recipient?.open(text('Count-0'), new Uint8Array(3))).toBeUndefined();
    expect(recipient?.open(text('Count-0'), ciphertexts[0])).toEqual(plaintext);
  });

  it('refuses keys that are none', () => {
    const { suite, info, skRm } = vector;
    expect(hpkeSender(provider, suite, new Uint8Array(32), info)).toBeUndefined();
    expect(hpkeSender(provider, suite, new Uint8Array(31), info)).toBeUndefined();
    const own = provider.importKeyShare('x25519', skRm);
    expect(hpkeRecipient(provider, suite, own, new Uint8Array(32), info)).toBeUndefined();
    expect(hpkeRecipient(provider, suite, own, new Uint8Array(0), info)).toBeUndefined();
  });

  it('imports private keys of the elliptic curves, and nothing else', () => {
    for (const group of ['x25519', 'secp256r1', 'secp384r1', 'secp521r1'] as const) {
      const length = { x25519: 32, secp256r1: 32, secp384r1: 48, secp521r1: 66 }[group];
      const scalar = new Uint8Array(length).fill(7, 1);
      const key = provider.importKeyShare(group, scalar);
      const oracle = nobleProvider.importKeyShare(group, scalar);
      expect(key.keyExchange).toEqual(oracle.keyExchange);
      scalar.fill(0);
      const peer = provider.encapsulate(group, key.keyExchange);
      expect(peer).toBeDefined();
      if (peer !== undefined) expect(key.decapsulate(peer.keyExchange)).toEqual(peer.sharedSecret);
      expect(() => provider.importKeyShare(group, new Uint8Array(length - 1).fill(1))).toThrow(TypeError);
      expect(() => provider.importKeyShare(group, new Uint8Array(0))).toThrow(TypeError);
      if (group === 'x25519') continue;
      expect(() => provider.importKeyShare(group, new Uint8Array(length))).toThrow(TypeError);
      expect(() => provider.importKeyShare(group, new Uint8Array(length).fill(0xff))).toThrow(TypeError);
    }
    expect(() => provider.importKeyShare('X25519MLKEM768', new Uint8Array(96).fill(1))).toThrow(TypeError);
  });
});

const kems: Readonly<Record<HpkeKemName, () => DhkemX25519HkdfSha256 | DhkemP256HkdfSha256 | DhkemP384HkdfSha384>> = {
  DHKEM_X25519_HKDF_SHA256: () => new DhkemX25519HkdfSha256(),
  DHKEM_P256_HKDF_SHA256: () => new DhkemP256HkdfSha256(),
  DHKEM_P384_HKDF_SHA384: () => new DhkemP384HkdfSha384(),
};
const kdfs: Readonly<Record<HpkeKdfName, () => HkdfSha256 | HkdfSha384>> = {
  HKDF_SHA256: () => new HkdfSha256(),
  HKDF_SHA384: () => new HkdfSha384(),
};
const aeads: Readonly<Record<HpkeAeadName, () => Aes128Gcm | Aes256Gcm | Chacha20Poly1305>> = {
  AES_128_GCM: () => new Aes128Gcm(),
  AES_256_GCM: () => new Aes256Gcm(),
  ChaCha20Poly1305: () => new Chacha20Poly1305(),
};
const suites = keysOf(kems).flatMap((kem) =>
  keysOf(kdfs).flatMap((kdf) => keysOf(aeads).map((aead) => ({ kem, kdf, aead }))),
);

describe.each(suites)('$kem, $kdf, $aead against @hpke/core', (suite) => {
  const oracle = new CipherSuite({ kem: kems[suite.kem](), kdf: kdfs[suite.kdf](), aead: aeads[suite.aead]() });
  const info = text('tls ech');
  const words = [text('a first message'), text(''), text('a third')];

  it.each(providers)('$name', async (provider) => {
    expect(hasHpkeSuite(provider, suite)).toBe(true);
    const pair = await oracle.kem.generateKeyPair();
    const publicKey = new Uint8Array(await oracle.kem.serializePublicKey(pair.publicKey));
    const own = provider.importKeyShare(
      kemGroup(suite.kem),
      new Uint8Array(await oracle.kem.serializePrivateKey(pair.privateKey)),
    );
    expect(own.keyExchange).toEqual(publicKey);

    const theirs = await oracle.createSenderContext({ recipientPublicKey: pair.publicKey, info: exact(info) });
    const recipient = hpkeRecipient(provider, suite, own, new Uint8Array(theirs.enc), info);
    const ours = hpkeSender(provider, suite, publicKey, info);
    expect(ours).toBeDefined();
    const them = await oracle.createRecipientContext({
      recipientKey: pair.privateKey,
      enc: exact(ours?.enc ?? new Uint8Array(0)),
      info: exact(info),
    });
    for (const [index, word] of words.entries()) {
      const associatedData = text(`about ${index}`);
      const sealed = new Uint8Array(await theirs.seal(exact(word), exact(associatedData)));
      expect(recipient?.open(associatedData, sealed)).toEqual(word);
      const mine = ours?.seal(associatedData, word) ?? new Uint8Array(0);
      expect(new Uint8Array(await them.open(exact(mine), exact(associatedData)))).toEqual(word);
    }
    expect(ours?.export(info, 40)).toEqual(new Uint8Array(await them.export(exact(info), 40)));
    ours?.destroy();
    recipient?.destroy();
  });
});

/** The very bytes, in a buffer of their own. */
function exact(view: Uint8Array): ArrayBuffer {
  const buffer = new ArrayBuffer(view.length);
  new Uint8Array(buffer).set(view);
  return buffer;
}

function keysOf<Key extends string>(record: Readonly<Record<Key, unknown>>): readonly Key[] {
  return Object.keys(record).filter((key): key is Key => Object.hasOwn(record, key));
}
