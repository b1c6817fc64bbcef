/** HKDF (RFC 5869) over a provider's HMAC, with the labels of §7.1. */
import type { Hash } from './provider.js';

/** HKDF-Extract(Salt, IKM): `hash.length` bytes (RFC 5869 §2.2). */
export function hkdfExtract(hash: Hash, salt: Uint8Array, inputKeyingMaterial: Uint8Array): Uint8Array {
  return hash.hmac(salt, inputKeyingMaterial);
}

/** HKDF-Expand(PRK, info, L) (RFC 5869 §2.3). Throws RangeError beyond 255 blocks. */
export function hkdfExpand(hash: Hash, secret: Uint8Array, info: Uint8Array, length: number): Uint8Array {
  const blocks = Math.ceil(length / hash.length);
  if (blocks > 255) {
    throw new RangeError(`HKDF-Expand gives at most ${255 * hash.length} bytes with ${hash.name}, not ${length}`);
  }
  // T(i) = HMAC(PRK, T(i-1) | info | i): one buffer holds the input of every round.
  const input = new Uint8Array(hash.length + info.length + 1);
  input.set(info, hash.length);
  const output = new Uint8Array(length);
  for (let block = 1; block <= blocks; block++) {
    input[input.length - 1] = block;
    const offset = (block - 1) * hash.length;
    const bytes = hash.hmac(secret, block === 1 ? input.subarray(hash.length) : input);
    if (length === hash.length) return bytes;
    output.set(bytes.length > length - offset ? bytes.subarray(0, length - offset) : bytes, offset);
    if (block < blocks) input.set(bytes);
    bytes.fill(0);
  }
  input.fill(0);
  return output;
}

/**
 * HKDF-Expand-Label(Secret, Label, Context, Length) (§7.1); `label` without its "tls13 " prefix.
 * Throws RangeError on a label of more than 249 characters or other than ASCII, or a context or length that does not fit.
 * An empty label is outside of §7.1's bounds; every other implementation exports under it, so this one does too.
 */
export function hkdfExpandLabel(
  hash: Hash,
  secret: Uint8Array,
  label: string,
  context: Uint8Array,
  length: number,
): Uint8Array {
  const info = hkdfLabel(label, context, length);
  if (length > hash.length || length === 0) return hkdfExpand(hash, secret, info.subarray(0, -1), length);
  // The one round of nearly every use: HMAC(PRK, info | 1).
  const bytes = hash.hmac(secret, info);
  if (length === hash.length) return bytes;
  const output = bytes.slice(0, length);
  bytes.fill(0);
  return output;
}

/** Derive-Secret(Secret, Label, Messages) (§7.1), given the transcript hash of the messages. */
export function deriveSecret(hash: Hash, secret: Uint8Array, label: string, transcriptHash: Uint8Array): Uint8Array {
  return hkdfExpandLabel(hash, secret, label, transcriptHash, hash.length);
}

/** HkdfLabel, and behind it the number of HKDF-Expand's first round. It stays until the next one is made. */
function hkdfLabel(label: string, context: Uint8Array, length: number): Uint8Array {
  const labelLength = prefix.length + label.length;
  if (labelLength > 255) throw new RangeError(`an HKDF label has at most 249 characters, not ${label.length}`);
  if (context.length > 255) throw new RangeError(`an HKDF context has at most 255 bytes, not ${context.length}`);
  if (!Number.isInteger(length) || length < 0 || length > 0xffff) {
    throw new RangeError(`HKDF-Expand-Label gives 0 to 65535 bytes, not ${length}`);
  }
  let end = 0;
  labels[end++] = length >> 8;
  labels[end++] = length & 0xff;
  labels[end++] = labelLength;
  end += prefix.length;
  for (let index = 0; index < label.length; index++) {
    const code = label.charCodeAt(index);
    if (code > 0x7f) throw new RangeError(`an HKDF label is ASCII, and ${JSON.stringify(label)} is not`);
    labels[end++] = code;
  }
  labels[end++] = context.length;
  labels.set(context, end);
  end += context.length;
  labels[end++] = 1;
  return labels.subarray(0, end);
}

const prefix = Uint8Array.from('tls13 ', (character) => character.charCodeAt(0));

/** Nothing in a label is secret. Behind the length and its own stands the prefix of every label, which stays. */
const labels = new Uint8Array(2 + 1 + 255 + 1 + 255 + 1);
labels.set(prefix, 3);
