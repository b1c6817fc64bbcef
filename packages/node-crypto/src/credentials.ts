/** Credentials (§4.5.1, §4.5.2): a private key and its certificate chain from the forms in which people keep them. */
import { createPrivateKey, KeyObject, type X509Certificate } from 'node:crypto';
import type { Credential, CryptoProvider, Signer } from 'tls13-core';
import { type CertificateSource, derOf, type PemOrDer, pemText, readCertificates } from './pem.js';
import { keySigner, type SignerOptions } from './public-keys.js';

export interface CredentialOptions extends SignerOptions {
  /** The chain, leaf first; PEM may hold several, and a list of sources is read in order. The root may be left out. */
  readonly cert: CertificateSource | readonly CertificateSource[];
  /** PEM, DER (PKCS#8, SEC 1 or PKCS#1), or a key object. */
  readonly key: PemOrDer | KeyObject;
  /** Opens an encrypted key. */
  readonly passphrase?: string;
  /** Signs with this provider's signer instead of node:crypto's. */
  readonly provider?: Pick<CryptoProvider, 'signer'>;
}

/**
 * A certificate chain and a signer over its key, checked to belong together. Throws TypeError with a sentence saying
 * what does not fit: key and certificate, the order of the chain, a passphrase, a key that TLS 1.3 cannot sign with.
 */
export function credential(options: CredentialOptions): Credential {
  const chain = readCertificates(options.cert);
  const key = privateKey(options.key, options.passphrase);
  checkKey(chain, key);
  checkOrder(chain);
  return { certificateChain: chain.map(derOf), signer: signerOf(key, options) };
}

/** A private key in any form that OpenSSL reads. Throws TypeError with a sentence. */
export function privateKey(source: PemOrDer | KeyObject, passphrase?: string): KeyObject {
  if (source instanceof KeyObject) {
    if (source.type !== 'private') throw new TypeError(`a private key is needed; this is a ${source.type} key`);
    return source;
  }
  const text = pemText(source);
  return text === undefined ? derKey(Buffer.from(source), passphrase) : pemKey(text, passphrase);
}

function signerOf(key: KeyObject, options: CredentialOptions): Signer {
  if (options.provider === undefined) return keySigner(key, options);
  return options.provider.signer(new Uint8Array(key.export({ format: 'der', type: 'pkcs8' })));
}

function pemKey(text: string, passphrase: string | undefined): KeyObject {
  if (!/-----BEGIN ([A-Z0-9]+ )*PRIVATE KEY-----/.test(text)) {
    throw new TypeError('no private key is in this PEM text: a block that ends in PRIVATE KEY is needed');
  }
  if (passphrase === undefined && /-----BEGIN ENCRYPTED PRIVATE KEY-----|^Proc-Type: 4,ENCRYPTED/m.test(text)) {
    throw passphraseMissing();
  }
  try {
    return createPrivateKey({ key: text, format: 'pem', ...given(passphrase) });
  } catch (error) {
    throw unreadable(error, passphrase);
  }
}

function derKey(der: Buffer, passphrase: string | undefined): KeyObject {
  let first: unknown;
  for (const type of ['pkcs8', 'sec1', 'pkcs1'] as const) {
    try {
      return createPrivateKey({ key: der, format: 'der', type, ...given(passphrase) });
    } catch (error) {
      first ??= error;
    }
  }
  throw unreadable(first, passphrase);
}

function given(passphrase: string | undefined): { readonly passphrase?: string } {
  return passphrase === undefined ? {} : { passphrase };
}

function unreadable(error: unknown, passphrase: string | undefined): TypeError {
  const code = error instanceof Error && 'code' in error ? String(error.code) : '';
  if (code === 'ERR_MISSING_PASSPHRASE') return passphraseMissing();
  if (passphrase !== undefined && /DECRYPT|CIPHERFINAL|PKCS12/.test(code)) {
    return new TypeError('the passphrase does not open the private key', { cause: error });
  }
  return new TypeError('the private key is not readable as PKCS#8, SEC 1 or PKCS#1', { cause: error });
}

function passphraseMissing(): TypeError {
  return new TypeError('the private key is encrypted: give its passphrase');
}

function checkKey(chain: readonly X509Certificate[], key: KeyObject): void {
  if (chain[0]?.checkPrivateKey(key)) return;
  const index = chain.findIndex((certificate) => certificate.checkPrivateKey(key));
  if (index < 0) throw new TypeError(`the private key is not that of the certificate of ${nameOf(chain[0])}`);
  throw new TypeError(
    `the private key belongs to certificate ${index + 1} of the chain (${nameOf(chain[index])}): put that one first`,
  );
}

function checkOrder(chain: readonly X509Certificate[]): void {
  for (const [index, issuer] of chain.entries()) {
    const certificate = chain[index - 1];
    if (certificate === undefined || isIssuedBy(certificate, issuer)) continue;
    throw new TypeError(
      `certificate ${index} of the chain (${nameOf(certificate)}) was not issued by certificate ${index + 1} ` +
        `(${nameOf(issuer)}): each certificate is followed by its issuer's`,
    );
  }
}

/** By names and extensions, and by the signature: two authorities may share a name. */
function isIssuedBy(certificate: X509Certificate, issuer: X509Certificate): boolean {
  return certificate.checkIssued(issuer) && certificate.verify(issuer.publicKey);
}

function nameOf(certificate: X509Certificate | undefined): string {
  const subject = certificate?.subject ?? '';
  return subject === '' ? (certificate?.subjectAltName ?? 'no name') : subject.replaceAll('\n', ', ');
}
