/** Alerts (§6) and the one error type of the library: every fault of a peer names the alert that answers it. */

/** Alert descriptions as RFC 9846 §6 and its extensions spell them. */
export const alertDescriptions = {
  close_notify: 0,
  unexpected_message: 10,
  bad_record_mac: 20,
  record_overflow: 22,
  handshake_failure: 40,
  bad_certificate: 42,
  unsupported_certificate: 43,
  certificate_revoked: 44,
  certificate_expired: 45,
  certificate_unknown: 46,
  illegal_parameter: 47,
  unknown_ca: 48,
  access_denied: 49,
  decode_error: 50,
  decrypt_error: 51,
  protocol_version: 70,
  insufficient_security: 71,
  internal_error: 80,
  inappropriate_fallback: 86,
  user_canceled: 90,
  missing_extension: 109,
  unsupported_extension: 110,
  unrecognized_name: 112,
  bad_certificate_status_response: 113,
  unknown_psk_identity: 115,
  certificate_required: 116,
  general_error: 117,
  no_application_protocol: 120,
  ech_required: 121,
  // Of earlier versions (§B.2): this library sends none of them by itself, but names those that come.
  decryption_failed_RESERVED: 21,
  decompression_failure_RESERVED: 30,
  no_certificate_RESERVED: 41,
  export_restriction_RESERVED: 60,
  no_renegotiation_RESERVED: 100,
  certificate_unobtainable_RESERVED: 111,
  bad_certificate_hash_value_RESERVED: 114,
} as const;

export type AlertName = keyof typeof alertDescriptions;

export const alertLevels = { warning: 1, fatal: 2 } as const;

/**
 * A connection's fatal end. `alert` is the alert this side sends, or, when `received` is true, the one the peer sent.
 * `message` says what was seen and what was wanted.
 */
export class TlsError extends Error {
  override readonly name: string = 'TlsError';
  readonly alert: AlertName;
  readonly received: boolean;
  /** `ERR_TLS_` and the alert in capitals, e.g. `ERR_TLS_BAD_RECORD_MAC`, unless `options.code` said otherwise: stable, for programs to compare. */
  readonly code: string;

  constructor(alert: AlertName, message: string, options: TlsErrorOptions = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    // A verifier without types may say anything; what cannot be sent must not come as far as the wire.
    if (!isAlertName(alert)) throw new TypeError(`there is no alert called ${String(alert)} (§6)`);
    this.alert = alert;
    this.received = options.received ?? false;
    this.code = options.code ?? `ERR_TLS_${alert.toUpperCase()}`;
  }
}

export interface TlsErrorOptions {
  /** The peer sent the alert. Default false. */
  readonly received?: boolean;
  readonly cause?: unknown;
  /** For the ends that no alert names: `ERR_TLS_TRUNCATED`, `ERR_TLS_KEY_EXHAUSTED`. */
  readonly code?: string;
}

/** Whatever was thrown: what is not about the peer is our own fault, an internal_error (§6.2). */
export function asTlsError(error: unknown): TlsError {
  if (error instanceof TlsError) return error;
  const text = error instanceof Error ? error.message : String(error);
  return new TlsError('internal_error', text, { cause: error });
}

/** The RFC's name of an alert code; `undefined` for a code that no RFC here names. */
export function alertName(description: number): AlertName | undefined {
  return namesByCode.get(description);
}

const namesByCode = new Map<number, AlertName>();
for (const [name, code] of Object.entries(alertDescriptions)) {
  if (isAlertName(name)) namesByCode.set(code, name);
}

function isAlertName(name: string): name is AlertName {
  return Object.hasOwn(alertDescriptions, name);
}
