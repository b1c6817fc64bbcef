/** The cookie of a server that keeps no state across a HelloRetryRequest (§4.3.2): its `Retry`, sealed, with a time. */
import { TlsError } from '../../alert.js';
import type { Protector } from '../../config/index.js';
import { cipherSuites, namedGroups } from '../../registry.js';
import type { ServerSettings } from '../../settings/index.js';
import { decode, encode, enumerated, fixed, opaque, struct, uint8, uint16, uint32, vector } from '../../wire/codec.js';
import { identityHashLength, mostIdentities, type Retry } from './retry.js';
import { seconds } from './time.js';

export function sealCookie(retry: Retry, protector: Protector, now: number): Uint8Array {
  const sealed = protector.protect(
    encode(cookieState, {
      kind,
      suite: retry.suite.name,
      group: retry.group,
      issuedAt: seconds(now),
      clientHello1Hash: retry.clientHello1Hash,
      unchangedHash: retry.unchangedHash,
      identitiesKnown: retry.identities === undefined ? 0 : 1,
      identities: retry.identities ?? [],
      promised: retry.promised,
    }),
  );
  if (sealed.length === 0 || sealed.length > mostBytes) {
    throw new TypeError(`cookies.protect() returned ${sealed.length} bytes; a cookie has 1 to ${mostBytes}`);
  }
  return sealed;
}

/** What `sealCookie` put in. `state` is what the protector opened: `undefined` when it did not. */
export function readCookie(state: Uint8Array | undefined, settings: ServerSettings): Retry {
  // One protector may serve tickets too: the first byte tells the two apart.
  if (state === undefined || state[0] !== kind) throw invalid('is not one of ours, or too old');
  const content = decode(cookieState, state, 'cookie');
  if (Math.abs(seconds(settings.now()) - content.issuedAt) > lifetime) throw invalid('is too old');
  const suite = settings.cipherSuites.find(({ name }) => name === content.suite);
  if (suite === undefined || !settings.groups.includes(content.group)) {
    throw invalid(`asks for ${content.suite} and ${content.group}, which are no longer configured`);
  }
  return {
    suite,
    group: content.group,
    clientHello1Hash: content.clientHello1Hash,
    unchangedHash: content.unchangedHash,
    identities: content.identitiesKnown === 0 ? undefined : content.identities,
    promised: content.promised,
  };
}

const kind = 0xc1;
/** Seconds in which the second ClientHello must come: a round trip, and clocks of different servers. */
const lifetime = 60;
const mostBytes = 2 ** 16 - 1;

const cookieState = struct({
  kind: uint8,
  suite: enumerated(uint16, cipherSuites),
  group: enumerated(uint16, namedGroups),
  issuedAt: uint32,
  clientHello1Hash: opaque(32, 48),
  unchangedHash: opaque(32, 48),
  identitiesKnown: uint8,
  identities: vector(fixed(identityHashLength), 0, mostIdentities * identityHashLength),
  promised: opaque(0, identityHashLength),
});

function invalid(why: string): TlsError {
  return new TlsError('illegal_parameter', `the cookie ${why} (§4.3.2)`);
}
