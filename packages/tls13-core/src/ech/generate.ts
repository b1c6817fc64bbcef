/** A new ECH key pair and its ECHConfig (RFC 9849 §4). */
import { kemGroup } from '../crypto/hpke.js';
import type { CryptoProvider } from '../crypto/provider.js';
import { hpkeAeads, hpkeKdfs, hpkeKems } from '../registry.js';
import { encodeEchConfig, encodeEchConfigList } from '../wire/ech.js';
import { isPublicName } from './config.js';
import type { EchKey } from './keys.js';

export interface EchConfigOptions {
  /** A name of this server's, with a certificate, that anybody may see: many servers behind one name hide best. */
  readonly publicName: string;
  /** 0 to 255, to tell this config from the others in use. Default: random. */
  readonly configId?: number;
  /** Of the longest name that is to be hidden: shorter ones are padded to it. Default 64. */
  readonly maximumNameLength?: number;
}

/** What `createEchKeys` takes, and what is published. */
export interface GeneratedEchKey extends EchKey {
  /** An ECHConfigList of the one config: for the `ech` parameter of an HTTPS record (RFC 9848). */
  readonly configList: Uint8Array;
}

/** With X25519, HKDF-SHA256 and the AEADs that the provider has. Throws TypeError or RangeError naming the option. */
export function generateEchConfig(provider: CryptoProvider, options: EchConfigOptions): GeneratedEchKey {
  const { publicName, maximumNameLength = 64 } = options;
  if (publicName.length > 255 || !isPublicName(publicName)) {
    throw new TypeError(
      `publicName ${JSON.stringify(publicName)} is not a DNS host name of letters, digits and hyphens`,
    );
  }
  const configId = options.configId ?? provider.random(1)[0] ?? 0;
  checkByte('configId', configId);
  checkByte('maximumNameLength', maximumNameLength);
  const privateKey = provider.random(32);
  const key = provider.importKeyShare(kemGroup('DHKEM_X25519_HKDF_SHA256'), privateKey);
  key.destroy();
  const config = encodeEchConfig({
    configId,
    kem: hpkeKems.DHKEM_X25519_HKDF_SHA256,
    publicKey: key.keyExchange,
    cipherSuites: [hpkeAeads.AES_128_GCM, hpkeAeads.AES_256_GCM, hpkeAeads.ChaCha20Poly1305].map((aead) => ({
      kdf: hpkeKdfs.HKDF_SHA256,
      aead,
    })),
    maximumNameLength,
    publicName,
    extensions: [],
  });
  return { config, privateKey, configList: encodeEchConfigList([config]) };
}

function checkByte(option: string, value: number): void {
  if (!Number.isInteger(value) || value < 0 || value > 255) {
    throw new RangeError(`${option} must be a whole number from 0 to 255, not ${value}`);
  }
}
