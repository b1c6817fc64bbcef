/** What a client reports of a connection. */
import type { ConnectionInfo, PeerEvidence } from '../../connection-info.js';
import type { ClientSettings } from '../../settings/index.js';
import type { Negotiated } from './states.js';

/** What the server's flight, and the client's answer to it, have shown. */
export type Authenticated = Pick<
  ConnectionInfo,
  | 'alpnProtocol'
  | 'signatureScheme'
  | 'clientSignatureScheme'
  | 'localCertificates'
  | 'localRawPublicKey'
  | 'peerCertificateCompression'
  | 'localCertificateCompression'
  | 'peerDelegatedCredential'
  | 'localDelegatedCredential'
> &
  PeerEvidence;

export function connectionInfo(
  settings: ClientSettings,
  negotiated: Negotiated,
  authenticated: Authenticated,
): ConnectionInfo {
  const { offer, suite, group, psk, helloRetryRequest, serverRandom, earlyData } = negotiated;
  return {
    role: 'client',
    protocol: 'TLSv1.3',
    cipherSuite: suite.name,
    group,
    // §4.7.1: the name of this ClientHello, also when the session was made under another.
    serverName: settings.serverName,
    resumed: psk?.kind === 'resumption',
    authentication: psk === undefined ? 'certificate' : psk.kind === 'external' ? 'psk' : 'resumption',
    pskIdentity: psk?.name,
    helloRetryRequest,
    recordSizeLimit: negotiated.recordSizeLimit,
    echAccepted: offer.ech.kind === 'accepted',
    earlyData: earlyData.status === 'offered' ? 'rejected' : earlyData.status,
    earlyDataReason: earlyData.reason,
    postHandshakeAuthentication: settings.postHandshakeAuthentication && psk?.kind !== 'external',
    clientRandom: offer.hello.random,
    serverRandom,
    ...authenticated,
  };
}
