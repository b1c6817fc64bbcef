/** What a transition asks of the engine. The order of a list of effects is the order on the wire. */

import type { TlsError } from '../alert.js';
import type { ConnectionInfo, EarlyDataReason, RecordSizeLimit } from '../connection-info.js';
import type { CipherSuite } from '../crypto/suites.js';
import type { Secret } from '../keys/schedule.js';
import type { Transcript } from '../keys/transcript.js';
import type { Session } from '../session.js';

export type Effect =
  /** A whole handshake message, header included, in a record of its own flight under the sending keys in force. */
  | { readonly type: 'send'; readonly message: Uint8Array }
  /** What the ClientHello beside it hides (RFC 9849), for a log of messages. */
  | { readonly type: 'inner_client_hello'; readonly direction: 'send' | 'receive'; readonly message: Uint8Array }
  /** The compatibility record of §E.4, at once or in front of whatever is sent next. */
  | { readonly type: 'change_cipher_spec'; readonly when: 'now' | 'before_next_record' }
  /** From here on this side sends in clear again: a second ClientHello follows early data (§4.2.4). */
  | { readonly type: 'send_in_clear' }
  /** From here on this side seals (`K_send`) or opens (`K_recv`) under keys derived from `secret` (§7.3). */
  | { readonly type: 'K_send'; readonly epoch: Epoch; readonly suite: CipherSuite; readonly secret: Secret }
  | { readonly type: 'K_recv'; readonly epoch: Epoch; readonly suite: CipherSuite; readonly secret: Secret }
  /** Client: up to `limit` bytes of early data may be sent, until another key for sending is set (§4.3.10). */
  | { readonly type: 'early_data_offered'; readonly early: EarlyKeys }
  /** Client: the application is told. */
  | { readonly type: 'early_data_accepted'; readonly info: ConnectionInfo }
  /**
   * Server: up to `limit` bytes of early data are read under the early key, and the application, which is told, may answer
   * them; `exporterSecret` serves §7.5 already.
   */
  | {
      readonly type: 'early_data_read';
      readonly early: EarlyKeys;
      readonly info: ConnectionInfo;
      readonly exporterSecret: Secret;
    }
  | { readonly type: 'early_data_rejected'; readonly reason: EarlyDataReason }
  /** Limits of records from here on (RFC 8449). */
  | { readonly type: 'record_size_limit'; readonly limit: RecordSizeLimit }
  /** Early data was offered and will not be read: skip what does not open, up to the configured limit (§4.3.10). */
  | { readonly type: 'skip_early_data'; readonly until: 'first_opened_record' | 'second_client_hello' }
  /** For the NSS key log (RFC 9850): `label` as it stands there. */
  | {
      readonly type: 'key_log';
      readonly label: KeyLogLabel;
      readonly clientRandom: Uint8Array;
      readonly secret: Secret;
    }
  /**
   * The handshake is complete on this side; `exporterSecret` serves §7.5, `resumptionSecret` (§7.1) tickets that are to come.
   * The engine wipes both when the connection is over.
   */
  | {
      readonly type: 'connected';
      readonly info: ConnectionInfo;
      readonly exporterSecret: Secret;
      readonly resumptionSecret: Secret | undefined;
    }
  /** The handshake is complete, and the connection is not to be used (RFC 9849 §6.1.6): it ends with this error's alert. */
  | { readonly type: 'fail'; readonly error: TlsError }
  /** Client, after the handshake (§4.7.2): its messages, and a Finished over `transcript` under the secret in force, as one. */
  | {
      readonly type: 'send_authentication';
      readonly messages: readonly Uint8Array[];
      readonly transcript: Transcript;
    }
  /** Server, after the handshake: the client's Finished, under its secret in force. */
  | { readonly type: 'verify_finished'; readonly verifyData: Uint8Array; readonly transcript: Transcript }
  /** Server: a CertificateRequest is out (§4.7.2). */
  | { readonly type: 'certificate_requested'; readonly context: Uint8Array }
  /** The answer to it is complete; without an identity the client has declined. */
  | { readonly type: 'authenticated'; readonly context: Uint8Array; readonly identity: ShownIdentity | undefined }
  /** Client: a session to resume later (§4.7.1). */
  | { readonly type: 'ticket'; readonly session: Session }
  /** The peer changed its key; `updateRequested` asks for ours to change too (§4.7.3). */
  | { readonly type: 'key_update'; readonly updateRequested: boolean };

/** What early data comes with. */
export interface EarlyKeys {
  /** Bytes. */
  readonly limit: number;
  readonly suite: CipherSuite;
  /** early_exporter_secret (§7.5) */
  readonly exporterSecret: Secret;
}

/** What a client has shown of itself, and proved, after the handshake. */
export interface ShownIdentity {
  /** DER, leaf first; empty beside a raw public key. */
  readonly certificates: readonly Uint8Array[];
  /** What the connection reports from then on. */
  readonly info: Partial<ConnectionInfo>;
}

export type Epoch = 'early' | 'handshake' | 'application';

export type KeyLogLabel =
  | 'CLIENT_EARLY_TRAFFIC_SECRET'
  | 'CLIENT_HANDSHAKE_TRAFFIC_SECRET'
  | 'SERVER_HANDSHAKE_TRAFFIC_SECRET'
  | 'CLIENT_TRAFFIC_SECRET_0'
  | 'SERVER_TRAFFIC_SECRET_0'
  | 'EARLY_EXPORTER_SECRET'
  | 'EXPORTER_SECRET';
