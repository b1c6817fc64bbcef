/**
 * What a transition of the state machine is: a function from a state, a message and the connection's context to the
 * next state and the effects in wire order. Nothing here performs an effect; the engine does.
 */
import { TlsError } from '../alert.js';
import { type Awaitable, isPromised } from '../awaitable.js';
import { handshakeTypes, nameOf } from '../registry.js';
import { decodeHandshake, type HandshakeMessage } from '../wire/index.js';
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

export type MessageOf<Type extends MessageType> = Extract<HandshakeMessage, { readonly type: Type }>;

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
  value: Awaitable<Value>,
  then: (value: Value) => Transition<State>,
): Transition<State> {
  return isPromised(value) ? { waiting: Promise.resolve(value).then(then) } : then(value);
}

/** The transition with effects in front of its own. */
export function preceded<State>(effects: readonly Effect[], transition: Transition<State>): Transition<State> {
  if (effects.length === 0) return transition;
  if ('waiting' in transition) return { waiting: transition.waiting.then((later) => preceded(effects, later)) };
  return { next: transition.next, effects: [...effects, ...transition.effects] };
}

/**
 * Takes one step: finds the message's row, decodes the message, runs the row. A message whose type has no row in this
 * state is refused before its body is looked at.
 */
export function advance<State extends NamedState, Context>(
  table: Table<State, Context>,
  state: State,
  bytes: Uint8Array,
  context: Context,
): Transition<State> {
  // The table's type ties each row to its state and its message, and so does this look-up; the compiler cannot see it.
  const rows = table[state.name as State['name']] as Rows<State, Context>;
  const code = bytes[0] ?? 0;
  if (!isExpected(rows, code)) throw unexpected(nameOf(handshakeTypes, code), state, rows);
  const message = decodeHandshake(bytes);
  const found = rows[message.type];
  if (found === undefined) throw unexpected(message.type, state, rows);
  return found.run(state, message, context);
}

type Rows<State extends NamedState, Context> = {
  readonly [Type in MessageType]?: Row<State, HandshakeMessage, State, Context>;
};

function isExpected(rows: object, code: number): boolean {
  for (const type in rows) if (messageCode(type) === code) return true;
  return false;
}

/** A HelloRetryRequest travels as a server_hello (§4.2.4): which of the two it is shows when it is decoded. */
function messageCode(type: string): number | undefined {
  return type === 'hello_retry_request' ? handshakeTypes.server_hello : codes[type];
}

const codes: Readonly<Record<string, number>> = handshakeTypes;

function unexpected(seen: string, state: NamedState, rows: object): TlsError {
  return new TlsError(
    'unexpected_message',
    `${seen} in state ${state.name}, which expects ${Object.keys(rows).join(' or ') || 'nothing'} (§4)`,
  );
}
