/** From the runner's flags to the configuration of an engine: what every feature says, put together. */
import type { ClientConfig, CommonConfig, ServerConfig, Session } from 'tls13-core';
import type { Seen } from './feature.js';
import { features } from './features/index.js';
import { type Flags, number } from './flags.js';
import type { World } from './world.js';

export function serverConfig(flags: Flags, world: World, seen: Seen): ServerConfig {
  const said: readonly Partial<ServerConfig>[] = features.map((feature) => feature.server?.(flags, world, seen) ?? {});
  return Object.assign({ ...common(flags, world), credentials: [] }, ...said);
}

export function clientConfig(flags: Flags, session: Session | undefined, world: World, seen: Seen): ClientConfig {
  const said: readonly Partial<ClientConfig>[] = features.map((feature) => feature.client?.(flags, world, seen) ?? {});
  return Object.assign({ ...common(flags, world), ...(session === undefined ? {} : { session }) }, ...said);
}

function common(flags: Flags, world: World): CommonConfig {
  const longest = number(flags, 'max-cert-list');
  return {
    provider: world.provider,
    now: world.now,
    // As much early data as the runner takes for the limit.
    limits: { skippedEarlyData: 16_384, ...(longest === undefined ? {} : { handshakeMessage: longest }) },
  };
}
