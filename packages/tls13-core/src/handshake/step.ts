/**
 * What a transition of the state machine is: a function from a state, a message and the connection's context to the
 * next state and the effects in wire order. Nothing here performs an effect; the engine does.
 */
import type { HandshakeMessage } from '../wire/index.js';
import type { Effect } from './effects.js';

export interface Step<State> {
  readonly next: State;
  readonly effects: readonly Effect[];
}

/** A step that must wait for the application: a credential, a signature, a PSK, a verdict on a certificate. */
export interface Waiting<State> {
  readonly waiting: Promise<Transition<State>>;
}

export type Transition<State> = Step<State> | Waiting<State>;

/** A state is named as in §A; what else it holds is exactly what its transitions need. */
export interface NamedState {
  readonly name: string;
}

export type MessageType = HandshakeMessage['type'];

export type MessageOf<Type extends MessageType> = Extract<
  HandshakeMessage,
  { readonly type: Type }
>;

/** One row of a role's table: which states it may lead to (§A), and how. */
export interface Row<From, Message, To extends NamedState, Context> {
  readonly to: readonly To['name'][];
  readonly run: (state: From, message: Message, context: Context) => Transition<To>;
}

/** A role's whole machine: what is not listed for a state is an unexpected_message there. */
export type Table<State extends NamedState, Context> = {
  readonly [Name in State['name']]: {
    readonly [Type in MessageType]?: Row<Extract<State, { readonly name: Name }>, MessageOf<Type>, State, Context>;
  };
};

/** Ties a row's targets to the states its function may return: a target that it cannot return does not compile. */
export function row<From, Message, To extends NamedState, Context>(
  to: readonly To['name'][],
  run: (state: From, message: Message, context: Context) => Transition<To>,
): Row<From, Message, To, Context> {
  return { to, run };
}

/** Goes on with `value` at once when it is there already; waits only when the application answered with a promise. */
export function whenReady<Value, State>(
  value: Value | Promise<Value>,
  then: (value: Value) => Transition<State>,
): Transition<State> {
  return value instanceof Promise ? { waiting: value.then(then) } : then(value);
}
