/** What every CryptoProvider must do, as a suite; node:crypto and the portable provider are the oracles. */
import {
  type CipherCCMTypes,
  type CipherGCMTypes,
  constants,
  createCipheriv,
  createHash,
  createHmac,
  createPublicKey,
  generateKeyPairSync,
  type KeyObject,
  sign as nodeSign,
  verify as nodeVerify,
} from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { TlsError } from '../../packages/tls13-core/src/alert.js';
import { concat } from '../../packages/tls13-core/src/bytes.js';
import { nobleProvider } from '../../packages/tls13-core/src/crypto/noble.js';
import type { AeadName, CryptoProvider, HashName } from '../../packages/tls13-core/src/crypto/provider.js';
import { aeadKeyLength, aeadTagLength } from '../../packages/tls13-core/src/crypto/suites.js';
import { recordProtection } from '../../packages/tls13-core/src/record/protection.js';
import {
  type HybridGroupName,
  isHybridGroup,
  isKemGroup,
  type NamedGroupName,
  type SignatureSchemeName,
} from '../../packages/tls13-core/src/registry.js';
import { certificateOf } from './certificate.js';
import { recordProtectionSuite } from './record-suite.js';

export interface ProviderSuiteOptions {
  /** Whether `signer` takes RSA keys; one that does not must say what can. */
  readonly signsRsa: boolean;
}

export function providerSuite(name: string, provider: CryptoProvider, options: ProviderSuiteOptions): void {
  describe(`crypto provider: ${name}`, () => {
    it('says what it offers', () => {
      expect(provider.name).not.toBe('');
      for (const list of [provider.aeads, provider.groups, provider.signatureSchemes]) {
        expect(new Set(list).size).toBe(list.length);
      }
      // §9.1
      expect(provider.aeads).toContain('aes-128-gcm');
      expect(provider.groups).toContain('secp256r1');
      expect(provider.signatureSchemes).toEqual(
        expect.arrayContaining(['rsa_pss_rsae_sha256', 'ecdsa_secp256r1_sha256']),
      );
    });

    it('gives random bytes, new ones each time', () => {
      expect(provider.random(0)).toHaveLength(0);
      const seen = new Set(Array.from({ length: 100 }, () => hex(provider.random(16))));
      expect(seen.size).toBe(100);
      expect(provider.random(16_384)).toHaveLength(16_384);
    });

    hashTests(provider);
    aeadTests(provider);
    groupTests(provider);
    certificateTests(provider);
    signerTests(provider, options);
  });
  recordProtectionSuite(name, recordProtection(provider), provider.aeads);
}

function hashTests(provider: CryptoProvider): void {
  describe.each<HashName>(['sha256', 'sha384'])('%s', (hashName) => {
    const hash = provider.hash(hashName);
    const digest = (data: Uint8Array) => new Uint8Array(createHash(hashName).update(data).digest());

    it('hashes and makes HMACs as node:crypto does', () => {
      expect(hash.name).toBe(hashName);
      expect(hash.length).toBe(digest(new Uint8Array(0)).length);
      const bytes = fc.uint8Array({ maxLength: 400 });
      fc.assert(
        fc.property(bytes, bytes, (key, data) => {
          expect(bare(hash.digest(data))).toEqual(digest(data));
          const expected = new Uint8Array(createHmac(hashName, key).update(data).digest());
          expect(bare(hash.hmac(key, data))).toEqual(expected);
        }),
      );
    });

    it('has running hashes whose copies go their own ways', () => {
      fc.assert(
        fc.property(fc.array(fc.uint8Array({ maxLength: 150 }), { maxLength: 6 }), fc.nat(6), (parts, at) => {
          const running = hash.start();
          for (const part of parts.slice(0, at)) running.update(part);
          const before = running.digest();
          expect(bare(before)).toEqual(digest(concat(...parts.slice(0, at))));
          const copy = running.copy();
          for (const part of parts.slice(at)) running.update(part);
          expect(bare(running.digest())).toEqual(digest(concat(...parts)));
          expect(bare(copy.digest())).toEqual(bare(before));
          copy.update(Uint8Array.of(1));
          expect(bare(running.digest())).toEqual(digest(concat(...parts)));
        }),
      );
    });
  });
}

function aeadTests(provider: CryptoProvider): void {
  describe.each(provider.aeads)('%s', (aead) => {
    const keyLength = aeadKeyLength(aead);
    const any = fc.record({
      key: fc.uint8Array({ minLength: keyLength, maxLength: keyLength }),
      nonce: fc.uint8Array({ minLength: 12, maxLength: 12 }),
      associatedData: fc.uint8Array({ maxLength: 60 }),
      plaintext: fc.uint8Array({ maxLength: 700 }),
    });

    it('seals as node:crypto does, and opens that again', () => {
      fc.assert(
        fc.property(any, ({ key, nonce, associatedData, plaintext }) => {
          const cipher = provider.aead(aead, key);
          expect(cipher.tagLength).toBe(aeadTagLength(aead));
          const sealed = cipher.seal(nonce, associatedData, plaintext);
          expect(bare(sealed)).toEqual(sealedByNode(aead, key, nonce, associatedData, plaintext));
          expect(bare(cipher.open(nonce, associatedData, sealed))).toEqual(plaintext);
        }),
      );
      const long = Uint8Array.from({ length: 2 ** 14 + 1 }, (_, index) => index % 251);
      const key = new Uint8Array(keyLength).fill(3);
      const nonce = new Uint8Array(12).fill(4);
      const sealed = provider.aead(aead, key).seal(nonce, long.subarray(0, 5), long);
      expect(bare(sealed)).toEqual(sealedByNode(aead, key, nonce, long.subarray(0, 5), long));
    });

    it('opens nothing that was changed', () => {
      fc.assert(
        fc.property(any, fc.nat(), fc.constantFrom('nonce', 'associatedData', 'sealed'), (input, at, part) => {
          const cipher = provider.aead(aead, input.key);
          const parts = { ...input, sealed: cipher.seal(input.nonce, input.associatedData, input.plaintext).slice() };
          const changed = parts[part];
          fc.pre(changed.length > 0);
          const bit = at % (8 * changed.length);
          changed[bit >> 3] = (changed[bit >> 3] ?? 0) ^ (1 << (bit & 7));
          expect(cipher.open(parts.nonce, parts.associatedData, parts.sealed)).toBeUndefined();
        }),
      );
      const cipher = provider.aead(aead, new Uint8Array(keyLength));
      for (const length of [0, 1, cipher.tagLength - 1, cipher.tagLength]) {
        expect(cipher.open(new Uint8Array(12), new Uint8Array(5), new Uint8Array(length))).toBeUndefined();
      }
    });

    it('wants a key and a nonce of the right length, and keeps a copy of the key', () => {
      for (const length of [0, keyLength - 1, keyLength + 1]) {
        expect(() => provider.aead(aead, new Uint8Array(length))).toThrow(RangeError);
      }
      const key = new Uint8Array(keyLength).fill(1);
      const cipher = provider.aead(aead, key);
      expect(() => cipher.seal(new Uint8Array(11), key, key)).toThrow(RangeError);
      const before = cipher.seal(new Uint8Array(12), key.slice(), new Uint8Array(9)).slice();
      key.fill(2);
      expect(bare(cipher.seal(new Uint8Array(12), new Uint8Array(keyLength).fill(1), new Uint8Array(9)))).toEqual(
        bare(before),
      );
    });

    it('does nothing when destroyed', () => {
      const cipher = provider.aead(aead, new Uint8Array(keyLength));
      const sealed = cipher.seal(new Uint8Array(12), new Uint8Array(0), new Uint8Array(3)).slice();
      cipher.destroy();
      expect(() => cipher.seal(new Uint8Array(12), new Uint8Array(0), new Uint8Array(3))).toThrow(TypeError);
      expect(() => cipher.open(new Uint8Array(12), new Uint8Array(0), sealed)).toThrow(TypeError);
    });
  });
}

/** Lengths of the client's share, the server's and the secret. */
const groupLengths: Readonly<Record<NamedGroupName, readonly [number, number, number]>> = {
  x25519: [32, 32, 32],
  secp256r1: [65, 65, 32],
  secp384r1: [97, 97, 48],
  secp521r1: [133, 133, 66],
  x448: [56, 56, 56],
  X25519MLKEM768: [1216, 1120, 64],
  MLKEM768: [1184, 1088, 32],
  MLKEM1024: [1568, 1568, 32],
  SecP256r1MLKEM768: [1249, 1153, 64],
  SecP384r1MLKEM1024: [1665, 1665, 80],
};

/** Where the elliptic part of a hybrid's shares stands, and where ML-KEM's secret does. */
const hybridParts: Readonly<Record<HybridGroupName, { curve: [number, number?]; secret: [number, number?] }>> = {
  X25519MLKEM768: { curve: [-32], secret: [0, 32] },
  SecP256r1MLKEM768: { curve: [0, 65], secret: [32] },
  SecP384r1MLKEM1024: { curve: [0, 97], secret: [48] },
};

/** The share with the elliptic part zeroed. */
function withoutCurve(group: NamedGroupName, share: Uint8Array): Uint8Array {
  const changed = share.slice();
  changed.subarray(...(isHybridGroup(group) ? hybridParts[group].curve : ([0] as const))).fill(0);
  return changed;
}

function groupTests(provider: CryptoProvider): void {
  describe.each(provider.groups)('%s', (group) => {
    const [clientLength, serverLength, secretLength] = groupLengths[group];

    it('agrees with itself and with the portable provider, both ways', () => {
      for (const [client, server] of [
        [provider, provider],
        [provider, nobleProvider],
        [nobleProvider, provider],
      ] as const) {
        const share = client.generateKeyShare(group);
        expect(share.group).toBe(group);
        expect(share.keyExchange).toHaveLength(clientLength);
        const made = server.encapsulate(group, share.keyExchange);
        if (made === undefined) throw new Error('a good share was refused');
        expect(made.keyExchange).toHaveLength(serverLength);
        expect(made.sharedSecret).toHaveLength(secretLength);
        expect(bare(share.decapsulate(made.keyExchange))).toEqual(bare(made.sharedSecret));
        // §4.3.8 allows one share to be answered once, but HelloRetryRequest and tests may ask again.
        expect(bare(share.decapsulate(made.keyExchange))).toEqual(bare(made.sharedSecret));
      }
    });

    it('makes a new key each time', () => {
      const [first, second] = [provider.generateKeyShare(group), provider.generateKeyShare(group)];
      expect(hex(first.keyExchange)).not.toBe(hex(second.keyExchange));
      const answers = [0, 1].map(() => hex(provider.encapsulate(group, first.keyExchange)?.sharedSecret));
      expect(answers[0]).not.toBe(answers[1]);
    });

    it('refuses shares that are not valid', () => {
      const share = provider.generateKeyShare(group);
      const good = provider.encapsulate(group, share.keyExchange);
      if (good === undefined) throw new Error('a good share was refused');
      const wrong = (bytes: Uint8Array) => [
        new Uint8Array(0),
        bytes.subarray(1),
        bytes.subarray(0, -1),
        concat(bytes, Uint8Array.of(0)),
        ...(isKemGroup(group) && !isHybridGroup(group) ? [] : [withoutCurve(group, bytes)]),
      ];
      for (const bytes of wrong(good.keyExchange)) expect(share.decapsulate(bytes)).toBeUndefined();
      for (const bytes of wrong(share.keyExchange)) expect(provider.encapsulate(group, bytes)).toBeUndefined();
      share.destroy();
    });

    if (group.startsWith('secp')) {
      it('takes uncompressed points of the curve alone', () => {
        const share = provider.generateKeyShare(group);
        const point = share.keyExchange;
        expect(point[0]).toBe(4);
        const half = (point.length - 1) / 2;
        const last = point[point.length - 1] ?? 0;
        const compressed = concat(Uint8Array.of(2 + (last & 1)), point.subarray(1, 1 + half));
        const hybrid = concat(Uint8Array.of(6 + (last & 1)), point.subarray(1));
        const offCurve = point.slice();
        offCurve[point.length - 1] = last ^ 1;
        const beyondField = concat(Uint8Array.of(4), new Uint8Array(2 * half).fill(0xff));
        for (const bytes of [compressed, hybrid, offCurve, beyondField, Uint8Array.of(0)]) {
          expect(share.decapsulate(bytes)).toBeUndefined();
          expect(provider.encapsulate(group, bytes)).toBeUndefined();
        }
      });
    }

    if (isHybridGroup(group)) {
      const parts = hybridParts[group];
      const quantumAt = group === 'X25519MLKEM768' ? 0 : (parts.curve[1] ?? 0);

      it('refuses an encapsulation key with a coefficient that is not reduced (FIPS 203 §7.2)', () => {
        const changed = provider.generateKeyShare(group).keyExchange.slice();
        changed.set([0xff, 0xff, 0xff], quantumAt);
        expect(provider.encapsulate(group, changed)).toBeUndefined();
      });

      it('gives another secret, and no error, for a ciphertext that was changed (FIPS 203 §6.3)', () => {
        const share = provider.generateKeyShare(group);
        const made = provider.encapsulate(group, share.keyExchange);
        if (made === undefined) throw new Error('a good share was refused');
        const changed = made.keyExchange.slice();
        changed[quantumAt] = (changed[quantumAt] ?? 0) ^ 1;
        const secret = share.decapsulate(changed);
        expect(secret).toHaveLength(secretLength);
        const [start, end = secretLength] = parts.secret;
        const quantum = (bytes: Uint8Array | undefined) => hex(bytes?.subarray(start, end));
        const classical = (bytes: Uint8Array | undefined) => hex(bytes?.slice().fill(0, start, end));
        expect(quantum(secret)).not.toBe(quantum(made.sharedSecret));
        expect(classical(secret)).toBe(classical(made.sharedSecret));
      });
    }
  });
}

interface TestKey {
  readonly title: string;
  readonly schemes: readonly SignatureSchemeName[];
  readonly publicKey: KeyObject;
  readonly privateKey: KeyObject;
}

const rsae = ['rsa_pss_rsae_sha256', 'rsa_pss_rsae_sha384', 'rsa_pss_rsae_sha512'] as const;
const legacy = ['rsa_pkcs1_sha256_legacy', 'rsa_pkcs1_sha384_legacy', 'rsa_pkcs1_sha512_legacy'] as const;
const pss = ['rsa_pss_pss_sha256', 'rsa_pss_pss_sha384', 'rsa_pss_pss_sha512'] as const;

/** An RSASSA-PSS key whose parameters restrict it (RFC 4055 §3.1). */
function restrictedPssKey(hashAlgorithm: string, mgf1HashAlgorithm: string, saltLength: number) {
  // Node's type declarations call the salt's length a string; it takes numbers.
  const parameters: object = { hashAlgorithm, mgf1HashAlgorithm, saltLength };
  return generateKeyPairSync('rsa-pss', { modulusLength: 2048, ...parameters });
}

const testKeys: readonly TestKey[] = [
  { title: 'ECDSA P-256', schemes: ['ecdsa_secp256r1_sha256'], ...generateKeyPairSync('ec', { namedCurve: 'P-256' }) },
  { title: 'ECDSA P-384', schemes: ['ecdsa_secp384r1_sha384'], ...generateKeyPairSync('ec', { namedCurve: 'P-384' }) },
  { title: 'ECDSA P-521', schemes: ['ecdsa_secp521r1_sha512'], ...generateKeyPairSync('ec', { namedCurve: 'P-521' }) },
  { title: 'Ed25519', schemes: ['ed25519'], ...generateKeyPairSync('ed25519') },
  { title: 'Ed448', schemes: ['ed448'], ...generateKeyPairSync('ed448') },
  { title: 'RSA 2048', schemes: [...rsae, ...legacy], ...generateKeyPairSync('rsa', { modulusLength: 2048 }) },
  // An odd length: the encoded message is a byte shorter than the modulus (RFC 8017 §8.1.1).
  {
    title: 'RSA 1025',
    schemes: [...rsae.slice(0, 2), ...legacy.slice(0, 2)],
    ...generateKeyPairSync('rsa', { modulusLength: 1025 }),
  },
  // No room for SHA-512 and its salt.
  {
    title: 'RSA 1024',
    schemes: [...rsae.slice(0, 2), ...legacy.slice(0, 2)],
    ...generateKeyPairSync('rsa', { modulusLength: 1024 }),
  },
  { title: 'RSA-PSS', schemes: pss, ...generateKeyPairSync('rsa-pss', { modulusLength: 2048 }) },
  { title: 'RSA-PSS with SHA-384', schemes: [pss[1]], ...restrictedPssKey('sha384', 'sha384', 48) },
];

function certificateTests(provider: CryptoProvider): void {
  describe.each(testKeys)('a certificate with a key of type $title', ({ schemes, publicKey, privateKey }) => {
    const certificate = certificateOf(spkiOf(publicKey));
    const message = new TextEncoder().encode('the transcript');

    it.each([
      ['in a certificate', () => provider.certificateKey(certificate)],
      ['by itself', () => provider.publicKey(spkiOf(publicKey))],
    ])('has the schemes of §4.3.3 and verifies what node:crypto signed, %s', (_where, read) => {
      const key = read();
      expect([...key.schemes].sort()).toEqual([...schemes].sort());
      for (const scheme of schemes) {
        const signature = signedByNode(scheme, privateKey, message);
        expect(key.verify(scheme, message, signature)).toBe(true);
        expect(key.verify(scheme, concat(message, message), signature)).toBe(false);
        const changed = signature.slice();
        changed[changed.length - 1] = (changed[changed.length - 1] ?? 0) ^ 1;
        for (const bytes of [changed, signature.subarray(1), concat(signature, Uint8Array.of(0)), new Uint8Array(0)]) {
          expect(key.verify(scheme, message, bytes)).toBe(false);
        }
        const other = scheme === 'ed25519' ? 'ecdsa_secp256r1_sha256' : 'ed25519';
        expect(key.verify(other, message, signature)).toBe(false);
      }
    });

    it('verifies no RSA signature with another salt length', () => {
      const rsa = schemes.filter((scheme) => scheme.startsWith('rsa_pss_rsae'));
      const key = provider.certificateKey(certificate);
      for (const scheme of rsa) {
        for (const saltLength of [0, 20]) {
          expect(key.verify(scheme, message, signedByNode(scheme, privateKey, message, saltLength))).toBe(false);
        }
      }
      expect(rsa.length > 0).toBe(schemes[0]?.startsWith('rsa_pss_rsae'));
    });
  });

  it('says unsupported_certificate for keys that TLS 1.3 cannot verify with', () => {
    const unusable = [
      generateKeyPairSync('x25519'),
      generateKeyPairSync('ec', { namedCurve: 'secp256k1' }),
      generateKeyPairSync('rsa', { modulusLength: 768 }),
      restrictedPssKey('sha384', 'sha384', 20),
      restrictedPssKey('sha384', 'sha256', 48),
    ];
    for (const { publicKey } of unusable) {
      const spki = spkiOf(publicKey);
      expect(alertOf(() => provider.certificateKey(certificateOf(spki)))).toBe('unsupported_certificate');
      expect(alertOf(() => provider.publicKey(spki))).toBe('unsupported_certificate');
    }
  });

  it('says bad_certificate for what is no certificate', () => {
    const good = certificateOf(spkiOf(testKeys[0]?.publicKey));
    const offCurve = spkiOf(testKeys[0]?.publicKey).slice();
    offCurve[offCurve.length - 1] = (offCurve[offCurve.length - 1] ?? 0) ^ 1;
    const bad = [new Uint8Array(0), Uint8Array.of(0x30, 0), good.subarray(0, -1), concat(good, Uint8Array.of(0))];
    for (const bytes of [...bad, certificateOf(offCurve), certificateOf(Uint8Array.of(0x30, 0))]) {
      expect(alertOf(() => provider.certificateKey(bytes))).toBe('bad_certificate');
    }
    const key = spkiOf(testKeys[0]?.publicKey);
    for (const bytes of [offCurve, key.subarray(0, -1), concat(key, Uint8Array.of(0)), new Uint8Array(0), good]) {
      expect(alertOf(() => provider.publicKey(bytes))).toBe('bad_certificate');
    }
  });
}

function signerTests(provider: CryptoProvider, options: ProviderSuiteOptions): void {
  describe.each(testKeys)('a signer with a key of type $title', ({ title, schemes, publicKey, privateKey }) => {
    const pkcs8 = new Uint8Array(privateKey.export({ format: 'der', type: 'pkcs8' }));
    const message = new TextEncoder().encode('the transcript');

    if (title.startsWith('RSA') && !options.signsRsa) {
      it('says who can sign with it', () => {
        expect(() => provider.signer(pkcs8)).toThrow(/RSA.*(use|provider)/s);
        expect(() => provider.signer(pkcs8)).toThrow(TypeError);
      });
      return;
    }

    it('signs what node:crypto verifies', async () => {
      const signer = provider.signer(pkcs8);
      // PKCS#1 is verified where it is asked for by name; nobody signs with it unasked.
      const own = schemes.filter((scheme) => !scheme.endsWith('_legacy'));
      expect([...signer.schemes].sort()).toEqual(own.toSorted());
      for (const scheme of schemes) {
        const signature = await signer.sign(scheme, message);
        expect(verifiedByNode(scheme, publicKey, message, signature)).toBe(true);
      }
      const other = schemes[0] === 'ed25519' ? 'ecdsa_secp256r1_sha256' : 'ed25519';
      await expect(async () => signer.sign(other, message)).rejects.toThrow(TypeError);
    });
  });

  it('says what it wants when a key is none', () => {
    const x25519 = generateKeyPairSync('x25519').privateKey.export({ format: 'der', type: 'pkcs8' });
    const secp256k1 = generateKeyPairSync('ec', { namedCurve: 'secp256k1' });
    const otherCurve = secp256k1.privateKey.export({ format: 'der', type: 'pkcs8' });
    for (const bytes of [
      new Uint8Array(0),
      Uint8Array.of(1, 2, 3),
      new Uint8Array(x25519),
      new Uint8Array(otherCurve),
    ]) {
      expect(() => provider.signer(bytes)).toThrow(TypeError);
    }
  });
}

function sealedByNode(
  aead: AeadName,
  key: Uint8Array,
  nonce: Uint8Array,
  associatedData: Uint8Array,
  plaintext: Uint8Array,
): Uint8Array {
  const authTagLength = aeadTagLength(aead);
  const options = { authTagLength };
  const cipher =
    aead === 'chacha20-poly1305'
      ? createCipheriv(aead, key, nonce, options)
      : aead === 'aes-128-gcm' || aead === 'aes-256-gcm'
        ? createCipheriv(aead satisfies CipherGCMTypes, key, nonce, options)
        : createCipheriv('aes-128-ccm' satisfies CipherCCMTypes, key, nonce, options);
  cipher.setAAD(associatedData, { plaintextLength: plaintext.length });
  // Node 20's CCM throws at empty input that has no memory, as that of an array which an addon has seen.
  const input = plaintext.length === 0 ? new Uint8Array(new ArrayBuffer(1), 0, 0) : plaintext;
  return concat(cipher.update(input), cipher.final(), cipher.getAuthTag());
}

function digestOf(scheme: SignatureSchemeName): string | undefined {
  return scheme === 'ed25519' || scheme === 'ed448' ? undefined : scheme.replace('_legacy', '').slice(-6);
}

function paddingOf(scheme: SignatureSchemeName, saltLength?: number) {
  if (!scheme.startsWith('rsa')) return {};
  if (scheme.endsWith('_legacy')) return { padding: constants.RSA_PKCS1_PADDING };
  const digestLength = Number(scheme.slice(-3)) / 8;
  return { padding: constants.RSA_PKCS1_PSS_PADDING, saltLength: saltLength ?? digestLength };
}

function signedByNode(
  scheme: SignatureSchemeName,
  key: KeyObject,
  message: Uint8Array,
  saltLength?: number,
): Uint8Array {
  return new Uint8Array(nodeSign(digestOf(scheme), message, { key, ...paddingOf(scheme, saltLength) }));
}

function verifiedByNode(
  scheme: SignatureSchemeName,
  key: KeyObject,
  message: Uint8Array,
  signature: Uint8Array,
): boolean {
  return nodeVerify(digestOf(scheme), message, { key, ...paddingOf(scheme) }, signature);
}

function spkiOf(key: KeyObject | undefined): Uint8Array {
  if (key === undefined) throw new Error('there is no such test key');
  return new Uint8Array(
    createPublicKey(key.export({ format: 'pem', type: 'spki' })).export({ format: 'der', type: 'spki' }),
  );
}

function alertOf(work: () => unknown): string {
  try {
    work();
  } catch (error) {
    return error instanceof TlsError ? error.alert : String(error);
  }
  return 'no error';
}

/** A plain Uint8Array, so that a Buffer with the same bytes is equal. */
function bare(bytes: Uint8Array | undefined): Uint8Array | undefined {
  return bytes && new Uint8Array(bytes);
}

function hex(bytes: Uint8Array | undefined): string {
  return Buffer.from(bytes ?? []).toString('hex');
}
