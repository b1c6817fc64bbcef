/** How a private key signs a handshake at once (§4.5.2). */
import type { KeyObject } from 'node:crypto';
import type { SignatureSchemeName } from 'tls13-core';
import { loadBinding } from './load.js';
import { signMessage } from './schemes.js';

export type SignMessage = (scheme: SignatureSchemeName, message: Uint8Array) => Uint8Array;

/** By the addon, which keeps what OpenSSL prepares for a signature, where it is there and that is of use; else by node:crypto. */
export function signingWith(key: KeyObject): SignMessage {
  const { binding } = loadBinding();
  if (binding === undefined || !keyTypes.has(key.asymmetricKeyType ?? '')) {
    return (scheme, message) => signMessage(key, scheme, message);
  }
  const pkcs8 = key.export({ format: 'der', type: 'pkcs8' });
  const native = new binding.SigningKey(pkcs8);
  pkcs8.fill(0);
  return (scheme, message) =>
    scheme.endsWith('_legacy')
      ? signMessage(key, scheme, message)
      : signature.slice(0, native.sign(scheme, message, signature));
}

/** The others have nothing to prepare. */
const keyTypes: ReadonlySet<string> = new Set(['ec', 'rsa', 'rsa-pss']);

/** Bytes of the signature of the largest modulus that is accepted. */
const signature = new Uint8Array(1024);
