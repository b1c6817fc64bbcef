/** node:crypto as the oracle of the tests: one protected record at a time, straight from §5.2 and §5.3. */
import { createCipheriv, createDecipheriv } from 'node:crypto';
import type { AeadName, TrafficKeys } from 'tls13-core';

export const aeads: readonly { readonly aead: AeadName; readonly keyLength: number; readonly tagLength: number }[] = [
  { aead: 'aes-128-gcm', keyLength: 16, tagLength: 16 },
  { aead: 'aes-256-gcm', keyLength: 32, tagLength: 16 },
  { aead: 'chacha20-poly1305', keyLength: 32, tagLength: 16 },
  { aead: 'aes-128-ccm', keyLength: 16, tagLength: 16 },
  { aead: 'aes-128-ccm-8', keyLength: 16, tagLength: 8 },
];

/** `size` bytes that depend on `seed`, different everywhere. */
export function pattern(size: number, seed = 1): Uint8Array {
  return Uint8Array.from({ length: size }, (_, index) => (index * 31 + (index >> 8) * 7 + seed) & 0xff);
}

export function trafficKeys(aead: AeadName, sequenceNumber = 0n): TrafficKeys {
  const { keyLength } = aeads.find((entry) => entry.aead === aead) ?? { keyLength: 0 };
  return { aead, key: pattern(keyLength, 5), iv: pattern(12, 99), sequenceNumber };
}

export function nonceOf(keys: TrafficKeys, number: bigint): Uint8Array {
  const counter = Buffer.alloc(12);
  counter.writeBigUInt64BE(number, 4);
  return keys.iv.map((byte, index) => byte ^ (counter[index] ?? 0));
}

/** One record around an inner plaintext that need not be a lawful one. */
export function sealInner(keys: TrafficKeys, number: bigint, inner: Uint8Array, outerType = 23): Uint8Array {
  const { tagLength = 16 } = aeads.find(({ aead }) => aead === keys.aead) ?? {};
  const length = inner.length + tagLength;
  const header = Uint8Array.from([outerType, 3, 3, length >> 8, length & 0xff]);
  return Buffer.concat([header, sealMessage(keys.aead, keys.key, nonceOf(keys, number), header, inner)]);
}

export function sealRecord(keys: TrafficKeys, number: bigint, type: number, content: Uint8Array, padding = 0) {
  return sealInner(keys, number, Buffer.concat([content, Uint8Array.of(type), new Uint8Array(padding)]));
}

/** The inner plaintext of one record; throws if it is not authentic. */
export function openRecord(keys: TrafficKeys, number: bigint, record: Uint8Array): Uint8Array {
  return openMessage(keys.aead, keys.key, nonceOf(keys, number), record.subarray(0, 5), record.subarray(5));
}

function sealMessage(
  aead: AeadName,
  key: Uint8Array,
  nonce: Uint8Array,
  associatedData: Uint8Array,
  plaintext: Uint8Array,
): Uint8Array {
  const { tagLength = 16 } = aeads.find((entry) => entry.aead === aead) ?? {};
  const cipher = newCipher(aead, key, nonce, { authTagLength: tagLength });
  cipher.setAAD(associatedData, { plaintextLength: plaintext.length });
  return Buffer.concat([cipher.update(somewhere(plaintext)), cipher.final(), cipher.getAuthTag()]);
}

function openMessage(
  aead: AeadName,
  key: Uint8Array,
  nonce: Uint8Array,
  associatedData: Uint8Array,
  sealed: Uint8Array,
): Uint8Array {
  const { tagLength = 16 } = aeads.find((entry) => entry.aead === aead) ?? {};
  const length = sealed.length - tagLength;
  const decipher = newDecipher(aead, key, nonce, { authTagLength: tagLength });
  decipher.setAuthTag(sealed.subarray(length));
  decipher.setAAD(associatedData, { plaintextLength: length });
  return Buffer.concat([decipher.update(sealed.subarray(0, length)), decipher.final()]);
}

/** The records of a buffer, each with its header. */
export function splitRecords(bytes: Uint8Array): Uint8Array[] {
  const records: Uint8Array[] = [];
  let rest = bytes;
  while (rest.length > 0) {
    const end = 5 + ((rest[3] ?? 0) << 8) + (rest[4] ?? 0);
    records.push(rest.subarray(0, end));
    rest = rest.subarray(end);
  }
  return records;
}

/** Node 20's CCM takes an empty array without memory for another request. */
function somewhere(bytes: Uint8Array): Uint8Array {
  return bytes.length === 0 ? new Uint8Array(new ArrayBuffer(1), 0, 0) : bytes;
}

interface Options {
  readonly authTagLength: number;
}

// node:crypto's types know each kind of cipher by its own name.
function newCipher(aead: AeadName, key: Uint8Array, nonce: Uint8Array, options: Options) {
  if (aead === 'aes-128-ccm' || aead === 'aes-128-ccm-8') return createCipheriv('aes-128-ccm', key, nonce, options);
  if (aead === 'chacha20-poly1305') return createCipheriv(aead, key, nonce, options);
  return createCipheriv(aead, key, nonce, options);
}

function newDecipher(aead: AeadName, key: Uint8Array, nonce: Uint8Array, options: Options) {
  if (aead === 'aes-128-ccm' || aead === 'aes-128-ccm-8') return createDecipheriv('aes-128-ccm', key, nonce, options);
  if (aead === 'chacha20-poly1305') return createDecipheriv(aead, key, nonce, options);
  return createDecipheriv(aead, key, nonce, options);
}
