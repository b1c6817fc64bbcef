/** The errors of connections that no alert names, each with a stable code, and system errors as node:net spells them. */
import { KtlsError } from 'ktls-bind';
import { TlsError } from 'tls13-core';

export type ConnectionErrorCode =
  /** The handshake took longer than `handshakeTimeout`. */
  | 'ERR_TLS_HANDSHAKE_TIMEOUT'
  /** The kernel's record layer was attached and then refused the keys: nothing more may be written. */
  | 'ERR_TLS_OFFLOAD_FAILED'
  /** New keys were asked for where the kernel cannot replace them (Linux before 6.14). */
  | 'ERR_TLS_REKEY_UNSUPPORTED'
  /** A file became shorter while it was sent: the promised length cannot be kept. */
  | 'ERR_TLS_FILE_TRUNCATED'
  /** The call needs an open connection whose handshake is complete. */
  | 'ERR_TLS_NOT_CONNECTED'
  /** The connection ended before everything was sent. */
  | 'ERR_TLS_CONNECTION_CLOSED'
  /** The client did not answer a request for its certificate in time (`requestCertificate`). */
  | 'ERR_TLS_CERTIFICATE_TIMEOUT'
  /** The peer's certificate was not accepted (`authorizationError`). */
  | 'ERR_TLS_UNAUTHORIZED';

export class ConnectionError extends Error {
  override readonly name = 'ConnectionError';
  readonly code: ConnectionErrorCode;

  constructor(code: ConnectionErrorCode, message: string, cause?: unknown) {
    super(message, cause === undefined ? undefined : { cause });
    this.code = code;
  }
}

export function notConnected(): ConnectionError {
  return new ConnectionError('ERR_TLS_NOT_CONNECTED', 'the connection is not open');
}

export function closedUnsent(): ConnectionError {
  return new ConnectionError('ERR_TLS_CONNECTION_CLOSED', 'the connection was closed before this was sent');
}

export function cannotRekey(): ConnectionError {
  return new ConnectionError(
    'ERR_TLS_REKEY_UNSUPPORTED',
    "the kernel seals this connection's records and cannot replace its key (Linux 6.14 can)",
  );
}

export function neverRead(most: number): TlsError {
  return new TlsError('unexpected_message', `more than ${most} KeyUpdates were asked for, and none of them read`);
}

export const abandoned = new TlsError('user_canceled', 'the connection was abandoned');

/** A failed system call as node:net reports it: `code` is the errno's name, `syscall` what was tried. */
export interface SystemError extends Error {
  readonly code: string;
  readonly syscall: string;
}

/**
 * What an application expects of a broken socket: `ECONNRESET` and the like. Any other error, and a KtlsError that is
 * about records or keys, stays what it is.
 */
export function asSystemError(error: Error): Error {
  if (!(error instanceof KtlsError) || error.errno === undefined || error.code !== 'ERR_KTLS_IO') return error;
  const syscall = error.step === 'read' ? 'read' : 'write';
  const system: SystemError = Object.assign(new Error(`${syscall} ${error.errno}`, { cause: error }), {
    code: error.errno,
    syscall,
  });
  return system;
}

/** Whatever was thrown, as an Error. */
export function asError(thrown: unknown): Error {
  return thrown instanceof Error ? thrown : new Error(String(thrown));
}

/** What the kernel's findings about a record are in the protocol's words (§6.2); undefined when they are not about a record. */
export function recordFault(error: Error): TlsError | undefined {
  if (!(error instanceof KtlsError)) return undefined;
  switch (error.code) {
    case 'ERR_KTLS_BAD_RECORD':
      return new TlsError('bad_record_mac', error.message, { cause: error });
    case 'ERR_KTLS_RECORD_OVERFLOW':
      return new TlsError('record_overflow', error.message, { cause: error });
    case 'ERR_KTLS_BAD_HEADER':
      return new TlsError('decode_error', error.message, { cause: error });
    case 'ERR_KTLS_KEY_EXPIRED':
    case 'ERR_KTLS_CONTROL_RECORD':
    case 'ERR_KTLS_CONTROL_TRUNCATED':
    case 'ERR_KTLS_RECORD_TYPE_MISSING':
    case 'ERR_KTLS_RECORD_INCOMPLETE':
      return new TlsError('internal_error', error.message, { cause: error });
    default:
      return undefined;
  }
}
