/**
 * Encrypted Client Hello in a client's offer (RFC 9849 §6): one set of extensions becomes an inner ClientHello, which is
 * encrypted, and an outer one, which is sent and negotiated with only if the server cannot open the inner.
 */
import { type HpkeSender, hpkeSender } from '../../crypto/hpke.js';
import type { CryptoProvider } from '../../crypto/provider.js';
import { hpkeInfo, type UsableEchConfig } from '../../ech/config.js';
import { extensionTypes, hpkeAeads, hpkeKdfs } from '../../registry.js';
import type { ClientSettings } from '../../settings/index.js';
import { decode, encode } from '../../wire/codec.js';
import { type EchClientHelloOuter, echClientHello } from '../../wire/ech.js';
import type { RawExtension } from '../../wire/extension-block.js';
import { offeredPsks, serverName } from '../../wire/extension-values.js';
import {
  decodeRawClientHello,
  encodeRawClientHello,
  encodeRawClientHelloBody,
  type RawClientHello,
} from '../../wire/raw-client-hello.js';
import { encodeInner, innerOnly } from '../ech/inner.js';

/** What is to become of a ClientHello that the settings made. */
export type EchPlan =
  | { readonly kind: 'none' }
  /** §6.2: a dummy, the same in a second ClientHello. */
  | { readonly kind: 'grease'; readonly extension: Uint8Array }
  /** §6.1 */
  | EchOffering
  /** §6.1.6: after a HelloRetryRequest without a confirmation the outer ClientHello goes on alone. */
  | EchRejected;

/** Encrypting to a config; the second ClientHello is encrypted in the same context (§6.1.5). */
export interface EchOffering {
  readonly kind: 'offered';
  readonly config: UsableEchConfig;
  readonly sender: HpkeSender;
  /** Of the outer ClientHello, which has no other. */
  readonly outerRandom: Uint8Array;
  /** A HelloRetryRequest has confirmed the first ClientHello: the ServerHello must confirm the second. */
  readonly confirmed: boolean;
  /** Of the first outer ClientHello, for the second. */
  readonly greasePsks: Uint8Array | undefined;
}

export interface EchRejected {
  readonly kind: 'rejected';
  /** Whose certificate is wanted now. */
  readonly publicName: string;
  readonly outerRandom: Uint8Array;
  /** Of the first outer ClientHello. */
  readonly extension: Uint8Array;
  readonly greasePsks: Uint8Array | undefined;
}

/** Throws TypeError when the config's public key is none. */
export function firstEchPlan({ ech, provider, serverName: name }: ClientSettings): EchPlan {
  if (ech?.config !== undefined) return offering(ech.config, provider);
  if (ech?.grease === true) return { kind: 'grease', extension: dummyExtension(provider, name) };
  return { kind: 'none' };
}

/** The ClientHello to negotiate with, binders still to be filled in, from one without the extension. */
export function arrange(plan: EchPlan, message: Uint8Array): Uint8Array {
  if (plan.kind === 'none') return message;
  const plain = decodeRawClientHello(message);
  if (plan.kind === 'offered') return encodeRawClientHello(innerOf(plain));
  if (plan.kind === 'rejected') return encodeRawClientHello(outerOf(plain, plan, plan.extension, plan.greasePsks));
  return encodeRawClientHello({ ...plain, extensions: withExtension(plain.extensions, plan.extension) });
}

/** The outer ClientHello, and what of it a second one repeats. */
export interface SealedOuter {
  readonly message: Uint8Array;
  readonly extension: Uint8Array;
  readonly greasePsks: Uint8Array | undefined;
}

/**
 * Encrypts an inner ClientHello, its binders filled in, into the outer one (§6.1.1). `plain` is what `arrange` was given:
 * its order of extensions is the outer one's.
 */
export function seal(
  plan: EchOffering,
  plain: Uint8Array,
  inner: Uint8Array,
  { serverName: name, provider }: ClientSettings,
): SealedOuter {
  const { config, sender, confirmed } = plan;
  const encoded = encodeInner(decodeRawClientHello(inner), name?.length, config.contents.maximumNameLength);
  const blank: EchClientHelloOuter = {
    type: 'outer',
    suite: config.symmetricSuite,
    configId: config.contents.configId,
    // §6.1.5: the second message of the context needs no key.
    enc: confirmed ? noBytes : sender.enc,
    payload: new Uint8Array(encoded.length + sender.overhead),
  };
  const base = decodeRawClientHello(plain);
  const greasePsks = dummyPsks(base, plan.greasePsks, provider);
  const names = { publicName: config.contents.publicName, outerRandom: plan.outerRandom };
  const blankOuter = outerOf(base, names, encode(echClientHello, blank), greasePsks);
  const payload = sender.seal(encodeRawClientHelloBody(blankOuter), encoded);
  const extension = encode(echClientHello, { ...blank, payload });
  return { message: encodeRawClientHello(outerOf(base, names, extension, greasePsks)), extension, greasePsks };
}

function offering(config: UsableEchConfig, provider: CryptoProvider): EchOffering {
  const { contents, bytes, suite } = config;
  const sender = hpkeSender(provider, suite, contents.publicKey, hpkeInfo(bytes));
  if (sender === undefined) {
    throw new TypeError(`ech.configs: the public key of ${contents.publicName} is not a valid key of ${suite.kem}`);
  }
  return {
    kind: 'offered',
    config,
    sender,
    outerRandom: provider.random(32),
    confirmed: false,
    greasePsks: undefined,
  };
}

/** §6.1: what is said outside too stands together, as ech_outer_extensions can only name neighbours. */
function innerOf(plain: RawClientHello): RawClientHello {
  const { extensions } = plain;
  const of = (type: number) => extensions.filter((extension) => extension.type === type);
  const marker = { type: extensionTypes.encrypted_client_hello, data: encode(echClientHello, { type: 'inner' }) };
  return {
    ...plain,
    extensions: [
      ...of(extensionTypes.server_name),
      marker,
      ...extensions.filter(({ type }) => !innerOnly.has(type)),
      ...of(extensionTypes.pre_shared_key),
    ],
  };
}

/** §6.1: the public name, a random of its own, and no PSK but dummies. */
function outerOf(
  plain: RawClientHello,
  { publicName, outerRandom }: { readonly publicName: string; readonly outerRandom: Uint8Array },
  extension: Uint8Array,
  greasePsks: Uint8Array | undefined,
): RawClientHello {
  const name = { type: extensionTypes.server_name, data: encode(serverName, publicName) };
  const others = plain.extensions.filter(({ type }) => type !== extensionTypes.pre_shared_key);
  const named = others.some(({ type }) => type === name.type)
    ? others.map((one) => (one.type === name.type ? name : one))
    : [name, ...others];
  const psks = greasePsks === undefined ? [] : [{ type: extensionTypes.pre_shared_key, data: greasePsks }];
  return { ...plain, random: outerRandom, extensions: [...withExtension(named, extension), ...psks] };
}

/** The extension, last but for pre_shared_key. */
function withExtension(extensions: readonly RawExtension[], data: Uint8Array): readonly RawExtension[] {
  const last = extensions.at(-1)?.type === extensionTypes.pre_shared_key ? extensions.length - 1 : extensions.length;
  const extension = { type: extensionTypes.encrypted_client_hello, data };
  return [...extensions.slice(0, last), extension, ...extensions.slice(last)];
}

/** §6.1.2: as long as the PSKs of the inner ClientHello, and random; the same in a second ClientHello. */
function dummyPsks(
  { extensions }: RawClientHello,
  before: Uint8Array | undefined,
  provider: CryptoProvider,
): Uint8Array | undefined {
  const real = extensions.find(({ type }) => type === extensionTypes.pre_shared_key);
  if (real === undefined) return undefined;
  if (before !== undefined) return before;
  const { identities, binders } = decode(offeredPsks, real.data, 'pre_shared_key');
  return encode(offeredPsks, {
    identities: identities.map(({ identity }) => ({
      identity: provider.random(identity.length),
      obfuscatedTicketAge: new DataView(provider.random(4).slice().buffer).getUint32(0),
    })),
    binders: binders.map((binder) => provider.random(binder.length)),
  });
}

/**
 * §6.2.1: what an observer cannot tell from the real one: a fresh public key, and a payload as long as a padded inner
 * ClientHello of this client's would be for a server whose longest name has 32 to 95 bytes.
 */
function dummyExtension(provider: CryptoProvider, name: string | undefined): Uint8Array {
  const [configId = 0, longest = 0, aead = 0] = provider.random(3);
  const names = 32 + (longest % 64);
  const encodedLength = typicalInnerLength + Math.max(name?.length ?? 0, names);
  const key = provider.generateKeyShare('x25519');
  key.destroy();
  return encode(echClientHello, {
    type: 'outer',
    suite: {
      kdf: hpkeKdfs.HKDF_SHA256,
      aead: aead < 128 ? hpkeAeads.AES_128_GCM : hpkeAeads.ChaCha20Poly1305,
    },
    configId,
    enc: key.keyExchange,
    payload: provider.random(encodedLength + 31 - ((encodedLength - 1) % 32) + tagLength),
  });
}

/** Bytes of an EncodedClientHelloInner without its name: about 20 of references, the rest fixed fields. */
const typicalInnerLength = 90;
const tagLength = 16;
const noBytes = new Uint8Array(0);
