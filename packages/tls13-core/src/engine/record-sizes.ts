/** How much content goes into each record of the sending half: the peer's limit, our own, and small ones to begin with. */
import { maxInnerPlaintextLength } from '../record/header.js';
import type { RecordSettings } from '../settings/records.js';

export class RecordSizes {
  readonly #sizing: RecordSettings['dynamicRecordSizing'];
  readonly #now: () => number;
  readonly #ours: number;
  #limit = maxInnerPlaintextLength;
  /** Application data since the connection began or was idle. */
  #sent = 0;
  #lastSent = 0;

  constructor({ maxSendFragment, dynamicRecordSizing }: RecordSettings, now: () => number) {
    this.#ours = maxSendFragment;
    this.#sizing = dynamicRecordSizing;
    this.#now = now;
  }

  /** Bytes of content, type and padding that a protected record to the peer may have. */
  get innerLimit(): number {
    return this.#limit;
  }

  /** The peer's limit (RFC 8449 §4); one above what any record may have restricts nothing. */
  set innerLimit(limit: number) {
    this.#limit = Math.min(limit, maxInnerPlaintextLength);
  }

  /** Bytes of content in a record. Those in clear have no limit but ours (RFC 8449 §4). */
  get clear(): number {
    return this.#ours;
  }

  get protected(): number {
    return Math.min(this.#ours, this.#limit - 1);
  }

  /** The smallest that a record of more content may have: to tell how many there will be at most. */
  get least(): number {
    return this.#sizing === undefined ? this.protected : Math.min(this.protected, this.#sizing.initial);
  }

  /** How much of `length` bytes of application data that are about to be sent goes in records of `least` bytes. */
  small(length: number): number {
    const sizing = this.#sizing;
    if (sizing === undefined) return 0;
    const now = this.#now();
    if (now - this.#lastSent >= sizing.idle) this.#sent = 0;
    this.#lastSent = now;
    const left = Math.max(0, sizing.after - this.#sent);
    this.#sent += length;
    // Whole records, so that the last small one is not smaller still.
    return Math.min(length, Math.ceil(left / this.least) * this.least);
  }
}
