/** What the two ends of a connection must say alike. */
import type { ConnectionInfo } from '../../packages/tls13-core/src/connection-info.js';

const same = [
  'cipherSuite',
  'group',
  'alpnProtocol',
  'signatureScheme',
  'clientSignatureScheme',
  'helloRetryRequest',
  'resumed',
  'authentication',
  'pskIdentity',
  'echAccepted',
  'clientRandom',
  'serverRandom',
] as const satisfies readonly (keyof ConnectionInfo)[];

/** What is one side's own is the peer's to the other. */
const mirrored = [
  ['localDelegatedCredential', 'peerDelegatedCredential'],
  ['localCertificateCompression', 'peerCertificateCompression'],
] as const satisfies readonly (readonly [keyof ConnectionInfo, keyof ConnectionInfo])[];

/** Of a handshake that resumes, only the peer's stay. */
const shown = [
  ['localCertificates', 'peerCertificates'],
  ['localRawPublicKey', 'peerRawPublicKey'],
] as const satisfies readonly (readonly [keyof ConnectionInfo, keyof ConnectionInfo])[];

/** Of an answer after the handshake that is spoiled on its way the client alone knows. */
export function expectAgreement(client: ConnectionInfo, server: ConnectionInfo, isSpoiled: boolean): void {
  const differing = (one: unknown, other: unknown) => JSON.stringify(one) !== JSON.stringify(other);
  const wrong: string[] = same.filter(
    (name) => differing(client[name], server[name]) && !(isSpoiled && name === 'clientSignatureScheme'),
  );
  for (const [own, peers] of client.resumed ? mirrored : [...mirrored, ...shown]) {
    if (!isSpoiled && differing(client[own], server[peers])) wrong.push(`${own} of the client`);
    if (differing(server[own], client[peers])) wrong.push(`${own} of the server`);
  }
  // A second ClientHello does not offer it again, and a server may have forgotten the first.
  if (!client.helloRetryRequest && client.earlyData !== server.earlyData) wrong.push('earlyData');
  if (differing(client.recordSizeLimit?.send, server.recordSizeLimit?.receive)) wrong.push('records to the server');
  if (differing(client.recordSizeLimit?.receive, server.recordSizeLimit?.send)) wrong.push('records to the client');
  if (wrong.length > 0) throw new Error(`the two ends differ in ${wrong.join(', ')}`);
}
