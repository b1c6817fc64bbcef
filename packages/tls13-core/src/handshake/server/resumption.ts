/** Which ticket of the client's may be resumed (§2.2, §4.7.1). One that will not do costs a full handshake, no more. */
import { TlsError } from '../../alert.js';
import { type Awaitable, isPromised, whenKnown } from '../../awaitable.js';
import type { PeerIdentity } from '../../config/index.js';
import { type CipherSuite, cipherSuite } from '../../crypto/suites.js';
import type { ServerSettings } from '../../settings/index.js';
import { noEvidence, peerOf } from '../peer-certificate.js';
import type { AnswerableHello } from './answerable-hello.js';
import type { OfferedPsk } from './client-hello.js';
import { clientHelloInfo } from './credential.js';
import { knownPsk } from './external-psk.js';
import type { PskCandidate } from './psk-candidate.js';
import type { ServerContext } from './states.js';
import { decodeTicket, longestChain, type Ticket } from './ticket.js';
import { seconds } from './time.js';

/** The first ticket of the client's that is honoured here and now. */
export function resumptionCandidate(
  hello: AnswerableHello,
  { settings }: ServerContext,
): Awaitable<PskCandidate | undefined> {
  const { tickets } = settings;
  const { offer } = hello;
  if (tickets === undefined) return undefined;
  const tryFrom = (index: number): Awaitable<PskCandidate | undefined> => {
    const psk = offer.psks[index];
    if (psk === undefined || index >= mostTried) return undefined;
    return whenKnown(tickets.open(psk.identity), (state) => {
      const ticket = state === undefined ? undefined : decodeTicket(state);
      const suite = ticket === undefined ? undefined : usableSuite(ticket, psk, hello, settings);
      if (ticket === undefined || suite === undefined) return tryFrom(index + 1);
      const accept = () =>
        whenKnown(
          identityHolds(ticket, settings),
          (holds) => holds && (tickets.accept?.(clientHelloInfo(offer)) ?? true),
        );
      const origin = { kind: 'resumption', ticket } as const;
      const resumable = { index, suite, binder: 'res', key: ticket.psk, origin, name: undefined, accept } as const;
      if (ticket.pskIdentity === undefined) return resumable;
      // An external PSK that is no longer known must not live on in tickets.
      return whenKnown(knownPsk(ticket.pskIdentity, offer, settings), (wire) =>
        wire === undefined ? tryFrom(index + 1) : { ...resumable, name: wire.name },
      );
    });
  };
  return tryFrom(0);
}

/** Identities looked at, so that a ClientHello full of rubbish costs no more than this many decryptions. */
const mostTried = 4;
/** Seconds by which the clocks of servers that share ticket keys may differ. */
const clockTolerance = 60;

/**
 * The suite that is negotiated, with a PSK or without; `undefined` when the ticket is not honoured here and now: of
 * another hash, or of a suite that the client offers no longer, it is of no use (§4.3.11).
 */
function usableSuite(
  ticket: Ticket,
  psk: OfferedPsk,
  { offer, suites }: AnswerableHello,
  settings: ServerSettings,
): CipherSuite | undefined {
  const honoured =
    isInTime(ticket, psk, seconds(settings.now())) &&
    (settings.tickets?.acrossNames === true || sameName(ticket.serverName, offer.serverName)) &&
    identitySuffices(ticket, settings, offer.hello.extensions.postHandshakeAuth === true);
  if (!honoured) return undefined;
  const { hash, code } = cipherSuite(ticket.cipherSuite);
  const [suite] = suites;
  return suite.hash === hash && offer.hello.cipherSuites.includes(code) ? suite : undefined;
}

/** By this server's clock, and by the age that the client states (§4.3.11.1): it must not use a ticket that it finds too old. */
function isInTime(ticket: Ticket, psk: OfferedPsk, now: number): boolean {
  const age = now - ticket.issuedAt;
  const statedAge = ((psk.obfuscatedTicketAge - ticket.ageAdd) >>> 0) / 1000;
  return (
    age >= -clockTolerance &&
    age < ticket.lifetime &&
    now - ticket.authenticatedAt < longestChain &&
    statedAge <= ticket.lifetime + clockTolerance
  );
}

function sameName(a: string | undefined, b: string | undefined): boolean {
  return a?.toLowerCase() === b?.toLowerCase();
}

/**
 * No CertificateRequest may go with a PSK (§4.4.2): who must show a certificate must have done so before, or have had an
 * external PSK. Who has shown one is taken where clients are asked, in the handshake or, if this one offers that, after it.
 */
function identitySuffices(
  { clientCertificates, clientCertificateHash, clientRawPublicKey, pskIdentity }: Ticket,
  { clientAuthentication, verifyPeer, clientCertificateTypes: types, tickets }: ServerSettings,
  offersLater: boolean,
): boolean {
  const asks = clientAuthentication !== 'none' || (offersLater && verifyPeer !== undefined);
  if (clientRawPublicKey !== undefined) return asks && types.includes('rawPublicKey');
  const isHashed = clientCertificateHash !== undefined;
  if (!isHashed && clientCertificates.length === 0) {
    return clientAuthentication !== 'require' || pskIdentity !== undefined;
  }
  // Who wants certificates cannot do with a hash, and who wants none kept takes none.
  const isKept = isHashed === (tickets?.retainOnlySha256OfClientCerts === true);
  return isKept && asks && types.includes('x509');
}

/** The client's certificates are judged anew: they may have expired since, or what is trusted may have changed. */
function identityHolds(ticket: Ticket, { verifyPeer }: ServerSettings): Awaitable<boolean> {
  const peer = identityOf(ticket);
  if (peer === undefined) return true;
  if (verifyPeer === undefined) return false;
  try {
    const verdict = verifyPeer(peer);
    return isPromised(verdict) ? Promise.resolve(verdict).then(() => true, refused) : true;
  } catch (error) {
    return refused(error);
  }
}

/** `undefined` of a client that has shown nothing. */
function identityOf({
  clientCertificates,
  clientCertificateHash,
  clientRawPublicKey,
}: Ticket): PeerIdentity | undefined {
  const about = { role: 'client', serverName: undefined, resumed: true } as const;
  if (clientCertificateHash !== undefined) {
    return { ...about, certificateType: 'x509Sha256', sha256: clientCertificateHash.sha256 };
  }
  if (clientCertificates.length === 0 && clientRawPublicKey === undefined) return undefined;
  return peerOf({ ...noEvidence, peerCertificates: clientCertificates, peerRawPublicKey: clientRawPublicKey }, about);
}

function refused(error: unknown): false {
  if (error instanceof TlsError) return false;
  throw error;
}
