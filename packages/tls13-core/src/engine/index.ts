/** The two engines: a role's transition table under the common engine. */
import type { ClientConfig, ServerConfig } from '../config/index.js';
import {
  type ClientContext,
  type ClientState,
  clientCommands,
  clientTransitions,
  startClient,
} from '../handshake/client/index.js';
import { obey } from '../handshake/command.js';
import {
  type ServerCommand,
  type ServerContext,
  type ServerState,
  serverCommands,
  serverStart,
  serverTransitions,
} from '../handshake/server/index.js';
import { advance } from '../handshake/step.js';
import { clientSettings, serverSettings } from '../settings/index.js';
import { Engine } from './engine.js';
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
  const settings = serverSettings(config);
  const context: ServerContext = { settings };
  return new Engine<ServerState>(
    {
      role: 'server',
      start: () => ({ next: serverStart, effects: [] }),
      advance: (state, message) => advance(serverTransitions, state, message, context),
      command: (state, command) =>
        obey<ServerState, ServerCommand, ServerContext>(serverCommands, state, command, context),
    },
    { ...settings, stateless: settings.cookies !== undefined },
  );
}
