/** The ClientHello (§4.2.2) as an offer: made from the settings, kept to judge every answer by what was really sent. */
import { TlsError } from '../../alert.js';
import type { EphemeralKey } from '../../crypto/provider.js';
import type { Transcript } from '../../keys/transcript.js';
import { extensionTypes, isGrease, nameOf } from '../../registry.js';
import type { ClientSettings } from '../../settings/index.js';
import { type ClientHello, decodeHandshake, encodeMessage } from '../../wire/index.js';
import { agreesOnKeys, clientHello, type Variable } from './client-hello.js';
import { type EarlyDataOffer, earlyDataOffer, notOffered } from './early-data.js';
import { arrange, type EchPlan, firstEchPlan, seal } from './ech.js';
import { chooseShape, type HelloShape } from './hello-shape.js';
import { bindPsks, type OfferedPsk, unboundPsks, usablePsks } from './psk.js';

export interface Offer {
  /** What is negotiated with, header included: as sent, or the inner ClientHello of what was sent (RFC 9849). */
  readonly message: Uint8Array;
  /** What `message` says. */
  readonly hello: ClientHello;
  /** As sent. */
  readonly sent: { readonly message: Uint8Array; readonly hello: ClientHello };
  readonly ech: EchPlan | { readonly kind: 'accepted' };
  /** The private halves of its key_share, in the same order. */
  readonly shares: readonly EphemeralKey[];
  /** Behind the identities of its pre_shared_key, in the same order. */
  readonly psks: readonly OfferedPsk[];
  readonly earlyData: EarlyDataOffer;
  readonly shape: HelloShape;
}

/** The ClientHello of a new connection. */
export function firstOffer(settings: ClientSettings): Offer {
  const { provider, groups } = settings;
  const psks = usablePsks(settings);
  const keyShares = agreesOnKeys(settings) ? settings.keyShares : [];
  const first = offer(settings, {
    random: provider.random(32),
    // §E.4: a session id makes the handshake look like a resumption of TLS 1.2 to middleboxes.
    legacySessionId: settings.middleboxCompatibility ? provider.random(32) : new Uint8Array(0),
    // §4.3.8: shares come in the order of supported_groups.
    shares: groups.filter((group) => keyShares.includes(group)).map((group) => provider.generateKeyShare(group)),
    cookie: undefined,
    psks,
    earlyData: earlyDataOffer(settings, psks[0]),
    shape: chooseShape(settings),
    ownShares: true,
    before: undefined,
    ech: firstEchPlan(settings),
  });
  if (first.psks.some(({ kind }) => kind === 'external')) settings.reflectionGuard?.sent(first.hello.random);
  return first;
}

/** What a HelloRetryRequest changes of the first ClientHello, and nothing else (§4.2.2). */
export interface Changes {
  readonly shares: readonly EphemeralKey[];
  readonly cookie: Uint8Array | undefined;
  readonly psks: readonly OfferedPsk[];
  /** message_hash and HelloRetryRequest. */
  readonly before: Transcript;
}

/** The ClientHello that answers a HelloRetryRequest. */
export function changedOffer(settings: ClientSettings, first: Offer, changes: Changes): Offer {
  const { random, legacySessionId } = first.hello;
  const { shape, ech, earlyData } = first;
  if (ech.kind === 'accepted') throw new TypeError('a HelloRetryRequest behind a ServerHello');
  const ownShares = changes.shares === first.shares;
  // §4.2.2: early data is not offered again.
  const again = earlyData.offered ? notOffered('hello_retry_request') : earlyData;
  return offer(settings, { random, legacySessionId, ech, shape, ownShares, earlyData: again, ...changes });
}

/**
 * Refuses an answer to an extension that was not offered with unsupported_extension (§4.3). `types` are the answer's;
 * one that does not belong into the message at all was refused when it was decoded.
 */
export function checkOffered(given: Offer, answer: string, types: readonly number[]): void {
  const offered = offeredTypes(given);
  for (const type of types) {
    if (!offered.includes(type)) {
      throw new TlsError(
        'unsupported_extension',
        `the ${answer} holds ${nameOf(extensionTypes, type)}, which was not offered (§4.3)`,
      );
    }
  }
}

/** The extensions that an answer may have: all but those that mean nothing (RFC 8701 §3.1). */
export function offeredTypes({ hello }: Offer): readonly number[] {
  return hello.extensions.types.filter((type) => !isGrease(type));
}

interface ToOffer extends Variable {
  readonly psks: readonly OfferedPsk[];
  /** `undefined` for a first ClientHello. */
  readonly before: Transcript | undefined;
  readonly ech: EchPlan;
}

function offer(settings: ClientSettings, variable: ToOffer): Offer {
  const { psks, shares, before, ech, earlyData, shape } = variable;
  const hello = clientHello(settings, variable);
  const preSharedKey = unboundPsks(psks, settings.now());
  const plain = encodeMessage('client_hello', { ...hello, extensions: { ...hello.extensions, preSharedKey } });
  const message = arrange(ech, plain);
  bindPsks(message, psks, before);
  const own = { message, hello: decodedHello(message) };
  if (ech.kind !== 'offered') return { ...own, sent: own, shares, psks, ech, earlyData, shape };
  const outer = seal(ech, plain, message, settings);
  const sent = { message: outer.message, hello: decodedHello(outer.message) };
  return { ...own, sent, shares, psks, ech: { ...ech, greasePsks: outer.greasePsks }, earlyData, shape };
}

function decodedHello(message: Uint8Array): ClientHello {
  const decoded = decodeHandshake(message);
  if (decoded.type !== 'client_hello') throw new TypeError('a ClientHello was encoded as another message');
  return decoded.body;
}
