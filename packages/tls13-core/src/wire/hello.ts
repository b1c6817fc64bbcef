/** ClientHello, ServerHello and HelloRetryRequest (§4.2.2 to §4.2.4). */
import { equal } from '../bytes.js';
import { type Codec, type Decoded, type Encodable, fixed, opaque, struct, uint8, uint16, vector } from './codec.js';
import { pskBinders } from './extension-values.js';
import { clientHelloExtensions, helloRetryRequestExtensions, serverHelloExtensions } from './extensions.js';
import { Reader } from './reader.js';
import { Writer } from './writer.js';

/** §4.2.3: the SHA-256 of "HelloRetryRequest", which marks a ServerHello as one. */
export const helloRetryRequestRandom: Uint8Array = Uint8Array.of(
  ...[0xcf, 0x21, 0xad, 0x74, 0xe5, 0x9a, 0x61, 0x11, 0xbe, 0x1d, 0x8c, 0x02, 0x1e, 0x65, 0xb8, 0x91],
  ...[0xc2, 0xa2, 0x11, 0x16, 0x7a, 0xbb, 0x8c, 0x5e, 0x07, 0x9e, 0x09, 0xe2, 0xc8, 0xa8, 0x33, 0x9c],
);

/** §4.2.3: the last 8 bytes of the random of a server that speaks TLS 1.3 and negotiated 1.2, or something older. */
export const downgradeSentinels = {
  tls12: Uint8Array.of(0x44, 0x4f, 0x57, 0x4e, 0x47, 0x52, 0x44, 0x01),
  tls11: Uint8Array.of(0x44, 0x4f, 0x57, 0x4e, 0x47, 0x52, 0x44, 0x00),
} as const;

/** §4.2.2 */
export const clientHello = struct({
  legacyVersion: uint16,
  random: fixed(32),
  legacySessionId: opaque(0, 32),
  cipherSuites: vector(uint16, 2, 2 ** 16 - 2),
  legacyCompressionMethods: opaque(1, 2 ** 8 - 1),
  extensions: orAbsent(clientHelloExtensions),
});
export type ClientHello = Decoded<typeof clientHello>;
export type ClientHelloToSend = Encodable<typeof clientHello>;

/** §4.2.3 */
export const serverHello = struct({
  legacyVersion: uint16,
  random: fixed(32),
  legacySessionIdEcho: opaque(0, 32),
  cipherSuite: uint16,
  legacyCompressionMethod: uint8,
  extensions: orAbsent(serverHelloExtensions),
});
export type ServerHello = Decoded<typeof serverHello>;
export type ServerHelloToSend = Encodable<typeof serverHello>;

/** §4.2.4: a ServerHello whose `random` is `helloRetryRequestRandom`. */
export const helloRetryRequest = struct({
  legacyVersion: uint16,
  random: fixed(32),
  legacySessionIdEcho: opaque(0, 32),
  cipherSuite: uint16,
  legacyCompressionMethod: uint8,
  extensions: helloRetryRequestExtensions,
});
export type HelloRetryRequest = Decoded<typeof helloRetryRequest>;
export type HelloRetryRequestToSend = Encodable<typeof helloRetryRequest>;

/** Whether the body of a server_hello message is that of a HelloRetryRequest: legacy_version comes before the random. */
export function isHelloRetryRequest(body: Uint8Array): boolean {
  return equal(body.subarray(2, 34), helloRetryRequestRandom);
}

/** The downgrade that the end of a ServerHello's random warns of (§4.2.3), if any. */
export function downgradeSentinel(random: Uint8Array): keyof typeof downgradeSentinels | undefined {
  const end = random.subarray(-8);
  if (equal(end, downgradeSentinels.tls12)) return 'tls12';
  return equal(end, downgradeSentinels.tls11) ? 'tls11' : undefined;
}

/**
 * Truncate() of §4.3.11.2: a ClientHello message up to, not including, its binders list, as a view. `binders` are the
 * message's own, or any of the same lengths: pre_shared_key is the last extension and the binders are its last field,
 * so their size alone says where they begin.
 */
export function truncateClientHello(message: Uint8Array, binders: readonly Uint8Array[]): Uint8Array {
  return message.subarray(0, message.length - encodedBinders(binders).length);
}

/** Puts the binders into a ClientHello message that was encoded with others of the same lengths in their place. */
export function fillBinders(message: Uint8Array, binders: readonly Uint8Array[]): void {
  const bytes = encodedBinders(binders);
  const place = message.subarray(message.length - bytes.length);
  const inPlace = pskBinders.read(new Reader(place, 'binders'));
  if (inPlace.length !== binders.length || inPlace.some((entry, index) => entry.length !== binders[index]?.length)) {
    throw new RangeError('the ClientHello was encoded for binders of other lengths');
  }
  place.set(bytes);
}

function encodedBinders(binders: readonly Uint8Array[]): Uint8Array {
  const writer = new Writer();
  pskBinders.write(writer, binders);
  return writer.finish();
}

/** Before TLS 1.3 a hello could end without extensions (§4.2.2): that reads as a block with none in it. */
function orAbsent<T, Source>(extensions: Codec<T, Source>): Codec<T, Source> {
  const noExtensions = Uint8Array.of(0, 0);
  return {
    read: (reader) => extensions.read(reader.remaining > 0 ? reader : new Reader(noExtensions, 'extensions')),
    write: (writer, value) => extensions.write(writer, value),
  };
}
