/** What the engine asks of a role: its state machine, and the settings that concern every connection alike. */
import type { Deviations, Limits } from '../config/index.js';
import type { CryptoProvider } from '../crypto/provider.js';
import type { Command } from '../handshake/command.js';
import type { NamedState, Transition } from '../handshake/step.js';
import type { RecordSettings } from '../settings/records.js';

/** A role's state machine, as the engine drives it. */
export interface Machine<State extends NamedState> {
  readonly role: 'client' | 'server';
  /** The first step: a client's ClientHello. */
  start(): Transition<State>;
  /** Throws TlsError, `unexpected_message` among others. */
  advance(state: State, message: Uint8Array): Transition<State>;
  /** A step that the application starts. Throws TypeError when it is not possible in this state. */
  command(state: State, command: Command): Transition<State>;
}

export interface EngineSettings extends RecordSettings {
  readonly now: () => number;
  readonly provider: CryptoProvider;
  readonly limits: Limits;
  readonly deviations: Deviations;
  readonly keyLog: boolean;
  readonly messageLog: boolean;
  /** A server whose HelloRetryRequest lives in a cookie: a connection may begin with the client's second flight (§4.3.2). */
  readonly stateless: boolean;
}
