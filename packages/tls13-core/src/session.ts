/** A session to resume (§2.2, §4.7.1), as a client keeps it. */
import type { CipherSuiteName } from './registry.js';

export interface Session {
  readonly cipherSuite: CipherSuiteName;
  readonly ticket: Uint8Array;
  /** The PSK that goes with the ticket: secret. */
  readonly psk: Uint8Array;
  /** Seconds after `receivedAt` (§4.7.1). */
  readonly lifetime: number;
  /** ticket_age_add (§4.3.11.1). */
  readonly ageAdd: number;
  /** Milliseconds since 1970. */
  readonly receivedAt: number;
  readonly serverName: string | undefined;
  readonly alpnProtocol: string | undefined;
  /** Of the full handshake: what `verifyPeer` accepted. */
  readonly peerCertificates: readonly Uint8Array[];
  /** 0 when the ticket does not permit early data. */
  readonly maxEarlyData: number;
}
