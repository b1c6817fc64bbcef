/** Collects the events of one call, in order. Neighbouring `transmit` events become one, so that a flight is one write. */
import { concat } from '../bytes.js';
import type { TlsEvent } from '../events.js';

export class Outbox {
  #events: TlsEvent[] = [];
  #outgoing: Uint8Array[] = [];

  put(event: TlsEvent): void {
    if (event.type === 'transmit') {
      this.#outgoing.push(event.data);
    } else {
      this.#joinOutgoing();
      this.#events.push(event);
    }
  }

  /** The events since the last call. */
  take(): TlsEvent[] {
    this.#joinOutgoing();
    const events = this.#events;
    this.#events = [];
    return events;
  }

  #joinOutgoing(): void {
    const [first] = this.#outgoing;
    if (first === undefined) return;
    const data = this.#outgoing.length === 1 ? first : concat(...this.#outgoing);
    this.#outgoing = [];
    this.#events.push({ type: 'transmit', data });
  }
}
