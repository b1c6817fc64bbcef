/** The record header (§5.1, §5.2): its five bytes, its limits, and records that are not protected. */
import { TlsError } from '../alert.js';
import { contentTypes, nameOf, protocolVersions } from '../registry.js';

export const headerLength = 5;

/** Bytes of content in a record, unless a smaller limit was negotiated (§5.1). */
export const maxPlaintextLength = 2 ** 14;

/** TLSInnerPlaintext: content, its type, and padding (§5.4). */
export const maxInnerPlaintextLength = maxPlaintextLength + 1;

/** TLSCiphertext.length (§5.2). */
export const maxCiphertextLength = maxPlaintextLength + 256;

/** Bytes of a record, its header included. */
export const longestRecord = headerLength + maxCiphertextLength;

export interface RecordHeader {
  readonly contentType: number;
  /** Bytes after the header. */
  readonly length: number;
}

/** Writes a header at `offset`. */
export function writeHeader(
  target: Uint8Array,
  offset: number,
  contentType: number,
  length: number,
  legacyRecordVersion: number = protocolVersions.tls12,
): void {
  target[offset] = contentType;
  target[offset + 1] = legacyRecordVersion >> 8;
  target[offset + 2] = legacyRecordVersion & 0xff;
  target[offset + 3] = length >> 8;
  target[offset + 4] = length & 0xff;
}

/** The five bytes of a header. */
export function encodeHeader(contentType: number, length: number): Uint8Array {
  const header = new Uint8Array(headerLength);
  writeHeader(header, 0, contentType, length);
  return header;
}

/**
 * Reads the header at `offset`; the five bytes must be there. The version is not looked at: an unprotected record's is to
 * be ignored (§5.1), and whether a record is protected does not show here. Throws TlsError `unexpected_message` on a
 * content type that no record may have, `record_overflow` on a length that no record of this type may have.
 */
export function parseHeader(bytes: Uint8Array, offset = 0): RecordHeader {
  const contentType = bytes[offset] ?? 0;
  const length = ((bytes[offset + 3] ?? 0) << 8) | (bytes[offset + 4] ?? 0);
  if (contentType < contentTypes.change_cipher_spec || contentType > contentTypes.application_data) {
    throw new TlsError('unexpected_message', `a record has content type ${contentType}: not a TLS 1.3 record`);
  }
  const limit = contentType === contentTypes.application_data ? maxCiphertextLength : maxPlaintextLength;
  if (length > limit) {
    throw new TlsError(
      'record_overflow',
      `a record of ${nameOf(contentTypes, contentType)} announces ${length} bytes, more than ${limit}`,
    );
  }
  return { contentType, length };
}

/** Whether the header at `offset` has the version of every protected record (§5.2), which may be validated (§E). */
export function hasVersion(bytes: Uint8Array, offset: number): boolean {
  return bytes[offset + 1] === protocolVersions.tls12 >> 8 && bytes[offset + 2] === (protocolVersions.tls12 & 0xff);
}

/**
 * Content as whole TLSPlaintext records of at most `maxFragment` bytes each (§5.1). Empty content makes no record:
 * only application data may be empty, and that is never sent unprotected.
 */
export function plaintextRecords(
  contentType: number,
  content: Uint8Array,
  maxFragment: number = maxPlaintextLength,
  legacyRecordVersion: number = protocolVersions.tls12,
): Uint8Array {
  checkMaxFragment(maxFragment);
  const count = Math.ceil(content.length / maxFragment);
  const records = new Uint8Array(content.length + count * headerLength);
  let offset = 0;
  for (let start = 0; start < content.length; start += maxFragment) {
    const fragment = content.subarray(start, start + maxFragment);
    writeHeader(records, offset, contentType, fragment.length, legacyRecordVersion);
    records.set(fragment, offset + headerLength);
    offset += headerLength + fragment.length;
  }
  return records;
}

export function checkMaxFragment(maxFragment: number): void {
  if (!Number.isInteger(maxFragment) || maxFragment < 1 || maxFragment > maxPlaintextLength) {
    throw new RangeError(`a record holds 1 to ${maxPlaintextLength} bytes of content, not ${maxFragment}`);
  }
}
