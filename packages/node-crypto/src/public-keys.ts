/** The key of a certificate (§4.5.1), and signers over private keys (§4.5.2). */
import { createPrivateKey, createPublicKey, type KeyObject, X509Certificate } from 'node:crypto';
import { type PublicKey, type SignatureSchemeName, type Signer, TlsError } from 'tls13-core';
import { mlDsaCertificateKey, mlDsaPublicKey, mlDsaSigner } from 'tls13-core/ml-dsa';
import { schemesOfKey, signMessageAside, verifyMessage } from './schemes.js';
import { signingWith } from './signing.js';

/** `CryptoProvider.certificateKey` by node:crypto. */
export function certificateKey(certificate: Uint8Array): PublicKey {
  return mlDsaCertificateKey(certificate) ?? verifierOf(keyOf(certificate));
}

/** `CryptoProvider.publicKey` by node:crypto. */
export function publicKey(subjectPublicKeyInfo: Uint8Array): PublicKey {
  const mlDsa = mlDsaPublicKey(subjectPublicKeyInfo);
  if (mlDsa !== undefined) return mlDsa;
  let key: KeyObject;
  try {
    key = createPublicKey({ key: Buffer.from(subjectPublicKeyInfo), format: 'der', type: 'spki' });
  } catch (error) {
    throw new TlsError('bad_certificate', 'the public key is not one that OpenSSL can read', { cause: error });
  }
  // OpenSSL ignores what follows.
  if (derLength(subjectPublicKeyInfo) !== subjectPublicKeyInfo.length) {
    throw new TlsError('bad_certificate', 'the public key has bytes behind its end');
  }
  return verifierOf(key);
}

function verifierOf(key: KeyObject): PublicKey {
  const { schemes, reason } = schemesOfKey(key);
  if (schemes === undefined) throw new TlsError('unsupported_certificate', reason);
  return {
    schemes,
    verify: (scheme, message, signature) => schemes.includes(scheme) && verifyMessage(key, scheme, message, signature),
  };
}

export interface SignerOptions {
  /** Sign on the thread pool: `sign` then returns a promise. Default false. */
  readonly asynchronous?: boolean;
}

/**
 * Signs with a private key that node:crypto holds. Throws TypeError when TLS 1.3 has no scheme for it. An RSA key signs with
 * PKCS#1 only where a signer of your own lists it: `{ schemes: ['rsa_pkcs1_sha256_legacy'], sign: signer.sign }`.
 */
export function keySigner(key: KeyObject, options: SignerOptions = {}): Signer {
  if (key.type !== 'private') throw new TypeError(`a private key signs; this is a ${key.type} key`);
  const { schemes, reason } = schemesOfKey(key);
  if (schemes === undefined) throw new TypeError(`this key cannot sign a handshake: ${reason}`);
  const sign =
    options.asynchronous === true
      ? (scheme: SignatureSchemeName, message: Uint8Array) => signMessageAside(key, scheme, message)
      : signingWith(key);
  return {
    schemes: schemes.filter((scheme) => !scheme.endsWith('_legacy')),
    sign(scheme: SignatureSchemeName, message: Uint8Array) {
      if (!schemes.includes(scheme)) throw new TypeError(`this key signs ${schemes.join(', ')}, not ${scheme}`);
      return sign(scheme, message);
    },
  };
}

/** `CryptoProvider.signer`. */
export function pkcs8Signer(pkcs8: Uint8Array): Signer {
  return mlDsaSigner(pkcs8) ?? keySigner(readPkcs8(pkcs8));
}

function readPkcs8(pkcs8: Uint8Array): KeyObject {
  try {
    return createPrivateKey({ key: Buffer.from(pkcs8), format: 'der', type: 'pkcs8' });
  } catch (error) {
    throw new TypeError('the private key is not readable as PKCS#8 DER', { cause: error });
  }
}

function keyOf(der: Uint8Array): KeyObject {
  const certificate = readCertificate(der);
  try {
    return certificate.publicKey;
  } catch (error) {
    throw new TlsError('bad_certificate', 'the key of the certificate is not one that OpenSSL can read', {
      cause: error,
    });
  }
}

function readCertificate(der: Uint8Array): X509Certificate {
  // X509Certificate reads PEM as well, and ignores what follows.
  if (der[0] !== 0x30) throw new TlsError('bad_certificate', 'the certificate is not a DER sequence');
  let certificate: X509Certificate;
  try {
    certificate = new X509Certificate(der);
  } catch (error) {
    throw new TlsError('bad_certificate', 'the certificate is not readable as X.509 DER', { cause: error });
  }
  const excess = der.length - certificate.raw.length;
  if (excess !== 0) throw new TlsError('bad_certificate', `the certificate has ${excess} bytes behind its end`);
  return certificate;
}

/** Bytes of the DER value that `der`, which is well-formed, begins with. */
function derLength(der: Uint8Array): number {
  const first = der[1] ?? 0;
  if (first < 0x80) return 2 + first;
  const digits = der.subarray(2, 2 + (first & 0x7f));
  return 2 + digits.length + digits.reduce((length, digit) => length * 256 + digit, 0);
}
