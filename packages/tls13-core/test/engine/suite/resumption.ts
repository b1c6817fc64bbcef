/** Tickets and PSKs (§2.2, §4.3.11, §4.7.1): when a session is resumed, and when the handshake is a full one instead. */
import { describe, expect, it } from 'vitest';
import { TlsError } from '../../../src/alert.js';
import { concat } from '../../../src/bytes.js';
import type { CryptoProvider } from '../../../src/crypto/provider.js';
import { type CipherSuiteName, cipherSuites } from '../../../src/registry.js';
import { parseSession, type Session, serializeSession } from '../../../src/session.js';
import { createTicketKeys } from '../../../src/ticket-keys.js';
import { decodeHandshake } from '../../../src/wire/index.js';
import { credential, identity } from '../support/certificates.js';
import { connectedPair, type PairOptions, pair, sessionOf } from '../support/pair.js';

export function resumptionTests(provider: CryptoProvider): void {
  const tickets = () => ({ protector: createTicketKeys(provider) });

  /** Connects once for a ticket, then with it. */
  function twice(first: PairOptions, second: PairOptions = first) {
    const session = sessionOf(provider, first);
    return connectedPair(provider, { ...second, client: { ...second.client, session } });
  }

  it.each(Object.keys(cipherSuites) as CipherSuiteName[])('a session of %s is resumed', (suite) => {
    const suites = { cipherSuites: [suite] } as const;
    const options = { client: suites, server: { ...suites, tickets: tickets() } };
    const { client, server } = twice(options);
    expect(client.engine.info).toMatchObject({ resumed: true, cipherSuite: suite, signatureScheme: undefined });
    expect(server.engine.info).toMatchObject({ resumed: true, cipherSuite: suite, signatureScheme: undefined });
    expect(client.engine.info?.peerCertificates).toEqual([identity('ed25519').certificate]);
  });

  it('server_name is answered in a full handshake, not in a resumption (RFC 6066 §3)', () => {
    const protector = createTicketKeys(provider);
    const answered = (session?: Session) => {
      const options = { client: { messageLog: true, ...(session && { session }) }, server: { tickets: { protector } } };
      const { client } = pair(provider, options).handshake();
      const answers = client
        .of('message')
        .filter(({ direction }) => direction === 'receive')
        .map(({ message }) => (message[0] === 8 ? decodeHandshake(message) : undefined))
        .find((message) => message !== undefined);
      if (answers?.type !== 'encrypted_extensions') throw new Error('no EncryptedExtensions came');
      return [client.engine.info?.resumed, answers.body.extensions.serverName];
    };
    expect(answered()).toEqual([false, true]);
    expect(answered(sessionOf(provider, { server: { tickets: { protector } } }))).toEqual([true, undefined]);
  });

  it('with another suite of the same hash', () => {
    const { server } = twice({
      client: { cipherSuites: ['TLS_AES_128_GCM_SHA256'] },
      server: { tickets: tickets() },
    });
    expect(server.engine.info?.resumed).toBe(true);
  });

  it('a stored session is as good as the one that was stored', () => {
    const server = { tickets: tickets() };
    const session = parseSession(serializeSession(sessionOf(provider, { server })));
    expect(connectedPair(provider, { client: { session }, server }).client.engine.info?.resumed).toBe(true);
  });

  it('across a HelloRetryRequest, with and without a cookie', () => {
    for (const cookies of [{}, { cookies: createTicketKeys(provider) }]) {
      const server = { tickets: tickets(), groups: ['secp256r1'], ...cookies } as const;
      const { client } = twice({ client: { groups: ['x25519', 'secp256r1'] }, server });
      expect(client.engine.info).toMatchObject({ resumed: true, helloRetryRequest: true });
    }
  });

  it('a ticket of a resumed connection resumes again', () => {
    const server = { tickets: tickets() };
    let session = sessionOf(provider, { server });
    for (let generation = 0; generation < 3; generation++) {
      const { client } = pair(provider, { client: { session }, server }).handshake();
      expect(client.engine.info?.resumed).toBe(true);
      session = client.of('ticket')[0]?.session ?? session;
    }
  });

  it('as many tickets come as are configured, each another', () => {
    const { client } = pair(provider, { server: { tickets: { ...tickets(), count: 5, lifetime: 60 } } }).handshake();
    const sessions = client.of('ticket').map(({ session }) => session);
    expect(sessions).toHaveLength(5);
    expect(new Set(sessions.map(({ psk }) => Buffer.from(psk).toString('hex'))).size).toBe(5);
    expect(sessions.every(({ lifetime }) => lifetime === 60)).toBe(true);
  });

  it('a client takes no more tickets than its limit', () => {
    const options = { client: { limits: { tickets: 2 } }, server: { tickets: { ...tickets(), count: 3 } } };
    const { client } = pair(provider, options).handshake();
    expect(client.engine.error?.alert).toBe('unexpected_message');
  });

  it('client authentication is remembered', () => {
    const options = {
      client: { credential: credential(provider, 'ed25519') },
      server: { tickets: tickets(), clientAuthentication: 'require' },
    } as const;
    const { server } = twice(options);
    expect(server.engine.info?.resumed).toBe(true);
    expect(server.engine.info?.peerCertificates).toEqual([identity('ed25519').certificate]);
  });

  describe('the server’s certificates are judged again, as they were taken by whoever let anybody in', () => {
    const server = { tickets: tickets() };
    const strict = () => {
      throw new TlsError('unknown_ca', 'not one of ours');
    };

    it('and refused before the connection is one, or any data is believed', () => {
      const session = sessionOf(provider, { server });
      const { client, server: peer } = pair(provider, { client: { session, verifyPeer: strict }, server }).handshake();
      expect(client.engine.error?.alert).toBe('unknown_ca');
      expect(client.types).toEqual(['transmit', 'transmit', 'failed']);
      expect(peer.engine.error).toMatchObject({ alert: 'unknown_ca', received: true });
    });

    it('later, too', async () => {
      const session = sessionOf(provider, { server });
      const verifyPeer = async () => strict();
      const { client } = await pair(provider, { client: { session, verifyPeer }, server }).handshakeLater();
      expect(client.engine.error?.alert).toBe('unknown_ca');
      expect(client.engine.info).toBeUndefined();
    });

    it('with the name that is asked for now, and the word that they are old', () => {
      const session = sessionOf(provider, { server });
      const seen: unknown[] = [];
      const { client } = connectedPair(provider, {
        client: { session, verifyPeer: (peer) => void seen.push(peer) },
        server,
      });
      expect(client.engine.info?.resumed).toBe(true);
      const certificates = [identity('ed25519').certificate];
      expect(seen).toEqual([
        {
          role: 'server',
          certificateType: 'x509',
          certificates,
          serverName: 'example.test',
          ocspResponse: undefined,
          signedCertificateTimestamps: [],
          resumed: true,
        },
      ]);
    });
  });

  describe('the handshake is a full one', () => {
    const full = (first: PairOptions, second: PairOptions = first) => {
      const { client, server } = twice(first, second);
      expect(client.engine.info?.resumed).toBe(false);
      expect(server.engine.info?.resumed).toBe(false);
    };

    it('when the server has other ticket keys', () => {
      full({ server: { tickets: tickets() } }, { server: { tickets: tickets() } });
    });

    it('when the server resumes no sessions any more', () => full({ server: { tickets: tickets() } }, { server: {} }));

    it('when the hash is another', () => {
      const server = { tickets: tickets() };
      full(
        { client: { cipherSuites: ['TLS_AES_256_GCM_SHA384'] }, server },
        { client: { cipherSuites: ['TLS_AES_128_GCM_SHA256'] }, server },
      );
    });

    it('when the name is another', () => {
      const server = { tickets: tickets() };
      full({ client: { serverName: 'a.test' }, server }, { client: { serverName: 'b.test' }, server });
    });

    it('when the client must show a certificate and has shown none', () => {
      const { protector } = tickets();
      full(
        { client: { credential: credential(provider, 'ed25519') }, server: { tickets: { protector } } },
        {
          client: { credential: credential(provider, 'ed25519') },
          server: { tickets: { protector }, clientAuthentication: 'require' },
        },
      );
    });

    it('when the client’s certificate is no longer good', () => {
      const { protector } = tickets();
      const client = { credential: credential(provider, 'ed25519') };
      let asked = 0;
      const verifyPeer = () => {
        asked += 1;
        if (asked === 1) throw new TlsError('certificate_revoked', 'revoked');
      };
      full(
        { client, server: { tickets: { protector }, clientAuthentication: 'require' } },
        { client, server: { tickets: { protector }, clientAuthentication: 'require', verifyPeer } },
      );
      expect(asked).toBe(2);
    });

    it('when the ticket is as long as all extensions of a ClientHello may be', () => {
      const protector = createTicketKeys(provider);
      const endless = {
        protect: (state: Uint8Array) => concat(protector.protect(state), new Uint8Array(64_000)),
        unprotect: (sealed: Uint8Array) => protector.unprotect(sealed.subarray(0, -64_000)),
      };
      full({ server: { tickets: { protector: endless } } });
    });

    it('when the ticket is too old, by either clock', () => {
      const { protector } = tickets();
      const server = { tickets: { protector, lifetime: 100 } };
      const now = Date.now();
      full({ server }, { client: { now: () => now + 200_000 }, server });
      full({ server }, { server: { ...server, now: () => now + 200_000 } });
    });
  });
}
