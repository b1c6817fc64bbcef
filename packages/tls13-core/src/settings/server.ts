/** Turns what a server chose into settings the protocol can rely on, or says in a sentence what is wrong. */
import type { Credential, ServerConfig } from '../config/index.js';
import type { CertificateTypeName, NamedGroupName } from '../registry.js';
import { type OidFilter, oidFiltersToSend } from '../x509/oid-filters.js';
import { checkedAuthorities } from './authorities.js';
import { type CommonSettings, commonSettings } from './common.js';
import { checkCredential, checkedTypes } from './credential.js';
import { type EarlyDataSettings, earlyDataSettings, limitsFor } from './early-data.js';
import { type EchServerSettings, echServerSettings } from './ech.js';
import { checkedPsks } from './psk.js';
import { type TicketSettings, ticketSettings } from './tickets.js';

/** A server's settings: everything that has a default has its value. */
export interface ServerSettings extends CommonSettings {
  readonly credentials: NonNullable<ServerConfig['credentials']>;
  readonly psks: ServerConfig['psks'];
  /** Unknown identities are answered like wrong binders. */
  readonly concealPskIdentities: boolean;
  readonly selectAlpnProtocol: ServerConfig['selectAlpnProtocol'];
  readonly clientAuthentication: 'none' | 'request' | 'require';
  readonly verifyPeer: ServerConfig['verifyPeer'];
  readonly clientCertificateTypes: readonly CertificateTypeName[];
  readonly certificateAuthorities: readonly Uint8Array[];
  readonly oidFilters: readonly OidFilter[];
  readonly tickets: TicketSettings | undefined;
  /** `undefined` when none is accepted. */
  readonly earlyData: EarlyDataSettings | undefined;
  readonly cookies: ServerConfig['cookies'];
  readonly insistOnGroups: boolean;
  readonly equalGroups: readonly (readonly NamedGroupName[])[];
  readonly prioritizeChaCha: boolean;
  readonly acknowledgeServerName: boolean;
  readonly middleboxCompatibility: boolean;
  readonly ech: EchServerSettings | undefined;
}

/** Throws TypeError or RangeError naming the option. */
export function serverSettings(config: ServerConfig): ServerSettings {
  const common = commonSettings(config);
  const earlyData = config.earlyData === undefined ? undefined : earlyDataSettings(config.earlyData, config);
  const clientAuthentication = config.clientAuthentication ?? 'none';
  if (!['none', 'request', 'require'].includes(clientAuthentication)) {
    throw new TypeError(`clientAuthentication must be 'none', 'request' or 'require', not '${clientAuthentication}'`);
  }
  if (clientAuthentication !== 'none' && typeof config.verifyPeer !== 'function') {
    throw new TypeError('verifyPeer must be a function when client certificates are asked for');
  }
  const { credentials = [], psks } = config;
  if (typeof psks !== 'function' && psks !== undefined) checkedPsks(psks);
  const anyPsk = typeof psks === 'function' || (psks !== undefined && psks.length > 0);
  if (typeof credentials !== 'function') checkCredentials(credentials, anyPsk);
  return {
    ...common,
    limits: limitsFor(earlyData, config, common),
    earlyData,
    credentials,
    psks: anyPsk ? psks : undefined,
    concealPskIdentities:
      (config.concealPskIdentities ?? true) && typeof credentials !== 'function' && credentials.length === 0,
    selectAlpnProtocol: config.selectAlpnProtocol,
    clientAuthentication,
    verifyPeer: config.verifyPeer,
    clientCertificateTypes: checkedTypes('clientCertificateTypes', config.clientCertificateTypes ?? ['x509']),
    certificateAuthorities: checkedAuthorities(config.certificateAuthorities ?? []),
    oidFilters: checkedOidFilters(config.oidFilters ?? []),
    tickets: config.tickets === undefined ? undefined : ticketSettings(config.tickets, common.provider),
    cookies: config.cookies,
    insistOnGroups: config.insistOnGroups ?? false,
    equalGroups: equalGroups(config.equalGroups ?? [], common.groups),
    prioritizeChaCha: config.prioritizeChaCha ?? false,
    acknowledgeServerName: config.acknowledgeServerName ?? true,
    middleboxCompatibility: config.middleboxCompatibility ?? false,
    ech: config.ech === undefined ? undefined : echServerSettings(config.ech),
  };
}

function equalGroups(sets: readonly (readonly NamedGroupName[])[], groups: readonly NamedGroupName[]) {
  for (const set of sets) {
    const positions = set.map((group) => groups.indexOf(group)).toSorted((a, b) => a - b);
    const first = positions[0] ?? -1;
    if (first < 0 || positions.some((position, index) => position !== first + index)) {
      throw new TypeError(`equalGroups: ${set.join(', ') || 'an empty set'} is not a row of neighbours in groups`);
    }
  }
  return sets;
}

function checkCredentials(credentials: readonly Credential[], anyPsk: boolean): void {
  if (credentials.length === 0 && !anyPsk) {
    throw new TypeError('credentials must hold at least one certificate and key, unless there are psks');
  }
  for (const credential of credentials) checkCredential(credential, 'credentials');
}

function checkedOidFilters(filters: readonly OidFilter[]): readonly OidFilter[] {
  oidFiltersToSend(filters);
  return filters;
}
