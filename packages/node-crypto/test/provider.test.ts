// Every method of both providers against node:crypto, and against each other.
import * as crypto from 'node:crypto';
import { type NamedGroupName, type SignatureSchemeName, TlsError } from 'tls13-core';
import { afterAll, describe, expect, it } from 'vitest';
import { createProvider, keySigner, nativeProvider, nodeCryptoProvider } from '../src/index.js';
import { aeads, openMessage, pattern, sealMessage } from './oracle.js';
import { Pki } from './pki.js';
import { providers } from './providers.js';

const pki = new Pki();
afterAll(() => pki.remove());

describe.each(providers)('$name: aead', ({ aead: create }) => {
  describe.each(aeads)('$aead', ({ aead, keyLength, tagLength }) => {
    const key = pattern(keyLength, 4);
    const nonce = pattern(12, 8);

    it.each([
      [0, 0],
      [0, 5],
      [1, 0],
      [31, 13],
      [70_000, 300],
    ])('seals %i bytes with %i of associated data, and opens them', (size, associated) => {
      const plaintext = pattern(size, 2);
      const associatedData = pattern(associated, 3);
      const cipher = create(aead, key);
      expect(cipher.tagLength).toBe(tagLength);
      const sealed = cipher.seal(nonce, associatedData, plaintext);
      expect(Buffer.compare(sealed, sealMessage(aead, key, nonce, associatedData, plaintext))).toBe(0);
      expect(Buffer.compare(openMessage(aead, key, nonce, associatedData, sealed), plaintext)).toBe(0);
      expect(Buffer.compare(cipher.open(nonce, associatedData, sealed) ?? pattern(1), plaintext)).toBe(0);
    });

    it('opens nothing that was changed, and goes on working', () => {
      const cipher = create(aead, key);
      const sealed = cipher.seal(nonce, pattern(5), pattern(20));
      for (let index = 0; index < sealed.length; index++) {
        const changed = Uint8Array.from(sealed);
        changed[index] = (changed[index] ?? 0) ^ 0x80;
        expect(cipher.open(nonce, pattern(5), changed)).toBeUndefined();
      }
      expect(cipher.open(nonce, pattern(6), sealed)).toBeUndefined();
      expect(cipher.open(pattern(12, 9), pattern(5), sealed)).toBeUndefined();
      expect(cipher.open(nonce, pattern(5), sealed.subarray(0, -1))).toBeUndefined();
      expect(cipher.open(nonce, pattern(5), sealed.subarray(0, tagLength - 1))).toBeUndefined();
      expect(cipher.open(nonce, pattern(5), sealed)).toEqual(pattern(20));
    });

    it('refuses misuse', () => {
      expect(() => create(aead, pattern(keyLength - 1))).toThrow(RangeError);
      const cipher = create(aead, key);
      expect(() => cipher.seal(pattern(11), pattern(1), pattern(1))).toThrow(RangeError);
      expect(() => cipher.open(pattern(13), pattern(1), pattern(30))).toThrow(RangeError);
      cipher.destroy();
      expect(() => cipher.seal(nonce, pattern(1), pattern(1))).toThrow(/destroyed/);
    });
  });
});

describe.each(providers)('$name: hash', ({ hash }) => {
  it.each([
    { name: 'sha256', length: 32 },
    { name: 'sha384', length: 48 },
  ] as const)('$name', ({ name, length }) => {
    const subject = hash(name);
    expect(subject).toMatchObject({ name, length });
    for (const size of [0, 1, 55, 56, 64, 111, 112, 128, 129, 5000]) {
      const data = pattern(size);
      const digest = crypto.createHash(name).update(data).digest();
      expect(Buffer.from(subject.digest(data))).toEqual(digest);
      for (const keyLength of [0, 1, 32, 64, 65, 128, 129, 300]) {
        const key = pattern(keyLength, 7);
        expect(Buffer.from(subject.hmac(key, data))).toEqual(crypto.createHmac(name, key).update(data).digest());
      }
    }
    expect(subject.digest(pattern(1)).constructor).toBe(Uint8Array);
    expect(subject.hmac(pattern(1), pattern(1)).constructor).toBe(Uint8Array);
  });

  it('a running hash goes on after its digest, and a copy is independent', () => {
    const running = hash('sha256').start();
    const digestOf = (size: number) => hash('sha256').digest(pattern(size));
    expect(running.digest()).toEqual(digestOf(0));
    running.update(pattern(100).subarray(0, 60));
    const copy = running.copy();
    running.update(pattern(100).subarray(60));
    expect(running.digest()).toEqual(digestOf(100));
    expect(running.digest()).toEqual(digestOf(100));
    expect(copy.digest()).toEqual(digestOf(60));
    copy.update(pattern(100).subarray(60, 61));
    expect(copy.digest()).toEqual(digestOf(61));
  });
});

const groups: readonly NamedGroupName[] = ['x25519', 'secp256r1', 'secp384r1', 'secp521r1', 'X25519MLKEM768'];
const pairs = providers.flatMap((client) => providers.map((server) => ({ client, server })));

describe.each(pairs)('key exchange, client $client.name, server $server.name', ({ client, server }) => {
  it.each(groups)('%s', (group) => {
    const key = client.generateKeyShare(group);
    expect(key.group).toBe(group);
    const encapsulation = server.encapsulate(group, key.keyExchange);
    expect(encapsulation).toBeDefined();
    const secret = key.decapsulate(encapsulation?.keyExchange ?? pattern(0));
    expect(secret).toEqual(encapsulation?.sharedSecret);
    expect(secret?.length).toBe({ x25519: 32, secp256r1: 32, secp384r1: 48, secp521r1: 66, X25519MLKEM768: 64 }[group]);
    expect(new Set(secret).size).toBeGreaterThan(8);
    key.destroy();
  });
});

describe.each(providers)('$name: key exchange', (provider) => {
  it('agrees with node:crypto about X25519 and P-256', () => {
    const x25519 = provider.generateKeyShare('x25519');
    const peer = crypto.generateKeyPairSync('x25519');
    const jwk = { kty: 'OKP', crv: 'X25519', x: Buffer.from(x25519.keyExchange).toString('base64url') };
    const expected = crypto.diffieHellman({
      privateKey: peer.privateKey,
      publicKey: crypto.createPublicKey({ key: jwk, format: 'jwk' }),
    });
    const share = Buffer.from(peer.publicKey.export({ format: 'jwk' }).x ?? '', 'base64url');
    expect(Buffer.from(x25519.decapsulate(share) ?? [])).toEqual(expected);

    const curve = crypto.createECDH('prime256v1');
    const result = provider.encapsulate('secp256r1', curve.generateKeys());
    expect(result?.sharedSecret).toEqual(new Uint8Array(curve.computeSecret(result?.keyExchange ?? pattern(0))));
  });

  it('is fresh each time', () => {
    for (const group of groups) {
      const shares = [provider.generateKeyShare(group), provider.generateKeyShare(group)];
      expect(shares[0]?.keyExchange).not.toEqual(shares[1]?.keyExchange);
    }
  });

  it.each(['secp256r1', 'secp384r1', 'secp521r1'] as const)(
    '%s refuses what is no uncompressed point (§4.3.8.2)',
    (group) => {
      const own = provider.generateKeyShare(group);
      const share = provider.generateKeyShare(group).keyExchange;
      const offCurve = Uint8Array.from(share);
      offCurve[offCurve.length - 1] = (offCurve.at(-1) ?? 0) ^ 1;
      const half = (share.length - 1) / 2;
      const compressed = Uint8Array.from([2 + ((share.at(-1) ?? 0) & 1), ...share.subarray(1, 1 + half)]);
      const hybridForm = Uint8Array.from([6 + ((share.at(-1) ?? 0) & 1), ...share.subarray(1)]);
      const tooLarge = Uint8Array.from([4, ...new Uint8Array(2 * half).fill(0xff)]);
      const wrong = [
        offCurve,
        compressed,
        hybridForm,
        tooLarge,
        Uint8Array.of(0),
        new Uint8Array(0),
        new Uint8Array(share.length),
      ];
      for (const bytes of [...wrong, share.subarray(1), Uint8Array.from([...share, 0])]) {
        expect(provider.encapsulate(group, bytes)).toBeUndefined();
        expect(own.decapsulate(bytes)).toBeUndefined();
      }
    },
  );

  it('X25519 refuses points of small order and other lengths (§7.4.2)', () => {
    const own = provider.generateKeyShare('x25519');
    const prime = new Uint8Array(32).fill(0xff);
    prime[0] = 0xed;
    prime[31] = 0x7f;
    const orderEight = Buffer.from('e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800', 'hex');
    const wrong = [new Uint8Array(32), Uint8Array.from([1, ...new Uint8Array(31)]), prime, orderEight];
    for (const bytes of [...wrong, pattern(31), pattern(33), new Uint8Array(0)]) {
      expect(provider.encapsulate('x25519', bytes)).toBeUndefined();
      expect(own.decapsulate(bytes)).toBeUndefined();
    }
  });

  it('X25519MLKEM768 refuses other lengths, unreduced encapsulation keys and points of small order', () => {
    const own = provider.generateKeyShare('X25519MLKEM768');
    const result = provider.encapsulate('X25519MLKEM768', own.keyExchange);
    const share = result?.keyExchange ?? pattern(0);
    expect(provider.encapsulate('X25519MLKEM768', own.keyExchange.subarray(1))).toBeUndefined();
    expect(own.decapsulate(share.subarray(1))).toBeUndefined();
    expect(own.decapsulate(Uint8Array.from([...share.subarray(0, 1088), ...new Uint8Array(32)]))).toBeUndefined();
    const zeroPoint = Uint8Array.from([...own.keyExchange.subarray(0, 1184), ...new Uint8Array(32)]);
    expect(provider.encapsulate('X25519MLKEM768', zeroPoint)).toBeUndefined();
    const unreduced = Uint8Array.from([0xff, 0xff, 0xff, ...own.keyExchange.subarray(3)]);
    expect(provider.encapsulate('X25519MLKEM768', unreduced)).toBeUndefined();
    // Implicit rejection: a wrong ciphertext gives another secret, not an error.
    const wrong = Uint8Array.from(share);
    wrong[0] = (wrong[0] ?? 0) ^ 1;
    expect(own.decapsulate(wrong)).not.toEqual(result?.sharedSecret);
  });
});

const ecdsaKey = curve('P-256');
const rsaKey = rsa(2048);

interface KeyCase {
  readonly kind: string;
  readonly key: crypto.KeyObject;
  readonly schemes: readonly SignatureSchemeName[];
  /** That signs the certificate. */
  readonly hash?: string;
}

const keys: readonly KeyCase[] = [
  { kind: 'P-256', key: ecdsaKey, schemes: ['ecdsa_secp256r1_sha256'] },
  { kind: 'P-384', key: curve('P-384'), schemes: ['ecdsa_secp384r1_sha384'] },
  { kind: 'P-521', key: curve('P-521'), schemes: ['ecdsa_secp521r1_sha512'] },
  { kind: 'Ed25519', key: crypto.generateKeyPairSync('ed25519').privateKey, schemes: ['ed25519'] },
  { kind: 'RSA', key: rsaKey, schemes: ['rsa_pss_rsae_sha256', 'rsa_pss_rsae_sha384', 'rsa_pss_rsae_sha512'] },
  { kind: 'RSA-PSS', key: pss(), schemes: ['rsa_pss_pss_sha256', 'rsa_pss_pss_sha384', 'rsa_pss_pss_sha512'] },
  {
    kind: 'RSA-PSS for SHA-384',
    key: pss({ hashAlgorithm: 'sha384', mgf1HashAlgorithm: 'sha384', saltLength: 48 }),
    schemes: ['rsa_pss_pss_sha384'],
    hash: 'sha384',
  },
];

describe.each(providers)('$name: signatures', (provider) => {
  it.each(keys)('$kind: signs and verifies $schemes', async ({ key, schemes, hash = 'sha256' }) => {
    const signer = provider.signer(new Uint8Array(key.export({ format: 'der', type: 'pkcs8' })));
    const publicKey = provider.certificateKey(pki.issue({ key, hash }).der);
    expect(signer.schemes).toEqual(schemes);
    expect(publicKey.schemes).toEqual(schemes);
    const message = pattern(130);
    for (const scheme of schemes) {
      const signature = await signer.sign(scheme, message);
      expect(publicKey.verify(scheme, message, signature)).toBe(true);
      expect(publicKey.verify(scheme, pattern(130, 2), signature)).toBe(false);
      expect(publicKey.verify(scheme, message, signature.subarray(1))).toBe(false);
      expect(publicKey.verify(scheme, message, new Uint8Array(0))).toBe(false);
      const changed = Uint8Array.from(signature);
      changed[signature.length - 1] = (changed.at(-1) ?? 0) ^ 1;
      expect(publicKey.verify(scheme, message, changed)).toBe(false);
      for (const other of schemes)
        if (other !== scheme) expect(publicKey.verify(other, message, signature)).toBe(false);
    }
    expect(publicKey.verify('rsa_pkcs1_sha256', message, pattern(256))).toBe(false);
    expect(() => signer.sign('rsa_pkcs1_sha256', message)).toThrow(/this key signs/);
  });

  it('is as the RFC has it: salt as long as the digest, DER for ECDSA', async () => {
    const signature = await provider.signer(pkcs8(rsaKey)).sign('rsa_pss_rsae_sha256', pattern(9));
    const padding = crypto.constants.RSA_PKCS1_PSS_PADDING;
    const verify = (saltLength: number) =>
      crypto.verify('sha256', pattern(9), { key: crypto.createPublicKey(rsaKey), padding, saltLength }, signature);
    expect([verify(32), verify(20)]).toEqual([true, false]);
    const ecdsa = await provider.signer(pkcs8(ecdsaKey)).sign('ecdsa_secp256r1_sha256', pattern(9));
    expect(ecdsa[0]).toBe(0x30);
    const key = crypto.createPublicKey(ecdsaKey);
    expect(crypto.verify('sha256', pattern(9), { key, dsaEncoding: 'der' }, ecdsa)).toBe(true);
  });

  it('refuses keys that TLS 1.3 has no scheme for', () => {
    for (const key of [rsa(1024), curve('secp256k1'), crypto.generateKeyPairSync('ed448').privateKey]) {
      expect(() => provider.signer(pkcs8(key))).toThrow(TypeError);
      const refused = expect.objectContaining({ alert: 'unsupported_certificate' });
      expect(() => provider.certificateKey(pki.issue({ key }).der)).toThrow(refused);
    }
    expect(() => provider.signer(pkcs8(crypto.generateKeyPairSync('x25519').privateKey))).toThrow(TypeError);
    expect(() => provider.signer(pattern(40))).toThrow(/PKCS#8/);
  });

  it('refuses what is no certificate with bad_certificate', () => {
    const { der, pem } = pki.issue();
    for (const bytes of [
      new Uint8Array(0),
      pattern(50),
      der.subarray(1),
      der.subarray(0, -1),
      Uint8Array.from([...der, 0]),
      Buffer.from(pem),
    ]) {
      expect(() => provider.certificateKey(bytes)).toThrow(TlsError);
      expect(() => provider.certificateKey(bytes)).toThrow(expect.objectContaining({ alert: 'bad_certificate' }));
    }
  });
});

describe('keySigner', () => {
  it('signs aside when asked to', async () => {
    for (const { key, schemes, hash = 'sha256' } of keys) {
      const [scheme = 'ed25519'] = schemes;
      const signed = keySigner(key, { asynchronous: true }).sign(scheme, pattern(50));
      expect(signed).toBeInstanceOf(Promise);
      const { verify } = nativeProvider().certificateKey(pki.issue({ key, hash }).der);
      expect(verify(scheme, pattern(50), await signed)).toBe(true);
    }
  });

  it('wants a private key', () => {
    expect(() => keySigner(crypto.createPublicKey(ecdsaKey))).toThrow(/public key/);
  });
});

describe.each(providers)('$name: random', ({ random }) => {
  it('gives as many bytes as asked for, different each time', () => {
    expect(random(0)).toEqual(new Uint8Array(0));
    expect(random(32).length).toBe(32);
    expect(random(32).constructor).toBe(Uint8Array);
    expect(random(32)).not.toEqual(random(32));
  });
});

describe('createProvider', () => {
  it('chooses once and says what it chose', () => {
    expect(createProvider()).toBe(createProvider());
    expect(createProvider()).toBe(nativeProvider());
    expect(createProvider({ prefer: 'node' })).toBe(nodeCryptoProvider());
    expect(createProvider().report).toMatchObject({
      name: 'native',
      openssl: process.versions.openssl,
      recordProtection: 'native',
      verifiesChains: true,
    });
    expect(createProvider({ prefer: 'node' })).toMatchObject({
      name: 'node',
      report: { recordProtection: 'portable' },
    });
    expect(createProvider({ prefer: 'node' }).recordProtection).toBeUndefined();
  });

  it('lists every group it reports', () => {
    for (const provider of providers) {
      expect([...provider.groups].sort()).toEqual([...groups].sort());
      expect(Object.keys(provider.report.groups).sort()).toEqual([...groups].sort());
    }
  });
});

function curve(namedCurve: string): crypto.KeyObject {
  return crypto.generateKeyPairSync('ec', { namedCurve }).privateKey;
}

function rsa(modulusLength: number): crypto.KeyObject {
  return crypto.generateKeyPairSync('rsa', { modulusLength }).privateKey;
}

function pss(options: Partial<crypto.RSAPSSKeyPairKeyObjectOptions> = {}): crypto.KeyObject {
  return crypto.generateKeyPairSync('rsa-pss', { modulusLength: 2048, ...options }).privateKey;
}

function pkcs8(key: crypto.KeyObject): Uint8Array {
  return new Uint8Array(key.export({ format: 'der', type: 'pkcs8' }));
}
