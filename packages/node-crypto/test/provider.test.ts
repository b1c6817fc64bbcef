// What the common suite does not ask: both providers against each other, the choice between them, signing aside.
import * as crypto from 'node:crypto';
import type { NamedGroupName, SignatureSchemeName } from 'tls13-core';
import { afterAll, describe, expect, it } from 'vitest';
import { createProvider, keySigner, nativeProvider, nodeCryptoProvider } from '../src/index.js';
import { pattern } from './oracle.js';
import { Pki } from './pki.js';
import { providers } from './providers.js';

const pki = new Pki();
afterAll(() => pki.remove());

const secretLengths: Readonly<Record<NamedGroupName, number>> = {
  ...{ x25519: 32, x448: 56, secp256r1: 32, secp384r1: 48, secp521r1: 66 },
  ...{ MLKEM768: 32, MLKEM1024: 32, X25519MLKEM768: 64, SecP256r1MLKEM768: 64, SecP384r1MLKEM1024: 80 },
};
const groups = nodeCryptoProvider().groups;
const pairs = providers.flatMap((client) => providers.map((server) => ({ client, server })));

describe.each(pairs)('key exchange, client $client.name, server $server.name', ({ client, server }) => {
  it.each(groups)('%s', (group) => {
    const key = client.generateKeyShare(group);
    expect(key.group).toBe(group);
    const encapsulation = server.encapsulate(group, key.keyExchange);
    expect(encapsulation).toBeDefined();
    const secret = key.decapsulate(encapsulation?.keyExchange ?? pattern(0));
    expect(secret).toEqual(encapsulation?.sharedSecret);
    expect(secret?.length).toBe(secretLengths[group]);
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

const rsae = ['rsa_pss_rsae_sha256', 'rsa_pss_rsae_sha384', 'rsa_pss_rsae_sha512'] as const;
const legacy = ['rsa_pkcs1_sha256_legacy', 'rsa_pkcs1_sha384_legacy', 'rsa_pkcs1_sha512_legacy'] as const;

const keys: readonly KeyCase[] = [
  { kind: 'P-256', key: ecdsaKey, schemes: ['ecdsa_secp256r1_sha256'] },
  { kind: 'P-384', key: curve('P-384'), schemes: ['ecdsa_secp384r1_sha384'] },
  { kind: 'P-521', key: curve('P-521'), schemes: ['ecdsa_secp521r1_sha512'] },
  { kind: 'Ed25519', key: crypto.generateKeyPairSync('ed25519').privateKey, schemes: ['ed25519'] },
  { kind: 'Ed448', key: crypto.generateKeyPairSync('ed448').privateKey, schemes: ['ed448'] },
  { kind: 'RSA', key: rsaKey, schemes: [...rsae, ...legacy] },
  { kind: 'RSA-PSS', key: pss(), schemes: ['rsa_pss_pss_sha256', 'rsa_pss_pss_sha384', 'rsa_pss_pss_sha512'] },
  {
    kind: 'RSA-PSS for SHA-384',
    key: pss({ hashAlgorithm: 'sha384', mgf1HashAlgorithm: 'sha384' }),
    schemes: ['rsa_pss_pss_sha384'],
    hash: 'sha384',
  },
];

describe.each(providers)('$name: signatures', (provider) => {
  it.each(keys)('$kind: signs and verifies $schemes', async ({ key, schemes, hash = 'sha256' }) => {
    const signer = provider.signer(new Uint8Array(key.export({ format: 'der', type: 'pkcs8' })));
    const publicKey = provider.certificateKey(pki.issue({ key, hash }).der);
    expect(signer.schemes).toEqual(schemes.filter((scheme) => !legacy.some((old) => old === scheme)));
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
    for (const key of [rsa(1000), curve('secp256k1')]) {
      expect(() => provider.signer(pkcs8(key))).toThrow(TypeError);
      const refused = expect.objectContaining({ alert: 'unsupported_certificate' });
      expect(() => provider.certificateKey(pki.issue({ key }).der)).toThrow(refused);
    }
    expect(() => provider.signer(pkcs8(crypto.generateKeyPairSync('x25519').privateKey))).toThrow(TypeError);
    expect(() => provider.signer(pattern(40))).toThrow(/PKCS#8/);
  });

  it('refuses PEM where DER is wanted', () => {
    const refused = expect.objectContaining({ alert: 'bad_certificate' });
    expect(() => provider.certificateKey(Buffer.from(pki.issue().pem))).toThrow(refused);
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
    expect([...groups].sort()).toEqual(Object.keys(secretLengths).sort());
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
