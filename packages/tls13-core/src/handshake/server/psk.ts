/** Which PSK of the client's, if any, is taken (§2.2, §4.3.11): sources are asked one after another, the binder is checked once. */
import { TlsError } from '../../alert.js';
import { type Awaitable, whenKnown } from '../../awaitable.js';
import type { CipherSuite } from '../../crypto/suites.js';
import { type BinderKind, EarlySecret } from '../../keys/schedule.js';
import { verifyPskBinder } from '../psk.js';
import { type AnswerableHello, transcriptBefore } from './answerable-hello.js';
import { resumptionCandidate } from './resumption.js';
import type { ServerContext } from './states.js';
import type { Ticket } from './ticket.js';

/** A PSK whose binder has been verified. */
export interface SelectedPsk {
  /** selected_identity */
  readonly index: number;
  readonly suite: CipherSuite;
  readonly earlySecret: EarlySecret;
  readonly origin: PskOrigin;
}

/** Where a PSK comes from, and with it what it says of the client. */
export type PskOrigin = { readonly kind: 'resumption'; readonly ticket: Ticket };

/** A PSK that this server knows and would take, if the client shows that it has it too. */
export interface PskCandidate {
  readonly index: number;
  readonly suite: CipherSuite;
  readonly binder: BinderKind;
  /** Secret. */
  readonly key: Uint8Array;
  readonly origin: PskOrigin;
  /** Asked once the binder is right: `false` takes no PSK at all. */
  readonly accept: () => Awaitable<boolean>;
}

/** Throws decrypt_error when the binder of the PSK that would be taken is wrong. */
export function selectPsk(
  hello: AnswerableHello,
  alpnProtocol: string | undefined,
  context: ServerContext,
): Awaitable<SelectedPsk | undefined> {
  return whenKnown(resumptionCandidate(hello, alpnProtocol, context), (candidate) => {
    if (candidate === undefined) return undefined;
    const { index, suite, origin } = candidate;
    const earlySecret = bound(candidate, hello, context);
    return whenKnown(candidate.accept(), (accepted) => {
      if (accepted) return { index, suite, earlySecret, origin };
      earlySecret.destroy();
      return undefined;
    });
  });
}

/** The key schedule's beginning, once the binder shows that the client has the PSK for this very handshake (§4.3.11.2). */
function bound(
  { index, suite, binder: kind, key }: PskCandidate,
  hello: AnswerableHello,
  { settings: { provider } }: ServerContext,
): EarlySecret {
  const earlySecret = EarlySecret.from(provider.hash(suite.hash), key);
  const before = transcriptBefore(hello, suite, provider);
  const binder = hello.offer.psks[index]?.binder;
  const binding = { kind, earlySecret, before, truncatedClientHello: hello.offer.truncated };
  if (binder === undefined || !verifyPskBinder(binding, binder)) {
    earlySecret.destroy();
    throw new TlsError('decrypt_error', 'the binder of the PSK that was selected is wrong (§4.3.11)');
  }
  return earlySecret;
}
