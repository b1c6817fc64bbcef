/** EncryptedExtensions and CertificateRequest (§4.4), and the authentication messages (§4.5). */
import { type Decoded, decode, type Encodable, encode, opaque, rest, struct, uint16, uint24, vector } from './codec.js';
import { type CertificateStatus, certificateStatus } from './extension-values.js';
import { certificateExtensions, certificateRequestExtensions, encryptedExtensionsExtensions } from './extensions.js';

/** §4.4.1 */
export const encryptedExtensions = struct({ extensions: encryptedExtensionsExtensions });
export type EncryptedExtensions = Decoded<typeof encryptedExtensions>;
export type EncryptedExtensionsToSend = Encodable<typeof encryptedExtensions>;

/** §4.4.2 */
export const certificateRequest = struct({
  certificateRequestContext: opaque(0, 2 ** 8 - 1),
  extensions: certificateRequestExtensions,
});
export type CertificateRequest = Decoded<typeof certificateRequest>;
export type CertificateRequestToSend = Encodable<typeof certificateRequest>;

/** §4.5.1, of type X509: `certData` is DER. */
const certificateEntry = struct({ certData: opaque(1, 2 ** 24 - 1), extensions: certificateExtensions });
export type CertificateEntry = Decoded<typeof certificateEntry>;

/** §4.5.1 */
export const certificate = struct({
  certificateRequestContext: opaque(0, 2 ** 8 - 1),
  certificateList: vector(certificateEntry, 0, 2 ** 24 - 1),
});
export type Certificate = Decoded<typeof certificate> & {
  /** What it came compressed with (RFC 8879). */
  readonly compression?: string | undefined;
};
export type CertificateToSend = Encodable<typeof certificate>;

/** The body of a Certificate, as it stands in a CompressedCertificate. */
export function decodeCertificate(body: Uint8Array): Certificate {
  return decode(certificate, body, 'certificate');
}

/** RFC 8879 §4 */
export const compressedCertificate = struct({
  algorithm: uint16,
  uncompressedLength: uint24,
  compressedCertificateMessage: opaque(1, 2 ** 24 - 1),
});
export type CompressedCertificate = Decoded<typeof compressedCertificate>;

/** §4.5.2 */
export const certificateVerify = struct({ algorithm: uint16, signature: opaque(0, 2 ** 16 - 1) });
export type CertificateVerify = Decoded<typeof certificateVerify>;

/** §4.5.3: `verifyData` has Hash.length bytes, which only the key schedule knows. */
export const finished = struct({ verifyData: rest });
export type Finished = Decoded<typeof finished>;

/** CertificateStatusType of OCSP (RFC 6066 §8). */
export const ocspStatusType = 1;

/** RFC 6066 §8: a CertificateStatusRequest for ocsp, naming no responder and no extension. */
export const ocspStatusRequest = Uint8Array.of(ocspStatusType, 0, 0, 0, 0);

/** The body of a Certificate's status_request (§4.5.1.1, RFC 6066 §8). */
export function decodeCertificateStatus(body: Uint8Array): CertificateStatus {
  return decode(certificateStatus, body, 'Certificate status_request');
}

export function encodeCertificateStatus(status: CertificateStatus): Uint8Array {
  return encode(certificateStatus, status);
}
