/** What a server's options say about each of its connections: read once, and anew for a connection that gets others. */
import {
  type CommonConfig,
  type ServerConfig,
  type ServerConnectionConfig,
  serverEngines,
  type TlsEngine,
} from 'tls13-core';
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
  readonly credentials: NonNullable<ServerConfig['credentials']>;
  /** The engine of a connection. */
  readonly engine: (own: ServerConnectionConfig) => TlsEngine;
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
export function withStore(profile: Omit<Profile, 'store' | 'credentials' | 'engine'>, store: CredentialStore): Profile {
  const config = serverConfig(profile.options, profile.protocol, store, profile.ticketKeys);
  const engine = serverEngines(
    profile.peerPolicy === undefined ? config : { ...config, verifyPeer: ownVerifierIsMissing },
  );
  return { ...profile, store, credentials: config.credentials ?? [], engine };
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

/** Each connection brings its own, which takes this one's place. */
function ownVerifierIsMissing(): never {
  throw new TypeError('this connection was made without a verifier of its own');
}
