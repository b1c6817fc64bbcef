/** How a server shows that it took the inner ClientHello (RFC 9849 §7.2): eight bytes that only who has read it can make. */
import { hkdfExpandLabel, hkdfExtract } from '../../crypto/hkdf.js';
import type { Transcript } from '../../keys/transcript.js';
import { extensionTypes } from '../../registry.js';
import { decodeHandshake, handshakeHeaderLength } from '../../wire/index.js';

/** Bytes. */
export const confirmationLength = 8;

/** What a confirmation depends on. */
export interface ToConfirm {
  /** Of the inner ClientHello; after a HelloRetryRequest both have the same. */
  readonly innerRandom: Uint8Array;
  /** Through the inner ClientHello that the message answers. */
  readonly transcript: Transcript;
  /** The ServerHello or HelloRetryRequest, header included; what stands in the confirmation's place does not matter. */
  readonly message: Uint8Array;
}

/** accept_confirmation (§7.2), for the last eight bytes of ServerHello.random. */
export function serverHelloConfirmation(to: ToConfirm): Uint8Array {
  return confirmation(to, 'ech accept confirmation', serverHelloPlace);
}

/** hrr_accept_confirmation (§7.2.1), for the extension of a HelloRetryRequest. */
export function retryConfirmation(to: ToConfirm): Uint8Array {
  return confirmation(to, 'hrr ech accept confirmation', retryPlace(to.message));
}

/** Writes the confirmation into a ServerHello. */
export function confirmServerHello(to: ToConfirm): void {
  to.message.set(serverHelloConfirmation(to), serverHelloPlace);
}

/** Writes the confirmation into a HelloRetryRequest, which has the extension with eight bytes in it. */
export function confirmRetry(to: ToConfirm): void {
  to.message.set(retryConfirmation(to), retryPlace(to.message));
}

/** Behind legacy_version, the last eight bytes of the random. */
const serverHelloPlace = handshakeHeaderLength + 2 + 32 - confirmationLength;

function retryPlace(message: Uint8Array): number {
  const decoded = decodeHandshake(message);
  const raw = decoded.type === 'hello_retry_request' ? decoded.body.extensions.raw : undefined;
  const place = raw?.get(extensionTypes.encrypted_client_hello);
  if (place === undefined) throw new TypeError('a HelloRetryRequest without encrypted_client_hello confirms nothing');
  return place.byteOffset - message.byteOffset;
}

function confirmation({ innerRandom, transcript, message }: ToConfirm, label: string, place: number): Uint8Array {
  const { hash } = transcript;
  const blank = message.slice();
  blank.fill(0, place, place + confirmationLength);
  const secret = hkdfExtract(hash, new Uint8Array(hash.length), innerRandom);
  const made = hkdfExpandLabel(hash, secret, label, transcript.append(blank).digest(), confirmationLength);
  secret.fill(0);
  return made;
}
