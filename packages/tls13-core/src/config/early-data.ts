/** Early data (0-RTT, §2.3) at a server: how much of it, and what keeps it from being taken twice (§8). */
import type { Awaitable } from '../awaitable.js';

export interface EarlyDataConfig {
  /**
   * Bytes of early data that a ticket permits (max_early_data_size, §4.7.1), up to 4,294,967,295; more than a ticket
   * permits ends the connection with unexpected_message. 0, as no `earlyData` at all, accepts none.
   */
  readonly maxSize: number;
  /** Sees to it that a ticket serves for early data once (§8.1), and a ClientHello with an external PSK (§8.2). `createReplayCache` makes one for a single process. */
  readonly replayCache: ReplayCache;
  /**
   * Seconds by which the age that the client states for its ticket may differ from the age by this server's clock
   * (§8.3): what arrives later than that was held back, or is a copy. Default 10.
   */
  readonly freshnessWindow?: number;
}

/**
 * Remembers which tickets have served for early data, and which ClientHellos where external PSKs permit it. Shared by all
 * processes that take the same PSKs; by all that take the same tickets, or good for those of this process alone.
 */
export interface ReplayCache {
  /**
   * True for the first claim of an id, and never again until it has expired. False when it was claimed before, and
   * whenever that cannot be told: then the early data is refused, and the client sends it again in the open connection.
   * So it is when claim() throws or rejects.
   */
  claim(use: EarlyDataUse): Awaitable<boolean>;
  /**
   * True for a cache that no other process shares. Early data with a session is then accepted only if its ticket was issued
   * beside this very object: a process with the same ticket keys and another cache refuses it, as it cannot know. Nothing
   * tells so of external PSKs. Default false.
   */
  readonly ownTicketsOnly?: boolean;
}

/** What a client has used for early data: a ticket (§8.1), or one ClientHello with an external PSK (§8.2). */
export interface EarlyDataUse {
  /** A hash of the ticket, or of the PSK's binder: 32 bytes, the same in every process. */
  readonly id: Uint8Array;
  /** Of the ticket or the PSK, in milliseconds since 1970: before, nobody had it. */
  readonly issuedAt: number;
  /** Milliseconds since 1970; from then on no server takes the ticket, or early data with the PSK. `Infinity` where a PSK has no end. */
  readonly expiresAt: number;
}
