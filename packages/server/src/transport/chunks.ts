/** Lists of byte chunks, as vectored writes take them. */

export function byteLength(chunks: readonly Uint8Array[]): number {
  let length = 0;
  for (const chunk of chunks) length += chunk.length;
  return length;
}

/** What is left when the first `count` bytes are gone. */
export function skipBytes(chunks: readonly Uint8Array[], count: number): readonly Uint8Array[] {
  let skipped = 0;
  for (let index = 0; index < chunks.length; index += 1) {
    const chunk = chunks[index];
    if (chunk === undefined) break;
    if (skipped + chunk.length > count) return [chunk.subarray(count - skipped), ...chunks.slice(index + 1)];
    skipped += chunk.length;
  }
  return [];
}

/**
 * At most `limit` bytes from the front, in one piece, and what is left. A single chunk is not copied: only neighbours
 * that share records are.
 */
export function takeBytes(
  chunks: readonly Uint8Array[],
  limit: number,
): readonly [Uint8Array, rest: readonly Uint8Array[]] {
  const [first, ...others] = chunks;
  if (first === undefined) return [empty, []];
  if (others.length === 0 && first.length <= limit) return [first, []];
  if (first.length >= limit) return [first.subarray(0, limit), skipBytes(chunks, limit)];
  const taken: Uint8Array[] = [];
  let length = 0;
  for (const chunk of chunks) {
    const part = chunk.subarray(0, limit - length);
    taken.push(part);
    length += part.length;
    if (length === limit) break;
  }
  return [Buffer.concat(taken, length), skipBytes(chunks, limit)];
}

const empty = new Uint8Array(0);
