/** The kernel's ciphers: names, numbers, key sizes, and the check of keys before they are handed over. */
import { KtlsError } from './errors.js';
import type { CryptoInfo, KtlsCipher } from './types.js';

interface Cipher {
  /** TLS_CIPHER_* of uapi/linux/tls.h. */
  readonly number: number;
  readonly keyLength: number;
  readonly label: string;
}

export const ciphers: Readonly<Record<KtlsCipher, Cipher>> = {
  'aes-128-gcm': { number: 51, keyLength: 16, label: 'AES-128-GCM' },
  'aes-256-gcm': { number: 52, keyLength: 32, label: 'AES-256-GCM' },
  'chacha20-poly1305': { number: 54, keyLength: 32, label: 'ChaCha20-Poly1305' },
  'aes-128-ccm': { number: 53, keyLength: 16, label: 'AES-128-CCM' },
};

/** In the order in which they are listed for people. */
export const cipherNames: readonly KtlsCipher[] = ['aes-128-gcm', 'aes-256-gcm', 'chacha20-poly1305', 'aes-128-ccm'];

export const ivLength = 12;

function isKtlsCipher(name: string): name is KtlsCipher {
  return Object.hasOwn(ciphers, name);
}

/** @returns the cipher of keys that the kernel can be given. */
export function checkKeys(keys: CryptoInfo): KtlsCipher {
  const { aead, key, iv, sequenceNumber } = keys;
  if (!isKtlsCipher(aead)) {
    throw new KtlsError(`setting keys: the kernel has no cipher ${aead}; it has ${cipherNames.join(', ')}`, {
      code: 'ERR_KTLS_CIPHER',
      step: 'crypto',
    });
  }
  const { keyLength } = ciphers[aead];
  if (!(key instanceof Uint8Array) || key.length !== keyLength) {
    throw new TypeError(`the key of ${aead} must be a Uint8Array of ${keyLength} bytes`);
  }
  if (!(iv instanceof Uint8Array) || iv.length !== ivLength) {
    throw new TypeError(`the iv must be a Uint8Array of ${ivLength} bytes`);
  }
  if (typeof sequenceNumber !== 'bigint' || BigInt.asUintN(64, sequenceNumber) !== sequenceNumber) {
    throw new RangeError('the sequence number must be a bigint from 0 to 2^64 - 1');
  }
  return aead;
}

/** The cipher with the kernel's number, if it is one of ours. */
export function cipherByNumber(number: number): KtlsCipher | undefined {
  return cipherNames.find((name) => ciphers[name].number === number);
}
