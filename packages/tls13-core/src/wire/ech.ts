/** Encrypted Client Hello on the wire (RFC 9849): the extension in each message, ECHConfigList, and the inner ClientHello. */
import { concat } from '../bytes.js';
import { extensionTypes } from '../registry.js';
import {
  type Codec,
  type Decoded,
  decode,
  encode,
  fixed,
  octetString,
  opaque,
  struct,
  uint8,
  uint16,
  vector,
} from './codec.js';
import { rawExtension } from './extension-block.js';
import { Reader } from './reader.js';

/** §4: the version of ECHConfig is the code point of the extension. */
export const echVersion = extensionTypes.encrypted_client_hello;

/** HpkeSymmetricCipherSuite (§4): code points of RFC 9180, known here or not. */
const symmetricSuite = struct({ kdf: uint16, aead: uint16 });
export type EchSymmetricSuite = Decoded<typeof symmetricSuite>;

/** ECHConfigContents (§4). */
export const echConfigContents = struct({
  configId: uint8,
  kem: uint16,
  publicKey: opaque(1, 2 ** 16 - 1),
  cipherSuites: vector(symmetricSuite, 4, 2 ** 16 - 4),
  maximumNameLength: uint8,
  publicName: octetString(1, 255),
  extensions: vector(rawExtension, 0, 2 ** 16 - 1),
});
export type EchConfigContents = Decoded<typeof echConfigContents>;

export interface EchConfig {
  readonly version: number;
  /** `undefined` for a version that is not RFC 9849's. */
  readonly contents: EchConfigContents | undefined;
  /** The ECHConfig as it stands in the list, which the HPKE context binds. */
  readonly bytes: Uint8Array;
}

/** ECHConfigList (§4). Throws TlsError decode_error, also for contents of this version that do not follow their syntax. */
export function decodeEchConfigList(bytes: Uint8Array): readonly EchConfig[] {
  const rest = new Reader(decode(opaque(4, 2 ** 16 - 1), bytes, 'ECHConfigList'), 'ECHConfigList');
  const configs: EchConfig[] = [];
  while (rest.remaining > 0) configs.push(readEchConfig(rest));
  return configs;
}

/** One ECHConfig and nothing behind it. */
export function decodeEchConfig(bytes: Uint8Array): EchConfig {
  const reader = new Reader(bytes, 'ECHConfig');
  const config = readEchConfig(reader);
  reader.end();
  return config;
}

export function encodeEchConfigList(configs: readonly Uint8Array[]): Uint8Array {
  return encode(opaque(4, 2 ** 16 - 1), concat(...configs));
}

export function encodeEchConfig(contents: EchConfigContents): Uint8Array {
  return encode(struct({ version: uint16, contents: opaque(0, 2 ** 16 - 1) }), {
    version: echVersion,
    contents: encode(echConfigContents, contents),
  });
}

function readEchConfig(reader: Reader): EchConfig {
  const version = reader.uint(2);
  const length = reader.uint(2);
  const content = reader.bytes(length);
  const header = Uint8Array.of(version >> 8, version & 0xff, length >> 8, length & 0xff);
  const contents = version === echVersion ? decode(echConfigContents, content, 'ECHConfig') : undefined;
  return { version, contents, bytes: concat(header, content) };
}

/** The extension's body in a ClientHello (§5). */
export type EchClientHello = EchClientHelloOuter | { readonly type: 'inner' };

export interface EchClientHelloOuter {
  readonly type: 'outer';
  readonly suite: EchSymmetricSuite;
  readonly configId: number;
  /** Empty in a second ClientHello whose first was accepted. */
  readonly enc: Uint8Array;
  readonly payload: Uint8Array;
}

const outerType = 0;
const innerType = 1;
const outer = struct({
  suite: symmetricSuite,
  configId: uint8,
  enc: opaque(0, 2 ** 16 - 1),
  payload: opaque(1, 2 ** 16 - 1),
});

export const echClientHello: Codec<EchClientHello> = {
  read(reader) {
    const type = uint8.read(reader);
    if (type === innerType) return { type: 'inner' };
    if (type === outerType) return { type: 'outer', ...outer.read(reader) };
    throw reader.error('illegal_parameter', `type ${type} where outer (0) or inner (1) is allowed`);
  },
  write(writer, value) {
    uint8.write(writer, value.type === 'outer' ? outerType : innerType);
    if (value.type === 'outer') outer.write(writer, value);
  },
};

/** The extension's body in a HelloRetryRequest (§5): the confirmation. */
export const echConfirmation = fixed(8);

/** The extension's body in EncryptedExtensions (§5): an ECHConfigList, as it stands. */
export const echRetryConfigs: Codec<Uint8Array> = {
  read(reader) {
    const bytes = reader.rest();
    decodeEchConfigList(bytes);
    return bytes;
  },
  write: (writer, list) => writer.bytes(list),
};

/** OuterExtensions of ech_outer_extensions (§5.1). */
export const echOuterExtensions = vector(uint16, 2, 254);
