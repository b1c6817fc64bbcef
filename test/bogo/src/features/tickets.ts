/** Resumption by tickets (§2.2, §4.7.1). */
import { createHash } from 'node:crypto';
import type { ConnectionInfo, Protector, Session } from 'tls13-core';
import { expectBytes, expectSame, Failure } from '../failure.js';
import type { Feature } from '../feature.js';
import { base64, type Flags, number } from '../flags.js';
import { recommendedTickets } from '../ticket-format.js';
import { answerer, type World } from '../world.js';

export const tickets: Feature = {
  flags: {
    switches: [
      'expect-no-session',
      // A server here keeps no session: its tickets hold them.
      'expect-no-session-id',
      'expect-not-resumable-across-names',
      'expect-resumable-across-names',
      'no-ticket',
      'renew-ticket',
      'expect-sha256-client-cert',
      'resumption-across-names-enabled',
      'retain-only-sha256-client-cert',
      'skip-ticket',
    ],
    values: ['expect-ticket-age-skew', 'resumption-delay', 'ticket-key'],
  },
  check(info, flags) {
    const skew = info.ticketAgeSkew ?? 0;
    if (info.resumed) expectSame('ticket age skew', skew, number(flags, 'expect-ticket-age-skew') ?? skew);
    checkHash(info, flags);
  },
  server(flags, world) {
    if (flags.switches.has('no-ticket')) return {};
    return {
      tickets: {
        protector: ticketKeys(flags, world),
        count: flags.switches.has('skip-ticket') ? 0 : 2,
        acrossNames: flags.switches.has('resumption-across-names-enabled'),
        retainOnlySha256OfClientCerts: flags.switches.has('retain-only-sha256-client-cert'),
      },
    };
  },
};

/** What a client keeps of a connection. */
export function checkSession(session: Session, { switches }: Flags): void {
  const early = session.maxEarlyData > 0;
  if (early !== switches.has('expect-ticket-supports-early-data')) {
    throw new Failure(`the session ${early ? 'permits' : 'does not permit'} early data`);
  }
  const across = session.resumableAcrossNames === true;
  const unexpected = across ? 'expect-not-resumable-across-names' : 'expect-resumable-across-names';
  if (switches.has(unexpected)) throw new Failure(`the session is ${across ? '' : 'not '}resumable across names`);
}

/** What the session keeps of the client's certificates; on the connection that they were shown on they are there too. */
function checkHash({ peerCertificateSha256: hash, peerCertificates, resumed }: ConnectionInfo, flags: Flags): void {
  expectSame('session has a hash', hash !== undefined, flags.switches.has('expect-sha256-client-cert'));
  if (hash === undefined) return;
  const [leaf] = peerCertificates;
  expectSame('connection has certificates', leaf !== undefined, !resumed);
  if (leaf !== undefined) {
    expectBytes('hash of the certificate', [hash], [createHash('sha256').update(leaf).digest()]);
  }
}

function ticketKeys(flags: Flags, world: World): Protector {
  const later = answerer(flags.switches.has('async'));
  const given = base64(flags, 'ticket-key');
  const keys = given === undefined ? world.ticketKeys : recommendedTickets(given);
  return { protect: (state) => keys.protect(state), unprotect: (sealed) => later(() => keys.unprotect(sealed)) };
}
