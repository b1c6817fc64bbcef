/**
 * When many handshakes bring something in the same turn of the event loop, some wait for the next: what they cost together
 * would hold up every other connection, timers, and the application.
 */

/** Whoever has bytes of a handshake to go on with. */
export interface TurnTaker {
  /** There is no room left in this turn: nothing more is to be read until it is off again. */
  wait(on: boolean): void;
  /** The bytes of `take`, or a copy of them. */
  takeTurn(bytes: Uint8Array): void;
}

export class HandshakeTurns {
  readonly #budget: number;
  readonly #now: () => number;
  readonly #waiting: { readonly taker: TurnTaker; readonly bytes: Uint8Array }[] = [];
  /** Milliseconds that handshakes have had in this turn. */
  #spent = 0;
  #immediate: NodeJS.Immediate | undefined;

  /** @param budget milliseconds of a turn in which handshakes are begun to be gone on with. */
  constructor(budget: number, now: () => number = () => performance.now()) {
    this.#budget = budget;
    this.#now = now;
  }

  /** Those that wait. */
  get waiting(): number {
    return this.#waiting.length;
  }

  /** Goes on with the handshake now, or in a later turn, behind those that wait already. */
  take(taker: TurnTaker, bytes: Uint8Array): void {
    this.#immediate ??= setImmediate(() => this.#goOn());
    if (this.#waiting.length === 0 && this.#spent < this.#budget) {
      this.#give(taker, bytes);
    } else {
      this.#waiting.push({ taker, bytes: bytes.slice() });
      taker.wait(true);
    }
  }

  #give(taker: TurnTaker, bytes: Uint8Array): void {
    const since = this.#now();
    try {
      taker.takeTurn(bytes);
    } finally {
      this.#spent += this.#now() - since;
    }
  }

  /** Sockets have been read, and the turn ends: those that wait have what is left of it, and if need be the next. */
  #goOn(): void {
    this.#immediate = undefined;
    let given = 0;
    try {
      for (const { taker, bytes } of this.#waiting) {
        if (this.#spent >= this.#budget) break;
        given += 1;
        taker.wait(false);
        this.#give(taker, bytes);
      }
    } finally {
      this.#waiting.splice(0, given);
      this.#spent = 0;
      if (this.#waiting.length > 0) this.#immediate ??= setImmediate(() => this.#goOn());
    }
  }
}

/** Of all connections of this thread, whose event loop they share. */
export const handshakeTurns = new HandshakeTurns(3);
