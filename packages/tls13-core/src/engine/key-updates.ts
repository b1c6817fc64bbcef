/** Replacing keys (§4.7.3, §7.2): when the peer asks, when the application asks, and in time before §5.5's limits. */
import { TlsError } from '../alert.js';
import type { Direction } from '../events.js';
import { contentTypes } from '../registry.js';
import { encodeMessage } from '../wire/index.js';
import type { Outbox } from './outbox.js';
import type { ReceivingHalf } from './receiving.js';
import type { SendingHalf } from './sending.js';

/** Sealing stops this many records before a key's limit when somebody else seals: what he has in hand still fits. */
const detachedReserve = 4_096;

export class KeyUpdates {
  readonly #sending: SendingHalf;
  readonly #receiving: ReceivingHalf;
  readonly #outbox: Outbox;
  readonly #recordsPerKey: number;
  readonly #rekeyable: Record<Direction, boolean> = { send: true, receive: true };
  /** Our own update_requested, which the peer has not answered: there may be one. */
  #awaited = false;
  /** The peer's update_requested, which this side has not answered. */
  #owed = false;

  constructor(sending: SendingHalf, receiving: ReceivingHalf, outbox: Outbox, recordsPerKey: number) {
    this.#sending = sending;
    this.#receiving = receiving;
    this.#outbox = outbox;
    this.#recordsPerKey = recordsPerKey;
  }

  /** Whether the sending key can be replaced. */
  get possible(): boolean {
    return !this.#sending.detached || this.#rekeyable.send;
  }

  detached(direction: Direction, rekeyable: boolean): void {
    this.#rekeyable[direction] = rekeyable;
  }

  /** Records that may still be sealed under the sending key; one is kept back for the KeyUpdate itself. */
  get recordsLeft(): number {
    const { suite } = this.#sending;
    if (suite === undefined) return 0;
    const limit = Math.max(2, Math.min(this.#recordsPerKey, suite.confidentialityLimit));
    const reserve = this.#sending.detached ? Math.min(detachedReserve, Math.floor(limit / 2)) : 1;
    return limit - reserve - this.#sending.recordsUnderKey;
  }

  /** Sends a KeyUpdate under the old key and changes to the new one. */
  send(options: { readonly request: boolean; readonly requested: boolean }): void {
    if (!this.possible) {
      throw exhausted('the sending key must be replaced, which whoever seals the records cannot do');
    }
    const ask = options.request && !this.#awaited;
    if (ask) this.#awaited = true;
    this.#owed = false;
    const requestUpdate = ask ? 'update_requested' : 'update_not_requested';
    this.#outbox.put(this.#sending.write(contentTypes.handshake, encodeMessage('key_update', { requestUpdate })));
    const rekey = this.#sending.update();
    if (rekey !== undefined) this.#outbox.put(rekey);
    this.#outbox.put({ type: 'key_update', direction: 'send', requested: options.requested });
  }

  /** The peer changed its key. */
  received(updateRequested: boolean): void {
    if (this.#receiving.detached && !this.#rekeyable.receive) {
      throw exhausted('the peer changed its key, which whoever opens its records cannot follow');
    }
    const rekey = this.#receiving.update();
    if (rekey !== undefined) this.#outbox.put(rekey);
    if (updateRequested) this.#owed = true;
    this.#outbox.put({ type: 'key_update', direction: 'receive', requested: this.#awaited });
    this.#awaited = false;
  }

  /** Whether the peer waits for an update, which must come before the next application data (§4.7.3). */
  get owed(): boolean {
    return this.#owed;
  }

  /** Answers the peer's requests: all that came since this side last said something, by one update. */
  answer(): void {
    if (this.#owed) this.send({ request: false, requested: true });
  }
}

/** Ends cleanly on the wire what cannot go on under its key. */
function exhausted(message: string): TlsError {
  return new TlsError('close_notify', message, { code: 'ERR_TLS_KEY_EXHAUSTED' });
}
