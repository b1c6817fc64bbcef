/** What a client has shown after the handshake (§4.7.2): all of it is reported, and new tickets carry it (§4.7.1). */
import { createPublicKey } from 'node:crypto';
import { deflateSync, inflateSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { TlsError } from '../../src/alert.js';
import type { Credential, ServerConfig } from '../../src/config/index.js';
import { nobleProvider as provider } from '../../src/crypto/noble.js';
import { createSessionStore } from '../../src/session-store.js';
import { createTicketKeys } from '../../src/ticket-keys.js';
import { certificateFields } from '../../src/x509/certificate.js';
import { credential, identity } from './support/certificates.js';
import { connectedPair, type Pair, type PairOptions, pair } from './support/pair.js';

const own = credential(provider, 'p256');
const publicKey = new Uint8Array(createPublicKey(identity('p256').privateKey).export({ format: 'der', type: 'spki' }));
const never = (): never => {
  throw new Error('it is not there');
};
const raw: Credential = { certificateChain: [], rawPublicKey: publicKey, signer: own.signer };

function asked(options: PairOptions = {}): Pair {
  const joined = connectedPair(provider, {
    ...options,
    client: { postHandshakeAuthentication: true, credential: own, ...options.client },
  });
  joined.server.take(joined.server.engine.requestCertificate());
  return joined.exchange();
}

describe('what a client shows after the handshake', () => {
  it('is reported by both ends: what is stapled to it, and what it came compressed with', () => {
    const zlib = {
      algorithm: 1,
      compress: (certificate: Uint8Array) => new Uint8Array(deflateSync(certificate)),
      decompress: (bytes: Uint8Array, length: number) =>
        new Uint8Array(inflateSync(bytes, { maxOutputLength: length })),
    };
    const stapled = { ocspResponse: Uint8Array.of(0x30, 0), signedCertificateTimestamps: [Uint8Array.of(1, 2)] };
    const { client, server } = asked({
      client: { credential: { ...own, ...stapled }, certificateCompression: [zlib] },
      server: { certificateCompression: [zlib], ocspStapling: true, signedCertificateTimestamps: true },
    });
    expect(server.engine.info).toMatchObject({ ...stapled, peerCertificateCompression: 'zlib' });
    expect(client.engine.info).toMatchObject({ localCertificateCompression: 'zlib' });
  });

  it('is a raw public key where that was agreed on in the handshake (RFC 7250)', () => {
    const { client, server } = asked({
      client: { credential: raw },
      server: { clientCertificateTypes: ['rawPublicKey', 'x509'] },
    });
    expect(server.engine.info).toMatchObject({ peerRawPublicKey: publicKey, peerCertificates: [] });
    expect(client.engine.info).toMatchObject({ localRawPublicKey: publicKey, localCertificates: [] });
    expect(server.of('authenticated')).toMatchObject([{ certificates: [] }]);
  });

  it('is no raw public key where the server did not say that it takes one', () => {
    const { server } = asked({ client: { credential: raw } });
    expect(server.engine.info).toMatchObject({ peerRawPublicKey: undefined, clientSignatureScheme: undefined });
  });

  it('is not asked for where the server takes raw public keys only, and the client has none', () => {
    const client = { clientCertificateTypes: ['x509'] } as const;
    const server = { clientCertificateTypes: ['rawPublicKey'] } as const;
    expect(() => asked({ client, server })).toThrow(/or none of clientCertificateTypes/);
    const joined = pair(provider, {
      client: { ...client, postHandshakeAuthentication: true },
      server: { ...server, verifyPeer: () => {} },
    }).handshake();
    expect(joined.server.engine.info?.postHandshakeAuthentication).toBe(false);
  });
});

describe('tickets after authentication after the handshake', () => {
  const tickets = () => ({ protector: createTicketKeys(provider), count: 1 });

  it.each([
    ['tickets', tickets()],
    ['a store', { store: createSessionStore({ capacity: 10 }), count: 1 }],
  ])('name the client in %s: the next connection knows it', (_name, kept) => {
    const server: Partial<ServerConfig> = { tickets: kept };
    const first = asked({ server });
    const sessions = first.client.of('ticket').map(({ session }) => session);
    expect(sessions).toHaveLength(1);
    expect(sessions[0]?.localCertificate).toEqual(own.certificateChain[0]);
    const again = connectedPair(provider, {
      client: { credential: own, postHandshakeAuthentication: true, session: sessions[0] ?? never() },
      server,
    });
    expect(again.server.engine.info).toMatchObject({ resumed: true, peerCertificates: own.certificateChain });
    // A server that asks nobody, and a client that cannot be asked, know each other no more by it.
    const unasked = connectedPair(provider, { client: { credential: own, session: sessions[0] ?? never() }, server });
    expect(unasked.server.engine.info?.resumed).toBe(false);
    const other = connectedPair(provider, {
      client: { credential: credential(provider, 'ed25519'), session: sessions[0] ?? never() },
      server,
    });
    expect(other.server.engine.info?.resumed).toBe(false);
  });

  it('each have a nonce of their own, so none has the key of another', () => {
    const joined = asked({ server: { tickets: tickets() } });
    joined.server.take(joined.server.engine.requestCertificate());
    joined.exchange();
    const keys = joined.client.of('ticket').map(({ session }) => Buffer.from(session.psk).toString('hex'));
    expect(keys).toHaveLength(2);
    expect(new Set(keys).size).toBe(2);
  });

  it('are not sent to a client that declines, nor when what it shows is refused', () => {
    const server = { tickets: tickets() };
    expect(asked({ server, client: { credential: () => undefined } }).client.of('ticket')).toEqual([]);
    const verifyPeer = () => {
      throw new TlsError('unknown_ca', 'nobody knows who signed this');
    };
    const refused = asked({ server: { ...server, verifyPeer } });
    expect(refused.client.of('ticket')).toEqual([]);
    expect(refused.client.engine.error).toMatchObject({ alert: 'unknown_ca', received: true });
  });
});

describe('tickets.accept', () => {
  it('sees the ClientHello before a session is resumed, and may want a full handshake', async () => {
    const answers: { wanted: boolean | Promise<boolean>; resumed: boolean }[] = [
      { wanted: true, resumed: true },
      { wanted: false, resumed: false },
      { wanted: Promise.resolve(false), resumed: false },
    ];
    for (const { wanted, resumed } of answers) {
      const names: (string | undefined)[] = [];
      const server: Partial<ServerConfig> = {
        tickets: {
          protector: createTicketKeys(provider),
          accept: ({ serverName }) => {
            names.push(serverName);
            return wanted;
          },
        },
      };
      const first = pair(provider, { server }).handshake();
      const session = first.client.of('ticket')[0]?.session ?? never();
      const again = await pair(provider, { server, client: { session } }).handshakeLater();
      expect(names).toEqual(['example.test']);
      expect(again.client.engine.info?.resumed).toBe(resumed);
    }
  });
});

describe('certificate_authorities (§4.3.4)', () => {
  const [leaf] = own.certificateChain;
  // Both leaves are of the tests' one authority: here stands another's name.
  const stranger = Uint8Array.of(0x30, 0);

  it('of a client is seen by the server', () => {
    const seen: (readonly Uint8Array[])[] = [];
    connectedPair(provider, {
      client: { certificateAuthorities: [stranger] },
      server: {
        credentials: ({ certificateAuthorities }) => {
          seen.push(certificateAuthorities);
          return own;
        },
      },
    });
    expect(seen).toEqual([[stranger]]);
  });

  it('prefers a certificate of an authority that is named, and refuses nobody', () => {
    const selfMade = { ...own, certificateChain: [renamed(leaf ?? never())] };
    const issuer = issuerOf(leaf ?? never());
    const shown = (named: readonly Uint8Array[]) =>
      connectedPair(provider, {
        client: { certificateAuthorities: named },
        server: { credentials: [selfMade, own] },
      }).server.engine.info?.localCertificates;
    expect(shown([issuer])).toEqual(own.certificateChain);
    expect(shown([stranger])).toEqual(selfMade.certificateChain);
    expect(shown([])).toEqual(selfMade.certificateChain);
  });

  it('must be names, and fit', () => {
    const refused = (names: Uint8Array[]) => () =>
      connectedPair(provider, { client: { certificateAuthorities: names } });
    expect(refused([Uint8Array.of(4, 0)])).toThrow(/distinguished names in DER/);
    const long = new Uint8Array(40_000);
    long[0] = 0x30;
    expect(refused([long, long])).toThrow(/take 80004 bytes/);
  });
});

/** The issuer's DER, which stands behind the algorithm of the signature. */
function issuerOf(certificate: Uint8Array): Uint8Array {
  return certificateFields(certificate).issuer?.bytes ?? never();
}

/** The same certificate by an authority of another name; nobody here checks its signature. */
function renamed(certificate: Uint8Array): Uint8Array {
  const copy = certificate.slice();
  const at = Buffer.from(copy).indexOf(Buffer.from(issuerOf(certificate)));
  const last = at + issuerOf(certificate).length - 1;
  copy[last] = (copy[last] ?? 0) ^ 1;
  return copy;
}
