/** A PSK of the client's that this server knows (§4.3.11), before and after the client has shown that it has it too. */
import type { Awaitable } from '../../awaitable.js';
import type { PskEarlyData } from '../../config/index.js';
import type { CipherSuite } from '../../crypto/suites.js';
import type { BinderKind, EarlySecret } from '../../keys/schedule.js';
import type { Ticket } from './ticket.js';

/** A PSK whose binder has been verified. */
export interface SelectedPsk {
  /** selected_identity */
  readonly index: number;
  readonly suite: CipherSuite;
  readonly earlySecret: EarlySecret;
  /** How the application calls the external PSK that authenticates, now or in the handshake that is resumed. */
  readonly name: Uint8Array | undefined;
  readonly origin: PskOrigin;
}

/** Where a PSK comes from, and with it what it says of the client. */
export type PskOrigin =
  | { readonly kind: 'resumption'; readonly ticket: Ticket }
  | {
      readonly kind: 'external';
      /** As it stands on the wire. */
      readonly identity: Uint8Array;
      readonly earlyData: PskEarlyData | undefined;
    };

/** A PSK that this server knows and would take, if the client shows that it has it too. */
export interface PskCandidate extends Omit<SelectedPsk, 'earlySecret'> {
  readonly binder: BinderKind;
  /** Secret, and wiped once it has been used. */
  readonly key: Uint8Array;
  /** Asked once the binder is right: `false` takes no PSK at all. */
  readonly accept: () => Awaitable<boolean>;
}
