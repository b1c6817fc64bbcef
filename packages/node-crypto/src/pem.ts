/** Certificates and revocation lists out of PEM, DER and node:crypto's objects. */
import { X509Certificate } from 'node:crypto';

/** PEM text (one or many blocks), DER bytes, or PEM in bytes. */
export type PemOrDer = string | Uint8Array;

export type CertificateSource = PemOrDer | X509Certificate;

/**
 * The certificates of one source or several, in order, as DER. Throws TypeError with a sentence saying which of them is
 * not readable; `what` names them in it.
 */
export function readCertificates(
  source: CertificateSource | readonly CertificateSource[],
  what = 'certificate',
): readonly X509Certificate[] {
  const sources: readonly CertificateSource[] = isList(source) ? source : [source];
  const certificates = sources.flatMap((one) => {
    if (one instanceof X509Certificate) return [one];
    return blocksOf(one, certificateLabels, what).map((der, index) => readCertificate(der, what, index));
  });
  if (certificates.length === 0) throw new TypeError(`no ${what} was given: the list is empty`);
  return certificates;
}

/** Revocation lists as DER. */
export function readRevocationLists(source: PemOrDer | readonly PemOrDer[]): readonly Uint8Array[] {
  const sources: readonly PemOrDer[] = isList(source) ? source : [source];
  return sources.flatMap((one) => blocksOf(one, ['X509 CRL'], 'revocation list'));
}

/** DER of a certificate, not a Buffer. */
export function derOf(certificate: X509Certificate): Uint8Array {
  return new Uint8Array(certificate.raw);
}

/** The text if the source is PEM, be it in bytes; `undefined` for DER. */
export function pemText(source: PemOrDer): string | undefined {
  if (typeof source === 'string') return source;
  // A DER sequence of more than 127 bytes, which no text begins like, whatever stands in it.
  if (source[0] === 0x30 && (source[1] ?? 0) > 0x80) return undefined;
  const text = Buffer.from(source.buffer, source.byteOffset, source.length).toString('latin1');
  return text.includes('-----BEGIN ') ? text : undefined;
}

const certificateLabels = ['CERTIFICATE', 'X509 CERTIFICATE'];

function readCertificate(der: Uint8Array, what: string, index: number): X509Certificate {
  try {
    const certificate = new X509Certificate(der);
    if (certificate.raw.length === der.length) return certificate;
  } catch (error) {
    throw new TypeError(`${what} ${index + 1} is not readable as X.509`, { cause: error });
  }
  throw new TypeError(`${what} ${index + 1} has bytes behind its end`);
}

function blocksOf(source: PemOrDer, labels: readonly string[], what: string): readonly Uint8Array[] {
  const text = pemText(source);
  if (text === undefined) return [new Uint8Array(typeof source === 'string' ? Buffer.from(source) : source)];
  const blocks = [...text.matchAll(pemBlock)].filter(([, label]) => labels.includes(label ?? ''));
  if (blocks.length > 0) return blocks.map(([, , base64]) => new Uint8Array(Buffer.from(base64 ?? '', 'base64')));
  const seen = [...text.matchAll(pemBlock)].map(([, label]) => label).join(', ');
  throw new TypeError(`no ${what} is in this PEM text: it holds ${seen === '' ? 'no PEM block' : seen}`);
}

/** A block ends with its own label; headers (RFC 1421) are no part of certificates or lists. */
const pemBlock = /-----BEGIN ([A-Z0-9 ]+)-----([A-Za-z0-9+/=\s]*)-----END \1-----/g;

function isList<T>(source: T | readonly T[]): source is readonly T[] {
  return Array.isArray(source);
}
