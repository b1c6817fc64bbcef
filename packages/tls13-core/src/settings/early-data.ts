/** A server's early data (§2.3) as settings, or what is wrong with it. */
import type { EarlyDataConfig, ReplayCache, ServerConfig } from '../config/index.js';
import type { CryptoProvider } from '../crypto/provider.js';
import type { CommonSettings } from './common.js';

export interface EarlyDataSettings extends Required<EarlyDataConfig> {
  /** Whose tickets' uses the replay cache knows of: it stands in each ticket. Empty for a cache that is shared. */
  readonly issuer: Uint8Array;
}

/** `undefined` when none is accepted. Throws TypeError or RangeError naming the option. */
export function earlyDataSettings(
  given: EarlyDataConfig,
  { tickets, psks, provider }: ServerConfig,
): EarlyDataSettings | undefined {
  const { maxSize, replayCache, freshnessWindow = 10 } = given;
  if (!Number.isInteger(maxSize) || maxSize < 0 || maxSize > maximumEarlyData) {
    throw new RangeError(`earlyData.maxSize must be 0 to ${maximumEarlyData} bytes (§4.7.1), not ${maxSize}`);
  }
  if (!(freshnessWindow > 0)) {
    throw new RangeError(`earlyData.freshnessWindow must be a number of seconds above 0, not ${freshnessWindow}`);
  }
  if (typeof replayCache?.claim !== 'function') {
    throw new TypeError('earlyData.replayCache must have claim(): without it early data could be taken twice (§8)');
  }
  if (maxSize === 0) return undefined;
  if (tickets === undefined && psks === undefined) {
    throw new TypeError('earlyData needs tickets or psks: it comes with a session that is resumed, or an external PSK');
  }
  return { maxSize, replayCache, freshnessWindow, issuer: issuerOf(replayCache, provider) };
}

/** What is rejected is skipped as far as it could have been accepted, records and their overhead included (§4.3.10). */
export function limitsFor(
  earlyData: EarlyDataConfig | undefined,
  { limits }: ServerConfig,
  common: CommonSettings,
): CommonSettings['limits'] {
  if (earlyData === undefined || limits?.skippedEarlyData !== undefined) return common.limits;
  const skippedEarlyData = Math.max(common.limits.skippedEarlyData, 2 * earlyData.maxSize);
  return { ...common.limits, skippedEarlyData };
}

const maximumEarlyData = 2 ** 32 - 1;

/** Bytes. */
export const issuerLength = 16;
const noBytes = new Uint8Array(0);
const issuers = new WeakMap<ReplayCache, Uint8Array>();

function issuerOf(cache: ReplayCache, provider: CryptoProvider): Uint8Array {
  if (cache.ownTicketsOnly !== true) return noBytes;
  const issuer = issuers.get(cache) ?? provider.random(issuerLength);
  issuers.set(cache, issuer);
  return issuer;
}
