/** The server's early data (§2.3, §4.3.10): whether it is accepted, under which keys it is read, and where it ends (§4.6). */
import { type Awaitable, isPromised, whenKnown } from '../../awaitable.js';
import { equal } from '../../bytes.js';
import type { EarlyDataUse, ReplayCache } from '../../config/index.js';
import type { ConnectionInfo, EarlyDataReason } from '../../connection-info.js';
import type { CipherSuite } from '../../crypto/suites.js';
import type { EarlySecret, Secret } from '../../keys/schedule.js';
import type { Transcript } from '../../keys/transcript.js';
import type { ServerSettings } from '../../settings/index.js';
import type { EarlyKeys, Effect } from '../effects.js';
import type { MessageOf, Step } from '../step.js';
import type { AnswerableHello } from './answerable-hello.js';
import type { OfferedPsk } from './client-hello.js';
import type { PskOrigin, SelectedPsk } from './psk-candidate.js';
import type { ServerContext, WaitEndOfEarlyData, WaitFinished } from './states.js';
import type { Ticket } from './ticket.js';

/** Bytes of early data that are accepted; `undefined` when none are, for the reason that is given. */
export interface EarlyDataVerdict {
  readonly limit: number | undefined;
  readonly reason: EarlyDataReason;
}

/**
 * Holds early data against §4.3.10, then against replay: by the ticket's age (§8.3) and by its being used once (§8.1), or with
 * an external PSK, which has no age, by the ClientHello's being seen once (§8.2).
 */
export function judgeEarlyData(
  hello: AnswerableHello,
  selected: SelectedPsk | undefined,
  alpnProtocol: string | undefined,
  { settings }: ServerContext,
): Awaitable<EarlyDataVerdict> {
  const { earlyData } = settings;
  if (earlyData === undefined) return refused('disabled');
  const psk = selected && hello.offer.psks[selected.index];
  if (selected === undefined || psk === undefined) {
    return refused(hello.offer.psks.length === 0 ? 'no_session_offered' : 'session_not_resumed');
  }
  if (hello.retried !== undefined) return refused('hello_retry_request');
  const { suite, index, origin } = selected;
  const permitted = permission(origin, psk);
  // What was promised to the client; more than that cannot be counted on to stay unread.
  if (permitted.maxSize === 0 || permitted.maxSize > earlyData.maxSize) return refused('unsupported_for_session');
  if (origin.kind === 'external' && permitted.expiresAt <= settings.now()) return refused('unsupported_for_session');
  if (index !== 0) return refused('session_not_resumed');
  if (permitted.cipherSuite !== suite.name) return refused('cipher_suite_mismatch');
  if (permitted.alpnProtocol !== alpnProtocol) return refused('alpn_mismatch');
  if (!hello.offer.earlyData) return refused('not_offered');
  if (origin.kind === 'resumption') {
    // Another process has the same ticket keys and a cache of its own: what that one has taken nobody knows here (§8.1).
    if (!equal(origin.ticket.earlyDataIssuer, earlyData.issuer)) return refused('replay_suspected');
    if (!isFresh(origin.ticket, psk, settings)) return refused('ticket_age_skew');
  }
  const { unique, issuedAt, expiresAt } = permitted;
  const use = { id: settings.provider.hash('sha256').digest(unique), issuedAt, expiresAt };
  return whenKnown(claimed(earlyData.replayCache, use), (first) =>
    first ? { limit: permitted.maxSize, reason: 'accepted' } : refused('replay_suspected'),
  );
}

/** What goes with a PSK about early data (§4.3.10). */
interface Permission extends Omit<EarlyDataUse, 'id'>, Pick<ConnectionInfo, 'alpnProtocol'> {
  /** Bytes; 0 permits none. */
  readonly maxSize: number;
  readonly cipherSuite: CipherSuite['name'] | undefined;
  /** What must not come twice: of the ClientHello only what the binder has been verified for (§8.2). */
  readonly unique: Uint8Array;
}

function permission(origin: PskOrigin, { identity, binder }: OfferedPsk): Permission {
  if (origin.kind === 'resumption') {
    const { ticket } = origin;
    const { maxEarlyData: maxSize, cipherSuite, alpnProtocol, lifetime } = ticket;
    const issued = issuedAt(ticket);
    const expiresAt = issued + lifetime * 1000;
    return { maxSize, cipherSuite, alpnProtocol, unique: identity, issuedAt: issued, expiresAt };
  }
  const { earlyData } = origin;
  return {
    maxSize: earlyData?.maxSize ?? 0,
    cipherSuite: earlyData?.cipherSuite,
    alpnProtocol: earlyData?.alpnProtocol,
    unique: binder,
    issuedAt: earlyData?.issuedAt ?? 0,
    expiresAt: earlyData?.expiresAt ?? Number.POSITIVE_INFINITY,
  };
}

export interface EarlyTraffic extends EarlyKeys {
  readonly secret: Secret;
}

/** From the secrets of the PSK, over the ClientHello: before the next secret of the schedule takes their place. */
export function earlyKeys(
  early: EarlySecret,
  throughClientHello: Transcript,
  suite: CipherSuite,
  limit: number,
): EarlyTraffic {
  const transcriptHash = throughClientHello.digest();
  return {
    limit,
    suite,
    secret: early.clientEarlyTraffic(transcriptHash),
    exporterSecret: early.earlyExporter(transcriptHash),
  };
}

export function readEarlyData({ suite, secret, exporterSecret }: EarlyTraffic, clientRandom: Uint8Array): Effect[] {
  return [
    { type: 'key_log', label: 'CLIENT_EARLY_TRAFFIC_SECRET', clientRandom, secret },
    { type: 'key_log', label: 'EARLY_EXPORTER_SECRET', clientRandom, secret: exporterSecret },
    { type: 'K_recv', epoch: 'early', suite, secret },
  ];
}

/** As a connection reports it. */
export function earlyDataUse({ offer }: AnswerableHello, { limit }: EarlyDataVerdict): ConnectionInfo['earlyData'] {
  if (limit !== undefined) return 'accepted';
  return offer.earlyData ? 'rejected' : 'none';
}

/** WAIT_EOED: from here on the client sends under the handshake keys. */
export function receiveEndOfEarlyData(
  state: WaitEndOfEarlyData,
  { bytes }: MessageOf<'end_of_early_data'>,
): Step<WaitFinished> {
  const { suite, secrets, transcript } = state;
  return {
    next: { ...state, name: 'WAIT_FINISHED', transcript: transcript.append(bytes) },
    effects: [{ type: 'K_recv', epoch: 'handshake', suite, secret: secrets.clientHandshakeTraffic }],
  };
}

/** Seconds that the client's idea of its ticket's age is ahead of this server's (§4.3.11.1). */
export function ticketAgeSkew(ticket: Ticket, psk: OfferedPsk | undefined, now: number): number | undefined {
  if (psk === undefined) return undefined;
  const stated = (psk.obfuscatedTicketAge - ticket.ageAdd) >>> 0;
  return Math.round((stated - (now - issuedAt(ticket))) / 1000);
}

/** §8.3: whether the ClientHello comes when it should, by the age that the client states for its ticket. */
function isFresh(ticket: Ticket, { obfuscatedTicketAge }: OfferedPsk, { now, earlyData }: ServerSettings): boolean {
  const statedAge = (obfuscatedTicketAge - ticket.ageAdd) >>> 0;
  const skew = Math.abs(now() - issuedAt(ticket) - statedAge);
  return earlyData !== undefined && skew <= earlyData.freshnessWindow * 1000;
}

/** A cache that fails, or says anything but true, has not said that this was the first claim. */
function claimed(cache: ReplayCache, use: EarlyDataUse): Awaitable<boolean> {
  try {
    const answer = cache.claim(use);
    return isPromised(answer)
      ? Promise.resolve(answer).then(
          (first) => first === true,
          () => false,
        )
      : answer === true;
  } catch {
    return false;
  }
}

/** Milliseconds since 1970. */
function issuedAt(ticket: Ticket): number {
  return ticket.issuedAt * 1000 + ticket.issuedAtMilliseconds;
}

function refused(reason: EarlyDataReason): EarlyDataVerdict {
  return { limit: undefined, reason };
}
