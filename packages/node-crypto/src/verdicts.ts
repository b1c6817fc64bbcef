/** Which alert (§6.2) answers which verdict of OpenSSL on a certificate chain. */
import type { AlertName } from 'tls13-core';

/**
 * The alert for a code of `verifyChain`. Where RFC 9846 describes the case its description decides: a certificate not
 * yet valid is certificate_expired ("not currently valid"), a signature that does not verify is bad_certificate. A
 * certificate that is sound but somebody else's (HOSTNAME_MISMATCH) is certificate_unknown.
 */
export function alertOfVerdict(code: string): AlertName {
  return alerts.get(code) ?? 'certificate_unknown';
}

const codesByAlert: Readonly<Partial<Record<AlertName, readonly string[]>>> = {
  certificate_expired: ['CERT_HAS_EXPIRED', 'CERT_NOT_YET_VALID'],
  certificate_revoked: ['CERT_REVOKED'],
  unknown_ca: [
    'UNABLE_TO_GET_ISSUER_CERT',
    'UNABLE_TO_GET_ISSUER_CERT_LOCALLY',
    'UNABLE_TO_VERIFY_LEAF_SIGNATURE',
    'DEPTH_ZERO_SELF_SIGNED_CERT',
    'SELF_SIGNED_CERT_IN_CHAIN',
    'CERT_UNTRUSTED',
  ],
  unsupported_certificate: [
    'INVALID_PURPOSE',
    'UNHANDLED_CRITICAL_EXTENSION',
    'UNSUPPORTED_EXTENSION_FEATURE',
    'UNSUPPORTED_CONSTRAINT_TYPE',
    'UNSUPPORTED_CONSTRAINT_SYNTAX',
    'UNSUPPORTED_NAME_SYNTAX',
    'UNSUPPORTED_SIGNATURE_ALGORITHM',
    'PROXY_CERTIFICATES_NOT_ALLOWED',
  ],
  bad_certificate: [
    'MALFORMED',
    'CERT_SIGNATURE_FAILURE',
    'UNABLE_TO_DECRYPT_CERT_SIGNATURE',
    'UNABLE_TO_DECODE_ISSUER_PUBLIC_KEY',
    'NO_ISSUER_PUBLIC_KEY',
    'ERROR_IN_CERT_NOT_BEFORE_FIELD',
    'ERROR_IN_CERT_NOT_AFTER_FIELD',
    'CERT_REJECTED',
    'CERT_CHAIN_TOO_LONG',
    'INVALID_CA',
    'INVALID_NON_CA',
    'INVALID_EXTENSION',
    'INVALID_POLICY_EXTENSION',
    'NO_EXPLICIT_POLICY',
    'PATH_LENGTH_EXCEEDED',
    'PATH_LOOP',
    'KEYUSAGE_NO_CERTSIGN',
    'KEYUSAGE_NO_DIGITAL_SIGNATURE',
    'PERMITTED_VIOLATION',
    'EXCLUDED_VIOLATION',
    'SUBTREE_MINMAX',
    'SUBJECT_ISSUER_MISMATCH',
    'AKID_SKID_MISMATCH',
    'AKID_ISSUER_SERIAL_MISMATCH',
    'EE_KEY_TOO_SMALL',
    'CA_KEY_TOO_SMALL',
    'CA_MD_TOO_WEAK',
    'EC_KEY_EXPLICIT_PARAMS',
    'SIGNATURE_ALGORITHM_MISMATCH',
    'SIGNATURE_ALGORITHM_INCONSISTENCY',
  ],
  internal_error: ['VERIFIER_UNAVAILABLE', 'OUT_OF_MEM', 'INVALID_CALL', 'STORE_LOOKUP'],
};

const alerts = new Map<string, AlertName>();
for (const [alert, codes] of entries(codesByAlert)) for (const code of codes) alerts.set(code, alert);

function entries<Key extends string, Value>(record: Readonly<Partial<Record<Key, Value>>>): readonly [Key, Value][] {
  const found: [Key, Value][] = [];
  for (const key in record) {
    const value = record[key];
    if (value !== undefined) found.push([key, value]);
  }
  return found;
}
