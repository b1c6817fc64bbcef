/** What both roles choose about pre-shared keys, checked; and the guard against reflected handshakes. */
import type { CommonConfig, Psk, PskKeyExchangeMode, ReflectionGuard } from '../config/index.js';
import type { CipherSuite } from '../crypto/suites.js';
import { checkPsk, wirePsks } from '../external-psk.js';
import { pskKeyExchangeModes } from '../registry.js';

/** What both roles have. */
export interface PskSettings {
  /** Best first; never empty. */
  readonly pskKeyExchangeModes: readonly PskKeyExchangeMode[];
  readonly reflectionGuard: ReflectionGuard | undefined;
}

/** Throws TypeError naming the option. */
export function pskSettings(config: CommonConfig): PskSettings {
  const modes = config.pskKeyExchangeModes ?? ['psk_dhe_ke'];
  if (modes.length === 0) throw new TypeError('pskKeyExchangeModes must not be empty; leave psks and tickets out');
  for (const mode of modes) {
    if (!Object.hasOwn(pskKeyExchangeModes, mode)) {
      throw new TypeError(`pskKeyExchangeModes: '${mode}' is unknown; known are psk_dhe_ke and psk_ke`);
    }
  }
  return { pskKeyExchangeModes: [...new Set(modes)], reflectionGuard: config.reflectionGuard };
}

/**
 * The suites that one of the PSKs goes with (§4.3.11): all that a client may offer that believes nobody without one. With
 * another the server could pick what leaves it no PSK. Throws TypeError when none is left.
 */
export function suitesWithPsk(suites: readonly CipherSuite[], psks: readonly Psk[]): readonly CipherSuite[] {
  const usable = suites.filter(({ hash }) => psks.some((psk) => wirePsks(psk, [hash]).length > 0));
  if (usable.length > 0) return usable;
  const hashes = [...new Set(suites.map(({ hash }) => hash))].join(' and ');
  throw new TypeError(
    `cipherSuites: ${suites.map(({ name }) => name).join(', ')} need a PSK with hash ${hashes}; psks has none`,
  );
}

/** Throws TypeError or RangeError for one that cannot be used, and for two that nobody could tell apart. */
export function checkedPsks(psks: readonly Psk[]): readonly Psk[] {
  const seen = new Set<string>();
  for (const [index, psk] of psks.entries()) {
    checkPsk(`psks[${index}]`, psk);
    const name = 'externalIdentity' in psk ? [psk.externalIdentity, psk.context ?? []] : [psk.identity];
    const key = name.map((bytes) => bytes.join()).join(':');
    if (seen.has(key)) throw new TypeError(`psks[${index}] has the identity of another one`);
    seen.add(key);
  }
  return psks;
}
