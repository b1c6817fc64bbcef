/** Wycheproof's test vectors as a suite over any CryptoProvider. The vectors are fetched by scripts/vectors.mjs. */
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { beforeAll, describe, expect, it } from 'vitest';
import { TlsError } from '../../packages/tls13-core/src/alert.js';
import { concat, equal } from '../../packages/tls13-core/src/bytes.js';
import { hkdfExpand, hkdfExtract } from '../../packages/tls13-core/src/crypto/hkdf.js';
import type {
  AeadName,
  CryptoProvider,
  EphemeralKey,
  HashName,
} from '../../packages/tls13-core/src/crypto/provider.js';
import type { NamedGroupName, SignatureSchemeName } from '../../packages/tls13-core/src/registry.js';
import { certificateOf } from './certificate.js';
import { fromHex } from './hex.js';

export interface WycheproofOptions {
  /**
   * The provider's key share of a given private key (for a hybrid: the seed of ML-KEM, then the curve's scalar).
   * Without it only the peers' shares that must be refused are tried.
   */
  readonly keyShareOf?: (group: NamedGroupName, privateKey: Uint8Array) => EphemeralKey;
}

export function wycheproofSuite(name: string, provider: CryptoProvider, options: WycheproofOptions = {}): void {
  describe(`Wycheproof: ${name}`, { timeout: 120_000 }, () => {
    beforeAll(() => void folder(), 300_000);

    it.each(aeadFiles)('$aead', ({ aead, file, keySize, tagSize, atLeast }) => {
      let count = 0;
      for (const { group, test } of cases<AeadGroup, AeadCase>(file)) {
        if (group.ivSize !== 96 || group.keySize !== keySize || group.tagSize !== tagSize) continue;
        count++;
        const [key, nonce, aad, message] = [test.key, test.iv, test.aad, test.msg].map(fromHex);
        const sealed = fromHex(test.ct + test.tag);
        const cipher = provider.aead(aead, present(key));
        const opened = cipher.open(present(nonce), present(aad), sealed);
        const again = cipher.seal(present(nonce), present(aad), present(message));
        if (test.result === 'valid') {
          expect(opened, describeCase(test)).toEqual(message);
          expect(again, describeCase(test)).toEqual(sealed);
        } else {
          expect(opened, describeCase(test)).toBeUndefined();
        }
      }
      expect(count).toBeGreaterThanOrEqual(atLeast);
    });

    it.each(hashNames)('HMAC and HKDF with %s', (hashName) => {
      const hash = provider.hash(hashName);
      let count = 0;
      for (const { group, test } of cases<MacGroup, MacCase>(`hmac_${hashName}_test.json`)) {
        count++;
        const tag = hash.hmac(fromHex(test.key), fromHex(test.msg)).subarray(0, group.tagSize / 8);
        expect(equal(tag, fromHex(test.tag)), describeCase(test)).toBe(test.result === 'valid');
      }
      for (const { test } of cases<object, HkdfCase>(`hkdf_${hashName}_test.json`)) {
        count++;
        const derive = () => {
          const secret = hkdfExtract(hash, fromHex(test.salt), fromHex(test.ikm));
          return hkdfExpand(hash, secret, fromHex(test.info), test.size);
        };
        if (test.result === 'valid') expect(derive(), describeCase(test)).toEqual(fromHex(test.okm));
        else expect(derive, describeCase(test)).toThrow(RangeError);
      }
      expect(count).toBeGreaterThanOrEqual(240);
    });

    it.each(ecdhFiles)('$group', ({ group, file, privateLength, publicLength, atLeast }) => {
      const montgomery = group === 'x25519' || group === 'x448';
      let count = 0;
      for (const { test } of cases<object, KeyAgreementCase>(file)) {
        const peer = fromHex(test.public);
        // Uncompressed points alone are allowed (§4.3.8.2), and an all-zero secret is not (§7.4.2).
        const form = peer.length === publicLength && (montgomery || peer[0] === 4);
        const allZero = montgomery && /^0*$/.test(test.shared);
        const good = form && test.result !== 'invalid' && !allZero;
        if (options.keyShareOf === undefined) {
          if (good) continue;
          expect(provider.encapsulate(group, peer), describeCase(test)).toBeUndefined();
        } else {
          const shared = options.keyShareOf(group, padded(test.private, privateLength)).decapsulate(peer);
          expect(shared, describeCase(test)).toEqual(good ? fromHex(test.shared) : undefined);
        }
        count++;
      }
      expect(count).toBeGreaterThanOrEqual(options.keyShareOf === undefined ? 10 : atLeast);
    });

    it.each(hybrids)(
      '$group: encapsulation keys that are not reduced are refused',
      ({ group, curve, bits, joined }) => {
        const share = provider.generateKeyShare(curve).keyExchange;
        let count = 0;
        for (const { test } of cases<object, EncapsulationCase>(`mlkem_${bits}_encaps_test.json`)) {
          count++;
          const made = provider.encapsulate(group, joined(fromHex(test.ek), share));
          expect(made !== undefined, describeCase(test)).toBe(test.result === 'valid');
        }
        expect(count).toBeGreaterThanOrEqual(200);
      },
    );

    if (options.keyShareOf !== undefined) {
      const { keyShareOf } = options;
      it.each(hybrids)('$group: decapsulation, implicit rejection included', ({ group, curve, bits, joined }) => {
        let count = 0;
        const peer = provider.generateKeyShare(curve);
        for (const { test } of cases<object, DecapsulationCase>(`mlkem_${bits}_test.json`)) {
          const seed = fromHex(test.seed);
          // Other lengths cannot be asked for through a key share.
          if (seed.length !== 64) continue;
          count++;
          const share = keyShareOf(group, concat(seed, scalarOf(curve)));
          const secret = share.decapsulate(joined(fromHex(test.c), peer.keyExchange));
          if (test.result !== 'valid') {
            expect(secret, describeCase(test)).toBeUndefined();
            continue;
          }
          const shared = keyShareOf(curve, scalarOf(curve)).decapsulate(peer.keyExchange);
          expect(secret, describeCase(test)).toEqual(joined(fromHex(test.K), shared ?? new Uint8Array(0)));
        }
        expect(count).toBeGreaterThanOrEqual(100);
      });
    }

    it.each(signatureFiles)('$scheme', ({ scheme, file, atLeast }) => {
      let count = 0;
      for (const { group, tests } of groups<SignatureGroup, SignatureCase>(file)) {
        const key = provider.certificateKey(certificateOf(fromHex(group.publicKeyDer)));
        expect(key.schemes).toEqual([scheme]);
        for (const test of tests) {
          count++;
          const verified = key.verify(scheme, fromHex(test.msg), fromHex(test.sig));
          expect(verified, describeCase(test)).toBe(test.result === 'valid');
        }
      }
      expect(count).toBeGreaterThanOrEqual(atLeast);
    });

    it.each(pssFiles)('$file', ({ file, restricted, atLeast }) => {
      let count = 0;
      for (const { group, tests } of groups<PssGroup, SignatureCase>(file)) {
        const scheme = pssScheme(group, restricted);
        const certificate = certificateOf(fromHex(group.publicKeyDer));
        if (scheme === undefined && restricted) {
          // A key restricted to parameters that TLS does not use.
          count++;
          expect(() => provider.certificateKey(certificate), JSON.stringify(group.sLen)).toThrow(TlsError);
          continue;
        }
        const key = provider.certificateKey(certificate);
        if (restricted) expect(key.schemes).toEqual([scheme]);
        for (const test of tests) {
          // In a file of other parameters, "invalid" may mean the very ones of TLS.
          if (scheme === undefined && test.result !== 'valid') continue;
          count++;
          const used = scheme ?? 'rsa_pss_rsae_sha256';
          const verified = key.verify(used, fromHex(test.msg), fromHex(test.sig));
          expect(verified, describeCase(test)).toBe(scheme !== undefined && test.result === 'valid');
        }
      }
      expect(count).toBeGreaterThanOrEqual(atLeast);
    });
  });
}

const hashNames: readonly HashName[] = ['sha256', 'sha384'];

interface AeadFile {
  readonly aead: AeadName;
  readonly file: string;
  readonly keySize: number;
  readonly tagSize: number;
  readonly atLeast: number;
}

const aeadFiles: readonly AeadFile[] = [
  { aead: 'aes-128-gcm', file: 'aes_gcm_test.json', keySize: 128, tagSize: 128, atLeast: 60 },
  { aead: 'aes-256-gcm', file: 'aes_gcm_test.json', keySize: 256, tagSize: 128, atLeast: 60 },
  { aead: 'chacha20-poly1305', file: 'chacha20_poly1305_test.json', keySize: 256, tagSize: 128, atLeast: 250 },
  { aead: 'aes-128-ccm', file: 'aes_ccm_test.json', keySize: 128, tagSize: 128, atLeast: 60 },
  { aead: 'aes-128-ccm-8', file: 'aes_ccm_test.json', keySize: 128, tagSize: 64, atLeast: 6 },
];

interface EcdhFile {
  readonly group: NamedGroupName;
  readonly file: string;
  readonly privateLength: number;
  readonly publicLength: number;
  readonly atLeast: number;
}

const ecdhFiles: readonly EcdhFile[] = [
  { group: 'x25519', file: 'x25519_test.json', privateLength: 32, publicLength: 32, atLeast: 500 },
  { group: 'x448', file: 'x448_test.json', privateLength: 56, publicLength: 56, atLeast: 500 },
  { group: 'secp256r1', file: 'ecdh_secp256r1_ecpoint_test.json', privateLength: 32, publicLength: 65, atLeast: 300 },
  { group: 'secp384r1', file: 'ecdh_secp384r1_ecpoint_test.json', privateLength: 48, publicLength: 97, atLeast: 600 },
  { group: 'secp521r1', file: 'ecdh_secp521r1_ecpoint_test.json', privateLength: 66, publicLength: 133, atLeast: 400 },
];

/** Each with the order in which ML-KEM's part and the curve's stand. */
const hybrids = [
  { group: 'X25519MLKEM768', curve: 'x25519', bits: 768, joined: (kem: Uint8Array, ec: Uint8Array) => concat(kem, ec) },
  {
    group: 'SecP256r1MLKEM768',
    curve: 'secp256r1',
    bits: 768,
    joined: (kem: Uint8Array, ec: Uint8Array) => concat(ec, kem),
  },
  {
    group: 'SecP384r1MLKEM1024',
    curve: 'secp384r1',
    bits: 1024,
    joined: (kem: Uint8Array, ec: Uint8Array) => concat(ec, kem),
  },
] as const;

/** A private key of the curve. */
function scalarOf(curve: 'x25519' | 'secp256r1' | 'secp384r1'): Uint8Array {
  return new Uint8Array(curve === 'secp384r1' ? 48 : 32).fill(9);
}

interface SignatureFile {
  readonly scheme: SignatureSchemeName;
  readonly file: string;
  readonly atLeast: number;
}

const signatureFiles: readonly SignatureFile[] = [
  { scheme: 'ecdsa_secp256r1_sha256', file: 'ecdsa_secp256r1_sha256_test.json', atLeast: 400 },
  { scheme: 'ecdsa_secp384r1_sha384', file: 'ecdsa_secp384r1_sha384_test.json', atLeast: 400 },
  { scheme: 'ecdsa_secp521r1_sha512', file: 'ecdsa_secp521r1_sha512_test.json', atLeast: 400 },
  { scheme: 'ed25519', file: 'ed25519_test.json', atLeast: 140 },
  { scheme: 'ed448', file: 'ed448_test.json', atLeast: 80 },
];

const pssFiles = [
  { file: 'rsa_pss_2048_sha256_mgf1_32_test.json', restricted: false, atLeast: 100 },
  { file: 'rsa_pss_2048_sha384_mgf1_48_test.json', restricted: false, atLeast: 100 },
  { file: 'rsa_pss_3072_sha256_mgf1_32_test.json', restricted: false, atLeast: 100 },
  { file: 'rsa_pss_4096_sha384_mgf1_48_test.json', restricted: false, atLeast: 100 },
  { file: 'rsa_pss_4096_sha512_mgf1_64_test.json', restricted: false, atLeast: 100 },
  { file: 'rsa_pss_2048_sha256_mgf1_0_test.json', restricted: false, atLeast: 5 },
  { file: 'rsa_pss_2048_sha256_mgf1sha1_20_test.json', restricted: false, atLeast: 5 },
  { file: 'rsa_pss_2048_sha256_mgf1_32_params_test.json', restricted: true, atLeast: 100 },
  { file: 'rsa_pss_4096_sha512_mgf1_64_params_test.json', restricted: true, atLeast: 100 },
  { file: 'rsa_pss_2048_sha512_mgf1sha256_32_params_test.json', restricted: true, atLeast: 1 },
  { file: 'rsa_pss_misc_params_test.json', restricted: true, atLeast: 100 },
] as const;

/** The scheme with these very parameters (§4.3.3), if there is one. */
function pssScheme(group: PssGroup, restricted: boolean): SignatureSchemeName | undefined {
  if (group.mgf !== 'MGF1' || group.mgfSha !== group.sha) return undefined;
  if (group.sha === 'SHA-256' && group.sLen === 32) return restricted ? 'rsa_pss_pss_sha256' : 'rsa_pss_rsae_sha256';
  if (group.sha === 'SHA-384' && group.sLen === 48) return restricted ? 'rsa_pss_pss_sha384' : 'rsa_pss_rsae_sha384';
  if (group.sha === 'SHA-512' && group.sLen === 64) return restricted ? 'rsa_pss_pss_sha512' : 'rsa_pss_rsae_sha512';
  return undefined;
}

interface Case {
  readonly tcId: number;
  readonly comment?: string;
  readonly flags: readonly string[];
  readonly result: 'valid' | 'invalid' | 'acceptable';
}
interface AeadGroup {
  readonly ivSize: number;
  readonly keySize: number;
  readonly tagSize: number;
}
interface AeadCase extends Case {
  readonly key: string;
  readonly iv: string;
  readonly aad: string;
  readonly msg: string;
  readonly ct: string;
  readonly tag: string;
}
interface MacGroup {
  readonly tagSize: number;
}
interface MacCase extends Case {
  readonly key: string;
  readonly msg: string;
  readonly tag: string;
}
interface HkdfCase extends Case {
  readonly ikm: string;
  readonly salt: string;
  readonly info: string;
  readonly size: number;
  readonly okm: string;
}
interface KeyAgreementCase extends Case {
  readonly public: string;
  readonly private: string;
  readonly shared: string;
}
interface EncapsulationCase extends Case {
  readonly ek: string;
}
interface DecapsulationCase extends Case {
  readonly seed: string;
  readonly c: string;
  readonly K: string;
}
interface SignatureGroup {
  readonly publicKeyDer: string;
}
interface PssGroup extends SignatureGroup {
  readonly sha: string;
  readonly mgf: string;
  readonly mgfSha: string;
  readonly sLen: number;
}
interface SignatureCase extends Case {
  readonly msg: string;
  readonly sig: string;
}

let found: string | undefined;

/** Where the vectors are; fetches them when they are not there yet. */
function folder(): string {
  const script = fileURLToPath(new URL('../../scripts/vectors.mjs', import.meta.url));
  found ??= execFileSync(process.execPath, [script], { encoding: 'utf8' }).trim();
  return found;
}

function groups<Group, Test>(file: string): { group: Group; tests: readonly Test[] }[] {
  const parsed: { testGroups: (Group & { tests: Test[] })[] } = JSON.parse(readFileSync(join(folder(), file), 'utf8'));
  return parsed.testGroups.map((group) => ({ group, tests: group.tests }));
}

function cases<Group, Test>(file: string): { group: Group; test: Test }[] {
  return groups<Group, Test>(file).flatMap(({ group, tests }) => tests.map((test) => ({ group, test })));
}

function describeCase(test: Case): string {
  return `case ${test.tcId}: ${test.comment} (${test.flags.join(', ')})`;
}

function padded(hex: string, length: number): Uint8Array {
  return fromHex(hex.replace(/^0*/, '').padStart(2 * length, '0'));
}

function present(bytes: Uint8Array | undefined): Uint8Array {
  if (bytes === undefined) throw new Error('a field is missing in the vectors');
  return bytes;
}
