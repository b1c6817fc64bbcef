/** Certificates around a given public key, in DER: enough for `certificateKey`, which verifies no signature of theirs. */
import { concat } from '../../packages/tls13-core/src/bytes.js';
import { fromHex } from './hex.js';

/** A version 1 certificate with this SubjectPublicKeyInfo for `CN=test`, and a signature that is not one. */
export function certificateOf(subjectPublicKeyInfo: Uint8Array, issuer = 'test'): Uint8Array {
  const ecdsaWithSha256 = sequence(fromHex('06082a8648ce3d040302'));
  const time = (text: string) => der(0x17, new TextEncoder().encode(text));
  const toBeSigned = sequence(
    der(0x02, Uint8Array.of(1)),
    ecdsaWithSha256,
    nameOf(issuer),
    sequence(time('200101000000Z'), time('490101000000Z')),
    nameOf('test'),
    subjectPublicKeyInfo,
  );
  const noSignature = sequence(der(0x02, Uint8Array.of(1)), der(0x02, Uint8Array.of(1)));
  return sequence(toBeSigned, ecdsaWithSha256, der(0x03, concat(Uint8Array.of(0), noSignature)));
}

/** A distinguished name of a common name alone. */
export function nameOf(commonName: string): Uint8Array {
  return sequence(der(0x31, sequence(fromHex('0603550403'), der(0x0c, new TextEncoder().encode(commonName)))));
}

function sequence(...parts: Uint8Array[]): Uint8Array {
  return der(0x30, concat(...parts));
}

function der(tag: number, content: Uint8Array): Uint8Array {
  const length = content.length;
  const header =
    length < 0x80 ? [tag, length] : length < 0x100 ? [tag, 0x81, length] : [tag, 0x82, length >> 8, length & 0xff];
  return concat(Uint8Array.from(header), content);
}
