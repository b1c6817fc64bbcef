/** The ClientHello (§4.2.2) that settings make, but for its PSKs. */
import type { EphemeralKey } from '../../crypto/provider.js';
import { namedGroups, protocolVersions, pskKeyExchangeModes, signatureSchemes } from '../../registry.js';
import type { ClientSettings } from '../../settings/index.js';
import { type ClientHelloToSend, ocspStatusRequest } from '../../wire/index.js';
import { certificateSchemes, delegatedCredentials, handshakeSchemes } from '../certificate-verify.js';
import type { EarlyDataOffer } from './early-data.js';

/** What differs from one ClientHello to another of the same settings. */
export interface Variable {
  readonly shares: readonly EphemeralKey[];
  readonly cookie: Uint8Array | undefined;
  readonly earlyData: EarlyDataOffer;
  readonly random: Uint8Array;
  readonly legacySessionId: Uint8Array;
}

export function clientHello(settings: ClientSettings, variable: Variable): ClientHelloToSend {
  const { alpnProtocols } = settings;
  // §4.3.3: whoever takes no certificate says so by leaving them out.
  const accepts = settings.verifyPeer !== undefined;
  const handshake = handshakeSchemes(settings.signatureSchemes);
  return {
    legacyVersion: protocolVersions.tls12,
    random: variable.random,
    legacySessionId: variable.legacySessionId,
    cipherSuites: settings.cipherSuites.map(({ code }) => code),
    legacyCompressionMethods: Uint8Array.of(0),
    extensions: {
      serverName: settings.serverName,
      supportedVersions: [protocolVersions.tls13],
      supportedGroups: agreesOnKeys(settings) ? settings.groups.map((group) => namedGroups[group]) : undefined,
      signatureAlgorithms: accepts ? handshake.map((scheme) => signatureSchemes[scheme]) : undefined,
      signatureAlgorithmsCert: accepts ? certificateSchemes(settings) : undefined,
      alpn: alpnProtocols.length === 0 ? undefined : alpnProtocols,
      statusRequest: accepts && settings.ocspStapling ? ocspStatusRequest : undefined,
      signedCertificateTimestamp: accepts && settings.signedCertificateTimestamps ? true : undefined,
      delegatedCredential: accepts ? delegatedCredentials(settings) : undefined,
      postHandshakeAuth: settings.postHandshakeAuthentication ? true : undefined,
      cookie: variable.cookie,
      keyShare: agreesOnKeys(settings) ? keyShareEntries(variable.shares) : undefined,
      earlyData: variable.earlyData.offered ? true : undefined,
      // Also without a PSK: it is what allows the server to send tickets (§4.7.1).
      pskKeyExchangeModes: settings.pskKeyExchangeModes.map((mode) => pskKeyExchangeModes[mode]),
    },
  };
}

/** Whether an (EC)DHE may take place: with psk_ke alone, and no certificate to fall back to, it may not (§4.3.9). */
export function agreesOnKeys({ pskKeyExchangeModes, verifyPeer }: ClientSettings): boolean {
  return pskKeyExchangeModes.includes('psk_dhe_ke') || verifyPeer !== undefined;
}

function keyShareEntries(shares: readonly EphemeralKey[]) {
  return shares.map(({ group, keyExchange }) => ({ group: namedGroups[group], keyExchange }));
}
