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
  /** The longest under way comes first. */
  readonly #underWay = new Map<TlsConnection, Handshake>();
  /** Raw connections whose handshake waits for its turn, unread. */
  readonly #waiting: Waiting[] = [];
  #hurrying: NodeJS.Timeout | undefined;

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
    this.#underWay.set(connection, { since: performance.now(), timer: this.#timer(connection) });
  }

  /** It is complete, or has failed: the next has his turn. */
  over(connection: TlsConnection): void {
    clearTimeout(this.#underWay.get(connection)?.timer);
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
    const [connection, { since }] = eldest;
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

  #timer(connection: TlsConnection): NodeJS.Timeout | undefined {
    const { handshakeTimeout } = this.#limits;
    if (handshakeTimeout === 0) return undefined;
    return setTimeout(
      () => connection.abandon(tookTooLong(`it took more than ${handshakeTimeout} ms (handshakeTimeout)`)),
      handshakeTimeout,
    );
  }
}

interface Handshake {
  /** As performance.now() has it. */
  readonly since: number;
  readonly timer: NodeJS.Timeout | undefined;
}

/** Milliseconds of a handshake for which others wait at most, once there are too many. */
const patience = 5_000;

function tookTooLong(why: string): ConnectionError {
  return new ConnectionError('ERR_TLS_HANDSHAKE_TIMEOUT', `the handshake was given up: ${why}`);
}
