/** Cases: bytes that look a little like TLS, and ways to spoil good ones. */
import * as fc from 'fast-check';
import { handshakeTypes } from '../../packages/tls13-core/src/registry.js';

export const octets = (minimum: number, maximum: number): fc.Arbitrary<Uint8Array> =>
  fc.uint8Array({ minLength: minimum, maxLength: maximum });

const handshakeType: fc.Arbitrary<number> = fc.oneof(
  fc.constantFrom(...Object.values(handshakeTypes)),
  fc.integer({ min: 0, max: 255 }),
);

/** A record header and what follows it; now and then the announced length is a lie. */
export const recordLike: fc.Arbitrary<Uint8Array> = fc
  .record({
    type: fc.oneof(fc.constantFrom(20, 21, 22, 23), fc.integer({ min: 0, max: 255 })),
    version: fc.constantFrom(0x0303, 0x0301, 0x0304, 0),
    content: octets(0, 200),
    lie: fc.oneof(
      { weight: 5, arbitrary: fc.constant(0) },
      { weight: 1, arbitrary: fc.integer({ min: -5, max: 17_000 }) },
    ),
  })
  .map(({ type, version, content, lie }) => {
    const length = Math.max(0, content.length + lie);
    return Uint8Array.from([type, version >> 8, version & 255, length >> 8, length & 255, ...content]);
  });

/** A handshake message: a type, a length that may be a lie, and any body. */
export const messageLike: fc.Arbitrary<Uint8Array> = fc
  .record({ type: handshakeType, body: octets(0, 120), lie: fc.constantFrom(0, 0, 0, 0, 1, -1, 1_000, 200_000) })
  .map(({ type, body, lie }) => {
    const length = Math.max(0, body.length + lie);
    return Uint8Array.from([type, (length >> 16) & 255, (length >> 8) & 255, length & 255, ...body]);
  });

/** Even over 0 to 1, which `fc.double` is not: half of all doubles below 1 lie below 10^-154. */
const fraction: fc.Arbitrary<number> = fc.nat({ max: 2 ** 20 - 1 }).map((part) => part / 2 ** 20);

export interface Edit {
  readonly kind: 'flip' | 'set' | 'insert' | 'delete' | 'copy' | 'cut';
  /** A fraction of the length: an edit means something to bytes of any length. */
  readonly at: number;
  readonly value: number;
}

export const edits: fc.Arbitrary<readonly Edit[]> = fc.array(
  fc.record({
    kind: fc.constantFrom('flip', 'set', 'insert', 'delete', 'copy', 'cut'),
    at: fraction,
    value: fc.oneof(fc.constantFrom(0, 1, 255), fc.integer({ min: 0, max: 255 })),
  }),
  { minLength: 1, maxLength: 4 },
);

/** One bit or byte changed: everything keeps its length and its place. */
export const oneByte: fc.Arbitrary<readonly Edit[]> = fc
  .record({
    kind: fc.constantFrom('flip' as const, 'set' as const),
    at: fraction,
    value: fc.integer({ min: 0, max: 255 }),
  })
  .map((edit) => [edit]);

/** `bytes` after the edits; perhaps the same again. */
export function edited(bytes: Uint8Array, all: readonly Edit[]): Uint8Array {
  let result = Array.from(bytes);
  for (const { kind, at, value } of all) {
    const index = Math.floor(at * result.length);
    if (kind === 'flip') result[index] = (result[index] ?? 0) ^ (1 << (value & 7));
    else if (kind === 'set') result[index] = value;
    else if (kind === 'insert') result.splice(index, 0, value);
    else if (kind === 'delete') result.splice(index, 1);
    else if (kind === 'copy') result.splice(index, 0, ...result.slice(index, index + (value & 31)));
    else result = result.slice(0, index);
  }
  return Uint8Array.from(result);
}

/** Positive sizes to cut a stream by, used over and over. */
export const cuts: fc.Arbitrary<readonly number[]> = fc.array(
  fc.oneof(fc.integer({ min: 1, max: 30 }), fc.integer({ min: 1, max: 20_000 })),
  { minLength: 1, maxLength: 12 },
);

export function cut(bytes: Uint8Array, sizes: readonly number[]): Uint8Array[] {
  const pieces: Uint8Array[] = [];
  let turn = 0;
  for (let at = 0; at < bytes.length; turn += 1) {
    const size = sizes[turn % sizes.length] ?? bytes.length;
    pieces.push(bytes.subarray(at, at + size));
    at += size;
  }
  return pieces;
}
