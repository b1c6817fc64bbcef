/** The PSKs of a ClientHello (§4.3.11): which may be offered, and what of each is needed until the server has chosen. */
import { cipherSuite } from '../../crypto/suites.js';
import { type BinderKind, EarlySecret } from '../../keys/schedule.js';
import { Transcript } from '../../keys/transcript.js';
import type { Session } from '../../session.js';
import type { ClientSettings } from '../../settings/index.js';
import { fillBinders, type OfferedPsks, truncateClientHello } from '../../wire/index.js';
import { pskBinder } from '../psk.js';

/** Seconds: no ticket serves longer, whatever its ticket_lifetime says (§4.7.1). */
export const maximumTicketLifetime = 604_800;

/** A PSK behind an identity of pre_shared_key. */
export interface OfferedPsk {
  readonly kind: 'resumption';
  readonly session: Session;
  readonly identity: Uint8Array;
  readonly binder: BinderKind;
  /** Extracted from the PSK; its hash is the PSK's. */
  readonly earlySecret: EarlySecret;
}

/** What this client may offer, in the order of the identities; only the first may go with early data (§4.3.10). */
export function usablePsks(settings: ClientSettings): readonly OfferedPsk[] {
  const resumable = resumptionPsk(settings);
  return resumable === undefined ? [] : [resumable];
}

/** Identities and, for each, zeros where its binder is to stand; `undefined` without any. */
export function unboundPsks(psks: readonly OfferedPsk[], now: number): OfferedPsks | undefined {
  if (psks.length === 0) return undefined;
  return {
    identities: psks.map((psk) => ({ identity: psk.identity, obfuscatedTicketAge: obfuscatedAge(psk.session, now) })),
    binders: psks.map(({ earlySecret }) => new Uint8Array(earlySecret.hash.length)),
  };
}

/**
 * Fills in the binders, each of which covers all of the message before them (§4.3.11.2). `before` is message_hash and
 * HelloRetryRequest, `undefined` for a first ClientHello.
 */
export function bindPsks(message: Uint8Array, psks: readonly OfferedPsk[], before: Transcript | undefined): void {
  if (psks.length === 0) return;
  const truncatedClientHello = truncateClientHello(
    message,
    psks.map(({ earlySecret }) => new Uint8Array(earlySecret.hash.length)),
  );
  fillBinders(
    message,
    psks.map(({ binder, earlySecret }) =>
      pskBinder({
        kind: binder,
        earlySecret,
        before: before ?? Transcript.start(earlySecret.hash),
        truncatedClientHello,
      }),
    ),
  );
}

/** Wipes all but the one that was selected. */
export function forgetPsks(psks: readonly OfferedPsk[], selected?: OfferedPsk): void {
  for (const psk of psks) if (psk !== selected) psk.earlySecret.destroy();
}

/**
 * The session, if it may be resumed: its hash goes with a suite that is offered (§4.2.2), it is for the same server
 * name (§4.7.1), it is neither older than its lifetime nor from the future (§4.3.11.1), and its ticket leaves a
 * ClientHello room for other extensions: a ticket may be as long as all of them together.
 */
function resumptionPsk({ session, serverName, cipherSuites, provider, now }: ClientSettings): OfferedPsk | undefined {
  if (session === undefined || session.serverName !== serverName) return undefined;
  if (session.ticket.length > longestTicket) return undefined;
  const { hash } = cipherSuite(session.cipherSuite);
  const age = now() - session.receivedAt;
  const lifetime = Math.min(session.lifetime, maximumTicketLifetime);
  if (!cipherSuites.some((suite) => suite.hash === hash) || age < 0 || age > lifetime * 1000) return undefined;
  const earlySecret = EarlySecret.from(provider.hash(hash), session.psk);
  return { kind: 'resumption', session, identity: session.ticket, binder: 'res', earlySecret };
}

/** Milliseconds, plus ticket_age_add modulo 2^32 (§4.3.11.1). */
function obfuscatedAge(session: Session, now: number): number {
  return (Math.max(0, Math.floor(now - session.receivedAt)) + session.ageAdd) >>> 0;
}

/** Bytes. */
const longestTicket = 32_768;
