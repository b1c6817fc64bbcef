/** The core's configuration of a server, made from its options. */
import {
  type Awaitable,
  type ClientHelloInfo,
  type CommonConfig,
  type Credential,
  type ServerConfig,
  whenKnown,
} from 'tls13-core';
import { serverCertificateConfig } from './certificate-options.js';
import { askSni, type CredentialStore } from './credentials.js';
import { earlyDataConfig } from './early-data.js';
import { echServerConfig } from './ech.js';
import type { TlsServerOptions } from './options.js';
import { serverPskConfig } from './psk.js';
import { type TicketKeys, ticketConfig } from './tickets.js';

export function serverConfig(
  options: TlsServerOptions,
  protocol: CommonConfig,
  store: CredentialStore,
  keys: TicketKeys,
): ServerConfig {
  const { SNICallback, ALPNCallback } = options;
  const tickets = ticketConfig(keys, options);
  // As OpenSSL asks: whoever says no to a name says it to those who resume, too.
  const accept = SNICallback && { accept: (hello: ClientHelloInfo) => asksWell(askSni(SNICallback, store, hello)) };
  const psk = serverPskConfig(options);
  return {
    ...protocol,
    ...psk,
    credentials:
      SNICallback === undefined
        ? defaultChoice(store, psk.psks !== undefined)
        : (hello) => askSni(SNICallback, store, hello),
    ...(ALPNCallback === undefined
      ? {}
      : {
          selectAlpnProtocol: (offered, serverName) =>
            ALPNCallback({ servername: serverName ?? '', protocols: [...offered] }),
        }),
    ...(tickets === undefined ? {} : { tickets: { ...tickets, ...accept } }),
    ...earlyDataConfig(options.earlyData, keys),
    ...(options.ech === undefined ? {} : { ech: echServerConfig(options.ech, protocol.provider) }),
    ...(options.statelessRetry === true ? { cookies: keys } : {}),
    ...(options.equalGroups === undefined ? {} : { equalGroups: options.equalGroups }),
    ...(options.oidFilters === undefined ? {} : { oidFilters: options.oidFilters }),
    ...serverCertificateConfig(options),
    clientAuthentication: clientAuthentication(options),
  };
}

function asksWell(chosen: Awaitable<Credential | undefined>): Awaitable<boolean> {
  return whenKnown(chosen, (credential) => credential !== undefined);
}

function clientAuthentication({ requestCert = false, rejectUnauthorized = true }: TlsServerOptions) {
  if (!requestCert) return 'none';
  return rejectUnauthorized ? 'require' : 'request';
}

function defaultChoice(store: CredentialStore, hasPsks: boolean): NonNullable<ServerConfig['credentials']> {
  if (store.isEmpty && hasPsks) return [];
  if (store.isEmpty)
    throw new TypeError('cert and key are missing: a server needs a certificate, an SNICallback, or psks');
  return store.choice;
}
