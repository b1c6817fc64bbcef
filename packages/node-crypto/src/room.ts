/**
 * Memory that the addon reaches at once. V8 keeps the bytes of arrays of up to 64 in its own heap, and moves them out
 * when native code asks for them: what goes to the addon often and is small goes there by a room that is used again.
 */

/** `length` bytes, zero. */
export function roomOutside(length: number): Uint8Array {
  return new Uint8Array(Math.max(length, longestInside + 1)).subarray(0, length);
}

/** The bytes themselves or, of short ones, a copy: it is the caller's until the next call, and to be wiped where it is secret. */
export function outside(bytes: Uint8Array): Uint8Array {
  if (bytes.length > longestInside || bytes.length === 0) return bytes;
  const copy = room.subarray(0, bytes.length);
  copy.set(bytes);
  return copy;
}

/** Bytes of the longest array that V8 keeps in its heap. */
const longestInside = 64;
const room = roomOutside(longestInside);
