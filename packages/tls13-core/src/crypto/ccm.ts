/** AES-CCM (RFC 3610, RFC 5116, RFC 6655) over AES in CBC and CTR mode, for the 12-byte nonces of TLS. */
import { cbc, ctr } from '@noble/ciphers/aes.js';
import { constantTimeEqual } from '../bytes.js';

/** Bytes that the 3-byte length field beside a 12-byte nonce can count (RFC 3610 §2.2). */
const maxLength = 2 ** 24 - 1;
const blockLength = 16;
const nonceLength = 12;

export interface Ccm {
  /** Ciphertext followed by tag. */
  seal(nonce: Uint8Array, associatedData: Uint8Array, plaintext: Uint8Array): Uint8Array;
  /** The plaintext, or `undefined` when it does not authenticate. */
  open(nonce: Uint8Array, associatedData: Uint8Array, sealed: Uint8Array): Uint8Array | undefined;
}

/** AES-CCM under one key of 16 or 32 bytes, with tags of `tagLength` bytes. */
export function ccm(key: Uint8Array, tagLength: 8 | 16): Ccm {
  return {
    seal(nonce, associatedData, plaintext) {
      const tag = cbcMac(key, tagLength, nonce, associatedData, plaintext);
      const encrypted = counterMode(key, nonce, tag, plaintext);
      // The encrypted tag was computed in front (key stream block 0), but follows the ciphertext.
      const sealed = new Uint8Array(plaintext.length + tagLength);
      sealed.set(encrypted.subarray(blockLength));
      sealed.set(encrypted.subarray(0, tagLength), plaintext.length);
      return sealed;
    },
    open(nonce, associatedData, sealed) {
      const length = sealed.length - tagLength;
      if (length < 0) return undefined;
      const decrypted = counterMode(key, nonce, sealed.subarray(length), sealed.subarray(0, length));
      const plaintext = decrypted.subarray(blockLength);
      const expected = cbcMac(key, tagLength, nonce, associatedData, plaintext);
      if (constantTimeEqual(expected.subarray(0, tagLength), decrypted.subarray(0, tagLength))) return plaintext;
      decrypted.fill(0);
      return undefined;
    },
  };
}

/** The tag, padded with zeros to a block, and the text, both XORed with the key stream from block 0 on (RFC 3610 §2.3). */
function counterMode(key: Uint8Array, nonce: Uint8Array, tag: Uint8Array, text: Uint8Array): Uint8Array {
  const counter = new Uint8Array(blockLength);
  counter[0] = blockLength - 1 - nonceLength - 1;
  counter.set(nonce, 1);
  const input = new Uint8Array(blockLength + text.length);
  input.set(tag);
  input.set(text, blockLength);
  const output = ctr(key, counter).encrypt(input);
  input.fill(0);
  return output;
}

/** The first `tagLength` bytes of the last block of CBC over B_0, the associated data and the text (RFC 3610 §2.2). */
function cbcMac(
  key: Uint8Array,
  tagLength: number,
  nonce: Uint8Array,
  associatedData: Uint8Array,
  text: Uint8Array,
): Uint8Array {
  if (nonce.length !== nonceLength) throw new RangeError(`a nonce has ${nonceLength} bytes, not ${nonce.length}`);
  if (text.length > maxLength) throw new RangeError(`CCM takes at most ${maxLength} bytes, not ${text.length}`);
  if (associatedData.length >= 0xff00) {
    throw new RangeError(`CCM takes at most ${0xff00 - 1} bytes of associated data, not ${associatedData.length}`);
  }
  const associatedLength = associatedData.length === 0 ? 0 : wholeBlocks(2 + associatedData.length);
  const blocks = new Uint8Array(blockLength + associatedLength + wholeBlocks(text.length));
  blocks[0] = (associatedLength === 0 ? 0 : 0x40) | (((tagLength - 2) / 2) << 3) | (blockLength - 1 - nonceLength - 1);
  blocks.set(nonce, 1);
  blocks[13] = text.length >> 16;
  blocks[14] = (text.length >> 8) & 0xff;
  blocks[15] = text.length & 0xff;
  if (associatedLength > 0) {
    blocks[16] = associatedData.length >> 8;
    blocks[17] = associatedData.length & 0xff;
    blocks.set(associatedData, 18);
  }
  blocks.set(text, blockLength + associatedLength);
  const chained = cbc(key, new Uint8Array(blockLength), { disablePadding: true }).encrypt(blocks);
  blocks.fill(0);
  return chained.subarray(chained.length - blockLength, chained.length - blockLength + tagLength);
}

function wholeBlocks(length: number): number {
  return Math.ceil(length / blockLength) * blockLength;
}
