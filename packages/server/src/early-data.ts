/** Early data (0-RTT, §2.3) at a server: its options, and what keeps it from being taken twice (§8). */
import { createReplayCache, type EarlyDataConfig, type ReplayCache, type ServerConfig } from 'tls13-core';

export interface EarlyDataOptions {
  /** Bytes that a ticket permits, up to 4,294,967,295. Default 16,384; 0 accepts none. */
  readonly maxSize?: number;
  /**
   * Remembers which tickets have served. Default: one in the memory of this process, for the tickets that it has issued
   * itself; servers that share ticket keys need one that they share too, and external PSKs one that outlives the process.
   */
  readonly replayCache?: ReplayCache;
  /** Seconds by which a client's statement of its ticket's age may be wrong (§8.3). Default 10. */
  readonly freshnessWindow?: number;
}

/** @param keys of the server: with them goes its cache, whatever else of its configuration changes. */
export function earlyDataConfig(
  given: boolean | EarlyDataOptions | undefined,
  keys: object,
): Pick<ServerConfig, 'earlyData'> {
  if (given === undefined || given === false) return {};
  const { maxSize = 16_384, replayCache = cacheFor(keys), freshnessWindow } = given === true ? {} : given;
  const earlyData: EarlyDataConfig = {
    maxSize,
    replayCache,
    ...(freshnessWindow === undefined ? {} : { freshnessWindow }),
  };
  return { earlyData };
}

const caches = new WeakMap<object, ReplayCache>();

function cacheFor(keys: object): ReplayCache {
  const cache = caches.get(keys) ?? createReplayCache();
  caches.set(keys, cache);
  return cache;
}
