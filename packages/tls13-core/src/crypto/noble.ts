/** The portable CryptoProvider: audited JavaScript (@noble/*), the same in every runtime. */
import { randomBytes } from '@noble/hashes/utils.js';
import { nobleAead } from './noble-aead.js';
import { nobleCertificateKey, noblePublicKey } from './noble-certificate.js';
import { nobleEncapsulate, nobleGroups, nobleImportKeyShare, nobleKeyShare } from './noble-groups.js';
import { nobleHash } from './noble-hash.js';
import { nobleSigner } from './noble-signer.js';
import type { CryptoProvider } from './provider.js';

/**
 * Needs nothing but `crypto.getRandomValues`. It verifies every signature scheme of TLS 1.3 and signs with ECDSA,
 * Ed25519 and Ed448 keys, not with RSA. JavaScript gives no hard promise of constant time: where a native provider can be had,
 * prefer it for private keys.
 */
export const nobleProvider: CryptoProvider = {
  name: 'noble',
  aeads: ['chacha20-poly1305', 'aes-128-gcm', 'aes-256-gcm', 'aes-128-ccm', 'aes-128-ccm-8'],
  groups: nobleGroups,
  signatureSchemes: [
    'ecdsa_secp256r1_sha256',
    'ed25519',
    'ecdsa_secp384r1_sha384',
    'ecdsa_secp521r1_sha512',
    'ed448',
    'rsa_pss_rsae_sha256',
    'rsa_pss_rsae_sha384',
    'rsa_pss_rsae_sha512',
    'rsa_pss_pss_sha256',
    'rsa_pss_pss_sha384',
    'rsa_pss_pss_sha512',
    'mldsa44',
    'mldsa65',
    'mldsa87',
    'rsa_pkcs1_sha256_legacy',
    'rsa_pkcs1_sha384_legacy',
    'rsa_pkcs1_sha512_legacy',
  ],
  random: (length) => randomBytes(length),
  hash: nobleHash,
  aead: nobleAead,
  generateKeyShare: nobleKeyShare,
  importKeyShare: nobleImportKeyShare,
  encapsulate: nobleEncapsulate,
  certificateKey: nobleCertificateKey,
  publicKey: noblePublicKey,
  signer: nobleSigner,
};
