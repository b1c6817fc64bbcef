/**
 * When many handshakes have something to read in the same turn of the event loop, some wait for a later one: what they
 * cost together would hold up every other connection, timers, and the application. What they have to read stays where
 * it is.
 */

/** Whoever has something of a handshake to read. */
export interface TurnTaker {
  /** How many it has had: none at first. */
  turns: number;
  /** There is no room left in this turn: nothing is to be read until it is off again, when `takeTurn` comes. */
  wait(on: boolean): void;
  takeTurn(): void;
}

export class HandshakeTurns {
  readonly #budget: number;
  readonly #now: () => number;
  /** Who has had one turn comes before all that had none: what has been begun is soon over, and its memory free. */
  readonly #begun: TurnTaker[] = [];
  readonly #others: TurnTaker[] = [];
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
    return this.#begun.length + this.#others.length;
  }

  /** Gives a turn now, or later. */
  take(taker: TurnTaker): void {
    this.#immediate ??= setImmediate(() => this.#goOn());
    // Who comes again and again is no better than others: only the first time.
    const queue = taker.turns === 1 ? this.#begun : this.#others;
    const first = queue.length === 0 && (queue === this.#begun || this.#begun.length === 0);
    if (first && this.#spent < this.#budget) {
      this.#give(taker);
    } else {
      queue.push(taker);
      taker.wait(true);
    }
  }

  #give(taker: TurnTaker): void {
    const since = this.#now();
    taker.turns += 1;
    try {
      taker.takeTurn();
    } finally {
      this.#spent += this.#now() - since;
    }
  }

  /** Sockets have been read, and the turn ends: those that wait have what is left of it, and if need be the next. */
  #goOn(): void {
    this.#immediate = undefined;
    try {
      this.#giveTo(this.#begun);
      this.#giveTo(this.#others);
    } finally {
      this.#spent = 0;
      if (this.waiting > 0) this.#immediate ??= setImmediate(() => this.#goOn());
    }
  }

  #giveTo(queue: TurnTaker[]): void {
    let given = 0;
    try {
      for (const taker of queue) {
        if (this.#spent >= this.#budget) break;
        given += 1;
        taker.wait(false);
        this.#give(taker);
      }
    } finally {
      queue.splice(0, given);
    }
  }
}

/** Of all connections of this thread, whose event loop they share. */
export const handshakeTurns = new HandshakeTurns(1.5);
