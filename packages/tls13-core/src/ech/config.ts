/** ECHConfig (RFC 9849 §4) as a client and a server judge it: what may be used, and what the HPKE context binds. */
import { concat } from '../bytes.js';
import { type HpkeSuite, hasHpkeSuite } from '../crypto/hpke.js';
import type { CryptoProvider } from '../crypto/provider.js';
import { hpkeAeads, hpkeKdfs, hpkeKems, knownName } from '../registry.js';
import { decodeEchConfigList, type EchConfig, type EchConfigContents, type EchSymmetricSuite } from '../wire/ech.js';

/** A config that a ClientHello can be encrypted to. */
export interface UsableEchConfig {
  readonly contents: EchConfigContents;
  readonly bytes: Uint8Array;
  readonly suite: HpkeSuite;
  /** As it goes into the extension. */
  readonly symmetricSuite: EchSymmetricSuite;
}

/**
 * The first config of an ECHConfigList that this provider can use (§6.1); `undefined` if there is none. Throws TlsError
 * decode_error for anything but an ECHConfigList.
 */
export function selectEchConfig(list: Uint8Array, provider: CryptoProvider): UsableEchConfig | undefined {
  // All of the list is read first: a syntax error anywhere in it means that it is no such list.
  for (const config of decodeEchConfigList(list)) {
    const usable = usableConfig(config, provider);
    if (usable !== undefined) return usable;
  }
  return undefined;
}

/** The suite behind the code points, if RFC 9180's registries have it and the provider too. */
export function supportedSuite(
  kemCode: number,
  { kdf: kdfCode, aead: aeadCode }: EchSymmetricSuite,
  provider: CryptoProvider,
): HpkeSuite | undefined {
  const kem = knownName(hpkeKems, kemCode);
  const kdf = knownName(hpkeKdfs, kdfCode);
  const aead = knownName(hpkeAeads, aeadCode);
  if (kem === undefined || kdf === undefined || aead === undefined) return undefined;
  const suite = { kem, kdf, aead };
  return hasHpkeSuite(provider, suite) ? suite : undefined;
}

/** §6.1, §7.1: the info of SetupBaseS and SetupBaseR, over the ECHConfig as it was published. */
export function hpkeInfo(config: Uint8Array): Uint8Array {
  return concat(label, config);
}

/** Whether a public_name is a host name that nobody takes for an IPv4 address (§6.1.7). */
export function isPublicName(name: string): boolean {
  const labels = name.split('.');
  if (!labels.every((part) => /^(?!-)[a-z0-9-]{1,63}(?<!-)$/i.test(part))) return false;
  return !/^(?:\d+|0x[0-9a-f]*)$/i.test(labels.at(-1) ?? '');
}

/** Extension types with the high bit set must be understood (§4.2); this library understands none of any kind. */
export function isMandatory(extensionType: number): boolean {
  return (extensionType & 0x8000) !== 0;
}

/** Extension types that mean nothing, for servers to see that clients pass over what they do not know (§6.2.2, §11.3). */
export function isReserved(extensionType: number): boolean {
  return extensionType === 0 || (extensionType >> 8 === (extensionType & 0xff) && (extensionType & 0x0f) === 0x0a);
}

/** "tls ech" and a zero byte. */
const label = Uint8Array.of(0x74, 0x6c, 0x73, 0x20, 0x65, 0x63, 0x68, 0);

function usableConfig({ contents, bytes }: EchConfig, provider: CryptoProvider): UsableEchConfig | undefined {
  if (contents === undefined || !isPublicName(contents.publicName)) return undefined;
  if (contents.extensions.some(({ type }) => isMandatory(type))) return undefined;
  for (const symmetricSuite of contents.cipherSuites) {
    const suite = supportedSuite(contents.kem, symmetricSuite, provider);
    if (suite !== undefined) return { contents, bytes, suite, symmetricSuite };
  }
  return undefined;
}
