/**
 * A step that the application starts, not a message of the peer's: a role lists what may be asked of it in which state,
 * in a table beside the one for messages.
 */
import type { NamedState, Transition } from './step.js';

/** What is asked; a role's own commands say more. */
export interface Command {
  readonly type: string;
}

/** What a role does when it is asked, by state: what is not listed is not possible there. */
export type CommandTable<State extends NamedState, Asked extends Command, Context> = {
  readonly [Name in State['name']]?: {
    readonly [Type in Asked['type']]?: (
      state: Extract<State, { readonly name: Name }>,
      command: Extract<Asked, { readonly type: Type }>,
      context: Context,
    ) => Transition<State>;
  };
};

/** Takes the step that `command` asks for. Throws TypeError, the caller's fault, when the state has no such step. */
export function obey<State extends NamedState, Asked extends Command, Context>(
  table: CommandTable<State, Asked, Context>,
  state: State,
  command: Command,
  context: Context,
): Transition<State> {
  // The table's type ties each function to its state and its command, and so does this look-up; the compiler cannot see it.
  const commands = table[state.name as State['name']] as Commands<State, Context> | undefined;
  const found = commands?.[command.type];
  if (found === undefined) throw new TypeError(`${command.type} is not possible in state ${state.name}`);
  return found(state, command, context);
}

type Commands<State, Context> = {
  readonly [type: string]: (state: State, command: Command, context: Context) => Transition<State>;
};
