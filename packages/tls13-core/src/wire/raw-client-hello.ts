/** A ClientHello as a list of extensions with opaque bodies: what Encrypted Client Hello takes apart and puts together. */
import { handshakeTypes } from '../registry.js';
import { type Decoded, encode, fixed, opaque, struct, uint16, vector } from './codec.js';
import { rawExtension } from './extension-block.js';
import { encodeHandshake, handshakeHeaderLength } from './handshake.js';
import { Reader } from './reader.js';

const rawClientHello = struct({
  legacyVersion: uint16,
  random: fixed(32),
  legacySessionId: opaque(0, 32),
  cipherSuites: opaque(2, 2 ** 16 - 2),
  legacyCompressionMethods: opaque(1, 2 ** 8 - 1),
  extensions: vector(rawExtension, 0, 2 ** 16 - 1),
});
export type RawClientHello = Decoded<typeof rawClientHello>;

/** Of a whole message, header included. */
export function decodeRawClientHello(message: Uint8Array): RawClientHello {
  return readRawClientHello(message.subarray(handshakeHeaderLength), 'ClientHello').hello;
}

/** The ClientHello, without a message's header, that `bytes` begin with, and what stands behind it. */
export function readRawClientHello(
  bytes: Uint8Array,
  what: string,
): { readonly hello: RawClientHello; readonly rest: Uint8Array } {
  const reader = new Reader(bytes, what);
  const hello = rawClientHello.read(reader);
  return { hello, rest: reader.rest() };
}

/** The structure, without a message's header. */
export function encodeRawClientHelloBody(hello: RawClientHello): Uint8Array {
  return encode(rawClientHello, hello);
}

/** The whole message, header included. */
export function encodeRawClientHello(hello: RawClientHello): Uint8Array {
  return encodeHandshake(handshakeTypes.client_hello, encodeRawClientHelloBody(hello));
}
