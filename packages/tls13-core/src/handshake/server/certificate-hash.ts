/** What is left of a client's certificates where sessions keep their hash alone (`tickets.retainOnlySha256OfClientCerts`). */
import type { ConnectionInfo } from '../../connection-info.js';
import type { ServerSettings } from '../../settings/index.js';
import { certificateFields, certificateValidity } from '../../x509/certificate.js';
import type { TicketTerms } from './states.js';

export interface CertificateHash {
  readonly sha256: Uint8Array;
  /** Seconds since 1970: with the certificate itself gone, what its tickets end with. */
  readonly notAfter: number;
}

/** `undefined` where sessions keep the certificates, and for a client that has shown none. */
export function certificateHash(
  leaf: Uint8Array | undefined,
  { tickets, provider }: Pick<ServerSettings, 'tickets' | 'provider'>,
): CertificateHash | undefined {
  if (leaf === undefined || tickets?.retainOnlySha256OfClientCerts !== true) return undefined;
  const { notAfter } = certificateValidity(certificateFields(leaf));
  return {
    sha256: provider.hash('sha256').digest(leaf),
    notAfter: Math.min(Math.floor(notAfter / 1000), latestTime),
  };
}

/** What the tickets of a connection keep: of the certificate that the client has shown on it, or of the session that it resumes. */
export function keptHash(
  { peerCertificates, peerCertificateSha256 }: ConnectionInfo,
  { clientCertificateHash: resumed }: TicketTerms,
  settings: Pick<ServerSettings, 'tickets' | 'provider'>,
): CertificateHash | undefined {
  if (peerCertificates.length > 0) return certificateHash(peerCertificates[0], settings);
  return peerCertificateSha256 === undefined ? undefined : resumed;
}

/** A ticket has four bytes for a time. */
const latestTime = 2 ** 32 - 1;
