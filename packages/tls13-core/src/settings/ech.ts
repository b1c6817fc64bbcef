/** Turns what was chosen about Encrypted Client Hello into settings, or says in a sentence what is wrong. */
import { TlsError } from '../alert.js';
import type { EchClientConfig, EchServerConfig } from '../config/ech.js';
import type { CryptoProvider } from '../crypto/provider.js';
import { selectEchConfig, type UsableEchConfig } from '../ech/config.js';
import { type EchKeySet, echKeySet } from '../ech/keys.js';

export interface EchClientSettings {
  /** To encrypt to; `undefined` when there is none that can be used. */
  readonly config: UsableEchConfig | undefined;
  /** Send a dummy extension where there is none to encrypt to. */
  readonly grease: boolean;
}

export interface EchServerSettings {
  readonly keys: EchKeySet;
  readonly accept: EchServerConfig['accept'];
}

/** Throws TypeError naming the option. */
export function echClientSettings(config: EchClientConfig, provider: CryptoProvider): EchClientSettings {
  const { configs, grease = false, required = false } = config;
  const selected = configs === undefined ? undefined : select(configs, provider);
  if (required && selected === undefined) {
    const seen = configs === undefined ? 'ech.configs is missing' : `ech.configs holds none for ${provider.name}`;
    throw new TypeError(
      `ech.required: there is no config that can be used (${seen}), and the name must not go in clear`,
    );
  }
  return { config: selected, grease };
}

/** Throws TypeError naming the option. */
export function echServerSettings(config: EchServerConfig): EchServerSettings {
  if (config.accept !== undefined && typeof config.accept !== 'function') {
    throw new TypeError('ech.accept must be a function of the inner ClientHello');
  }
  return { keys: echKeySet(config.keys), accept: config.accept };
}

function select(configs: Uint8Array, provider: CryptoProvider): UsableEchConfig | undefined {
  if (!(configs instanceof Uint8Array)) throw new TypeError('ech.configs must be a Uint8Array: an ECHConfigList');
  try {
    return selectEchConfig(configs.slice(), provider);
  } catch (error) {
    if (!(error instanceof TlsError)) throw error;
    throw new TypeError(`ech.configs is not an ECHConfigList: ${error.message}`, { cause: error });
  }
}
