/**
 * Bounds on what costs this side work and carries nothing: empty records, change_cipher_spec, warning alerts, KeyUpdates
 * without data between them. Counted in a row, never over a lifetime: a long connection may rekey as often as it likes.
 */
import { TlsError } from '../alert.js';
import type { Limits } from '../config/index.js';

export class FloodGuard {
  readonly #limits: Pick<Limits, 'emptyRecords' | 'keyUpdates'>;
  #emptyRecords = 0;
  #warningAlerts = 0;
  #keyUpdates = 0;

  constructor(limits: Pick<Limits, 'emptyRecords' | 'keyUpdates'>) {
    this.#limits = limits;
  }

  /** Application data came: the peer does what it is there for. */
  data(): void {
    this.#emptyRecords = 0;
    this.#warningAlerts = 0;
    this.#keyUpdates = 0;
  }

  /** A handshake message came; those that might come for ever are counted by themselves. */
  message(): void {
    this.#emptyRecords = 0;
  }

  emptyRecord(): void {
    this.#emptyRecords += 1;
    if (this.#emptyRecords > this.#limits.emptyRecords) {
      throw new TlsError('unexpected_message', `more than ${this.#limits.emptyRecords} records in a row without data`);
    }
  }

  /** user_canceled announces a close_notify (§6.1): there is no reason for a second one. */
  warningAlert(): void {
    this.#warningAlerts += 1;
    if (this.#warningAlerts > mostWarningAlerts) {
      throw new TlsError('unexpected_message', `more than ${mostWarningAlerts} warning alerts in a row`);
    }
  }

  keyUpdate(): void {
    this.#keyUpdates += 1;
    if (this.#keyUpdates > this.#limits.keyUpdates) {
      throw new TlsError('unexpected_message', `more than ${this.#limits.keyUpdates} KeyUpdates without data between`);
    }
  }
}

const mostWarningAlerts = 4;
