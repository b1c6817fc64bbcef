/** Turns what a client chose into settings the protocol can rely on, or says in a sentence what is wrong. */
import type { ClientConfig, Credential, Psk } from '../config/index.js';
import { typeOf } from '../handshake/certificate-types.js';
import { handshakeSchemes } from '../handshake/certificate-verify.js';
import { type CertificateTypeName, isKemGroup, type NamedGroupName } from '../registry.js';
import { checkedAuthorities } from './authorities.js';
import { type CommonSettings, commonSettings } from './common.js';
import { checkCredential, checkedTypes } from './credential.js';
import { type EchClientSettings, echClientSettings } from './ech.js';
import { checkedPsks, suitesWithPsk } from './psk.js';
import { checkTicketRequest } from './tickets.js';

/** A client's settings: everything that has a default has its value. */
export interface ClientSettings extends CommonSettings {
  readonly serverName: ClientConfig['serverName'];
  readonly verifyPeer: ClientConfig['verifyPeer'];
  /** Best first, or how to choose. */
  readonly credential: readonly Credential[] | Extract<ClientConfig['credential'], (...request: never) => unknown>;
  readonly serverCertificateTypes: readonly CertificateTypeName[];
  readonly clientCertificateTypes: readonly CertificateTypeName[];
  readonly certificateAuthorities: readonly Uint8Array[];
  readonly session: ClientConfig['session'];
  readonly psks: readonly Psk[];
  readonly ticketRequest: ClientConfig['ticketRequest'];
  readonly earlyData: boolean;
  readonly keyShares: readonly NamedGroupName[];
  readonly fallbackScsv: boolean;
  readonly middleboxCompatibility: boolean;
  readonly postHandshakeAuthentication: boolean;
  readonly permuteExtensions: boolean;
  readonly ech: EchClientSettings | undefined;
}

/** Throws TypeError or RangeError naming the option. */
export function clientSettings(config: ClientConfig): ClientSettings {
  const common = commonSettings(config);
  if (handshakeSchemes(common.signatureSchemes).length === 0) {
    throw new TypeError(`signatureSchemes: no server may sign with ${common.signatureSchemes.join(', ')} (§4.3.3)`);
  }
  const psks = checkedPsks(config.psks ?? []);
  if (config.ticketRequest !== undefined) checkTicketRequest(config.ticketRequest);
  const { verifyPeer } = config;
  if (typeof verifyPeer !== 'function' && (verifyPeer !== undefined || psks.length === 0)) {
    throw new TypeError('verifyPeer must be a function: without it any server would be believed');
  }
  const { serverName, credential: given = [] } = config;
  const credential = typeof given === 'object' && 'signer' in given ? [given] : given;
  const shown = typeof credential === 'function' ? [] : credential.map(typeOf);
  if (typeof credential !== 'function') for (const one of credential) checkCredential(one, 'credential');
  if (serverName !== undefined) checkServerName(serverName);
  const keyShares = config.keyShares ?? defaultKeyShares(common.groups);
  for (const group of keyShares) {
    if (!common.groups.includes(group)) throw new TypeError(`keyShares: ${group} is not among groups`);
  }
  return {
    ...common,
    // With certificates to fall back on, a suite is of use without a PSK.
    cipherSuites: verifyPeer === undefined ? suitesWithPsk(common.cipherSuites, psks) : common.cipherSuites,
    serverName,
    verifyPeer,
    credential,
    serverCertificateTypes: checkedTypes('serverCertificateTypes', config.serverCertificateTypes ?? ['x509']),
    clientCertificateTypes: checkedTypes(
      'clientCertificateTypes',
      config.clientCertificateTypes ?? (shown.length === 0 ? ['x509'] : shown),
    ),
    certificateAuthorities: checkedAuthorities(config.certificateAuthorities ?? []),
    session: config.session,
    psks,
    ticketRequest: config.ticketRequest,
    earlyData: config.earlyData ?? false,
    keyShares,
    fallbackScsv: config.fallbackScsv ?? false,
    middleboxCompatibility: config.middleboxCompatibility ?? true,
    postHandshakeAuthentication: config.postHandshakeAuthentication ?? false,
    permuteExtensions: config.permuteExtensions ?? false,
    ocspStapling: config.ocspStapling ?? true,
    ech: config.ech === undefined ? undefined : echClientSettings(config.ech, common.provider),
  };
}

/** The best group; and beside a post-quantum one the best that every server has, which costs less than a HelloRetryRequest. */
function defaultKeyShares(groups: readonly NamedGroupName[]): readonly NamedGroupName[] {
  const [best] = groups;
  const classical = groups.find((group) => !isKemGroup(group));
  return [...new Set([best, classical])].filter((group) => group !== undefined);
}

function checkServerName(name: string): void {
  // RFC 6066 §3: a DNS host name in ASCII, no trailing dot, no address.
  const label = '[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?';
  if (name.length > 255 || !new RegExp(`^${label}(?:\\.${label})*$`, 'i').test(name) || /^[\d.]+$/.test(name)) {
    throw new TypeError(`serverName ${JSON.stringify(name)} is not a DNS host name (an IP address must be left out)`);
  }
}
