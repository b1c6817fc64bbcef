/** The ClientHello (§4.2.2) that settings make, but for its PSKs. */
import type { EphemeralKey } from '../../crypto/provider.js';
import { namedGroups, protocolVersions, pskKeyExchangeModes, signatureSchemes } from '../../registry.js';
import type { ClientSettings } from '../../settings/index.js';
import { type ClientHelloToSend, ocspStatusRequest, type RawExtension } from '../../wire/index.js';
import { acceptedCompression } from '../certificate-compression.js';
import { typesToOffer } from '../certificate-types.js';
import { certificateSchemes, delegatedCredentials, handshakeSchemes } from '../certificate-verify.js';
import type { Grease } from '../grease.js';
import type { EarlyDataOffer } from './early-data.js';
import type { HelloShape } from './hello-shape.js';

/** What differs from one ClientHello to another of the same settings. */
export interface Variable {
  readonly shares: readonly EphemeralKey[];
  readonly cookie: Uint8Array | undefined;
  readonly earlyData: EarlyDataOffer;
  readonly random: Uint8Array;
  readonly legacySessionId: Uint8Array;
  readonly shape: HelloShape;
  /** Whether `shares` are this client's own choice, and not what a HelloRetryRequest asked for (§4.3.8). */
  readonly ownShares: boolean;
}

export function clientHello(settings: ClientSettings, variable: Variable): ClientHelloToSend {
  const { alpnProtocols } = settings;
  // §4.3.3: whoever takes no certificate says so by leaving them out.
  const accepts = settings.verifyPeer !== undefined;
  const agrees = agreesOnKeys(settings);
  const { order, grease } = variable.shape;
  const handshake = handshakeSchemes(settings.signatureSchemes);
  // RFC 8701 §3.1 for each list: a GREASE value in front, where a careless reader would take it, or behind.
  const { cipherSuite, version, group, signatureScheme, pskKeyExchangeMode, alpnProtocol } = lists(grease);
  const greaseShare = variable.ownShares ? group.map((code) => ({ group: code, keyExchange: Uint8Array.of(0) })) : [];
  return {
    legacyVersion: protocolVersions.tls12,
    random: variable.random,
    legacySessionId: variable.legacySessionId,
    cipherSuites: [
      ...cipherSuite,
      ...settings.cipherSuites.map(({ code }) => code),
      ...(settings.fallbackScsv ? [fallbackScsv] : []),
    ],
    legacyCompressionMethods: Uint8Array.of(0),
    extensions: {
      serverName: settings.serverName,
      supportedVersions: [...version, protocolVersions.tls13],
      supportedGroups: agrees ? [...group, ...settings.groups.map((name) => namedGroups[name])] : undefined,
      signatureAlgorithms: accepts
        ? [...handshake.map((scheme) => signatureSchemes[scheme]), ...signatureScheme]
        : undefined,
      signatureAlgorithmsCert: accepts ? certificateSchemes(settings) : undefined,
      alpn: alpnProtocols.length === 0 ? undefined : [...alpnProtocols, ...alpnProtocol],
      statusRequest: accepts && settings.ocspStapling ? ocspStatusRequest : undefined,
      signedCertificateTimestamp: accepts && settings.signedCertificateTimestamps ? true : undefined,
      compressCertificate: accepts ? acceptedCompression(settings) : undefined,
      serverCertificateTypes: accepts ? typesToOffer(settings.serverCertificateTypes) : undefined,
      clientCertificateTypes: accepts ? typesToOffer(settings.clientCertificateTypes) : undefined,
      delegatedCredential: accepts ? delegatedCredentials(settings) : undefined,
      certificateAuthorities:
        accepts && settings.certificateAuthorities.length > 0 ? settings.certificateAuthorities : undefined,
      postHandshakeAuth: settings.postHandshakeAuthentication ? true : undefined,
      ticketRequest: ticketRequest(settings),
      recordSizeLimit: settings.recordSizeLimit,
      cookie: variable.cookie,
      keyShare: agrees ? [...greaseShare, ...keyShareEntries(variable.shares)] : undefined,
      earlyData: variable.earlyData.offered ? true : undefined,
      // Also without a PSK: it is what allows the server to send tickets (§4.7.1).
      pskKeyExchangeModes: [
        ...settings.pskKeyExchangeModes.map((mode) => pskKeyExchangeModes[mode]),
        ...pskKeyExchangeMode,
      ],
      extra: greaseExtensions(grease),
      order,
    },
  };
}

/** Whether an (EC)DHE may take place: with psk_ke alone, and no certificate to fall back to, it may not (§4.3.9). */
export function agreesOnKeys({ pskKeyExchangeModes, verifyPeer }: ClientSettings): boolean {
  return pskKeyExchangeModes.includes('psk_dhe_ke') || verifyPeer !== undefined;
}

function ticketRequest({ ticketRequest: request }: ClientSettings) {
  return request && { newSessionCount: request.newSession, resumptionCount: request.resumption };
}

function keyShareEntries(shares: readonly EphemeralKey[]) {
  return shares.map(({ group, keyExchange }) => ({ group: namedGroups[group], keyExchange }));
}

/** RFC 7507 §2 */
const fallbackScsv = 0x5600;

/** What GREASE adds to each list: one value, or none. */
function lists(grease: Grease | undefined) {
  const one = <T>(value: T | undefined): readonly T[] => (value === undefined ? [] : [value]);
  return {
    cipherSuite: one(grease?.cipherSuite),
    version: one(grease?.version),
    group: one(grease?.group),
    signatureScheme: one(grease?.signatureScheme),
    pskKeyExchangeMode: one(grease?.pskKeyExchangeMode),
    alpnProtocol: one(grease?.alpnProtocol),
  };
}

/** One empty and one that is not: both are to be passed over. */
function greaseExtensions(grease: Grease | undefined): readonly RawExtension[] {
  if (grease === undefined) return [];
  return [
    { type: grease.firstExtension, data: new Uint8Array(0) },
    { type: grease.lastExtension, data: Uint8Array.of(0) },
  ];
}
