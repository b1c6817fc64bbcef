/**
 * A ClientHello by itself, of any version of TLS, read from the first bytes of a connection before anything is
 * answered (§4.2.2): whoever stands in front of several servers, or several stacks, decides by it.
 */
import { TlsError } from './alert.js';
import type { ClientHelloInfo } from './config/index.js';
import { headerLength, parseHeader } from './record/header.js';
import {
  type CertificateTypeName,
  certificateTypes,
  contentTypes,
  extensionTypes,
  handshakeTypes,
  knownName,
} from './registry.js';
import { type Codec, decode, fixed, opaque, rest, struct, uint16, vector } from './wire/codec.js';
import * as values from './wire/extension-values.js';

/** What the bytes of a connection's beginning are so far. */
export type ClientHelloRead =
  | { readonly hello: ClientHelloInfo }
  /** Not all of it: so many bytes must have come in all, at the least. */
  | { readonly wanted: number };

/**
 * Reads the ClientHello at the beginning of a connection; what follows it is not looked at. Nothing is negotiated
 * here: extensions that are missing or malformed read as empty lists, and the versions may be older than TLS 1.3.
 *
 * `longest` is the most bytes the message may have, default 131,072. Throws TlsError `unexpected_message`,
 * `record_overflow`, `illegal_parameter` or `decode_error` for anything but a ClientHello.
 */
export function readClientHello(bytes: Uint8Array, longest = 131_072): ClientHelloRead {
  // Fragments may be of one byte each, so they are joined in a buffer that is made once.
  const joined = new Uint8Array(bytes.length);
  let message = joined.subarray(0, 0);
  let offset = 0;
  while (offset + headerLength <= bytes.length) {
    const start = offset + headerLength;
    const end = start + fragmentLength(bytes, offset);
    const fragment = bytes.subarray(start, end);
    joined.set(fragment, message.length);
    message = joined.subarray(0, message.length + fragment.length);
    const length = messageLength(message, longest);
    if (length !== undefined && message.length >= length) return { hello: clientHelloInfo(message.slice(0, length)) };
    // However it is cut into records, the rest of the message is at least so many bytes more.
    if (end > bytes.length) return { wanted: Math.max(end, bytes.length + (length ?? 0) - message.length) };
    offset = end;
  }
  const missing = (messageLength(message, longest) ?? 0) - message.length;
  return { wanted: Math.max(offset + headerLength, bytes.length + missing) };
}

/** What a ClientHello says of itself; `message` with its header. Throws TlsError `decode_error` when it is none. */
export function clientHelloInfo(message: Uint8Array): ClientHelloInfo {
  const hello = decode(anyClientHello, message.subarray(messageHeader), 'client_hello');
  const extensions = hello.extensions.length === 0 ? [] : decode(extensionList, hello.extensions, 'client_hello');
  const body = (type: number) => extensions.find((extension) => extension.type === type)?.data;
  const listed = <T>(type: number, codec: Codec<readonly T[]>) => orEmpty(body(type), codec);
  const name = body(extensionTypes.server_name);
  const signatureSchemes = listed(extensionTypes.signature_algorithms, values.signatureSchemeList);
  return {
    legacyVersion: hello.legacyVersion,
    versions: listed(extensionTypes.supported_versions, values.supportedVersions),
    serverName: name === undefined ? undefined : orNothing(name, values.serverName),
    certificateTypes: shownTypes(body(extensionTypes.server_certificate_type)),
    alpnProtocols: listed(extensionTypes.application_layer_protocol_negotiation, values.protocolNameList),
    cipherSuites: hello.cipherSuites,
    groups: listed(extensionTypes.supported_groups, values.namedGroupList),
    signatureSchemes,
    certificateSignatureSchemes:
      body(extensionTypes.signature_algorithms_cert) === undefined
        ? signatureSchemes
        : listed(extensionTypes.signature_algorithms_cert, values.signatureSchemeList),
    delegatedCredentialSchemes: listed(extensionTypes.delegated_credential, values.signatureSchemeList),
    certificateAuthorities: listed(extensionTypes.certificate_authorities, values.certificateAuthorities),
    extensionTypes: extensions.map(({ type }) => type),
    bytes: message,
  };
}

/** RFC 7250: without the extension it is certificates. */
function shownTypes(list: Uint8Array | undefined): readonly CertificateTypeName[] {
  if (list === undefined) return ['x509'];
  return orEmpty(list, values.certificateTypeList)
    .map((code) => knownName(certificateTypes, code))
    .filter((name) => name !== undefined);
}

const messageHeader = 4;

/** Of every version: what stands behind the compression methods, if anything, is extensions. */
const anyClientHello = struct({
  legacyVersion: uint16,
  random: fixed(32),
  legacySessionId: opaque(0, 32),
  cipherSuites: vector(uint16, 2, 2 ** 16 - 2),
  legacyCompressionMethods: opaque(1, 2 ** 8 - 1),
  extensions: rest,
});

const extensionList = vector(struct({ type: uint16, data: opaque(0, 2 ** 16 - 1) }), 0, 2 ** 16 - 1);

/** Of the record that begins at `offset`, which must be one of the handshake. */
function fragmentLength(bytes: Uint8Array, offset: number): number {
  const { contentType, length } = parseHeader(bytes, offset);
  if (contentType === contentTypes.handshake && length > 0) return length;
  throw new TlsError(
    'unexpected_message',
    `a record of type ${contentType}, ${length} bytes, where a ClientHello is due`,
  );
}

/** Header included; `undefined` while that is not all there. */
function messageLength(message: Uint8Array, longest: number): number | undefined {
  const [type, high = 0, middle = 0, low = 0] = message;
  if (type !== undefined && type !== handshakeTypes.client_hello) {
    throw new TlsError('unexpected_message', `a connection begins with handshake message ${type}, not a ClientHello`);
  }
  if (message.length < messageHeader) return undefined;
  const length = messageHeader + ((high << 16) | (middle << 8) | low);
  if (length <= longest) return length;
  throw new TlsError('illegal_parameter', `a ClientHello of ${length} bytes; at most ${longest} are accepted`);
}

function orEmpty<T>(body: Uint8Array | undefined, codec: Codec<readonly T[]>): readonly T[] {
  return (body === undefined ? undefined : orNothing(body, codec)) ?? [];
}

function orNothing<T>(body: Uint8Array, codec: Codec<T, never>): T | undefined {
  try {
    return decode(codec, body, 'extension');
  } catch (error) {
    if (error instanceof TlsError) return undefined;
    throw error;
  }
}
