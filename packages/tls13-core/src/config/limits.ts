/** Bounds against a peer that costs too much. */

/** Bounds against a peer that costs too much; each breach is a fatal alert. */
export interface Limits {
  /** Bytes of one handshake message. Default 131,072. */
  readonly handshakeMessage: number;
  /** Bytes of rejected early data that a server skips (§4.3.10). Default 65,536, or as much as it could accept. */
  readonly skippedEarlyData: number;
  /** KeyUpdates in a row without application data between them. Default 32. */
  readonly keyUpdates: number;
  /** Empty application_data and change_cipher_spec records in a row. Default 32. */
  readonly emptyRecords: number;
  /** Bytes of ciphertext held while the application has not answered yet. Default 262,144. */
  readonly pendingInput: number;
  /**
   * CertificateRequests after the handshake (§4.7.2): that a client answers on one connection, and that a server has
   * without an answer. Default 16.
   */
  readonly certificateRequests: number;
  /** NewSessionTickets a client accepts on one connection. Default 64. */
  readonly tickets: number;
  /**
   * Records a key may seal before it is replaced (§5.5). Default: the cipher suite's own limit, which is also the
   * ceiling for this value.
   */
  readonly recordsPerKey: number;
}
