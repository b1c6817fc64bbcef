/** EncodedClientHelloInner (RFC 9849 §5.1): what the payload of encrypted_client_hello holds, made and read. */
import { TlsError } from '../../alert.js';
import { concat } from '../../bytes.js';
import { extensionTypes, nameOf, protocolVersions } from '../../registry.js';
import { decode, encode } from '../../wire/codec.js';
import { echOuterExtensions } from '../../wire/ech.js';
import type { RawExtension } from '../../wire/extension-block.js';
import { decodeHandshake } from '../../wire/index.js';
import {
  encodeRawClientHello,
  encodeRawClientHelloBody,
  type RawClientHello,
  readRawClientHello,
} from '../../wire/raw-client-hello.js';
import type { MessageOf } from '../step.js';

/**
 * What only the inner ClientHello says, and so is never replaced by a reference: the outer one has a server_name and PSKs
 * of its own, and that they are the same would be told by a reference.
 */
export const innerOnly: ReadonlySet<number> = new Set([
  extensionTypes.server_name,
  extensionTypes.encrypted_client_hello,
  extensionTypes.pre_shared_key,
]);

/**
 * The padded EncodedClientHelloInner of an inner ClientHello whose extensions other than `innerOnly` stand together and
 * are in the outer ClientHello too, in the same order.
 */
export function encodeInner(inner: RawClientHello, nameLength: number | undefined, longestName: number): Uint8Array {
  const references = inner.extensions.filter(({ type }) => !innerOnly.has(type));
  const first = inner.extensions.findIndex(({ type }) => !innerOnly.has(type));
  const outerExtensions: RawExtension = {
    type: extensionTypes.ech_outer_extensions,
    data: encode(
      echOuterExtensions,
      references.map(({ type }) => type),
    ),
  };
  const extensions = [
    ...inner.extensions.slice(0, first),
    outerExtensions,
    ...inner.extensions.slice(first + references.length),
  ];
  const encoded = encodeRawClientHelloBody({ ...inner, legacySessionId: noBytes, extensions });
  return concat(encoded, new Uint8Array(paddingLength(encoded.length, nameLength, longestName)));
}

/** §6.1.3: as if the name were the longest of the server's, then up to a multiple of 32. */
export function paddingLength(encodedLength: number, nameLength: number | undefined, longestName: number): number {
  const forName = nameLength === undefined ? longestName + serverNameOverhead : Math.max(0, longestName - nameLength);
  return forName + 31 - ((encodedLength + forName - 1) % 32);
}

/** Bytes of a server_name extension beside the name. */
const serverNameOverhead = 9;

/** ClientHelloInner as a message (§5.1, §7.1). Throws TlsError with the alert that the section demands. */
export function decodeInner(encoded: Uint8Array, outer: RawClientHello): MessageOf<'client_hello'> {
  const { hello, rest: padding } = readRawClientHello(encoded, 'EncodedClientHelloInner');
  if (padding.some((byte) => byte !== 0)) throw wrong('has padding that is not zero', '5.1');
  if (hello.legacySessionId.length > 0) throw wrong('has a legacy_session_id of its own', '5.1');
  const message = decodeHandshake(
    encodeRawClientHello({
      ...hello,
      legacySessionId: outer.legacySessionId,
      extensions: expanded(hello.extensions, outer.extensions),
    }),
  );
  if (message.type !== 'client_hello') throw new TypeError('a ClientHello was encoded as another message');
  const { encryptedClientHello, supportedVersions } = message.body.extensions;
  if (encryptedClientHello?.type !== 'inner') throw wrong('has no encrypted_client_hello of type inner', '7.1');
  if (supportedVersions === undefined) throw wrong('has no supported_versions', '7.1');
  const old = supportedVersions.find((version) => oldVersions.has(version));
  if (old !== undefined) throw wrong(`offers ${nameOf(protocolVersions, old)}; wanted is TLS 1.3 alone`, '7.1');
  return message;
}

const noBytes = new Uint8Array(0);
const oldVersions: ReadonlySet<number> = new Set([
  0x0300,
  protocolVersions.tls10,
  protocolVersions.tls11,
  protocolVersions.tls12,
]);

/** The procedure of Appendix A: each extension of the outer ClientHello is looked at once and taken at most once. */
function expanded(extensions: readonly RawExtension[], outer: readonly RawExtension[]): readonly RawExtension[] {
  const index = extensions.findIndex(({ type }) => type === extensionTypes.ech_outer_extensions);
  const reference = extensions[index];
  if (reference === undefined) return extensions;
  const taken: RawExtension[] = [];
  let next = 0;
  for (const wanted of decode(echOuterExtensions, reference.data, 'ech_outer_extensions')) {
    if (wanted === extensionTypes.encrypted_client_hello) throw badReference(wanted, 'which may not be referred to');
    while (next < outer.length && outer[next]?.type !== wanted) next++;
    const found = outer[next];
    if (found === undefined) throw badReference(wanted, 'which the outer ClientHello does not hold there');
    taken.push(found);
    next++;
  }
  return [...extensions.slice(0, index), ...taken, ...extensions.slice(index + 1)];
}

function badReference(type: number, what: string): TlsError {
  return wrong(`refers to ${nameOf(extensionTypes, type)}, ${what}`, '5.1');
}

function wrong(what: string, section: string): TlsError {
  return new TlsError('illegal_parameter', `the inner ClientHello ${what} (RFC 9849 §${section})`);
}
