/** What an engine tells its driver, in order. A driver is a `switch` over these. */
import type { TlsError } from './alert.js';
import type { ConnectionInfo, EarlyDataReason } from './connection-info.js';
import type { TrafficKeys } from './crypto/provider.js';
import type { KeyLogLabel } from './handshake/effects.js';
import type { Session } from './session.js';

export type Direction = 'send' | 'receive';

/** `inner_client_hello` is what a ClientHello hides (RFC 9849). */
export type MessageKind = 'handshake' | 'inner_client_hello' | 'change_cipher_spec' | 'alert';

export type TlsEvent =
  /** Bytes for the wire. */
  | { readonly type: 'transmit'; readonly data: Uint8Array }
  /** The handshake is complete: `send` may be called. */
  | { readonly type: 'connected'; readonly info: ConnectionInfo }
  /** Application data from the peer. The memory is the caller's. */
  | { readonly type: 'data'; readonly data: Uint8Array }
  /** Server: early data (§2.3), which anybody may have sent again (§8). The memory is the caller's. */
  | { readonly type: 'early_data'; readonly data: Uint8Array }
  /**
   * Early data was accepted. Server: `early_data` follows, and `send` may be called from now on; `info` as it will be
   * reported if the client finishes the handshake.
   */
  | { readonly type: 'early_data_accepted'; readonly info: ConnectionInfo }
  /** Client: early data was offered and is lost; what of it is still wanted is to be sent again after `connected`. */
  | { readonly type: 'early_data_rejected'; readonly reason: EarlyDataReason }
  /** Client: a session to resume later (§4.7.1). */
  | { readonly type: 'ticket'; readonly session: Session }
  /** The application was asked something and has not answered: call `resume()` when `settled` is fulfilled (it never rejects). */
  | { readonly type: 'pending'; readonly settled: Promise<void> }
  /** The sending direction is detached: send this record, under the keys in force, as one record. */
  | { readonly type: 'record'; readonly contentType: number; readonly fragment: Uint8Array }
  /** The direction is detached: from the next record on it is protected with these keys. */
  | { readonly type: 'rekey'; readonly direction: Direction; readonly keys: TrafficKeys }
  /** Server: the CertificateRequest that `requestCertificate()` asked for is out; `context` names it (§4.7.2). */
  | { readonly type: 'certificate_requested'; readonly context: Uint8Array }
  /**
   * The client has answered a CertificateRequest after the handshake, with a certificate or, when `certificates` is empty,
   * without one: then it has shown a raw public key (`info.peerRawPublicKey`), or nothing. The engine's `info` says the same
   * from here on.
   */
  | {
      readonly type: 'authenticated';
      readonly context: Uint8Array;
      /** The client's, DER, leaf first. */
      readonly certificates: readonly Uint8Array[];
      readonly info: ConnectionInfo;
    }
  /** A key changed; `requested` when the peer asked for it (§4.7.3). */
  | { readonly type: 'key_update'; readonly direction: Direction; readonly requested: boolean }
  /** The handshake's messages, change_cipher_spec as it is sent, and alerts, in clear, when `messageLog` was set. */
  | {
      readonly type: 'message';
      readonly direction: Direction;
      readonly kind: MessageKind;
      /** A handshake message whole, its header included; otherwise the content of the record. */
      readonly message: Uint8Array;
    }
  /** For an NSS key log (RFC 9850), when `keyLog` was set. */
  | {
      readonly type: 'secret';
      readonly label: KeyLogLabel;
      readonly clientRandom: Uint8Array;
      readonly secret: Uint8Array;
    }
  /** The peer sent close_notify: no more data comes from it (§6.1). Sending goes on. */
  | { readonly type: 'closed' }
  /**
   * The connection is over. `error.received` tells whose alert it was; `transmit`/`record` before it carries ours.
   * Nothing follows.
   */
  | { readonly type: 'failed'; readonly error: TlsError };
