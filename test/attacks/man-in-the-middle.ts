/** Somebody between two honest engines, who sees and changes what is in clear but has no keys. */
import type { CryptoProvider } from '../../packages/tls13-core/src/crypto/provider.js';
import { plaintextRecords } from '../../packages/tls13-core/src/record/header.js';
import { contentTypes, handshakeTypes } from '../../packages/tls13-core/src/registry.js';
import {
  type ClientHelloToSend,
  decodeHandshake,
  encodeMessage,
  type HandshakeMessage,
  type RawExtension,
} from '../../packages/tls13-core/src/wire/index.js';
import { withExtensions } from '../../packages/tls13-core/test/engine/support/hand.js';
import { type Pair, type PairOptions, pair, type Role } from '../../packages/tls13-core/test/engine/support/pair.js';

export type Edit = (bytes: Uint8Array) => Uint8Array;

/** Rewrites the record that holds the n-th handshake message in clear of `from`, counted from 0. */
export function rewriting(from: Role, edit: Edit, index = 0): NonNullable<PairOptions['wire']> {
  let seen = 0;
  return (sender, bytes) => {
    if (sender !== from || bytes[0] !== contentTypes.handshake) return [bytes];
    seen += 1;
    return [seen - 1 === index ? edit(bytes) : bytes];
  };
}

/** The ClientHello with another body. */
export function clientHello(change: (body: ClientHelloToSend) => ClientHelloToSend): Edit {
  return onMessage('client_hello', ({ body }) => encodeMessage('client_hello', change(body)));
}

/** The ClientHello with its extensions edited as bytes. */
export function clientHelloExtensions(edit: (extensions: readonly RawExtension[]) => readonly RawExtension[]): Edit {
  return onMessage('client_hello', ({ body }) => {
    const changed = withExtensions('client_hello', body, edit);
    const header = [handshakeTypes.client_hello, 0, changed.length >> 8, changed.length & 0xff];
    return Uint8Array.from([...header, ...changed]);
  });
}

/** Edits the one message of a type that stands in a record; what follows it in the same bytes stays as it is. */
export function onMessage<Type extends HandshakeMessage['type']>(
  type: Type,
  change: (message: Extract<HandshakeMessage, { readonly type: Type }>) => Uint8Array,
): Edit {
  return (bytes) => {
    const [, , , high = 0, low = 0] = bytes;
    const end = 5 + ((high << 8) | low);
    const message = decodeHandshake(bytes.slice(5, end));
    if (!isOf(message, type)) throw new Error(`the message in clear is a ${message.type}, not a ${type}`);
    return Buffer.concat([plaintextRecords(contentTypes.handshake, change(message)), bytes.subarray(end)]);
  };
}

/** The pair after its handshake was tried: neither end may have come to trust the other. */
export function attacked(provider: CryptoProvider, options: PairOptions): Pair {
  const fresh = pair(provider, options);
  fresh.server.take(fresh.server.engine.start());
  fresh.client.take(fresh.client.engine.start());
  return fresh.exchange();
}

/** What each end thinks of the connection: the alert it failed with, `received` before the peer's, or its state. */
export function verdicts({ client, server }: Pair): { readonly client: string; readonly server: string } {
  const verdict = ({ engine }: Pair['client']) => {
    if (engine.error === undefined) return engine.state;
    return `${engine.error.received ? 'received ' : ''}${engine.error.alert}`;
  };
  return { client: verdict(client), server: verdict(server) };
}

function isOf<Type extends HandshakeMessage['type']>(
  message: HandshakeMessage,
  type: Type,
): message is Extract<HandshakeMessage, { readonly type: Type }> {
  return message.type === type;
}
