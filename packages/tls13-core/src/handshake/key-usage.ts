/**
 * Whether a certificate lets its key sign (§4.5.1.2). As little X.509 as that takes: a provider reads the key itself, and
 * `verifyPeer` judges the chain.
 */
import { TlsError } from '../alert.js';

/**
 * False when there is a Key Usage extension without digitalSignature (RFC 5280 §4.2.1.3). Throws decode_error for what
 * is no certificate in DER.
 */
export function maySign(certificate: Uint8Array): boolean {
  const [toBeSigned] = sequence(whole(certificate));
  const wrapped = sequence(toBeSigned).find(({ tag }) => tag === tags.extensions);
  if (wrapped === undefined) return true;
  for (const extension of sequence(elements(wrapped.content)[0])) {
    const [name, ...rest] = sequence(extension);
    if (name === undefined || !isKeyUsage(name.content)) continue;
    // `critical` may stand between the name and the value.
    const [bits] = elements(rest.at(-1)?.content ?? nothing);
    return bits?.tag === tags.bitString && ((bits.content[1] ?? 0) & digitalSignature) !== 0;
  }
  return true;
}

const tags = { bitString: 0x03, sequence: 0x30, extensions: 0xa3 } as const;
/** 2.5.29.15 */
const keyUsage = Uint8Array.of(0x55, 0x1d, 0x0f);
/** The first bit of the string. */
const digitalSignature = 0x80;

interface Element {
  readonly tag: number;
  readonly content: Uint8Array;
}

function isKeyUsage(name: Uint8Array): boolean {
  return name.length === keyUsage.length && name.every((byte, index) => byte === keyUsage[index]);
}

function whole(bytes: Uint8Array): Element {
  const [element, ...others] = elements(bytes);
  if (element === undefined || others.length > 0) throw malformed();
  return element;
}

function sequence(element: Element | undefined): readonly Element[] {
  if (element?.tag !== tags.sequence) throw malformed();
  return elements(element.content);
}

function elements(bytes: Uint8Array): readonly Element[] {
  const found: Element[] = [];
  let rest = bytes;
  while (rest.length > 0) {
    const { header, length } = measure(rest);
    if (header + length > rest.length) throw malformed();
    found.push({ tag: rest[0] ?? 0, content: rest.subarray(header, header + length) });
    rest = rest.subarray(header + length);
  }
  return found;
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

const nothing = new Uint8Array(0);
