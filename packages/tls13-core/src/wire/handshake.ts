/** The Handshake structure (§4): from whole messages to typed values and back. */
import { TlsError } from '../alert.js';
import { handshakeTypes, nameOf } from '../registry.js';
import * as authentication from './authentication.js';
import { type Codec, decode, rest, uint8, uint24 } from './codec.js';
import * as hello from './hello.js';
import * as postHandshake from './post-handshake.js';
import { Reader } from './reader.js';
import { Writer } from './writer.js';

/** What each message is read as. A HelloRetryRequest is a server_hello on the wire. */
export interface MessageBodies {
  readonly client_hello: hello.ClientHello;
  readonly server_hello: hello.ServerHello;
  readonly hello_retry_request: hello.HelloRetryRequest;
  readonly new_session_ticket: postHandshake.NewSessionTicket;
  readonly end_of_early_data: postHandshake.EndOfEarlyData;
  readonly encrypted_extensions: authentication.EncryptedExtensions;
  readonly certificate: authentication.Certificate;
  readonly compressed_certificate: authentication.CompressedCertificate;
  readonly certificate_request: authentication.CertificateRequest;
  readonly certificate_verify: authentication.CertificateVerify;
  readonly finished: authentication.Finished;
  readonly key_update: postHandshake.KeyUpdate;
}
export type HandshakeMessageType = keyof MessageBodies;

/** What each message is written from. */
export interface MessageBodiesToSend {
  readonly client_hello: hello.ClientHelloToSend;
  readonly server_hello: hello.ServerHelloToSend;
  readonly hello_retry_request: hello.HelloRetryRequestToSend;
  readonly new_session_ticket: postHandshake.NewSessionTicketToSend;
  readonly end_of_early_data: postHandshake.EndOfEarlyData;
  readonly encrypted_extensions: authentication.EncryptedExtensionsToSend;
  readonly certificate: authentication.CertificateToSend;
  readonly compressed_certificate: authentication.CompressedCertificate;
  readonly certificate_request: authentication.CertificateRequestToSend;
  readonly certificate_verify: authentication.CertificateVerify;
  readonly finished: authentication.Finished;
  readonly key_update: postHandshake.KeyUpdate;
}

export interface Message<Type extends HandshakeMessageType> {
  readonly type: Type;
  /** Its byte strings are views into `bytes`. */
  readonly body: MessageBodies[Type];
  /** Exactly as received, header included: what the transcript hashes (§4.1). */
  readonly bytes: Uint8Array;
}

export type HandshakeMessage = { readonly [Type in HandshakeMessageType]: Message<Type> }[HandshakeMessageType];

/** Bytes of msg_type and length. */
export const handshakeHeaderLength = 4;

/** Bytes of the whole message, header included, that begins with `bytes`; `undefined` while its header is not there. */
export function handshakeLength(bytes: Uint8Array): number | undefined {
  if (bytes.length < handshakeHeaderLength) return undefined;
  return handshakeHeaderLength + new Reader(bytes.subarray(1, handshakeHeaderLength), 'Handshake').uint(3);
}

export interface DecodeContext {
  /** Bytes of the handshake's hash, once it is known: the length of a Finished (§4.5.3). */
  readonly hashLength?: number | undefined;
}

/**
 * One whole handshake message, header included. A type that TLS 1.3 does not have, or that this library does not speak,
 * is an unexpected_message; what does not follow its syntax is a decode_error.
 */
export function decodeHandshake(bytes: Uint8Array, context: DecodeContext = {}): HandshakeMessage {
  const reader = new Reader(bytes, 'Handshake');
  const type = uint8.read(reader);
  const body = reader.child(uint24.read(reader)).rest();
  reader.end();
  switch (type) {
    case handshakeTypes.client_hello:
      return message('client_hello', body, bytes);
    case handshakeTypes.server_hello:
      if (hello.isHelloRetryRequest(body)) return message('hello_retry_request', body, bytes);
      return message('server_hello', body, bytes);
    case handshakeTypes.new_session_ticket:
      return message('new_session_ticket', body, bytes);
    case handshakeTypes.end_of_early_data:
      return message('end_of_early_data', body, bytes);
    case handshakeTypes.encrypted_extensions:
      return message('encrypted_extensions', body, bytes);
    case handshakeTypes.certificate:
      return message('certificate', body, bytes);
    case handshakeTypes.compressed_certificate:
      return message('compressed_certificate', body, bytes);
    case handshakeTypes.certificate_request:
      return message('certificate_request', body, bytes);
    case handshakeTypes.certificate_verify:
      return message('certificate_verify', body, bytes);
    case handshakeTypes.finished: {
      const { hashLength } = context;
      if (hashLength !== undefined && body.length !== hashLength) {
        throw new TlsError('decode_error', `Finished of ${body.length} bytes where the hash has ${hashLength}`);
      }
      return message('finished', body, bytes);
    }
    case handshakeTypes.key_update:
      return message('key_update', body, bytes);
    default:
      throw new TlsError(
        'unexpected_message',
        `handshake message ${nameOf(handshakeTypes, type)} is not one to receive`,
      );
  }
}

/** One whole handshake message, header included. Throws RangeError where a value is outside the RFC's bounds. */
export function encodeMessage<Type extends HandshakeMessageType>(
  type: Type,
  body: MessageBodiesToSend[Type],
): Uint8Array {
  return write(wireType(type), codecs[type], body);
}

/** A handshake message of any type around a body that is encoded already, such as the message_hash of §4.1. */
export function encodeHandshake(type: number, body: Uint8Array): Uint8Array {
  return write(type, rest, body);
}

const codecs: {
  readonly [Type in HandshakeMessageType]: Codec<MessageBodies[Type], MessageBodiesToSend[Type]>;
} = {
  client_hello: hello.clientHello,
  server_hello: hello.serverHello,
  hello_retry_request: hello.helloRetryRequest,
  new_session_ticket: postHandshake.newSessionTicket,
  end_of_early_data: postHandshake.endOfEarlyData,
  encrypted_extensions: authentication.encryptedExtensions,
  certificate: authentication.certificate,
  compressed_certificate: authentication.compressedCertificate,
  certificate_request: authentication.certificateRequest,
  certificate_verify: authentication.certificateVerify,
  finished: authentication.finished,
  key_update: postHandshake.keyUpdate,
};

function message<Type extends HandshakeMessageType>(type: Type, body: Uint8Array, bytes: Uint8Array): Message<Type> {
  return { type, body: decode(codecs[type], body, type), bytes };
}

function write<Source>(type: number, codec: Codec<unknown, Source>, body: Source): Uint8Array {
  const writer = new Writer();
  writer.uint(1, type);
  const start = writer.begin(3);
  codec.write(writer, body);
  writer.end(start, 3, 0, 2 ** 24 - 1);
  return writer.finish();
}

function wireType(type: HandshakeMessageType): number {
  return type === 'hello_retry_request' ? handshakeTypes.server_hello : handshakeTypes[type];
}
