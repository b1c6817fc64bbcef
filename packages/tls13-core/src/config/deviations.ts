/**
 * Where RFC 8446 and the implementations that grew up with it differ from RFC 9846, which is followed unless told
 * otherwise. For peers and test suites that insist; none of it changes what is accepted as authentic.
 */
export interface Deviations {
  /** A server takes a ClientHello whatever its legacy_version, as RFC 8446 had it. §4.2.2 wants protocol_version. */
  readonly anyLegacyVersion: boolean;
  /** Unprotected records whose version does not begin with 0x03 are refused with protocol_version. §5.1 ignores it. */
  readonly recordVersions: boolean;
  /** An unprotected record where protected ones are due is a bad_record_mac, not an unexpected_message (§5). */
  readonly unprotectedRecords: boolean;
  /**
   * Alerts whose level does not go with them are answered: an unknown level by illegal_parameter, an error alert sent as
   * a warning by decode_error. §6 does not look at the level, and answers no error alert.
   */
  readonly alertLevels: boolean;
  /** A known extension that has no place in EncryptedExtensions is unsupported_extension. §4.3 wants illegal_parameter. */
  readonly misplacedExtensions: boolean;
  /** A client takes a protocol that it has not offered. RFC 7301 §3.2 allows servers none but those. */
  readonly unofferedProtocols: boolean;
  /** A PSK's binder of fewer than 32 bytes is one that does not verify: decrypt_error. Its length (§4.3.11) wants decode_error. */
  readonly shortBinders: boolean;
}
