/** OID filters (§4.3.5): what a server asks of a client's certificate, how such filters are made, and what matches them. */
import { TlsError } from '../alert.js';
import { certificateExtension, certificateExtensionOids, certificateFields, keyUsageBits } from './certificate.js';
import { derElement, derSequence, derTags, derWhole, objectIdentifier, objectIdentifierBytes } from './der.js';

/** A certificate extension that a client's certificate must have, and the values that must be in it. */
export interface OidFilter {
  /** Of the extension, dotted: `2.5.29.37` is Extended Key Usage. */
  readonly oid: string;
  /** DER, as it would stand in the certificate. */
  readonly values: Uint8Array;
}

/** As on the wire. */
export interface WireOidFilter {
  readonly certificateExtensionOid: Uint8Array;
  readonly certificateExtensionValues: Uint8Array;
}

/** The bits of Key Usage, in their order (RFC 5280 §4.2.1.3). */
export const keyUsages = [
  'digitalSignature',
  'nonRepudiation',
  'keyEncipherment',
  'dataEncipherment',
  'keyAgreement',
  'keyCertSign',
  'cRLSign',
  'encipherOnly',
  'decipherOnly',
] as const;
export type KeyUsageName = (typeof keyUsages)[number];

/** Purposes of Extended Key Usage (RFC 5280 §4.2.1.12); others are named by their dotted OID. */
export const keyPurposes = {
  serverAuth: '1.3.6.1.5.5.7.3.1',
  clientAuth: '1.3.6.1.5.5.7.3.2',
  codeSigning: '1.3.6.1.5.5.7.3.3',
  emailProtection: '1.3.6.1.5.5.7.3.4',
  timeStamping: '1.3.6.1.5.5.7.3.8',
  ocspSigning: '1.3.6.1.5.5.7.3.9',
} as const;
export type KeyPurposeName = keyof typeof keyPurposes;

/** Asks for certificates whose key may be used in all these ways. Throws TypeError for a way that there is not. */
export function keyUsageFilter(...usages: readonly KeyUsageName[]): OidFilter {
  const places = usages.map((usage) => {
    const place = keyUsages.indexOf(usage);
    if (place < 0) throw new TypeError(`'${String(usage)}' is no key usage; they are ${keyUsages.join(', ')}`);
    return place;
  });
  if (places.length === 0) throw new TypeError('keyUsageFilter wants at least one usage');
  const highest = Math.max(...places);
  const bits = new Uint8Array(1 + Math.floor(highest / 8));
  for (const place of places) bits[place >> 3] = (bits[place >> 3] ?? 0) | (0x80 >> (place & 7));
  // DER: no bit behind the last one that is set.
  const values = derElement(derTags.bitString, Uint8Array.of(7 - (highest & 7)), bits);
  return { oid: certificateExtensionOids.keyUsage, values };
}

/** Asks for certificates that are for all these purposes: names, or dotted OIDs. Throws TypeError. */
export function extendedKeyUsageFilter(...purposes: readonly (KeyPurposeName | `${number}.${string}`)[]): OidFilter {
  if (purposes.length === 0) throw new TypeError('extendedKeyUsageFilter wants at least one purpose');
  const named: Readonly<Record<string, string>> = keyPurposes;
  const oids = purposes.map((purpose) => objectIdentifierBytes(named[purpose] ?? purpose));
  const values = derElement(derTags.sequence, ...oids.map((oid) => derElement(derTags.objectIdentifier, oid)));
  return { oid: certificateExtensionOids.extendedKeyUsage, values };
}

/**
 * Whether a certificate (DER) has all that the filters ask for, as far as this library knows the extensions: every bit
 * of a Key Usage, every purpose of an Extended Key Usage. Other extensions are skipped, as §4.3.5 wants. Throws TlsError
 * decode_error for what is no certificate.
 */
export function matchesOidFilters(certificate: Uint8Array, filters: readonly OidFilter[]): boolean {
  const known = filters.filter(({ oid }) => matchers.has(oid));
  if (known.length === 0) return true;
  const fields = certificateFields(certificate);
  return known.every(({ oid, values }) => {
    const value = certificateExtension(fields, oid);
    return value !== undefined && matchers.get(oid)?.(value, values) === true;
  });
}

/** What a server's configuration asks for, for the wire. Throws TypeError when it may not be asked for. */
export function oidFiltersToSend(filters: readonly OidFilter[]): readonly WireOidFilter[] {
  const sent = filters.map(({ oid, values }) => ({
    certificateExtensionOid: derElement(derTags.objectIdentifier, objectIdentifierBytes(oid)),
    certificateExtensionValues: values,
  }));
  const fault = faultIn(filters);
  if (fault !== undefined) throw new TypeError(`oidFilters: ${fault}`);
  return sent;
}

/**
 * A server's filters as they came. An OID that is not well-formed is one that nobody recognizes, and is left out. Throws
 * TlsError illegal_parameter for what §4.3.5 forbids.
 */
export function oidFiltersReceived(filters: readonly WireOidFilter[]): readonly OidFilter[] {
  const received = filters.flatMap(({ certificateExtensionOid, certificateExtensionValues }) => {
    const oid = identifierOf(certificateExtensionOid);
    return oid === undefined ? [] : [{ oid, values: certificateExtensionValues.slice() }];
  });
  const fault = faultIn(received);
  if (fault !== undefined) {
    throw new TlsError('illegal_parameter', `the CertificateRequest's oid_filters: ${fault} (§4.3.5)`);
  }
  return received;
}

type Matcher = (certificate: Uint8Array, wanted: Uint8Array) => boolean;

const matchers: ReadonlyMap<string, Matcher> = new Map([
  [certificateExtensionOids.keyUsage, keyUsageMatches],
  [certificateExtensionOids.extendedKeyUsage, purposesMatch],
]);

const anyExtendedKeyUsage = '2.5.29.37.0';

function keyUsageMatches(certificate: Uint8Array, wanted: Uint8Array): boolean {
  const bits = keyUsageBits(certificate);
  return keyUsageBits(wanted).every((byte, index) => ((bits[index] ?? 0) & byte) === byte);
}

function purposesMatch(certificate: Uint8Array, wanted: Uint8Array): boolean {
  const found = purposesIn(certificate);
  return purposesIn(wanted).every((purpose) => found.includes(purpose));
}

/** Throws decode_error. */
function purposesIn(value: Uint8Array): readonly (string | undefined)[] {
  return derSequence(derWhole(value)).map(({ content }) => objectIdentifier(content));
}

function faultIn(filters: readonly OidFilter[]): string | undefined {
  const oids = filters.map(({ oid }) => oid);
  const twice = oids.find((oid, index) => oids.indexOf(oid) !== index);
  if (twice !== undefined) return `${twice} stands in them more than once`;
  const purposes = filters.find(({ oid }) => oid === certificateExtensionOids.extendedKeyUsage);
  if (purposes !== undefined && purposesIn(purposes.values).includes(anyExtendedKeyUsage)) {
    return 'anyExtendedKeyUsage must not be asked for';
  }
  return undefined;
}

/** The OID on the wire is DER, tag and length included. */
function identifierOf(bytes: Uint8Array): string | undefined {
  const [tag, length] = bytes;
  if (tag !== derTags.objectIdentifier || length !== bytes.length - 2) return undefined;
  return objectIdentifier(bytes.subarray(2));
}
