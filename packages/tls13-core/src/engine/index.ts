/** The two engines: a role's transition table under the common engine. */
import type { ClientConfig, ServerConfig } from '../config/index.js';
import {
  type ClientContext,
  type ClientState,
  clientCommands,
  clientTransitions,
  startClient,
} from '../handshake/client/index.js';
import { type Command, obey } from '../handshake/command.js';
import {
  type ServerCommand,
  type ServerContext,
  type ServerState,
  serverCommands,
  serverStart,
  serverTransitions,
} from '../handshake/server/index.js';
import { advance, type Transition } from '../handshake/step.js';
import { clientSettings, serverSettings } from '../settings/index.js';
import { Engine } from './engine.js';
import type { Machine } from './machine.js';
import type { TlsEngine } from './types.js';

/** A client's end of a connection. Throws TypeError or RangeError when the configuration cannot work. */
export function createClientEngine(config: ClientConfig): TlsEngine {
  const settings = clientSettings(config);
  const context: ClientContext = { settings };
  return new Engine<ClientState>(
    {
      role: 'client',
      start: () => startClient(context),
      advance: (state, message) => advance(clientTransitions, state, message, context),
      command: (state, command) => obey(clientCommands, state, command, context),
    },
    { ...settings, stateless: false },
  );
}

/** A server's end of a connection. Throws TypeError or RangeError when the configuration cannot work. */
export function createServerEngine(config: ServerConfig): TlsEngine {
  return serverEngines(config)();
}

/** What may differ between connections of one server. */
export type ServerConnectionConfig = Pick<ServerConfig, 'credentials' | 'psks' | 'verifyPeer' | 'keyLog'>;

/**
 * Makes the engines of a server's connections: the configuration is read and checked once, which for each connection would
 * cost more than the connection's own. What `own` holds goes in place of what the configuration has, and is as it was checked: of
 * the same kind, and there where it was there. Throws TypeError or RangeError when the configuration cannot work.
 */
export function serverEngines(config: ServerConfig): (own?: ServerConnectionConfig) => TlsEngine {
  const settings = serverSettings(config);
  const ofServer = { ...settings, stateless: settings.cookies !== undefined };
  return (own) => {
    const alike = own === undefined || Object.keys(own).length === 0;
    const context = { settings: alike ? ofServer : { ...ofServer, ...own } };
    return new Engine<ServerState>(new ServerMachine(context), context.settings);
  };
}

class ServerMachine implements Machine<ServerState> {
  readonly role = 'server';
  readonly #context: ServerContext;

  constructor(context: ServerContext) {
    this.#context = context;
  }

  start(): Transition<ServerState> {
    return { next: serverStart, effects: [] };
  }

  advance(state: ServerState, message: Uint8Array): Transition<ServerState> {
    return advance(serverTransitions, state, message, this.#context);
  }

  command(state: ServerState, command: Command): Transition<ServerState> {
    return obey<ServerState, ServerCommand, ServerContext>(serverCommands, state, command, this.#context);
  }
}
