/** Encrypted Client Hello (RFC 9849) as options, and its keys in PEM as other servers read them (RFC 9934). */
import { createPrivateKey, createPublicKey, type KeyObject } from 'node:crypto';
import {
  type ClientHelloInfo,
  type CryptoProvider,
  createEchKeys,
  describeEchConfigs,
  type EchClientConfig,
  type EchKey,
  type EchKeys,
  type EchServerConfig,
  type GeneratedEchKey,
} from 'tls13-core';
import { asError } from './errors.js';

/** A PEM file with a private key and an ECHCONFIG, or a config with its key. */
export type EchKeySource = string | Uint8Array | EchKey;

export interface EchServerOptions {
  /**
   * One or several; or what `createEchKeys` of tls13-core made, whose `replace` changes them while the server runs. Of PEM
   * files the first is current: clients whose ECH does not open are told of it, the others are opened only.
   */
  readonly keys: EchKeys | EchKeySource | readonly EchKeySource[];
  /** Asked about a ClientHello that was opened: `false` answers the outer one, as a server without ECH does. */
  readonly accept?: (hello: ClientHelloInfo) => boolean | Promise<boolean>;
}

export interface EchClientOptions {
  /** An ECHConfigList, as bytes or in base64 as HTTPS records show it, or a PEM file with an ECHCONFIG. */
  readonly configs?: Uint8Array | string;
  /** Send a dummy where there is no config that can be used. Default false. */
  readonly grease?: boolean;
  /** Throw rather than connect with the name in clear where no config can be used. Default false. */
  readonly required?: boolean;
}

/** Throws TypeError naming the key that cannot be used, and why. */
export function echServerConfig(options: EchServerOptions, provider: CryptoProvider): EchServerConfig {
  const { keys, accept } = options;
  return {
    keys: isKeys(keys) ? keys : createEchKeys(provider, echKeysOf(keys)),
    ...(accept === undefined ? {} : { accept }),
  };
}

export function echClientConfig({ configs, ...others }: EchClientOptions): EchClientConfig {
  return configs === undefined
    ? others
    : { ...others, configs: typeof configs === 'string' ? configList(configs) : configs };
}

/** The keys of several sources; only those of the first are current. Throws TypeError. */
export function echKeysOf(sources: EchKeySource | readonly EchKeySource[]): readonly EchKey[] {
  return (isList(sources) ? sources : [sources]).flatMap((source, index) =>
    isPem(source) ? readEchKeys(source).map((key) => ({ ...key, retry: index === 0 })) : [source],
  );
}

/** The keys of a PEM file: each config of its ECHCONFIG whose private key it holds. Throws TypeError with a sentence. */
export function readEchKeys(pem: string | Uint8Array): readonly EchKey[] {
  const text = typeof pem === 'string' ? pem : Buffer.from(pem).toString('latin1');
  const list = configList(text);
  const keys = [...text.matchAll(/-----BEGIN PRIVATE KEY-----[^-]+-----END PRIVATE KEY-----/g)].map(([block]) =>
    privateKey(block),
  );
  if (keys.length === 0) throw new TypeError('an ECH key file holds a PRIVATE KEY (PKCS #8), and this one has none');
  const found = described(list).flatMap(({ config, publicKey }) => {
    const key = keys.find((one) => publicKey !== undefined && Buffer.compare(one.publicKey, publicKey) === 0);
    return key === undefined ? [] : [{ config, privateKey: key.privateKey }];
  });
  if (found.length > 0) return found;
  throw new TypeError('the private key of the ECH key file belongs to none of its configs');
}

/** What OpenSSL, nginx and others read as a key file; it is secret. */
export function echPem({ privateKey: d, configList: list }: GeneratedEchKey): string {
  const [{ publicKey } = { publicKey: undefined }] = described(list);
  const jwk = { kty: 'OKP', crv: 'X25519', d: base64url(d), x: base64url(publicKey ?? new Uint8Array(0)) };
  const key = createPrivateKey({ key: jwk, format: 'jwk' }).export({ type: 'pkcs8', format: 'pem' });
  const lines =
    Buffer.from(list)
      .toString('base64')
      .match(/.{1,64}/g) ?? [];
  return `${key.toString()}-----BEGIN ECHCONFIG-----\n${lines.join('\n')}\n-----END ECHCONFIG-----\n`;
}

function configList(text: string): Uint8Array {
  const [, block] = /-----BEGIN ECHCONFIG-----([^-]+)-----END ECHCONFIG-----/.exec(text) ?? [];
  if (block === undefined && text.includes('-----')) throw new TypeError('this PEM holds no ECHCONFIG');
  const encoded = (block ?? text).replace(/\s+/g, '');
  if (encoded === '' || !/^[A-Za-z0-9+/]+={0,2}$/.test(encoded))
    throw new TypeError('an ECHConfigList is base64 here, and this is not');
  return new Uint8Array(Buffer.from(encoded, 'base64'));
}

function described(list: Uint8Array): ReturnType<typeof describeEchConfigs> {
  try {
    return describeEchConfigs(list);
  } catch (cause) {
    throw new TypeError(`the ECHCONFIG is not an ECHConfigList: ${asError(cause).message}`, { cause });
  }
}

interface KemKey {
  readonly privateKey: Uint8Array;
  readonly publicKey: Uint8Array;
}

/** X25519, and the curves that DHKEM has. */
function privateKey(pem: string): KemKey {
  const key = readable(pem);
  const { d } = key.export({ format: 'jwk' });
  const { x, y } = createPublicKey(key).export({ format: 'jwk' });
  if (d === undefined || x === undefined)
    throw new TypeError('the private key of an ECH key file is X25519, P-256 or P-384');
  const publicKey = y === undefined ? bytes(x) : Buffer.concat([Uint8Array.of(4), bytes(x), bytes(y)]);
  return { privateKey: new Uint8Array(bytes(d)), publicKey: new Uint8Array(publicKey) };
}

function readable(pem: string): KeyObject {
  try {
    const key = createPrivateKey(pem);
    if (key.asymmetricKeyType === 'x25519' || key.asymmetricKeyType === 'ec') return key;
  } catch (cause) {
    throw new TypeError(`the private key of the ECH key file cannot be read: ${asError(cause).message}`, { cause });
  }
  throw new TypeError('the private key of an ECH key file is X25519, P-256 or P-384');
}

function bytes(text: string): Buffer {
  return Buffer.from(text, 'base64url');
}

function base64url(key: Uint8Array): string {
  return Buffer.from(key).toString('base64url');
}

function isPem(source: EchKeySource): source is string | Uint8Array {
  return typeof source === 'string' || source instanceof Uint8Array;
}

function isKeys(keys: EchServerOptions['keys']): keys is EchKeys {
  return typeof keys === 'object' && 'retryConfigs' in keys;
}

function isList(sources: EchKeySource | readonly EchKeySource[]): sources is readonly EchKeySource[] {
  return Array.isArray(sources);
}
