/** Lists of byte chunks, as vectored writes take them. */

/** What a stream is given to write: strings too, so that those of one message become bytes in one place. */
export interface Written {
  readonly chunk: Uint8Array | string;
  readonly encoding: BufferEncoding;
}

/** As bytes; a short message of several parts (the head and body of a response, say) as one chunk. */
export function asChunks(items: readonly Written[]): readonly Uint8Array[] {
  let length = 0;
  for (const item of items) {
    length += lengthOf(item);
    if (length > mostJoined) return items.map(asBytes);
  }
  const joined = Buffer.allocUnsafe(length);
  let offset = 0;
  for (const { chunk, encoding } of items) {
    if (typeof chunk === 'string') {
      if (chunk.length > 0) offset += joined.write(chunk, offset, encoding);
    } else {
      joined.set(chunk, offset);
      offset += chunk.length;
    }
  }
  // Hexadecimal and base64 that are not well-formed give fewer bytes than they announce.
  return [offset === length ? joined : joined.subarray(0, offset)];
}

export function asBytes({ chunk, encoding }: Written): Uint8Array {
  return typeof chunk === 'string' ? Buffer.from(chunk, encoding) : chunk;
}

function lengthOf({ chunk, encoding }: Written): number {
  if (typeof chunk !== 'string' || encoding === 'latin1') return chunk.length;
  return Buffer.byteLength(chunk, encoding);
}

/** Of longer ones each copy would cost more than a chunk of its own. */
const mostJoined = 4_096;

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
  const first = chunks[0];
  if (first === undefined) return [empty, nothing];
  if (chunks.length === 1 && first.length <= limit) return [first, nothing];
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

/** As a Buffer, without a copy unless it shares memory with much else, all of which would be kept with it. */
export function ownBuffer(bytes: Uint8Array): Buffer {
  if (bytes.byteLength * 2 < bytes.buffer.byteLength) {
    // Buffer.from looks for longer at what it is given.
    const own = Buffer.allocUnsafe(bytes.length);
    own.set(bytes);
    return own;
  }
  return Buffer.isBuffer(bytes) ? bytes : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

const empty = new Uint8Array(0);
const nothing: readonly Uint8Array[] = [];
