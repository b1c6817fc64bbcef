/**
 * What the protocol itself asks of a certificate (RFC 5280 §4.1): its validity, its names, its key, its extensions and how
 * it is signed. A provider reads the key, and `verifyPeer` judges the chain.
 */
import { TlsError } from '../alert.js';
import { equal } from '../bytes.js';
import type { SignatureSchemeName } from '../registry.js';
import { type DerElement, derElements, derSequence, derTags, derWhole, objectIdentifier } from './der.js';

/** TBSCertificate as elements that are read when they are asked for. Throws decode_error for what is no certificate. */
export function certificateFields(certificate: Uint8Array): CertificateFields {
  const [toBeSigned, signatureAlgorithm] = derSequence(derWhole(certificate));
  const fields = derSequence(toBeSigned);
  // Every field has its place; the version before them may be left out.
  const [, , issuer, validity, subject, subjectPublicKeyInfo] =
    fields[0]?.tag === explicitVersion ? fields.slice(1) : fields;
  return { fields, issuer, validity, subject, subjectPublicKeyInfo, signatureAlgorithm };
}

export interface CertificateFields {
  readonly fields: readonly DerElement[];
  readonly issuer: DerElement | undefined;
  readonly validity: DerElement | undefined;
  readonly subject: DerElement | undefined;
  readonly subjectPublicKeyInfo: DerElement | undefined;
  readonly signatureAlgorithm: DerElement | undefined;
}

/** The subject, a distinguished name in DER, as certificate_authorities has it (§4.3.4). Throws decode_error. */
export function certificateSubject(certificate: Uint8Array): Uint8Array {
  const { subject } = certificateFields(certificate);
  if (subject?.tag !== derTags.sequence) throw unreadable('subject');
  return subject.bytes.slice();
}

export interface CertificateExtension {
  /** Dotted. */
  readonly oid: string;
  /** The DER inside the OCTET STRING. */
  readonly value: Uint8Array;
}

/** In order; empty when there are none. Throws decode_error. */
export function certificateExtensions({ fields }: CertificateFields): readonly CertificateExtension[] {
  const wrapped = fields.find(({ tag }) => tag === explicitExtensions);
  if (wrapped === undefined) return [];
  return derSequence(derElements(wrapped.content)[0]).map((extension) => {
    const [name, ...rest] = derSequence(extension);
    // `critical` may stand between the name and the value.
    const value = rest.at(-1);
    const oid = name?.tag === derTags.objectIdentifier ? objectIdentifier(name.content) : undefined;
    if (oid === undefined || value === undefined) throw unreadable('an extension');
    return { oid, value: value.content };
  });
}

/** The value of the extension with that name, if the certificate has it. */
export function certificateExtension(fields: CertificateFields, oid: string): Uint8Array | undefined {
  return certificateExtensions(fields).find((extension) => extension.oid === oid)?.value;
}

/** The bits of a Key Usage extension's value, from the first on (RFC 5280 §4.2.1.3). */
export function keyUsageBits(value: Uint8Array): Uint8Array {
  const [bits] = derElements(value);
  return bits?.tag === derTags.bitString ? bits.content.subarray(1) : new Uint8Array(0);
}

/**
 * Whether a certificate lets its key sign (§4.5.1.2): false when there is a Key Usage extension without digitalSignature.
 */
export function maySign(fields: CertificateFields): boolean {
  const usage = certificateExtension(fields, certificateExtensionOids.keyUsage);
  return usage === undefined || ((keyUsageBits(usage)[0] ?? 0) & digitalSignature) !== 0;
}

/** Milliseconds since 1970. Throws decode_error. */
export function certificateValidity({ validity }: CertificateFields): {
  readonly notBefore: number;
  readonly notAfter: number;
} {
  const [notBefore, notAfter] = derSequence(validity).map(time);
  if (notBefore === undefined || notAfter === undefined) throw unreadable('validity');
  return { notBefore, notAfter };
}

/**
 * The schemes of signature_algorithms_cert under which a certificate's own signature falls (§4.3.3): two for RSASSA-PSS,
 * as the issuer's key may be of either type. Empty when it falls under none, `undefined` when the certificate is
 * self-issued: that is not validated as part of a chain (§4.5.1.2).
 */
export function certificateSignatureSchemes(fields: CertificateFields): readonly SignatureSchemeName[] | undefined {
  const { issuer, subject, signatureAlgorithm } = fields;
  if (issuer !== undefined && subject !== undefined && equal(issuer.bytes, subject.bytes)) return undefined;
  const [name, parameters] = derSequence(signatureAlgorithm);
  const oid = name === undefined ? undefined : objectIdentifier(name.content);
  if (oid === rsassaPss) return pssSchemes(parameters);
  return schemesOfSignature.get(oid ?? '') ?? [];
}

/** Of the certificate extensions that the protocol looks at. */
export const certificateExtensionOids = {
  keyUsage: '2.5.29.15',
  extendedKeyUsage: '2.5.29.37',
  /** RFC 9345 §4.2 */
  delegationUsage: '1.3.6.1.4.1.44363.44',
} as const;

const explicitVersion = 0xa0;
const explicitExtensions = 0xa3;
/** The first bit of Key Usage. */
const digitalSignature = 0x80;

const rsassaPss = '1.2.840.113549.1.1.10';
const schemesOfSignature: ReadonlyMap<string, readonly SignatureSchemeName[]> = new Map([
  ['1.2.840.113549.1.1.11', ['rsa_pkcs1_sha256']],
  ['1.2.840.113549.1.1.12', ['rsa_pkcs1_sha384']],
  ['1.2.840.113549.1.1.13', ['rsa_pkcs1_sha512']],
  ['1.2.840.10045.4.3.2', ['ecdsa_secp256r1_sha256']],
  ['1.2.840.10045.4.3.3', ['ecdsa_secp384r1_sha384']],
  ['1.2.840.10045.4.3.4', ['ecdsa_secp521r1_sha512']],
  ['1.3.101.112', ['ed25519']],
]);

const schemesOfPssHash: ReadonlyMap<string, readonly SignatureSchemeName[]> = new Map([
  ['2.16.840.1.101.3.4.2.1', ['rsa_pss_rsae_sha256', 'rsa_pss_pss_sha256']],
  ['2.16.840.1.101.3.4.2.2', ['rsa_pss_rsae_sha384', 'rsa_pss_pss_sha384']],
  ['2.16.840.1.101.3.4.2.3', ['rsa_pss_rsae_sha512', 'rsa_pss_pss_sha512']],
]);

/** RSASSA-PSS-params (RFC 4055 §3.1): the hash is its first field, SHA-1 when it is left out. */
function pssSchemes(parameters: DerElement | undefined): readonly SignatureSchemeName[] {
  if (parameters?.tag !== derTags.sequence) return [];
  const hash = derElements(parameters.content).find(({ tag }) => tag === 0xa0);
  const [name] = hash === undefined ? [] : derSequence(derElements(hash.content)[0]);
  return schemesOfPssHash.get((name && objectIdentifier(name.content)) ?? '') ?? [];
}

/** RFC 5280 §4.1.2.5: UTCTime through 2049, GeneralizedTime from then on, both in seconds and in UTC. */
function time({ tag, content }: DerElement): number {
  const text = String.fromCharCode(...content.subarray(0, 32));
  const short = tag === derTags.utcTime && /^\d{12}Z$/.test(text);
  if (!short && !(tag === derTags.generalizedTime && /^\d{14}Z$/.test(text))) throw unreadable('validity');
  const full = short ? `${Number(text.slice(0, 2)) < 50 ? '20' : '19'}${text}` : text;
  const part = (start: number, end: number) => Number(full.slice(start, end));
  return Date.UTC(part(0, 4), part(4, 6) - 1, part(6, 8), part(8, 10), part(10, 12), part(12, 14));
}

function unreadable(what: string): TlsError {
  return new TlsError('decode_error', `the certificate's ${what} is not as RFC 5280 §4.1 has it`);
}
