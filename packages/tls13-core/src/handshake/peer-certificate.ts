/** A peer's certificate chain as it arrives (§4.5.1.3), for both roles: its leaf's key, fit for a CertificateVerify. */
import { TlsError } from '../alert.js';
import type { CryptoProvider, PublicKey } from '../crypto/provider.js';
import { certificateFields, maySign } from '../x509/certificate.js';
import type { SigningRole } from './certificate-verify.js';

/**
 * The key of the leaf. Throws decode_error or bad_certificate for one that cannot be read, and unsupported_certificate for
 * a key that is not for signatures (§4.5.1.2). Whether it goes with what this side offered, its CertificateVerify shows.
 */
export function leafKey(
  provider: Pick<CryptoProvider, 'certificateKey'>,
  role: SigningRole,
  leaf: Uint8Array,
): PublicKey {
  if (!maySign(certificateFields(leaf))) {
    throw new TlsError(
      'unsupported_certificate',
      `the Key Usage of the ${role}'s certificate is without digitalSignature (§4.5.1.2)`,
    );
  }
  return provider.certificateKey(leaf);
}
