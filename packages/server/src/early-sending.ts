/** A client's early data (§2.3), from the option to the engine. */
import type { TlsEngine, TlsEvent } from 'tls13-core';

export class EarlySending {
  readonly #engine: TlsEngine;
  #data: Uint8Array | undefined;
  #sent = false;

  constructor(engine: TlsEngine, data: Uint8Array | undefined) {
    this.#engine = engine;
    this.#data = data;
  }

  /** Whether all of it has left; whether it was accepted, `engine.info` says. */
  get sent(): boolean {
    return this.#sent;
  }

  /** To be called when the engine has started: sends all of it, or nothing when the session permits less. */
  send(): readonly TlsEvent[] {
    const data = this.#data;
    this.#data = undefined;
    if (data === undefined || data.length === 0 || this.#engine.earlyDataLeft < data.length) return [];
    this.#sent = true;
    return this.#engine.sendEarly(data);
  }
}
