/** What a server's options say about each of its connections: read once, and anew for a connection that gets others. */
import { type CommonConfig, createServerEngine, type ServerConfig } from 'tls13-core';
import { CredentialStore, createSecureContext, type SecureContextOptions } from './credentials.js';
import type { DriverSettings } from './driver-owner.js';
import type { TlsServerOptions } from './options.js';
import { expectedKeys, type PeerPolicy, rootStore } from './peer.js';
import { commonConfig } from './protocol-options.js';
import { serverConfig } from './server-config.js';
import { driverSettings } from './settings.js';
import { type TicketKeys, ticketKeys } from './tickets.js';

export interface Profile {
  readonly options: TlsServerOptions;
  readonly driver: DriverSettings;
  /** When clients are, or may be, asked for a certificate. */
  readonly peerPolicy: PeerPolicy | undefined;
  readonly protocol: CommonConfig;
  readonly ticketKeys: TicketKeys;
  readonly store: CredentialStore;
  readonly config: ServerConfig;
}

/** @param keys the server's, for a connection of one that runs. Throws TypeError or RangeError with a sentence. */
export function createProfile(options: TlsServerOptions, keys?: TicketKeys): Profile {
  const protocol = commonConfig(options);
  return withStore(
    {
      options,
      driver: driverSettings(options),
      peerPolicy: peerPolicy(options),
      protocol,
      ticketKeys: keys ?? ticketKeys(protocol.provider, options),
    },
    credentialStore(options),
  );
}

/** Finds what is wrong with a configuration now, not at the first connection. */
export function withStore(profile: Omit<Profile, 'store' | 'config'>, store: CredentialStore): Profile {
  const config = serverConfig(profile.options, profile.protocol, store, profile.ticketKeys);
  const verifyPeer = () => undefined;
  createServerEngine({ ...config, verifyPeer });
  return { ...profile, store, config };
}

/** @param before keeps the contexts that were added to it. */
export function credentialStore(
  { credentials = [], ...options }: SecureContextOptions & Pick<TlsServerOptions, 'credentials'>,
  before?: CredentialStore,
): CredentialStore {
  const contexts = [options, ...credentials].map(createSecureContext);
  return before === undefined ? new CredentialStore(contexts) : before.withDefaults(contexts);
}

function peerPolicy(options: TlsServerOptions): PeerPolicy | undefined {
  if (options.requestCert !== true && options.postHandshakeAuthentication !== true) return undefined;
  return {
    store: rootStore(options),
    host: undefined,
    checkServerIdentity: undefined,
    rejectUnauthorized: options.rejectUnauthorized ?? true,
    ...expectedKeys(options),
  };
}
