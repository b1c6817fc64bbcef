/** A peer's certificate chain as it arrives (§4.5.1.3), for both roles: its leaf's key, fit for a CertificateVerify. */
import { TlsError } from '../alert.js';
import type { CryptoProvider, PublicKey } from '../crypto/provider.js';
import type { SignatureSchemeName } from '../registry.js';
import { handshakeSchemes, type SigningRole } from './certificate-verify.js';

/**
 * The key of the leaf. Throws bad_certificate for one that cannot be read, and unsupported_certificate for a key
 * that suits none of the schemes this side offered (§4.5.1.2, §6.2): no CertificateVerify could be accepted from it.
 */
export function leafKey(
  provider: Pick<CryptoProvider, 'certificateKey'>,
  role: SigningRole,
  leaf: Uint8Array,
  offered: readonly SignatureSchemeName[],
): PublicKey {
  const key = provider.certificateKey(leaf);
  const usable = handshakeSchemes(offered);
  if (!key.schemes.some((scheme) => usable.includes(scheme))) {
    const allowed = key.schemes.length === 0 ? 'no signature scheme' : key.schemes.join(', ');
    throw new TlsError(
      'unsupported_certificate',
      `the key of the ${role}'s certificate allows ${allowed}; offered were ${usable.join(', ')} (§4.5.1.2)`,
    );
  }
  return key;
}
