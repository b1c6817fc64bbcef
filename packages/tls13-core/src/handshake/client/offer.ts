/** The ClientHello (§4.2.2) as an offer: made from the settings, kept to judge every answer by what was really sent. */
import { TlsError } from '../../alert.js';
import type { EphemeralKey } from '../../crypto/provider.js';
import { cipherSuite } from '../../crypto/suites.js';
import { EarlySecret } from '../../keys/schedule.js';
import { Transcript } from '../../keys/transcript.js';
import { extensionTypes, nameOf } from '../../registry.js';
import type { Session } from '../../session.js';
import type { ClientSettings } from '../../settings/index.js';
import {
  type ClientHello,
  decodeHandshake,
  encodeMessage,
  fillBinders,
  truncateClientHello,
} from '../../wire/index.js';
import { pskBinder } from '../psk.js';
import { clientHello, type Variable } from './client-hello.js';

/** Seconds: no ticket serves longer, whatever its ticket_lifetime says (§4.7.1). */
export const maximumTicketLifetime = 604_800;

export interface Offer {
  /** As sent, header included. */
  readonly message: Uint8Array;
  /** What `message` says. */
  readonly hello: ClientHello;
  /** The private halves of its key_share, in the same order. */
  readonly shares: readonly EphemeralKey[];
  /** Behind its pre_shared_key: exactly one identity, when there is any. */
  readonly psk: OfferedPsk | undefined;
}

export interface OfferedPsk {
  readonly session: Session;
  /** Extracted from the session's PSK. */
  readonly earlySecret: EarlySecret;
}

/** The ClientHello of a new connection. */
export function firstOffer(settings: ClientSettings): Offer {
  const { provider, groups, keyShares } = settings;
  return offer(settings, {
    random: provider.random(32),
    // §E.4: a session id makes the handshake look like a resumption of TLS 1.2 to middleboxes.
    legacySessionId: settings.middleboxCompatibility ? provider.random(32) : new Uint8Array(0),
    // §4.3.8: shares come in the order of supported_groups.
    shares: groups.filter((group) => keyShares.includes(group)).map((group) => provider.generateKeyShare(group)),
    cookie: undefined,
    psk: usablePsk(settings),
    before: undefined,
  });
}

/** What a HelloRetryRequest changes of the first ClientHello, and nothing else (§4.2.2). */
export interface Changes {
  readonly shares: readonly EphemeralKey[];
  readonly cookie: Uint8Array | undefined;
  readonly psk: OfferedPsk | undefined;
  /** message_hash and HelloRetryRequest. */
  readonly before: Transcript;
}

/** The ClientHello that answers a HelloRetryRequest. */
export function changedOffer(settings: ClientSettings, first: Offer, changes: Changes): Offer {
  const { random, legacySessionId } = first.hello;
  return offer(settings, { random, legacySessionId, ...changes });
}

/**
 * Refuses an answer to an extension that was not offered with unsupported_extension (§4.3). `types` are the answer's;
 * one that does not belong into the message at all was refused when it was decoded.
 */
export function checkOffered(given: Offer, answer: string, types: readonly number[]): void {
  const offered = given.hello.extensions.types;
  for (const type of types) {
    if (!offered.includes(type)) {
      throw new TlsError(
        'unsupported_extension',
        `the ${answer} holds ${nameOf(extensionTypes, type)}, which was not offered (§4.3)`,
      );
    }
  }
}

interface ToOffer extends Variable {
  readonly psk: OfferedPsk | undefined;
  /** `undefined` for a first ClientHello. */
  readonly before: Transcript | undefined;
}

function offer(settings: ClientSettings, variable: ToOffer): Offer {
  const { psk, shares } = variable;
  const message =
    psk === undefined
      ? encodeMessage('client_hello', clientHello(settings, variable))
      : boundClientHello(settings, variable, psk);
  const decoded = decodeHandshake(message);
  if (decoded.type !== 'client_hello') throw new TypeError('a ClientHello was encoded as another message');
  return { message, hello: decoded.body, shares, psk };
}

/** A ClientHello with its PSK binder, which covers all of the message before it (§4.3.11.2). */
function boundClientHello(settings: ClientSettings, variable: ToOffer, psk: OfferedPsk): Uint8Array {
  const { session, earlySecret } = psk;
  const hash = settings.provider.hash(cipherSuite(session.cipherSuite).hash);
  const identity = { identity: session.ticket, obfuscatedTicketAge: obfuscatedAge(session, settings.now()) };
  const placeholder = [new Uint8Array(hash.length)];
  const hello = clientHello(settings, variable);
  const message = encodeMessage('client_hello', {
    ...hello,
    extensions: { ...hello.extensions, preSharedKey: { identities: [identity], binders: placeholder } },
  });
  const before = variable.before ?? Transcript.start(hash);
  const truncatedClientHello = truncateClientHello(message, placeholder);
  fillBinders(message, [pskBinder({ earlySecret, before, truncatedClientHello })]);
  return message;
}

/**
 * The session, if it may be resumed: its hash goes with a suite that is offered (§4.2.2), it is for the same server
 * name (§4.7.1), it is neither older than its lifetime nor from the future (§4.3.11.1), and its ticket leaves a
 * ClientHello room for other extensions: a ticket may be as long as all of them together.
 */
function usablePsk({ session, serverName, cipherSuites, provider, now }: ClientSettings): OfferedPsk | undefined {
  if (session === undefined || session.serverName !== serverName) return undefined;
  if (session.ticket.length > longestTicket) return undefined;
  const { hash } = cipherSuite(session.cipherSuite);
  const age = now() - session.receivedAt;
  const lifetime = Math.min(session.lifetime, maximumTicketLifetime);
  if (!cipherSuites.some((suite) => suite.hash === hash) || age < 0 || age > lifetime * 1000) return undefined;
  return { session, earlySecret: EarlySecret.from(provider.hash(hash), session.psk) };
}

/** Milliseconds, plus ticket_age_add modulo 2^32 (§4.3.11.1). */
function obfuscatedAge(session: Session, now: number): number {
  return (Math.max(0, Math.floor(now - session.receivedAt)) + session.ageAdd) >>> 0;
}

/** Bytes. */
const longestTicket = 32_768;
