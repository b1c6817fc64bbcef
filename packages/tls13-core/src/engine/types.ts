/** The engine as its driver sees it. */
import type { TlsError } from '../alert.js';
import type { ConnectionInfo } from '../connection-info.js';
import type { TrafficKeys } from '../crypto/provider.js';
import type { Direction, TlsEvent } from '../events.js';

/**
 * One end of a TLS 1.3 connection as a value: bytes in, events out, no I/O. Every call returns what it brought
 * about, in order; the caller must handle the events of one call before it makes the next.
 */
export interface TlsEngine {
  readonly role: 'client' | 'server';
  /** `failed` is final. */
  readonly state: 'handshake' | 'connected' | 'failed';
  /** Bytes that complete the record in hand: a driver that reads no more than this never reads past a record. 5 when none is. */
  readonly wanted: number;
  /** Set from `connected` on. */
  readonly info: ConnectionInfo | undefined;
  readonly error: TlsError | undefined;
  /** A client's first flight; a server's nothing. Once. */
  start(): TlsEvent[];
  /**
   * Bytes from the wire, cut anywhere.
   * @param headroom bytes in front of them, in the same memory, that may be overwritten: the beginning of a record that
   *   came earlier is put there, so that records need not be opened one by one where reads do not end as records do.
   *   {@link longestRecord} is as much as can be of use.
   */
  receive(ciphertext: Uint8Array, headroom?: number): TlsEvent[];
  /** The wire ended. Without a close_notify before it the data may have been truncated: fails (§6.1). */
  receiveEnd(): TlsEvent[];
  /**
   * Application data for the peer. Throws TypeError before `connected` or after `close`; a server that has accepted early
   * data may call it from `early_data_accepted` on, before the client has shown that it is there (§2.3, 0.5-RTT).
   */
  send(plaintext: Uint8Array): TlsEvent[];
  /**
   * Client: early data (§2.3), after `start()` and until the server has answered. Throws RangeError for more than
   * `earlyDataLeft`, TypeError when that is 0. After `early_data_rejected` nothing of it has arrived.
   */
  sendEarly(plaintext: Uint8Array): TlsEvent[];
  /** Client: bytes that `sendEarly` may be given now; 0 when no early data was offered, and once it has ended. */
  readonly earlyDataLeft: number;
  /** Sends close_notify (§6.1); receiving goes on. Idempotent. */
  close(): TlsEvent[];
  /** Ends the connection with a fatal alert of the caller's choice. Idempotent. */
  abort(error: TlsError): TlsEvent[];
  /** Replaces the sending key, and asks for the peer's to be replaced when `request` is true (§4.7.3). */
  updateKeys(request?: boolean): TlsEvent[];
  /**
   * Server: asks the client for a certificate after the handshake (§4.7.2); `authenticated` tells the answer, which may
   * take as long as the client's user does. A refusal of `required` ends the connection with certificate_required. Throws
   * TypeError when the client cannot be asked: see `ConnectionInfo.postHandshakeAuthentication`.
   */
  requestCertificate(options?: CertificateRequestOptions): TlsEvent[];
  /** Goes on after `pending` was settled. */
  resume(): TlsEvent[];
  /**
   * Hands one direction's record protection to somebody else: from here on the engine emits `record` and `rekey` for
   * sending, and takes `receiveRecord` for receiving. Throws TypeError unless `canDetach`.
   */
  detach(direction: Direction, options?: DetachOptions): TrafficKeys;
  /** Whether `detach` would succeed now: connected, not detached yet, and (receiving) at a record boundary. */
  canDetach(direction: Direction): boolean;
  /** A record that somebody else opened, other than application data (that never comes here). */
  receiveRecord(contentType: number, fragment: Uint8Array): TlsEvent[];
  /**
   * Bytes of application data that somebody else sealed; counted as records of `recordSize` (default 16,384), rounded
   * up, so that the key is replaced in time (§5.5). Throws TypeError unless sending is detached.
   */
  countSent(bytes: number, recordSize?: number): TlsEvent[];
  /** Bytes of application data that somebody else opened; 0 for an empty record. To be called before the data is believed. */
  countReceived(bytes: number): TlsEvent[];
  /** §7.5. Throws TypeError before `connected`, and once the connection has failed or was aborted: its secret is wiped. */
  exportKeyingMaterial(length: number, label: string, context?: Uint8Array): Uint8Array;
  /**
   * §7.5, from the early exporter secret: the same on both sides as soon as early data is offered or accepted, but no
   * proof that the client is there now. Throws TypeError when there is no early data, and once the connection has failed.
   */
  exportEarlyKeyingMaterial(length: number, label: string, context?: Uint8Array): Uint8Array;
}

export interface DetachOptions {
  /**
   * Whether the keys can be replaced later (`rekey` events). Where they cannot, a KeyUpdate that would need it ends the
   * connection with close_notify and ERR_TLS_KEY_EXHAUSTED, in time before §5.5's limit. Default true.
   */
  readonly rekey?: boolean;
}

export interface CertificateRequestOptions {
  /** Whether a client that shows no certificate is refused. Default false. */
  readonly required?: boolean;
}
