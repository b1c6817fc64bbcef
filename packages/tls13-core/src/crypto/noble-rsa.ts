/** RSASSA-PSS and RSASSA-PKCS1-v1_5 verification (RFC 8017 §8.1.2, §8.2.2) of the portable provider. Only public values are at work here. */
import { sha256, sha384, sha512 } from '@noble/hashes/sha2.js';
import { mgf1, PKCS1_SHA256, PKCS1_SHA384, PKCS1_SHA512, PSS } from 'micro-rsa-dsa-dh/rsa.js';

/** §4.3.3: MGF1 with the hash of the scheme, and a salt of exactly the hash's length. */
const verifiers = {
  sha256: PSS(sha256, mgf1(sha256), sha256.outputLen),
  sha384: PSS(sha384, mgf1(sha384), sha384.outputLen),
  sha512: PSS(sha512, mgf1(sha512), sha512.outputLen),
} as const;

const pkcs1Verifiers = { sha256: PKCS1_SHA256, sha384: PKCS1_SHA384, sha512: PKCS1_SHA512 } as const;

/** May throw where the signature's number does not fit; that is a signature that does not verify, too. */
export function verifyRsaPss(
  hash: keyof typeof verifiers,
  key: { readonly n: bigint; readonly e: bigint },
  message: Uint8Array,
  signature: Uint8Array,
): boolean {
  return verifiers[hash].verify(key, message, signature);
}

/** The same for PKCS#1 v1.5, which clients may sign with where a server allows it. */
export function verifyRsaPkcs1(
  hash: keyof typeof verifiers,
  key: { readonly n: bigint; readonly e: bigint },
  message: Uint8Array,
  signature: Uint8Array,
): boolean {
  return pkcs1Verifiers[hash].verify(key, message, signature);
}
