/** The cipher suites of §B.4: which AEAD, which hash, and how many records a key may protect (§5.5). */
import { type CipherSuiteName, cipherSuites } from '../registry.js';
import type { AeadName, HashName } from './provider.js';

export interface CipherSuite {
  readonly name: CipherSuiteName;
  readonly code: number;
  readonly aead: AeadName;
  readonly hash: HashName;
  readonly keyLength: number;
  readonly tagLength: number;
  /** Records of full size after which a key must have been replaced (§5.5, and RFC 9147 §B for CCM). */
  readonly confidentialityLimit: number;
}

export const ivLength = 12;

/**
 * 2^24.5 full records for GCM is §5.5's own bound; CCM's is derived in RFC 9147 §B.1; ChaCha20 has no bound but
 * the sequence number's, where 2^48 keeps the arithmetic in exact integers.
 */
const aeadProperties = {
  'aes-128-gcm': { keyLength: 16, tagLength: 16, confidentialityLimit: 23_726_566 },
  'aes-256-gcm': { keyLength: 32, tagLength: 16, confidentialityLimit: 23_726_566 },
  'chacha20-poly1305': { keyLength: 32, tagLength: 16, confidentialityLimit: 2 ** 48 },
  'aes-128-ccm': { keyLength: 16, tagLength: 16, confidentialityLimit: 2 ** 23 },
  'aes-128-ccm-8': { keyLength: 16, tagLength: 8, confidentialityLimit: 2 ** 23 },
} as const satisfies Record<AeadName, object>;

const definitions = {
  TLS_AES_128_GCM_SHA256: { aead: 'aes-128-gcm', hash: 'sha256' },
  TLS_AES_256_GCM_SHA384: { aead: 'aes-256-gcm', hash: 'sha384' },
  TLS_CHACHA20_POLY1305_SHA256: { aead: 'chacha20-poly1305', hash: 'sha256' },
  TLS_AES_128_CCM_SHA256: { aead: 'aes-128-ccm', hash: 'sha256' },
  TLS_AES_128_CCM_8_SHA256: { aead: 'aes-128-ccm-8', hash: 'sha256' },
} as const satisfies Record<CipherSuiteName, { aead: AeadName; hash: HashName }>;

export function cipherSuite(name: CipherSuiteName): CipherSuite {
  const definition = definitions[name];
  return { name, code: cipherSuites[name], ...definition, ...aeadProperties[definition.aead] };
}

export function aeadKeyLength(aead: AeadName): number {
  return aeadProperties[aead].keyLength;
}

export function aeadTagLength(aead: AeadName): number {
  return aeadProperties[aead].tagLength;
}
