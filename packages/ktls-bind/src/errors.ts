/**
 * The one error class of ktls-bind: which step failed, the kernel's errno by name, and what that means. Callers
 * decide on `code`; people read `message`.
 */

/** Where it failed. */
export type KtlsStep =
  | 'load'
  | 'open'
  | 'ulp'
  | 'crypto'
  | 'rekey'
  | 'option'
  | 'read'
  | 'write'
  | 'record'
  | 'file'
  | 'watch'
  | 'socket'
  | 'probe';

/** What to do about it. */
export type KtlsErrorCode =
  /** No native part here: not Linux, or the addon did not load. */
  | 'ERR_KTLS_UNAVAILABLE'
  /** The kernel has no tls module, or may not load it for this user. */
  | 'ERR_KTLS_NO_ULP'
  /** The socket is not connected (any more). */
  | 'ERR_KTLS_NOT_CONNECTED'
  /** Another ULP, or another owner of this socket, came first. */
  | 'ERR_KTLS_ULP_EXISTS'
  /** No such cipher in this kernel, or not together with the other direction's. */
  | 'ERR_KTLS_CIPHER'
  /** This kernel (or device) does not replace keys. */
  | 'ERR_KTLS_REKEY_UNSUPPORTED'
  /** Keys cannot be replaced at this moment; try again. */
  | 'ERR_KTLS_REKEY_AGAIN'
  /** An option was refused. */
  | 'ERR_KTLS_OPTION'
  /** A plain read met a record that is not application data. */
  | 'ERR_KTLS_CONTROL_RECORD'
  /** The peer updated its key: set new receive keys. */
  | 'ERR_KTLS_KEY_EXPIRED'
  /** A record did not authenticate: bad_record_mac. */
  | 'ERR_KTLS_BAD_RECORD'
  /** A record is longer than TLS allows: record_overflow. */
  | 'ERR_KTLS_RECORD_OVERFLOW'
  /** A record header is not one of TLS 1.3. */
  | 'ERR_KTLS_BAD_HEADER'
  /** The kernel cut off ancillary data. */
  | 'ERR_KTLS_CONTROL_TRUNCATED'
  /** A record came without its content type. */
  | 'ERR_KTLS_RECORD_TYPE_MISSING'
  /** A control record did not come whole. */
  | 'ERR_KTLS_RECORD_INCOMPLETE'
  /** The kernel took only a part of a control record. */
  | 'ERR_KTLS_RECORD_SHORT'
  /** The socket object was closed. */
  | 'ERR_KTLS_CLOSED'
  /** Any other failure of the socket; `errno` tells which (ECONNRESET, EPIPE, ETIMEDOUT, …). */
  | 'ERR_KTLS_IO';

export interface KtlsErrorDetails {
  readonly code: KtlsErrorCode;
  readonly step: KtlsStep;
  /** The errno's name (`ENOENT`), where the kernel gave one. */
  readonly errno?: string | undefined;
  readonly cause?: unknown;
}

export class KtlsError extends Error {
  override readonly name = 'KtlsError';
  readonly code: KtlsErrorCode;
  readonly step: KtlsStep;
  readonly errno: string | undefined;

  constructor(message: string, details: KtlsErrorDetails) {
    super(message, details.cause === undefined ? undefined : { cause: details.cause });
    this.code = details.code;
    this.step = details.step;
    this.errno = details.errno;
  }
}
