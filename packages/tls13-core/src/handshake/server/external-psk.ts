/** Which external PSK of the client's this server has (§4.3.11, RFC 9258): by its list, in its order, or by asking the application. */
import { type Awaitable, whenKnown } from '../../awaitable.js';
import { equal } from '../../bytes.js';
import type { Psk } from '../../config/index.js';
import { checkPsk, hashNames, type WirePsk, wirePsks } from '../../external-psk.js';
import type { ServerSettings } from '../../settings/index.js';
import type { AnswerableHello } from './answerable-hello.js';
import type { Offer } from './client-hello.js';
import { clientHelloInfo } from './credential.js';
import type { PskCandidate } from './psk-candidate.js';

/** The PSK, with the best suite of its hash: here the suite follows the PSK, which may be all that the two sides share. */
export function externalCandidate(
  hello: Pick<AnswerableHello, 'offer' | 'suites'>,
  settings: ServerSettings,
): Awaitable<PskCandidate | undefined> {
  const { psks } = settings;
  if (psks === undefined) return undefined;
  return typeof psks === 'function' ? foundByAsking(hello, settings) : foundInList(psks, hello, settings);
}

/** The PSK with this identity, of whatever hash. */
export function knownPsk(identity: Uint8Array, offer: Offer, settings: ServerSettings): Awaitable<WirePsk | undefined> {
  const { psks = [] } = settings;
  const match = (candidates: readonly Psk[]) =>
    candidates.flatMap((psk) => wirePsks(psk, hashNames)).find((wire) => equal(wire.identity, identity));
  if (typeof psks !== 'function') return match(psks);
  return whenKnown(psks(identity.slice(), clientHelloInfo(offer)), (psk) => {
    if (psk === undefined) return undefined;
    checkPsk('psks()', psk);
    return match([psk]);
  });
}

/** Identities looked at: each may cost the application a look-up. */
const mostTried = 8;

function foundInList(
  psks: readonly Psk[],
  { offer, suites }: Pick<AnswerableHello, 'offer' | 'suites'>,
  settings: ServerSettings,
): PskCandidate | undefined {
  const hashes = [...new Set(suites.map(({ hash }) => hash))];
  const offered = offer.psks.slice(0, mostTried);
  for (const wire of psks.flatMap((psk) => wirePsks(psk, hashes))) {
    const index = offered.findIndex(({ identity }) => equal(identity, wire.identity));
    if (index >= 0) return candidate(index, wire, suites, settings);
  }
  return undefined;
}

function foundByAsking(
  { offer, suites }: Pick<AnswerableHello, 'offer' | 'suites'>,
  settings: ServerSettings,
): Awaitable<PskCandidate | undefined> {
  const tryFrom = (index: number): Awaitable<PskCandidate | undefined> => {
    const offered = offer.psks[index];
    if (offered === undefined || index >= mostTried) return undefined;
    return whenKnown(
      knownPsk(offered.identity, offer, settings),
      (wire) => (wire && candidate(index, wire, suites, settings)) ?? tryFrom(index + 1),
    );
  };
  return tryFrom(0);
}

function candidate(
  index: number,
  wire: WirePsk,
  suites: AnswerableHello['suites'],
  { provider }: ServerSettings,
): PskCandidate | undefined {
  const { binder, name, identity, earlyData } = wire;
  const compatible = suites.filter(({ hash }) => hash === wire.hash);
  // Also where no early data is offered: after a HelloRetryRequest the suite must be the same.
  const suite = compatible.find((one) => one.name === earlyData?.cipherSuite) ?? compatible[0];
  if (suite === undefined) return undefined;
  const origin = { kind: 'external', identity, earlyData } as const;
  return { index, suite, binder, name, origin, key: wire.key(provider), accept: () => true };
}
