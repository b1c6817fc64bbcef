/**
 * Memory that the addon reaches at once. V8 keeps the bytes of arrays of up to 64 in its own heap, and moves them out
 * when native code asks for them: what goes to the addon often and is small goes there by a room that is used again.
 */

/** `length` bytes, zero. */
export function roomOutside(length: number): Uint8Array {
  return new Uint8Array(Math.max(length, leastOutside)).subarray(0, length);
}

/** Bytes of an array that V8 does not keep in its heap. */
const leastOutside = 65;
