/** Whose handshakes are under way, how long they may take, and who waits for his turn (`maxHandshakes`). */
import type { TlsConnection } from './connection.js';
import { ConnectionError } from './errors.js';
import { drop, isGone, isStream, type Raw } from './transport/raw.js';

export interface HandshakeLimits {
  /** At once. */
  readonly maxHandshakes: number;
  /** Milliseconds that one may take; 0 for ever. */
  readonly handshakeTimeout: number;
}

export class HandshakeQueue<Waiting extends { readonly raw: Raw }> {
  readonly #limits: HandshakeLimits;
  readonly #begin: (turn: Waiting) => void;
  /** Since when, as performance.now() has it; the longest under way comes first. */
  readonly #underWay = new Map<TlsConnection, number>();
  /** Raw connections whose handshake waits for its turn, unread. */
  readonly #waiting: Waiting[] = [];
  #hurrying: NodeJS.Timeout | undefined;
  /** One for all handshakes: it stays when there is none for a while. */
  #timing: NodeJS.Timeout | undefined;

  /** `begin` makes the connection of whoever has his turn, and says so by `started`. */
  constructor(limits: HandshakeLimits, begin: (turn: Waiting) => void) {
    this.#limits = limits;
    this.#begin = begin;
  }

  /** Those that have begun, longest first. */
  get underWay(): readonly TlsConnection[] {
    return [...this.#underWay.keys()];
  }

  get waiting(): number {
    return this.#waiting.length;
  }

  /** Begun and waiting. */
  get size(): number {
    return this.#underWay.size + this.#waiting.length;
  }

  has(connection: TlsConnection): boolean {
    return this.#underWay.has(connection);
  }

  admit(waiting: Waiting): void {
    if (this.#underWay.size < this.#limits.maxHandshakes) return this.#turn(waiting);
    const { raw } = waiting;
    if (isStream(raw)) raw.on('error', () => raw.destroy());
    this.#waiting.push(waiting);
    this.#hurry();
  }

  started(connection: TlsConnection): void {
    this.#underWay.set(connection, performance.now());
    this.#time();
  }

  /** It is complete, or has failed: the next has his turn. */
  over(connection: TlsConnection): void {
    this.#underWay.delete(connection);
    while (this.#waiting.length > 0 && this.#underWay.size < this.#limits.maxHandshakes) {
      const next = this.#waiting.shift();
      if (next !== undefined) this.#turn(next);
    }
  }

  dropWaiting(): void {
    for (const { raw } of this.#waiting.splice(0)) drop(raw);
  }

  #turn(waiting: Waiting): void {
    if (!isGone(waiting.raw)) this.#begin(waiting);
  }

  /**
   * While somebody waits, whoever takes longest gives up his place when he has had a few seconds: as many clients as
   * there are places, which connect and say nothing, would keep all others out until `handshakeTimeout`.
   */
  #hurry(): void {
    const [eldest] = this.#underWay;
    if (this.#hurrying !== undefined || this.#waiting.length === 0 || eldest === undefined) return;
    const [connection, since] = eldest;
    this.#hurrying = setTimeout(
      () => {
        this.#hurrying = undefined;
        if (this.#waiting.length > 0 && this.#underWay.has(connection)) {
          connection.abandon(tookTooLong(`others waited, and it took more than ${patience} ms (maxHandshakes)`));
        }
        this.#hurry();
      },
      Math.max(since + patience - performance.now(), 0),
    ).unref();
  }

  /** The timer rings when the longest under way, as it is now, will have taken too long. */
  #time(): void {
    const { handshakeTimeout } = this.#limits;
    if (handshakeTimeout === 0 || this.#timing !== undefined) return;
    const [eldest] = this.#underWay.values();
    if (eldest === undefined) return;
    const rest = Math.ceil(eldest + handshakeTimeout - performance.now());
    this.#timing = setTimeout(() => this.#giveUp(handshakeTimeout), Math.max(rest, 0)).unref();
  }

  #giveUp(timeout: number): void {
    this.#timing = undefined;
    const latest = performance.now() - timeout;
    try {
      for (const [connection, since] of this.#underWay) {
        if (since > latest) return;
        connection.abandon(tookTooLong(`it took more than ${timeout} ms (handshakeTimeout)`));
      }
    } finally {
      // Whoever hears of one may throw: the others have their time all the same.
      this.#time();
    }
  }
}

/** Milliseconds of a handshake for which others wait at most, once there are too many. */
const patience = 5_000;

function tookTooLong(why: string): ConnectionError {
  return new ConnectionError('ERR_TLS_HANDSHAKE_TIMEOUT', `the handshake was given up: ${why}`);
}
