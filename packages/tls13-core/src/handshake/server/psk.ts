/** Which PSK of the client's, if any, is taken (§2.2, §4.3.11): a ticket before an external one. The binder of that one alone is checked. */
import { TlsError } from '../../alert.js';
import { type Awaitable, whenKnown } from '../../awaitable.js';
import { EarlySecret } from '../../keys/schedule.js';
import { pskKeyExchangeModes } from '../../registry.js';
import type { ServerSettings } from '../../settings/index.js';
import { pskBinder, verifyPskBinder } from '../psk.js';
import { type AnswerableHello, transcriptBefore } from './answerable-hello.js';
import type { Offer } from './client-hello.js';
import { externalCandidate } from './external-psk.js';
import type { PskCandidate, SelectedPsk } from './psk-candidate.js';
import { resumptionCandidate } from './resumption.js';
import type { ServerContext } from './states.js';

/** Throws decrypt_error when the binder of the PSK that would be taken is wrong. */
export function selectPsk(hello: AnswerableHello, context: ServerContext): Awaitable<SelectedPsk | undefined> {
  const { settings } = context;
  if (hello.offer.psks.length === 0 || !isModeAllowed(hello, settings)) return undefined;
  return whenKnown(resumptionCandidate(hello, context), (resumable) =>
    whenKnown(resumable ?? externalCandidate(hello, settings), (candidate) => {
      if (candidate === undefined) return undefined;
      const { index, suite, origin, name } = candidate;
      const earlySecret = bound(candidate, hello, context);
      return whenKnown(candidate.accept(), (accepted) => {
        if (accepted) return { index, suite, earlySecret, origin, name };
        earlySecret.destroy();
        return undefined;
      });
    }),
  );
}

/** §4.3.9: whether both sides would make keys of a PSK alone, and could make none together with (EC)DHE. */
export function wantsPskAlone({ psks, pskModes, groups }: Offer, settings: ServerSettings): boolean {
  if (psks.length === 0 || !allows(settings, pskModes, 'psk_ke')) return false;
  return !allows(settings, pskModes, 'psk_dhe_ke') || groups.length === 0;
}

/** §4.7.1: tickets go to clients that can use them. */
export function canResume({ pskModes }: Offer, settings: ServerSettings): boolean {
  return settings.pskKeyExchangeModes.some((mode) => allows(settings, pskModes, mode));
}

/** RFC 9149 §2: the answer to a client that asks for a number of tickets; `undefined` to one that does not. */
export function expectedTickets(
  { hello: { offer }, psk }: { readonly hello: AnswerableHello; readonly psk: SelectedPsk | undefined },
  settings: ServerSettings,
): number | undefined {
  const { ticketRequest } = offer.hello.extensions;
  if (ticketRequest === undefined) return undefined;
  if (settings.tickets === undefined || !canResume(offer, settings)) return 0;
  const { newSessionCount, resumptionCount } = ticketRequest;
  const wanted = psk?.origin.kind === 'resumption' ? resumptionCount : newSessionCount;
  // Who sends none to anybody sends none to those who ask.
  return settings.tickets.count === 0 ? 0 : Math.min(wanted, settings.tickets.countLimit);
}

/** Why a server without certificates refuses a client. */
export function noAcceptablePsk(hello: AnswerableHello, context: ServerContext): TlsError {
  const { psks } = hello.offer;
  const { settings } = context;
  const failure = (why: string) => new TlsError('handshake_failure', `${why}, and this server has no certificate`);
  if (psks.length === 0) return failure('the client offers no PSK');
  if (!isModeAllowed(hello, settings)) {
    return failure(`no PSK mode in common: wanted is ${settings.pskKeyExchangeModes.join(' or ')} (§4.3.9)`);
  }
  if (!settings.concealPskIdentities) return failure(`none of the ${psks.length} PSKs offered is known`);
  // §F.6: as long as a wrong binder takes, and with its alert.
  const { provider } = settings;
  const [suite] = hello.suites;
  const earlySecret = EarlySecret.from(provider.hash(suite.hash), provider.random(32));
  pskBinder({
    kind: 'ext',
    earlySecret,
    before: transcriptBefore(hello, suite, provider),
    truncatedClientHello: hello.offer.truncated,
  });
  earlySecret.destroy();
  return new TlsError('decrypt_error', `none of the ${psks.length} PSKs offered is known (§F.6)`);
}

function isModeAllowed({ offer, share }: AnswerableHello, settings: ServerSettings): boolean {
  return allows(settings, offer.pskModes, share === undefined ? 'psk_ke' : 'psk_dhe_ke');
}

function allows(
  settings: ServerSettings,
  offered: readonly number[],
  mode: ServerSettings['pskKeyExchangeModes'][number],
): boolean {
  return settings.pskKeyExchangeModes.includes(mode) && offered.includes(pskKeyExchangeModes[mode]);
}

/** The key schedule's beginning, once the binder shows that the client has the PSK for this very handshake (§4.3.11.2). */
function bound(
  { index, suite, binder: kind, key }: PskCandidate,
  hello: AnswerableHello,
  { settings: { provider, reflectionGuard } }: ServerContext,
): EarlySecret {
  const earlySecret = EarlySecret.from(provider.hash(suite.hash), key);
  key.fill(0);
  const before = transcriptBefore(hello, suite, provider);
  const binder = hello.offer.psks[index]?.binder;
  const binding = { kind, earlySecret, before, truncatedClientHello: hello.offer.truncated };
  if (binder === undefined || !verifyPskBinder(binding, binder)) {
    earlySecret.destroy();
    throw new TlsError('decrypt_error', 'the binder of the PSK that was selected is wrong (§4.3.11)');
  }
  if (reflectionGuard?.wasSent(hello.offer.hello.random) === true) {
    earlySecret.destroy();
    throw new TlsError('illegal_parameter', 'the ClientHello is one that this side sent: it was reflected (§F.8)');
  }
  return earlySecret;
}
