/** Delegated credentials (RFC 9345): a certificate's key signs for another, which a server may hold in its place for days. */
import { createPublicKey, generateKeyPairSync, type KeyObject } from 'node:crypto';
import {
  type Credential,
  createDelegatedCredential,
  parseDelegatedCredential,
  type SignatureSchemeName,
  TlsError,
} from 'tls13-core';
import {
  type CertificateSource,
  credential,
  keySigner,
  type PemOrDer,
  privateKey,
  readCertificates,
} from 'tls13-node-crypto';

export interface DelegateOptions {
  /** The certificate, which must have the extension DelegationUsage, and its chain. */
  readonly cert: CertificateSource | readonly CertificateSource[];
  /** Its private key: it need not be where the delegated one will be. */
  readonly key: PemOrDer | KeyObject;
  readonly passphrase?: string;
  /** Seconds. Default 86,400; at most 604,800. */
  readonly lifetime?: number;
  /** Which side will present it. Default `server`. */
  readonly role?: 'server' | 'client';
}

export interface Delegation {
  /** PEM: the new key, P-256. */
  readonly key: string;
  /** PEM: what makes it good. */
  readonly delegatedCredential: string;
}

/**
 * Makes a key and delegates to it. Give both to `createServer` with the certificate: `{ cert, key, delegatedCredential }`.
 * Throws TypeError or RangeError with a sentence when the certificate may not delegate, or not for so long.
 */
export async function delegate({ cert, key, passphrase, lifetime, role }: DelegateOptions): Promise<Delegation> {
  const { privateKey: made, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const bytes = await createDelegatedCredential({
    credential: credential({ cert, key, ...(passphrase === undefined ? {} : { passphrase }) }),
    publicKey: spkiOf(publicKey),
    scheme,
    ...(lifetime === undefined ? {} : { lifetime }),
    ...(role === undefined ? {} : { role }),
  });
  const base64 = Buffer.from(bytes).toString('base64');
  return {
    key: made.export({ type: 'pkcs8', format: 'pem' }).toString(),
    delegatedCredential: `-----BEGIN ${label}-----\n${base64.replaceAll(/.{64}(?=.)/g, '$&\n')}\n-----END ${label}-----\n`,
  };
}

interface Delegated {
  readonly cert: CertificateSource | readonly CertificateSource[];
  readonly key: PemOrDer | KeyObject;
  readonly passphrase?: string;
  readonly delegated: PemOrDer;
  readonly asynchronous: boolean;
}

/** A credential that signs with the delegated key. Throws TypeError when key and credential do not belong together. */
export function delegatedCredential({ cert, key: source, passphrase, delegated, asynchronous }: Delegated): Credential {
  const bytes = bytesOf(delegated);
  const key = privateKey(source, passphrase);
  if (!Buffer.from(publicKeyIn(bytes)).equals(spkiOf(createPublicKey(key)))) {
    throw new TypeError('delegatedCredential: key is not the private key that it delegates to');
  }
  return {
    certificateChain: readCertificates(cert).map(({ raw }) => new Uint8Array(raw)),
    signer: keySigner(key, { asynchronous }),
    delegatedCredential: bytes,
  };
}

const scheme: SignatureSchemeName = 'ecdsa_secp256r1_sha256';
const label = 'DELEGATED CREDENTIAL';

function bytesOf(source: PemOrDer): Uint8Array {
  const text = Buffer.from(source).toString('latin1');
  const [, block] = new RegExp(`-----BEGIN ${label}-----([A-Za-z0-9+/=\\s]*)-----END ${label}-----`).exec(text) ?? [];
  if (block !== undefined) return new Uint8Array(Buffer.from(block, 'base64'));
  if (typeof source !== 'string') return source;
  throw new TypeError(`delegatedCredential: no block ${label} is in this PEM text`);
}

function publicKeyIn(bytes: Uint8Array): Uint8Array {
  try {
    return parseDelegatedCredential(bytes).publicKey;
  } catch (cause) {
    if (!(cause instanceof TlsError)) throw cause;
    throw new TypeError(`delegatedCredential: ${cause.message}`, { cause });
  }
}

function spkiOf(key: KeyObject): Uint8Array {
  return new Uint8Array(key.export({ type: 'spki', format: 'der' }));
}
