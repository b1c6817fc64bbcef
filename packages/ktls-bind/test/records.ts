/** An independent TLS 1.3 record layer (§5.2, §5.3) over node:crypto, the oracle of the binding's tests. */
import { createCipheriv, createDecipheriv, randomBytes } from 'node:crypto';
import type { CryptoInfo, KtlsCipher } from '../src/types.js';

export const cipherKeyLengths: ReadonlyArray<readonly [KtlsCipher, number]> = [
  ['aes-128-gcm', 16],
  ['aes-256-gcm', 32],
  ['chacha20-poly1305', 32],
  ['aes-128-ccm', 16],
];

export interface Keys extends CryptoInfo {
  readonly aead: KtlsCipher;
}

export interface OracleRecord {
  readonly contentType: number;
  readonly content: Buffer;
}

export function randomKeys(aead: KtlsCipher = 'aes-128-gcm', sequenceNumber = 0n): Keys {
  const length = cipherKeyLengths.find(([name]) => name === aead)?.[1] ?? 0;
  return { aead, key: randomBytes(length), iv: randomBytes(12), sequenceNumber };
}

/** Seals one record, `padding` zeros after the content type. */
export function sealRecord(keys: Keys, number: bigint, contentType: number, content: Uint8Array, padding = 0): Buffer {
  const inner = Buffer.concat([content, Uint8Array.of(contentType), new Uint8Array(padding)]);
  const header = Buffer.alloc(5);
  header.set([23, 3, 3]);
  header.writeUInt16BE(inner.length + 16, 3);
  const cipher = sealing(keys, nonceOf(keys, number));
  cipher.setAAD(header, { plaintextLength: inner.length });
  return Buffer.concat([header, cipher.update(inner), cipher.final(), cipher.getAuthTag()]);
}

/** Opens the records in `wire`, which must be whole ones, numbered from `number`. */
export function openRecords(keys: Keys, number: bigint, wire: Uint8Array): OracleRecord[] {
  const bytes = Buffer.from(wire);
  const records: OracleRecord[] = [];
  for (let at = 0; at < bytes.length; ) {
    const header = bytes.subarray(at, at + 5);
    const length = header.readUInt16BE(3);
    if (header.subarray(0, 3).toString('hex') !== '170303')
      throw new Error(`no record header: ${header.toString('hex')}`);
    if (at + 5 + length > bytes.length) throw new Error(`a record of ${length} bytes is cut off`);
    const next = at + 5 + length;
    const body = bytes.subarray(at + 5, next - 16);
    const decipher = opening(keys, nonceOf(keys, number++), bytes.subarray(next - 16, next));
    decipher.setAAD(header, { plaintextLength: body.length });
    const inner = Buffer.concat([decipher.update(body), decipher.final()]);
    const end = inner.findLastIndex((byte) => byte !== 0);
    records.push({ contentType: inner[end] ?? 0, content: inner.subarray(0, end) });
    at = next;
  }
  return records;
}

/** The contents of records that must all be application data. */
export function applicationData(records: readonly OracleRecord[]): Buffer {
  for (const { contentType } of records) if (contentType !== 23) throw new Error(`a record of type ${contentType}`);
  return Buffer.concat(records.map(({ content }) => content));
}

function nonceOf({ iv }: Keys, number: bigint): Buffer {
  const nonce = Buffer.from(iv);
  nonce.writeBigUInt64BE(nonce.readBigUInt64BE(4) ^ number, 4);
  return nonce;
}

function sealing({ aead, key }: Keys, nonce: Buffer) {
  const options = { authTagLength: 16 };
  if (aead === 'aes-128-ccm') return createCipheriv(aead, key, nonce, options);
  if (aead === 'chacha20-poly1305') return createCipheriv(aead, key, nonce, options);
  return createCipheriv(aead, key, nonce, options);
}

function opening({ aead, key }: Keys, nonce: Buffer, tag: Buffer) {
  const options = { authTagLength: 16 };
  const start = () => {
    if (aead === 'aes-128-ccm') return createDecipheriv(aead, key, nonce, options);
    if (aead === 'chacha20-poly1305') return createDecipheriv(aead, key, nonce, options);
    return createDecipheriv(aead, key, nonce, options);
  };
  const state = start();
  state.setAuthTag(tag);
  return state;
}
