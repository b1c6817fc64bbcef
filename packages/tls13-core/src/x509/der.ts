/** As much DER (X.690) as certificates take (RFC 5280): elements of one-byte tags and definite lengths, read and written. */
import { TlsError } from '../alert.js';
import { concat } from '../bytes.js';

export interface DerElement {
  readonly tag: number;
  readonly content: Uint8Array;
  /** The whole element, tag and length included. */
  readonly bytes: Uint8Array;
}

export const derTags = {
  boolean: 0x01,
  integer: 0x02,
  bitString: 0x03,
  octetString: 0x04,
  objectIdentifier: 0x06,
  utcTime: 0x17,
  generalizedTime: 0x18,
  sequence: 0x30,
} as const;

/** The one element that `bytes` are. Throws decode_error. */
export function derWhole(bytes: Uint8Array): DerElement {
  const [element, ...others] = derElements(bytes);
  if (element === undefined || others.length > 0) throw malformed();
  return element;
}

/** What is in a SEQUENCE. Throws decode_error. */
export function derSequence(element: DerElement | undefined): readonly DerElement[] {
  if (element?.tag !== derTags.sequence) throw malformed();
  return derElements(element.content);
}

/** Elements one after another. Throws decode_error. */
export function derElements(bytes: Uint8Array): readonly DerElement[] {
  const found: DerElement[] = [];
  let rest = bytes;
  while (rest.length > 0) {
    const { header, length } = measure(rest);
    const end = header + length;
    if (end > rest.length) throw malformed();
    found.push({ tag: rest[0] ?? 0, content: rest.subarray(header, end), bytes: rest.subarray(0, end) });
    rest = rest.subarray(end);
  }
  return found;
}

/** An OBJECT IDENTIFIER's content in the dotted notation; `undefined` for what is none, or is longer than any. */
export function objectIdentifier(content: Uint8Array): string | undefined {
  const { length } = content;
  if (length === 0 || length > longestIdentifier || ((content.at(-1) ?? 0x80) & 0x80) !== 0) return undefined;
  const arcs: bigint[] = [];
  let arc = 0n;
  for (const byte of content) {
    arc = arc * 128n + BigInt(byte & 0x7f);
    if ((byte & 0x80) !== 0) continue;
    arcs.push(arc);
    arc = 0n;
  }
  const [first = 0n, ...others] = arcs;
  const root = first < 80n ? first / 40n : 2n;
  return [root, first - root * 40n, ...others].join('.');
}

/** The content of the OBJECT IDENTIFIER that the dotted notation names. Throws TypeError for what is none. */
export function objectIdentifierBytes(dotted: string): Uint8Array {
  if (!/^[0-2](?:\.(?:0|[1-9]\d{0,38}))+$/.test(dotted)) {
    throw new TypeError(`${JSON.stringify(dotted)} is not an object identifier, such as 2.5.29.15`);
  }
  const [root = 0n, second = 0n, ...others] = dotted.split('.').map(BigInt);
  return Uint8Array.from([root * 40n + second, ...others].flatMap(arcBytes));
}

/** An element around the parts. */
export function derElement(tag: number, ...parts: readonly Uint8Array[]): Uint8Array {
  const content = concat(...parts);
  const { length } = content;
  const digits = length < 0x100 ? [length] : length < 0x10000 ? [length >> 8, length & 0xff] : undefined;
  if (digits === undefined) throw new RangeError(`${length} bytes do not go into one element here`);
  const header = length < 0x80 ? [tag, length] : [tag, 0x80 | digits.length, ...digits];
  return concat(Uint8Array.from(header), content);
}

/** Bytes: what an OIDFilter can name (§4.3.5). */
const longestIdentifier = 255;

function arcBytes(arc: bigint): readonly number[] {
  const digits = [Number(arc & 0x7fn)];
  for (let rest = arc >> 7n; rest > 0n; rest >>= 7n) digits.unshift(Number(rest & 0x7fn) | 0x80);
  return digits;
}

/** Bytes of an element's tag and length, and of its content. */
function measure(bytes: Uint8Array): { readonly header: number; readonly length: number } {
  const first = bytes[1] ?? 0;
  if (first < 0x80) return { header: 2, length: first };
  const header = 2 + (first & 0x7f);
  // No certificate is longer than its length field of three bytes (§4.5.1).
  if (header > 5) throw malformed();
  return { header, length: bytes.subarray(2, header).reduce((length, byte) => length * 256 + byte, 0) };
}

function malformed(): TlsError {
  return new TlsError('decode_error', 'the certificate is not well-formed DER (§4.5.1)');
}
