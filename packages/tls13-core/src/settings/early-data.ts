/** A server's early data (§2.3) as settings, or what is wrong with it. */
import type { EarlyDataConfig, ServerConfig } from '../config/index.js';
import type { CommonSettings } from './common.js';

/** `undefined` when none is accepted. Throws TypeError or RangeError naming the option. */
export function earlyDataSettings(
  given: EarlyDataConfig,
  { tickets, psks }: ServerConfig,
): Required<EarlyDataConfig> | undefined {
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
  return { maxSize, replayCache, freshnessWindow };
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
