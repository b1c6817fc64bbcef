/** ECH by hand: configs with their keys, ClientHellos whose inside says whatever a test wants, and the wire between two ends. */
import { concat } from '../../src/bytes.js';
import { hpkeSender } from '../../src/crypto/hpke.js';
import { nobleProvider } from '../../src/crypto/noble.js';
import { hpkeInfo } from '../../src/ech/config.js';
import { type GeneratedEchKey, generateEchConfig } from '../../src/ech/generate.js';
import { createEchKeys, type EchKey } from '../../src/ech/keys.js';
import { createClientEngine } from '../../src/engine/index.js';
import { contentTypes, extensionTypes, handshakeTypes } from '../../src/registry.js';
import { encode } from '../../src/wire/codec.js';
import { decodeEchConfig, type EchClientHelloOuter, echClientHello } from '../../src/wire/ech.js';
import type { RawExtension } from '../../src/wire/extension-block.js';
import { serverName } from '../../src/wire/extension-values.js';
import {
  decodeRawClientHello,
  encodeRawClientHello,
  encodeRawClientHelloBody,
  type RawClientHello,
} from '../../src/wire/raw-client-hello.js';
import { clientConfig, type Role } from '../engine/support/pair.js';

export const provider = nobleProvider;
export const publicName = 'public.example';

export function newKey(configId = 7): GeneratedEchKey {
  return generateEchConfig(provider, { publicName, configId });
}

export const keys = (...given: readonly EchKey[]) => createEchKeys(provider, given);

export const marker: RawExtension = {
  type: extensionTypes.encrypted_client_hello,
  data: encode(echClientHello, { type: 'inner' }),
};

export function references(...types: readonly number[]): RawExtension {
  const list = types.flatMap((type) => [type >> 8, type & 0xff]);
  return { type: extensionTypes.ech_outer_extensions, data: Uint8Array.of(list.length, ...list) };
}

export const named = (name: string): RawExtension => ({
  type: extensionTypes.server_name,
  data: encode(serverName, name),
});

export interface Crafted {
  /** Of the EncodedClientHelloInner; what a correct client would send is the default. */
  readonly inner?: (plain: RawClientHello) => Partial<RawClientHello>;
  readonly outer?: (plain: RawClientHello) => Partial<RawClientHello>;
  readonly padding?: Uint8Array;
  readonly extension?: Partial<EchClientHelloOuter>;
}

/** The record of a first ClientHello, encrypted to the key. */
export function crafted(key: GeneratedEchKey, { inner, outer, padding, extension }: Crafted = {}): Uint8Array {
  const { contents } = decodeEchConfig(key.config);
  const suite = { kem: 'DHKEM_X25519_HKDF_SHA256', kdf: 'HKDF_SHA256', aead: 'AES_128_GCM' } as const;
  const sender = contents && hpkeSender(provider, suite, contents.publicKey, hpkeInfo(key.config));
  if (contents === undefined || sender === undefined) throw new Error('the key is no key');
  const plain = plainHello();
  const encoded = encodeRawClientHelloBody({
    ...plain,
    legacySessionId: new Uint8Array(0),
    extensions: [...plain.extensions, marker],
    ...inner?.(plain),
  });
  const content = concat(encoded, padding ?? new Uint8Array(32 - (encoded.length % 32)));
  const blank: EchClientHelloOuter = {
    type: 'outer',
    suite: { kdf: 1, aead: 1 },
    configId: contents.configId,
    enc: sender.enc,
    payload: new Uint8Array(content.length + sender.overhead),
    ...extension,
  };
  const base = {
    ...plain,
    random: new Uint8Array(32).fill(9),
    extensions: plain.extensions.map((one) => (one.type === extensionTypes.server_name ? named(publicName) : one)),
    ...outer?.(plain),
  };
  const withEch = (value: EchClientHelloOuter) => ({
    ...base,
    extensions: [...base.extensions, { type: marker.type, data: encode(echClientHello, value) }],
  });
  const payload = sender.seal(encodeRawClientHelloBody(withEch(blank)), content);
  return record(encodeRawClientHello(withEch({ ...blank, payload })));
}

/** What a client without ECH says. */
export function plainHello(): RawClientHello {
  const client = createClientEngine(clientConfig(provider, { groups: ['x25519'], serverName: 'secret.example' }));
  const [first] = client.start();
  if (first?.type !== 'transmit') throw new Error('the client says nothing');
  return decodeRawClientHello(first.data.subarray(5));
}

export function record(message: Uint8Array): Uint8Array {
  return concat(Uint8Array.of(contentTypes.handshake, 3, 1, message.length >> 8, message.length & 0xff), message);
}

/** The handshake messages of records in clear. */
export function messagesOf(bytes: Uint8Array): readonly Uint8Array[] {
  return recordsOf(bytes).flatMap((one) => (one[0] === contentTypes.handshake ? [one.subarray(5)] : []));
}

export function recordsOf(bytes: Uint8Array): readonly Uint8Array[] {
  const records: Uint8Array[] = [];
  for (let rest = bytes; rest.length > 0; ) {
    const length = 5 + (rest[3] ?? 0) * 256 + (rest[4] ?? 0);
    records.push(rest.subarray(0, length));
    rest = rest.subarray(length);
  }
  return records;
}

/** Changes the messages of one type that one side sends in clear; `count` says the how many-th it is, from 1. */
export function meddling(
  who: Role,
  type: 'client_hello' | 'server_hello',
  change: (message: Uint8Array, count: number) => Uint8Array,
): (from: Role, bytes: Uint8Array) => readonly Uint8Array[] {
  let count = 0;
  return (from, bytes) => {
    if (from !== who) return [bytes];
    return recordsOf(bytes).map((one) => {
      if (one[0] !== contentTypes.handshake || one[5] !== handshakeTypes[type]) return one;
      count++;
      return record(change(one.slice(5), count));
    });
  };
}

export function changedHello(message: Uint8Array, change: (hello: RawClientHello) => RawClientHello): Uint8Array {
  return encodeRawClientHello(change(decodeRawClientHello(message)));
}
