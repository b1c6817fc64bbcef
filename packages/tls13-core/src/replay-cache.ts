/** The replay cache of a single process (§8.1): in memory, of bounded size. */
import type { EarlyDataUse, ReplayCache } from './config/index.js';

export interface ReplayCacheOptions {
  /**
   * Tickets (of external PSKs: ClientHellos) remembered at a time, each until it expires; about 120 bytes each. When it is full no early data is accepted
   * until some have expired: nothing is ever forgotten to make room. Default 262,144.
   */
  readonly capacity?: number;
  /** Milliseconds since 1970. Default `Date.now`; the engines' own where they have another. */
  readonly now?: () => number;
}

/**
 * A cache for the tickets that this process issues while it runs. Tickets of before it began, and of other processes with
 * the same keys, may have served elsewhere: their early data is refused. So are external PSKs of before; of other processes
 * that have the same nobody can tell here. Several processes need a cache that they share. Throws RangeError for a capacity
 * that is no whole number of at least 1.
 */
export function createReplayCache(options: ReplayCacheOptions = {}): ReplayCache {
  const { capacity = 262_144, now = Date.now } = options;
  if (!Number.isSafeInteger(capacity) || capacity < 1) {
    throw new RangeError(`capacity must be a whole number of at least 1, not ${String(capacity)}`);
  }
  return new MemoryReplayCache(capacity, now);
}

/** Milliseconds: tickets that expire in the same slot are forgotten together. */
const slotLength = 60_000;

class MemoryReplayCache implements ReplayCache {
  readonly ownTicketsOnly = true;
  readonly #capacity: number;
  readonly #now: () => number;
  readonly #startedAt: number;
  /** By the time of expiry, which a ticket has but one of. */
  readonly #slots = new Map<number, Set<string>>();
  #size = 0;
  #oldest = Number.POSITIVE_INFINITY;

  constructor(capacity: number, now: () => number) {
    this.#capacity = capacity;
    this.#now = now;
    this.#startedAt = now();
  }

  claim({ id, issuedAt, expiresAt }: EarlyDataUse): boolean {
    const now = this.#now();
    if (issuedAt < this.#startedAt || expiresAt <= now) return false;
    this.#forget(now);
    const slot = Math.ceil(expiresAt / slotLength);
    const key = String.fromCharCode(...id);
    const claimed = this.#slots.get(slot);
    if (claimed?.has(key) === true || this.#size >= this.#capacity) return false;
    if (claimed === undefined) this.#slots.set(slot, new Set([key]));
    else claimed.add(key);
    this.#size += 1;
    this.#oldest = Math.min(this.#oldest, slot);
    return true;
  }

  #forget(now: number): void {
    if (this.#oldest * slotLength > now) return;
    for (const [slot, { size }] of this.#slots) {
      if (slot * slotLength > now) continue;
      this.#slots.delete(slot);
      this.#size -= size;
    }
    this.#oldest = Math.min(Number.POSITIVE_INFINITY, ...this.#slots.keys());
  }
}
