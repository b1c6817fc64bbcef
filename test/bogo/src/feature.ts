/** A feature of the library as the shim needs it: its flags, its part of the configuration, and what is checked of it. */
import type { ClientConfig, ConnectionInfo, ServerConfig, TlsError } from 'tls13-core';
import type { FlagGroup, Flags } from './flags.js';
import type { World } from './world.js';

export interface Feature {
  readonly flags: FlagGroup;
  readonly client?: (flags: Flags, world: World, seen: Seen) => Partial<ClientConfig>;
  readonly server?: (flags: Flags, world: World, seen: Seen) => Partial<ServerConfig>;
  /** Throws a `Failure` for what the runner did not expect of a finished handshake. */
  readonly check?: (info: ConnectionInfo, flags: Flags, seen: Seen, resuming: boolean) => void;
  /** The same once data has been exchanged, before this side closes. */
  readonly exchanged?: (flags: Flags, seen: Seen) => void;
  /** Throws a `Failure` for what the runner did not expect of a failed connection; its error is reported otherwise. */
  readonly failed?: (error: TlsError, flags: Flags) => void;
}

/** What the callbacks of one connection saw, for the checks behind the handshake. */
export interface Seen {
  /** `undefined` when no credential was asked for. */
  credential: number | undefined;
  ocspResponse: Uint8Array | undefined;
  /** A line each, as the runner writes them. */
  readonly messages: string[];
  /** Once a session's certificates have been judged to send early data: what is judged later belongs to the retry. */
  retry: Flags | undefined;
}
