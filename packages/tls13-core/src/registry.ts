/** Code points of RFC 9846 (Appendix B) and of the RFCs it builds on, under the names those documents give them. */

export const protocolVersions = { tls10: 0x0301, tls11: 0x0302, tls12: 0x0303, tls13: 0x0304 } as const;

/** §5.1 */
export const contentTypes = {
  invalid: 0,
  change_cipher_spec: 20,
  alert: 21,
  handshake: 22,
  application_data: 23,
} as const;

/** §4 */
export const handshakeTypes = {
  client_hello: 1,
  server_hello: 2,
  new_session_ticket: 4,
  end_of_early_data: 5,
  encrypted_extensions: 8,
  certificate: 11,
  certificate_request: 13,
  certificate_verify: 15,
  finished: 20,
  key_update: 24,
  compressed_certificate: 25,
  message_hash: 254,
} as const;

/** §B.4, in this library's order of preference where hardware has AES. CCM_8 must be asked for by name. */
export const cipherSuites = {
  TLS_AES_128_GCM_SHA256: 0x1301,
  TLS_AES_256_GCM_SHA384: 0x1302,
  TLS_CHACHA20_POLY1305_SHA256: 0x1303,
  TLS_AES_128_CCM_SHA256: 0x1304,
  TLS_AES_128_CCM_8_SHA256: 0x1305,
} as const;
export type CipherSuiteName = keyof typeof cipherSuites;

/** §4.3.7; the hybrids are RFC 9954's; ML-KEM alone is draft-ietf-tls-mlkem's. */
export const namedGroups = {
  secp256r1: 0x0017,
  secp384r1: 0x0018,
  secp521r1: 0x0019,
  x25519: 0x001d,
  x448: 0x001e,
  MLKEM768: 0x0201,
  MLKEM1024: 0x0202,
  SecP256r1MLKEM768: 0x11eb,
  X25519MLKEM768: 0x11ec,
  SecP384r1MLKEM1024: 0x11ed,
} as const;
export type NamedGroupName = keyof typeof namedGroups;

/** Groups of an elliptic curve and ML-KEM together: safe as long as either of the two is. */
export const hybridGroups = ['X25519MLKEM768', 'SecP256r1MLKEM768', 'SecP384r1MLKEM1024'] as const;
export type HybridGroupName = (typeof hybridGroups)[number];

/** ML-KEM with no curve beside it. */
export const pureKemGroups = ['MLKEM768', 'MLKEM1024'] as const;
export type KemGroupName = HybridGroupName | (typeof pureKemGroups)[number];

/** Groups in which one side encapsulates a secret to the other's key: hybrid or not, they withstand a quantum computer. */
export function isKemGroup(group: NamedGroupName): group is KemGroupName {
  return isHybridGroup(group) || pureKemGroups.some((pure) => pure === group);
}

export function isHybridGroup(group: NamedGroupName): group is HybridGroupName {
  return hybridGroups.some((hybrid) => hybrid === group);
}

/** §4.3.3 */
export const signatureSchemes = {
  rsa_pkcs1_sha256: 0x0401,
  rsa_pkcs1_sha384: 0x0501,
  rsa_pkcs1_sha512: 0x0601,
  ecdsa_secp256r1_sha256: 0x0403,
  ecdsa_secp384r1_sha384: 0x0503,
  ecdsa_secp521r1_sha512: 0x0603,
  rsa_pss_rsae_sha256: 0x0804,
  rsa_pss_rsae_sha384: 0x0805,
  rsa_pss_rsae_sha512: 0x0806,
  ed25519: 0x0807,
  ed448: 0x0808,
  rsa_pss_pss_sha256: 0x0809,
  rsa_pss_pss_sha384: 0x080a,
  rsa_pss_pss_sha512: 0x080b,
  // draft-ietf-tls-mldsa
  mldsa44: 0x0904,
  mldsa65: 0x0905,
  mldsa87: 0x0906,
  // draft-ietf-tls-tls13-pkcs1: for clients' keys in tokens that cannot do RSASSA-PSS
  rsa_pkcs1_sha256_legacy: 0x0420,
  rsa_pkcs1_sha384_legacy: 0x0520,
  rsa_pkcs1_sha512_legacy: 0x0620,
} as const;
export type SignatureSchemeName = keyof typeof signatureSchemes;

/** §4.3 */
export const extensionTypes = {
  server_name: 0,
  max_fragment_length: 1,
  status_request: 5,
  supported_groups: 10,
  signature_algorithms: 13,
  application_layer_protocol_negotiation: 16,
  signed_certificate_timestamp: 18,
  client_certificate_type: 19,
  server_certificate_type: 20,
  padding: 21,
  compress_certificate: 27,
  record_size_limit: 28,
  delegated_credential: 34,
  pre_shared_key: 41,
  early_data: 42,
  supported_versions: 43,
  cookie: 44,
  psk_key_exchange_modes: 45,
  certificate_authorities: 47,
  oid_filters: 48,
  post_handshake_auth: 49,
  signature_algorithms_cert: 50,
  key_share: 51,
  ticket_request: 58,
  tls_flags: 62,
  ech_outer_extensions: 0xfd00,
  encrypted_client_hello: 0xfe0d,
} as const;
export type ExtensionName = keyof typeof extensionTypes;

/** RFC 7250 */
export const certificateTypes = { x509: 0, rawPublicKey: 2 } as const;
export type CertificateTypeName = keyof typeof certificateTypes;

/** RFC 8879 §3 */
export const certificateCompressionAlgorithms = { zlib: 1, brotli: 2, zstd: 3 } as const;
export type CertificateCompressionName = keyof typeof certificateCompressionAlgorithms;

/** TLS flags: draft-ietf-tls-cross-sni-resumption. */
export const tlsFlags = { resumption_across_names: 8 } as const;

/** §4.3.9 */
export const pskKeyExchangeModes = { psk_ke: 0, psk_dhe_ke: 1 } as const;

/** RFC 9180 §7: what HPKE is made of here. */
export const hpkeKems = {
  DHKEM_P256_HKDF_SHA256: 0x0010,
  DHKEM_P384_HKDF_SHA384: 0x0011,
  DHKEM_X25519_HKDF_SHA256: 0x0020,
} as const;
export type HpkeKemName = keyof typeof hpkeKems;
export const hpkeKdfs = { HKDF_SHA256: 0x0001, HKDF_SHA384: 0x0002 } as const;
export type HpkeKdfName = keyof typeof hpkeKdfs;
export const hpkeAeads = { AES_128_GCM: 0x0001, AES_256_GCM: 0x0002, ChaCha20Poly1305: 0x0003 } as const;
export type HpkeAeadName = keyof typeof hpkeAeads;

/** §4.7.3 */
export const keyUpdateRequests = { update_not_requested: 0, update_requested: 1 } as const;

/** Whether a code point of 16 bits is reserved for GREASE: both bytes alike, and ending in A (RFC 8701 §2). */
export function isGrease(code: number): boolean {
  return (code & 0x0f0f) === 0x0a0a && code >> 8 === (code & 0xff);
}

/** The name of a code point in one of the registries above, or its number in hexadecimal: for messages to people. */
export function nameOf(registry: Readonly<Record<string, number>>, code: number): string {
  for (const name in registry) if (registry[name] === code) return name;
  return `0x${code.toString(16).padStart(4, '0')}`;
}

/** The registry's own name for a code point, typed, or `undefined` where this library does not know it. */
export function knownName<Name extends string>(
  registry: Readonly<Record<Name, number>>,
  code: number,
): Name | undefined {
  for (const name in registry) if (registry[name] === code) return name;
  return undefined;
}
