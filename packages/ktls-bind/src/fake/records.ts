/** What the fake kernel's record layer does to bytes: TLS 1.3 records (§5.2) sealed and opened with node:crypto. */
import { createCipheriv, createDecipheriv } from 'node:crypto';
import { errnos } from '../errno.js';
import type { KtlsCipher } from '../types.js';

export const headerLength = 5;
export const tagLength = 16;
export const maxFragment = 16384;
export const applicationData = 23;
export const handshake = 22;
const keyUpdate = 24;

export interface RecordKeys {
  readonly cipher: KtlsCipher;
  readonly key: Uint8Array;
  readonly iv: Uint8Array;
  sequenceNumber: bigint;
}

export interface OpenedRecord {
  readonly contentType: number;
  readonly content: Uint8Array;
}

/** One record, counted in `keys.sequenceNumber`. */
export function seal(keys: RecordKeys, contentType: number, content: Uint8Array): Uint8Array {
  const length = content.length + 1 + tagLength;
  const header = Uint8Array.of(applicationData, 3, 3, length >> 8, length & 255);
  const cipher = createCipher(keys);
  cipher.setAAD(header, { plaintextLength: content.length + 1 });
  const sealed = cipher.update(Buffer.concat([content, Uint8Array.of(contentType)]));
  cipher.final();
  keys.sequenceNumber++;
  return Buffer.concat([header, sealed, cipher.getAuthTag()]);
}

/** The length of the record at the start of `bytes` with its header, undefined when it is not all there, or −errno. */
export function recordLength(bytes: Uint8Array): number | undefined {
  const [type, major, minor, high = 0, low = 0] = bytes;
  if (bytes.length < headerLength) return undefined;
  const length = high * 256 + low;
  if (length > maxFragment + 256) return -errnos.EMSGSIZE;
  if (length < tagLength + 1) return -errnos.EBADMSG;
  if (type !== applicationData || major !== 3 || minor !== 3) return -errnos.EINVAL;
  return bytes.length < headerLength + length ? undefined : headerLength + length;
}

/** @param record one whole record. @returns undefined when it does not authenticate. */
export function open(keys: RecordKeys, record: Uint8Array): OpenedRecord | undefined {
  const body = record.subarray(headerLength, record.length - tagLength);
  const decipher = createDecipher(keys);
  decipher.setAuthTag(record.subarray(record.length - tagLength));
  decipher.setAAD(record.subarray(0, headerLength), { plaintextLength: body.length });
  try {
    const inner = decipher.update(body);
    decipher.final();
    keys.sequenceNumber++;
    const end = inner.findLastIndex((byte) => byte !== 0);
    const contentType = inner[end];
    return contentType === undefined ? undefined : { contentType, content: inner.subarray(0, end) };
  } catch {
    return undefined;
  }
}

export function isKeyUpdate({ contentType, content }: OpenedRecord): boolean {
  return contentType === handshake && content[0] === keyUpdate;
}

// The types of node:crypto tell the AEADs apart, hence the cases.
function createCipher(keys: RecordKeys) {
  const options = { authTagLength: tagLength };
  switch (keys.cipher) {
    case 'aes-128-ccm':
      return createCipheriv(keys.cipher, keys.key, nonce(keys), options);
    case 'chacha20-poly1305':
      return createCipheriv(keys.cipher, keys.key, nonce(keys), options);
    default:
      return createCipheriv(keys.cipher, keys.key, nonce(keys), options);
  }
}

function createDecipher(keys: RecordKeys) {
  const options = { authTagLength: tagLength };
  switch (keys.cipher) {
    case 'aes-128-ccm':
      return createDecipheriv(keys.cipher, keys.key, nonce(keys), options);
    case 'chacha20-poly1305':
      return createDecipheriv(keys.cipher, keys.key, nonce(keys), options);
    default:
      return createDecipheriv(keys.cipher, keys.key, nonce(keys), options);
  }
}

/** The write_iv with the sequence number XORed into its right end (§5.3). */
function nonce({ iv, sequenceNumber }: RecordKeys): Uint8Array {
  const result = Uint8Array.from(iv);
  const view = new DataView(result.buffer);
  view.setBigUint64(4, view.getBigUint64(4) ^ sequenceNumber);
  return result;
}
