/**
 * What is read of every connection is of one shape each. V8 gives a copy with more behind it (`{ ...a, b }`) a shape of its
 * own every time, and looks each of its fields up in its runtime from then on: ten times the cost, and nothing else shows it.
 */
import { setFlagsFromString } from 'node:v8';
import { runInThisContext } from 'node:vm';
import { describe, expect, it } from 'vitest';
import { nobleProvider as provider } from '../../src/crypto/noble.js';
import { decodeTicket, encodeTicket } from '../../src/handshake/server/ticket.js';
import { createClientEngine } from '../../src/index.js';
import { decodeHandshake } from '../../src/wire/index.js';

setFlagsFromString('--allow-natives-syntax');
const haveSameShape: (a: object, b: object) => boolean = runInThisContext('(a, b) => %HaveSameMap(a, b)');
// Functions are compiled when they are called first.
haveSameShape({}, {});
setFlagsFromString('--no-allow-natives-syntax');

describe('objects that every handshake makes', () => {
  it('the extensions of a ClientHello', () => {
    const [flight] = createClientEngine({ provider, verifyPeer: () => undefined, groups: ['x25519'] }).start();
    if (flight?.type !== 'transmit') throw new TypeError('a client begins with its ClientHello');
    const message = flight.data.slice(5);
    const [one, other] = lastTwo(() => {
      const read = decodeHandshake(message);
      if (read.type !== 'client_hello') throw new TypeError('not a ClientHello');
      return read.body.extensions;
    });
    expect(haveSameShape(one, other)).toBe(true);
  });

  it('a ticket that is opened', () => {
    const state = encodeTicket({
      cipherSuite: 'TLS_AES_128_GCM_SHA256',
      psk: new Uint8Array(32),
      issuedAt: 1,
      issuedAtMilliseconds: 2,
      authenticatedAt: 1,
      lifetime: 100,
      ageAdd: 5,
      maxEarlyData: 0,
      earlyDataIssuer: new Uint8Array(0),
      serverName: 'localhost',
      alpnProtocol: undefined,
      clientCertificates: [],
      clientCertificateHash: undefined,
      clientRawPublicKey: undefined,
      serverCertificateType: 'x509',
      pskIdentity: undefined,
    });
    const [one, other] = lastTwo(() => {
      const ticket = decodeTicket(state);
      if (ticket === undefined) throw new TypeError('the ticket does not open');
      return ticket;
    });
    expect(haveSameShape(one, other)).toBe(true);
  });
});

/** Of enough that V8's caches have settled. */
function lastTwo<T>(make: () => T): readonly [T, T] {
  for (let count = 0; count < 500; count++) make();
  return [make(), make()];
}
