/** Changes of a right ClientHello, for the tests of what a server refuses. */
import type { CryptoProvider } from '../../../src/crypto/provider.js';
import { extensionTypes, namedGroups } from '../../../src/registry.js';
import type { ClientHelloToSend } from '../../../src/wire/index.js';
import { type Change, withExtensions, without } from './hand.js';

export type Extensions = ClientHelloToSend['extensions'];

/** The right ClientHello with some extensions replaced. */
export const changed =
  (changes: (right: Extensions) => Partial<Extensions>): Change<'client_hello'> =>
  (right) => ({ ...right, extensions: { ...right.extensions, ...changes(right.extensions) } });

/** The right ClientHello with its block of extensions edited as bytes. */
export const edited =
  (edit: Parameters<typeof withExtensions>[2]): Change<'client_hello'> =>
  (right) =>
    withExtensions('client_hello', right, edit);

export const withoutExtension = (name: keyof typeof extensionTypes) => edited(without(extensionTypes[name]));

/** A fresh share, its private half thrown away. */
export const share = (provider: CryptoProvider, group: keyof typeof namedGroups) => ({
  group: namedGroups[group],
  keyExchange: provider.generateKeyShare(group).keyExchange,
});

/** A PSK that nobody knows. */
export const pskOf = (length = 32) => ({
  identities: [{ identity: Uint8Array.of(1, 2, 3), obfuscatedTicketAge: 0 }],
  binders: [new Uint8Array(length)],
});
