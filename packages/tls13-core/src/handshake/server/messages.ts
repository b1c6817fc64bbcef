/** The messages of the server's flight (§4.2.3, §4.4, §4.5), as bytes, from what has been agreed on. */
import {
  type CertificateTypeName,
  certificateTypes,
  namedGroups,
  protocolVersions,
  signatureSchemes,
} from '../../registry.js';
import { encodeMessage, type KeyShareEntry, ocspStatusRequest } from '../../wire/index.js';
import { oidFiltersToSend } from '../../x509/oid-filters.js';
import { acceptedCompression } from '../certificate-compression.js';
import { chooseClientType, offeredTypes, typeOf } from '../certificate-types.js';
import { certificateSchemes, delegatedCredentials, handshakeSchemes } from '../certificate-verify.js';
import { chooseGrease, greaseExtension } from '../grease.js';
import { limitToAnswer } from '../record-size-limit.js';
import type { Parameters } from './parameters.js';
import { expectedTickets } from './psk.js';
import type { ServerContext } from './states.js';

export function serverHello(
  { hello, suite, psk }: Parameters,
  random: Uint8Array,
  keyShare: KeyShareEntry | undefined,
): Uint8Array {
  return encodeMessage('server_hello', {
    legacyVersion: protocolVersions.tls12,
    random,
    legacySessionIdEcho: hello.offer.hello.legacySessionId,
    cipherSuite: suite.code,
    legacyCompressionMethod: 0,
    extensions: {
      supportedVersions: protocolVersions.tls13,
      keyShare,
      preSharedKey: psk?.index,
    },
  });
}

export function encryptedExtensions(parameters: Parameters, context: ServerContext): Uint8Array {
  const { hello, alpnProtocol, psk, earlyData, chosen } = parameters;
  const { settings } = context;
  const { offer, share } = hello;
  const preferred = share === undefined ? [] : settings.groups.slice(0, settings.groups.indexOf(share.group));
  const betterThanShared = preferred.some(
    (group) => !offer.keyShares.some(({ group: code }) => code === namedGroups[group]),
  );
  const answersName = offer.serverName !== undefined && psk?.origin.kind !== 'resumption';
  const clientType = clientCertificateType(parameters, context);
  const asks = chosen !== undefined && (settings.clientAuthentication !== 'none' || mayAskLater(hello, context));
  const asksForType =
    asks && offer.hello.extensions.clientCertificateTypes?.includes(certificateTypes[clientType]) === true;
  return encodeMessage('encrypted_extensions', {
    extensions: {
      // RFC 6066 §3: a server that resumes does not answer it.
      serverName: answersName && settings.acknowledgeServerName ? true : undefined,
      // §4.3.7: so that the client sends the right share next time.
      supportedGroups: betterThanShared ? settings.groups.map((group) => namedGroups[group]) : undefined,
      serverCertificateType: serverCertificateType(parameters),
      clientCertificateType: asksForType ? certificateTypes[clientType] : undefined,
      alpn: alpnProtocol,
      recordSizeLimit:
        offer.hello.extensions.recordSizeLimit === undefined ? undefined : limitToAnswer(settings.recordSizeLimit),
      // RFC 9849 §7.1: so that the client can try again with a config that this server opens.
      echRetryConfigs: offer.ech.kind === 'rejected' ? settings.ech?.keys.retryConfigs : undefined,
      earlyData: earlyData.limit === undefined ? undefined : true,
      expectedTickets: expectedTickets(parameters, settings),
    },
  });
}

/** `context` is empty in the handshake (§4.4.2). */
/** For a client that asks; where a ticket stands for a certificate, the type of that one. */
function serverCertificateType({ hello, chosen, psk }: Parameters): number | undefined {
  if (hello.offer.hello.extensions.serverCertificateTypes === undefined) return undefined;
  if (chosen !== undefined) return certificateTypes[typeOf(chosen.credential)];
  return psk?.origin.kind === 'resumption' ? certificateTypes[psk.origin.ticket.serverCertificateType] : undefined;
}

/** What a client that is asked shows (RFC 7250 §4.2). Throws unsupported_certificate when there is nothing in common. */
export function clientCertificateType({ hello, chosen }: Parameters, { settings }: ServerContext): CertificateTypeName {
  if (chosen === undefined) return 'x509';
  const offered = offeredTypes(hello.offer.hello.extensions.clientCertificateTypes);
  const { clientAuthentication, clientCertificateTypes: accepted } = settings;
  if (clientAuthentication !== 'none') return chooseClientType(accepted, offered);
  // Nobody is asked yet: that there is nothing in common is no fault.
  return (mayAskLater(hello, { settings }) ? accepted.find((type) => offered.includes(type)) : undefined) ?? 'x509';
}

/** Whether the type matters after the handshake (§4.7.2). */
function mayAskLater({ offer }: Parameters['hello'], { settings }: ServerContext): boolean {
  const { verifyPeer, clientCertificateTypes: types } = settings;
  const keys = verifyPeer !== undefined && types.includes('rawPublicKey');
  return keys && offer.hello.extensions.postHandshakeAuth === true;
}

export function certificateRequest({ settings }: ServerContext, context: Uint8Array = noBytes): Uint8Array {
  const { certificateAuthorities, oidFilters } = settings;
  const grease = settings.grease ? chooseGrease(settings.provider) : undefined;
  return encodeMessage('certificate_request', {
    certificateRequestContext: context,
    extensions: {
      signatureAlgorithms: [
        ...handshakeSchemes(settings.signatureSchemes, 'client').map((scheme) => signatureSchemes[scheme]),
        ...(grease === undefined ? [] : [grease.signatureScheme]),
      ],
      signatureAlgorithmsCert: certificateSchemes(settings),
      statusRequest: settings.ocspStapling ? ocspStatusRequest : undefined,
      signedCertificateTimestamp: settings.signedCertificateTimestamps ? true : undefined,
      certificateAuthorities: certificateAuthorities.length === 0 ? undefined : certificateAuthorities,
      oidFilters: oidFilters.length === 0 ? undefined : oidFiltersToSend(oidFilters),
      compressCertificate: acceptedCompression(settings),
      delegatedCredential: delegatedCredentials(settings),
      extra: greaseExtension(grease),
    },
  });
}

const noBytes = new Uint8Array(0);
