/** The PSKs of a ClientHello (§4.3.11): which may be offered, and what of each is needed until the server has chosen. */
import { equal } from '../../bytes.js';
import type { PskEarlyData } from '../../config/index.js';
import { cipherSuite } from '../../crypto/suites.js';
import { hashNames, wirePsks } from '../../external-psk.js';
import { type BinderKind, EarlySecret } from '../../keys/schedule.js';
import { Transcript } from '../../keys/transcript.js';
import type { Session } from '../../session.js';
import type { ClientSettings } from '../../settings/index.js';
import { fillBinders, type OfferedPsks, truncateClientHello } from '../../wire/index.js';
import { pskBinder } from '../psk.js';

/** Seconds: no ticket serves longer, whatever its ticket_lifetime says (§4.7.1). */
export const maximumTicketLifetime = 604_800;

/** A PSK behind an identity of pre_shared_key. */
export type OfferedPsk = {
  readonly identity: Uint8Array;
  readonly binder: BinderKind;
  /** Extracted from the PSK; its hash is the PSK's. */
  readonly earlySecret: EarlySecret;
  /** How the application calls the external PSK that authenticates, now or in the handshake that is resumed. */
  readonly name: Uint8Array | undefined;
} & (
  | { readonly kind: 'resumption'; readonly session: Session }
  | { readonly kind: 'external'; readonly earlyData: PskEarlyData | undefined }
);

/** What this client may offer, in the order of the identities; only the first may go with early data (§4.3.10). */
export function usablePsks(settings: ClientSettings): readonly OfferedPsk[] {
  const resumable = resumptionPsk(settings);
  const external = externalPsks(settings);
  return resumable === undefined ? external : [resumable, ...external];
}

/** Identities and, for each, zeros where its binder is to stand; `undefined` without any. */
export function unboundPsks(psks: readonly OfferedPsk[], now: number): OfferedPsks | undefined {
  if (psks.length === 0) return undefined;
  return {
    identities: psks.map((psk) => ({ identity: psk.identity, obfuscatedTicketAge: obfuscatedAge(psk, now) })),
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
 * name (§4.7.1) and from the same client, what authenticated it would do so today, it is neither older than its lifetime nor from the future (§4.3.11.1), and its ticket leaves a
 * ClientHello room for other extensions: a ticket may be as long as all of them together.
 */
function resumptionPsk(settings: ClientSettings): OfferedPsk | undefined {
  const { session, serverName, cipherSuites, provider, now } = settings;
  if (session === undefined) return undefined;
  // Under another name its certificates are judged for that name.
  if (session.serverName !== serverName && session.resumableAcrossNames !== true) return undefined;
  const authentication = authenticationOf(session, settings);
  if (authentication === undefined || !isSameClient(session, settings)) return undefined;
  if (session.ticket.length > longestTicket) return undefined;
  const { hash } = cipherSuite(session.cipherSuite);
  const age = now() - session.receivedAt;
  const lifetime = Math.min(session.lifetime, maximumTicketLifetime);
  if (!cipherSuites.some((suite) => suite.hash === hash) || age < 0 || age > lifetime * 1000) return undefined;
  const earlySecret = EarlySecret.from(provider.hash(hash), session.psk);
  const { name } = authentication;
  return { kind: 'resumption', session, identity: session.ticket, binder: 'res', name, earlySecret };
}

/** Whoever was the server then is told by certificates, on which `verifyPeer` is asked again, or by a PSK that is still trusted. */
function authenticationOf(
  { pskIdentity, peerCertificates, peerRawPublicKey }: Session,
  { psks, verifyPeer, serverCertificateTypes: types }: ClientSettings,
): Pick<OfferedPsk, 'name'> | undefined {
  if (pskIdentity !== undefined) {
    return psks.flatMap((psk) => wirePsks(psk, hashNames)).find(({ identity }) => equal(identity, pskIdentity));
  }
  if (verifyPeer === undefined) return undefined;
  const known = peerRawPublicKey === undefined ? peerCertificates.length > 0 : true;
  return known && types.includes(peerRawPublicKey === undefined ? 'x509' : 'rawPublicKey')
    ? { name: undefined }
    : undefined;
}

/**
 * A server takes whoever resumes for whoever the session was made by: so that must be who this client is to be now. A
 * `credential` that is a function is not asked before a server asks: it goes with the session that is given beside it.
 */
function isSameClient({ localCertificate }: Session, { credential }: ClientSettings): boolean {
  if (localCertificate === undefined || typeof credential === 'function') return true;
  if (localCertificate.length === 0) return credential.length === 0;
  return credential.some(({ rawPublicKey, certificateChain: [leaf] }) =>
    equal(localCertificate, rawPublicKey ?? leaf ?? noBytes),
  );
}

/** One for each hash of the suites that are offered (RFC 9258 §5.1); of an external PSK that is not imported, for its own alone. */
function externalPsks({ psks, cipherSuites, provider }: ClientSettings): readonly OfferedPsk[] {
  const hashes = [...new Set(cipherSuites.map(({ hash }) => hash))];
  return psks
    .flatMap((psk) => wirePsks(psk, hashes))
    .map((psk) => {
      const { identity, binder, name, earlyData } = psk;
      const key = psk.key(provider);
      const earlySecret = EarlySecret.from(provider.hash(psk.hash), key);
      key.fill(0);
      return { kind: 'external', identity, binder, name, earlyData, earlySecret };
    });
}

/** Milliseconds, plus ticket_age_add modulo 2^32 (§4.3.11.1). */
function obfuscatedAge(psk: OfferedPsk, now: number): number {
  // §4.3.11: an external PSK has no age.
  if (psk.kind === 'external') return 0;
  const { session } = psk;
  return (Math.max(0, Math.floor(now - session.receivedAt)) + session.ageAdd) >>> 0;
}

/** Bytes. */
const longestTicket = 32_768;
const noBytes = new Uint8Array(0);
