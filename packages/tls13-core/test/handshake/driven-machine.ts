/** A role's machine, driven message by message: what the tests of client and server have in common. */
import { TlsError } from '../../src/alert.js';
import type { Effect } from '../../src/handshake/effects.js';
import type { NamedState, Step, Transition } from '../../src/handshake/step.js';

export abstract class DrivenMachine<State extends NamedState> {
  readonly #role: 'client' | 'server';
  state: State;
  /** Of the last step. */
  effects: readonly Effect[];

  constructor(role: 'client' | 'server', { next, effects }: Step<State>) {
    this.#role = role;
    this.state = next;
    this.effects = effects;
  }

  protected abstract advance(message: Uint8Array): Transition<State>;

  /** Takes a message that needs no answer of the application. */
  receive(message: Uint8Array): this {
    const transition = this.advance(message);
    if ('waiting' in transition) throw new Error('the step waits for the application');
    return this.#take(transition);
  }

  /** Takes a message whose step the application answers later. */
  async receiveLater(message: Uint8Array): Promise<this> {
    let transition = this.advance(message);
    if (!('waiting' in transition)) throw new Error('the step does not wait');
    while ('waiting' in transition) transition = await transition.waiting;
    return this.#take(transition);
  }

  /** The alert that the message ends in. */
  alertFor(message: Uint8Array): string {
    try {
      this.receive(message);
    } catch (error) {
      if (error instanceof TlsError) return error.alert;
      throw error;
    }
    return `none: the ${this.#role} went on to ${this.state.name}`;
  }

  #take(step: Step<State>): this {
    this.state = step.next;
    this.effects = step.effects;
    return this;
  }
}
