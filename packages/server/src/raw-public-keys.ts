/**
 * Raw public keys (RFC 7250): keys without certificates, shown to peers that accept them, and accepted from peers by
 * those who know them beforehand.
 */
import { createPublicKey, KeyObject } from 'node:crypto';
import type { Credential } from 'tls13-core';
import { keySigner, type PemOrDer, privateKey } from 'tls13-node-crypto';
import type { SecureContextOptions } from './credentials.js';

/** A public key: SubjectPublicKeyInfo in PEM (`BEGIN PUBLIC KEY`) or DER, or a key object. */
export type PublicKeySource = PemOrDer | KeyObject;

/** Keys that a peer may show: these, or those that the function says true to. */
export type ExpectedRawPublicKeys =
  | PublicKeySource
  | readonly PublicKeySource[]
  | ((publicKey: KeyObject) => boolean | Promise<boolean>);

/** Says of a DER SubjectPublicKeyInfo whether the peer may be who shows it. */
export type KnowsKey = (publicKey: Uint8Array) => boolean | Promise<boolean>;

/** Throws TypeError when a key is not readable, or there is none. */
export function readExpectedKeys(expected: ExpectedRawPublicKeys): KnowsKey {
  if (typeof expected === 'function') return (publicKey) => expected(keyObjectOf(publicKey));
  const sources: readonly PublicKeySource[] = isList(expected) ? expected : [expected];
  const known = new Set(sources.map((source) => asText(readPublicKey(source, 'expectedRawPublicKeys'))));
  if (known.size === 0) throw new TypeError('expectedRawPublicKeys is empty: name the keys, or leave it out');
  return (publicKey) => known.has(asText(publicKey));
}

/** The key of a DER SubjectPublicKeyInfo that was in use: it is readable. */
export function keyObjectOf(publicKey: Uint8Array): KeyObject {
  return createPublicKey({ key: Buffer.from(publicKey), format: 'der', type: 'spki' });
}

/** What `rawPublicKey: true` means: the key of `key`, or of `signer`, is shown alone. Throws TypeError with a sentence. */
export function rawPublicKeyCredential(options: SecureContextOptions): Credential {
  const { cert, key, signer, passphrase, rawPublicKey = true, ocspResponse, signedCertificateTimestamps } = options;
  if (cert !== undefined) {
    throw new TypeError('rawPublicKey is shown without a cert: leave cert out, and give certificates in credentials');
  }
  if (ocspResponse !== undefined || signedCertificateTimestamps !== undefined) {
    throw new TypeError('ocspResponse and signedCertificateTimestamps are about a cert, and rawPublicKey has none');
  }
  if (signer !== undefined) {
    if (typeof rawPublicKey === 'boolean') {
      throw new TypeError('rawPublicKey with a signer must be the public key: PEM, DER, or a key object');
    }
    return { certificateChain: [], rawPublicKey: readPublicKey(rawPublicKey, 'rawPublicKey'), signer };
  }
  if (key === undefined || isList(key)) throw new TypeError('rawPublicKey goes with one key: give the private key');
  const pem = typeof key === 'object' && 'pem' in key ? key.pem : key;
  const phrase = typeof key === 'object' && 'pem' in key ? (key.passphrase ?? passphrase) : passphrase;
  const own = privateKey(pem, phrase);
  const publicKey = derOf(createPublicKey(own));
  if (typeof rawPublicKey !== 'boolean' && asText(readPublicKey(rawPublicKey, 'rawPublicKey')) !== asText(publicKey)) {
    throw new TypeError('rawPublicKey is not the public key of key');
  }
  return {
    certificateChain: [],
    rawPublicKey: publicKey,
    signer: keySigner(own, { asynchronous: options.asynchronousSigning ?? false }),
  };
}

/** DER SubjectPublicKeyInfo. A private key is refused: it has no business where only the public one is needed. */
function readPublicKey(source: PublicKeySource, option: string): Uint8Array {
  if (source instanceof KeyObject) {
    if (source.type !== 'public')
      throw new TypeError(`${option}: a public key is needed; this is a ${source.type} key`);
    return derOf(source);
  }
  const bytes = Buffer.from(source);
  const text = bytes.toString('latin1');
  if (/-----BEGIN [A-Z ]*PRIVATE KEY-----/.test(text)) {
    throw new TypeError(`${option}: this is a private key; give its public key (openssl pkey -pubout)`);
  }
  try {
    return derOf(text.includes('-----BEGIN ') ? createPublicKey(text) : keyObjectOf(bytes));
  } catch (cause) {
    throw new TypeError(`${option}: a key is not readable as SubjectPublicKeyInfo, in PEM or DER`, { cause });
  }
}

function derOf(key: KeyObject): Uint8Array {
  return new Uint8Array(key.export({ format: 'der', type: 'spki' }));
}

function asText(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('latin1');
}

function isList<T>(source: T | readonly T[]): source is readonly T[] {
  return Array.isArray(source);
}
