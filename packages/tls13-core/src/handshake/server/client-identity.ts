/** What a client's Certificate and CertificateVerify must show a server (§4.5.1, §4.5.2), in the handshake and after it. */
import { TlsError } from '../../alert.js';
import type { Awaitable } from '../../awaitable.js';
import type { ConnectionInfo } from '../../connection-info.js';
import { type CertificateTypeName, extensionTypes, type SignatureSchemeName } from '../../registry.js';
import type { ServerSettings } from '../../settings/index.js';
import type { Certificate, CertificateVerify } from '../../wire/index.js';
import { matchesOidFilters } from '../../x509/oid-filters.js';
import { type ClaimedIdentity, judge, readCertificate } from '../peer-certificate.js';
import { certificateHash } from './certificate-hash.js';

/** The client's claim, or `undefined` when it shows no certificate. `context` is that of the CertificateRequest. */
export function claimOf(
  body: Certificate,
  context: Uint8Array,
  settings: ServerSettings,
  certificateType: CertificateTypeName = 'x509',
): ClaimedIdentity | undefined {
  const claimed = readCertificate(body, {
    role: 'client',
    context,
    asked: askedOfClients(settings),
    certificateType,
    settings,
  });
  const leaf = claimed?.evidence.peerCertificates[0];
  if (leaf !== undefined && !matchesOidFilters(leaf, settings.oidFilters)) {
    const oids = settings.oidFilters.map(({ oid }) => oid).join(', ');
    throw new TlsError(
      'unsupported_certificate',
      `the client's certificate does not hold what oid_filters asked for in ${oids} (§4.3.5)`,
    );
  }
  return claimed;
}

/** What the connection reports of a client that has shown who it is. */
export function identityInfo(claimed: ClaimedIdentity, scheme: SignatureSchemeName, settings: ServerSettings) {
  return {
    ...claimed.evidence,
    peerCertificateSha256: certificateHash(claimed.evidence.peerCertificates[0], settings)?.sha256,
    peerDelegatedCredential: claimed.delegated,
    peerCertificateCompression: claimed.compression,
    clientSignatureScheme: scheme,
  } satisfies Partial<ConnectionInfo>;
}

/** The scheme that the client signed with, once the signature holds and the application believes the identity. */
export function judgeClient(
  body: CertificateVerify,
  claimed: ClaimedIdentity,
  transcriptHash: Uint8Array,
  { verifyPeer, signatureSchemes: offered }: ServerSettings,
): Awaitable<SignatureSchemeName> {
  if (verifyPeer === undefined) throw new TypeError('verifyPeer is missing, so no client certificate can be judged');
  return judge(body, { role: 'client', claimed, transcriptHash, offered, serverName: undefined, verifyPeer });
}

/** Types of the extensions that a CertificateRequest asks for. */
function askedOfClients(settings: ServerSettings): readonly number[] {
  const { ocspStapling, signedCertificateTimestamps, delegatedCredentialSchemes } = settings;
  return [
    ...(ocspStapling ? [extensionTypes.status_request] : []),
    ...(signedCertificateTimestamps ? [extensionTypes.signed_certificate_timestamp] : []),
    ...(delegatedCredentialSchemes.length > 0 ? [extensionTypes.delegated_credential] : []),
  ];
}
