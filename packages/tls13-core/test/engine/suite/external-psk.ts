/** External PSKs (§2.2, §4.3.9, §4.3.11), imported ones (RFC 9258), and who authenticates whom by them. */
import { describe, expect, it } from 'vitest';
import type { ExternalPsk, Psk, PskToImport, ServerConfig } from '../../../src/config/index.js';
import type { CryptoProvider } from '../../../src/crypto/provider.js';
import { createClientEngine, createServerEngine } from '../../../src/engine/index.js';
import { importPsk, parseImportedIdentity } from '../../../src/external-psk.js';
import { createReflectionGuard } from '../../../src/reflection-guard.js';
import { createTicketKeys } from '../../../src/ticket-keys.js';
import { credential, identity } from '../support/certificates.js';
import { bytes, clientConfig, connectedPair, Pair, type PairOptions, pair, sessionOf } from '../support/pair.js';

const text = (value: string) => new TextEncoder().encode(value);
const psk: ExternalPsk = { identity: text('sensor-7'), key: bytes(32, 7) };
const psk384: ExternalPsk = { identity: text('sensor-8'), key: bytes(48, 8), hash: 'sha384' };
const toImport: PskToImport = { externalIdentity: text('sensor-9'), key: bytes(16, 9), context: text('line 4') };

export function externalPskTests(provider: CryptoProvider): void {
  /** Without certificates on either side. */
  const only = (theirs: readonly Psk[], ours: ServerConfig['psks'] = theirs, more: PairOptions = {}): PairOptions => ({
    client: { psks: theirs, ...more.client },
    server: { psks: ours, credentials: [], ...more.server },
  });
  const pskOnly = (options: PairOptions): Pair => {
    const { verifyPeer: _unused, ...client } = clientConfig(provider, { groups: ['x25519'], ...options.client });
    const server = createServerEngine({ provider, groups: ['x25519'], ...options.server });
    return new Pair(createClientEngine(client), server).handshake();
  };
  const alerts = ({ client, server }: Pair) => [client.engine.error?.alert, server.engine.error?.alert];

  describe('who has the PSK', () => {
    it.each<[string, Psk, string]>([
      ['of SHA-256', psk, 'TLS_AES_128_GCM_SHA256'],
      ['of SHA-384: the suite follows it', psk384, 'TLS_AES_256_GCM_SHA384'],
      ['that is imported', toImport, 'TLS_AES_128_GCM_SHA256'],
    ])('connects without any certificate: one %s', (_what, one, cipherSuite) => {
      const { client, server } = pskOnly(only([one]));
      const pskIdentity = 'externalIdentity' in one ? one.externalIdentity : one.identity;
      const expected = { authentication: 'psk', resumed: false, cipherSuite, pskIdentity, group: 'x25519' };
      expect(client.engine.info).toMatchObject({ ...expected, peerCertificates: [], signatureScheme: undefined });
      expect(server.engine.info).toMatchObject({ ...expected, peerCertificates: [], localCertificates: [] });
      client.take(client.engine.send(bytes(5)));
      expect(server.engine.receive(client.outgoing.pop() ?? bytes(0))).toMatchObject([
        { type: 'data', data: bytes(5) },
      ]);
    });

    it('an imported one goes with suites of either hash, and with a HelloRetryRequest', () => {
      const suites = { cipherSuites: ['TLS_AES_256_GCM_SHA384'] } as const;
      expect(pskOnly(only([toImport], [toImport], { server: suites })).client.engine.info).toMatchObject({
        authentication: 'psk',
        cipherSuite: 'TLS_AES_256_GCM_SHA384',
      });
      const retry = { client: { groups: ['x25519', 'secp256r1'] }, server: { groups: ['secp256r1'] } } as const;
      for (const one of [psk, psk384, toImport]) {
        expect(pskOnly(only([one], [one], retry)).client.engine.info).toMatchObject({
          authentication: 'psk',
          helloRetryRequest: true,
        });
      }
    });

    it('comes with the suites of its hash alone, so that no HelloRetryRequest can pick another', () => {
      const options = only([psk], [psk], {
        client: { groups: ['x25519', 'secp256r1'] },
        server: {
          groups: ['secp256r1'],
          cipherSuites: ['TLS_AES_256_GCM_SHA384', 'TLS_AES_128_GCM_SHA256'],
          credentials: [credential(provider, 'ed25519')],
        },
      });
      expect(pskOnly(options).client.engine.info).toMatchObject({
        authentication: 'psk',
        helloRetryRequest: true,
        cipherSuite: 'TLS_AES_128_GCM_SHA256',
      });
    });

    it('is looked up by the application, at once or later, by identity', async () => {
      const asked: string[] = [];
      const find = (seen: Uint8Array) => {
        asked.push(new TextDecoder().decode(seen));
        return asked.at(-1) === 'sensor-8' ? psk384 : undefined;
      };
      expect(pskOnly(only([psk, psk384], find)).server.engine.info?.pskIdentity).toEqual(psk384.identity);
      expect(asked).toEqual(['sensor-7', 'sensor-8']);
      const later = pair(
        provider,
        only([psk384], (seen) => Promise.resolve(find(seen))),
      );
      expect((await later.handshakeLater()).client.engine.info?.authentication).toBe('psk');
    });

    it('an imported one is looked up by the parts of its identity', () => {
      const find = (seen: Uint8Array) => {
        const parts = parseImportedIdentity(seen);
        expect(parts).toMatchObject({ externalIdentity: toImport.externalIdentity, context: toImport.context });
        return toImport;
      };
      expect(pskOnly(only([toImport], find)).server.engine.info?.authentication).toBe('psk');
    });

    it('the order of the server decides which of several', () => {
      const { client, server } = pskOnly(only([psk, psk384], [psk384, psk]));
      expect(server.engine.info?.pskIdentity).toEqual(psk384.identity);
      expect(client.engine.info?.pskIdentity).toEqual(psk384.identity);
    });

    it('the key that the application holds is left as it was', () => {
      // A Buffer's slice() is no copy.
      const buffer = { ...psk, key: Buffer.from(psk.key) };
      pskOnly(only([buffer, toImport], () => buffer));
      expect([...buffer.key, ...toImport.key]).toEqual([...bytes(32, 7), ...bytes(16, 9)]);
    });
  });

  describe('who has not', () => {
    it('falls back to a certificate when both sides take one', () => {
      const { client, server } = connectedPair(provider, { client: { psks: [psk] }, server: { psks: [psk384] } });
      expect(client.engine.info).toMatchObject({ authentication: 'certificate', pskIdentity: undefined });
      expect(server.engine.info?.localCertificates).toEqual([identity('ed25519').certificate]);
    });

    it('is refused like one with a wrong key, unless the server is told to say which (§F.6)', () => {
      expect(alerts(pskOnly(only([psk], [psk384])))).toEqual(['decrypt_error', 'decrypt_error']);
      expect(alerts(pskOnly(only([{ ...psk, key: bytes(32, 1) }], [psk])))).toEqual(['decrypt_error', 'decrypt_error']);
      const told = only([psk], [psk384], { server: { concealPskIdentities: false } });
      expect(alerts(pskOnly(told))).toEqual(['handshake_failure', 'handshake_failure']);
    });

    it('is refused when it offers none', () => {
      const refused = pair(provider, { server: { psks: [psk], credentials: [] } }).handshake();
      expect(refused.server.engine.error).toMatchObject({
        alert: 'handshake_failure',
        message: expect.stringContaining('offers no PSK'),
      });
    });

    it('with a wrong key fails even if it would take a certificate: the binder is a proof (§4.3.11)', () => {
      const wrong = pair(provider, { client: { psks: [{ ...psk, key: bytes(32, 1) }] }, server: { psks: [psk] } });
      expect(alerts(wrong.handshake())).toEqual(['decrypt_error', 'decrypt_error']);
    });

    it('a client without verifyPeer asks for no certificate, and takes none', () => {
      const { server } = pskOnly({
        client: { psks: [psk] },
        server: { credentials: [credential(provider, 'ed25519')] },
      });
      expect(server.engine.error).toMatchObject({ alert: 'missing_extension' });
    });

    it('a name, a hash, a context or a kind that differs is another PSK', () => {
      const others: readonly Psk[] = [
        { ...toImport, context: text('line 5') },
        { ...toImport, externalIdentity: text('sensor-10') },
        { identity: toImport.externalIdentity, key: toImport.key },
      ];
      for (const other of others) {
        expect(alerts(pskOnly(only([toImport], [other])))).toEqual(['decrypt_error', 'decrypt_error']);
      }
      // Of another hash the identity is the same, and the key another.
      expect(alerts(pskOnly(only([toImport], [{ ...toImport, hash: 'sha384' }])))[0]).toBe('decrypt_error');
    });

    it('what the importer made is not good as an external PSK: the binders have other labels (RFC 9258 §5.2)', () => {
      const [made] = importPsk(provider, toImport, ['sha256']);
      if (made === undefined) throw new Error('nothing imported');
      expect(alerts(pskOnly(only([made], [toImport])))).toEqual(['decrypt_error', 'decrypt_error']);
    });
  });

  describe('clients of a server that asks for certificates', () => {
    const asks = { clientAuthentication: 'require' } as const;

    it('who has a PSK is asked for none (§4.4.2)', () => {
      const { server } = pskOnly(only([psk], [psk], { server: { ...asks, verifyPeer: () => {} } }));
      expect(server.engine.info).toMatchObject({ authentication: 'psk', peerCertificates: [] });
    });

    it('who has none must show one', () => {
      const { server } = pair(provider, { server: { psks: [psk], ...asks } }).handshake();
      expect(server.engine.error?.alert).toBe('certificate_required');
    });
  });

  describe('keys from the PSK alone (psk_ke, §4.3.9)', () => {
    const alone = { pskKeyExchangeModes: ['psk_ke'] } as const;
    const both = { pskKeyExchangeModes: ['psk_dhe_ke', 'psk_ke'] } as const;

    it('are made when both sides allow nothing else', () => {
      const { client, server } = pskOnly(only([psk], [psk], { client: alone, server: alone }));
      expect(client.engine.info).toMatchObject({ authentication: 'psk', group: undefined });
      expect(server.engine.info).toMatchObject({ authentication: 'psk', group: undefined });
    });

    it('are not made by default, nor where (EC)DHE is possible', () => {
      const modes = only([psk], [psk], { client: alone, server: { concealPskIdentities: false } });
      expect(alerts(pskOnly(modes))).toEqual(['handshake_failure', 'handshake_failure']);
      const { client } = pskOnly(only([psk], [psk], { client: both, server: both }));
      expect(client.engine.info?.group).toBe('x25519');
    });

    it('a client that takes a certificate too sends its shares for that', () => {
      const fallback = { client: { ...alone, psks: [psk] }, server: { ...both, psks: [psk384] } } as const;
      expect(connectedPair(provider, fallback).client.engine.info).toMatchObject({
        authentication: 'certificate',
        group: 'x25519',
      });
      const taken = { client: { ...alone, psks: [psk] }, server: { ...both, psks: [psk] } } as const;
      expect(connectedPair(provider, taken).client.engine.info).toMatchObject({
        authentication: 'psk',
        group: undefined,
      });
    });

    it('go for tickets too', () => {
      const server = { ...alone, psks: [psk], tickets: { protector: createTicketKeys(provider) } } as const;
      const client = { ...alone, psks: [psk] } as const;
      const session = sessionOf(provider, { client, server });
      const resumed = connectedPair(provider, { client: { ...client, session, psks: [psk] }, server });
      expect(resumed.client.engine.info).toMatchObject({ resumed: true, group: undefined });
    });
  });

  describe('sessions of a connection with an external PSK', () => {
    const protector = createTicketKeys(provider);
    const server = { psks: [psk], tickets: { protector } } as const;
    const session = () => sessionOf(provider, { client: { psks: [psk] }, server });

    it('are resumed, and say by which PSK they were made', () => {
      const { client, server: end } = connectedPair(provider, { client: { psks: [psk], session: session() }, server });
      const expected = { resumed: true, authentication: 'resumption', pskIdentity: psk.identity };
      expect(client.engine.info).toMatchObject(expected);
      expect(end.engine.info).toMatchObject(expected);
    });

    it('end with the PSK, on either side', () => {
      const forgotten = { psks: [psk384], tickets: { protector } } as const;
      const { client } = connectedPair(provider, { client: { psks: [psk], session: session() }, server: forgotten });
      expect(client.engine.info).toMatchObject({ resumed: false, authentication: 'certificate' });
      const dropped = connectedPair(provider, { client: { session: session() }, server });
      expect(dropped.client.engine.info).toMatchObject({ resumed: false, authentication: 'certificate' });
      const asked = { psks: () => undefined, tickets: { protector } } as const;
      const unknown = connectedPair(provider, { client: { psks: [psk], session: session() }, server: asked });
      expect(unknown.server.engine.info?.resumed).toBe(false);
    });

    it('satisfy a server that asks others for certificates', () => {
      const asks = { ...server, clientAuthentication: 'require' } as const;
      const { client } = connectedPair(provider, { client: { psks: [psk], session: session() }, server: asks });
      expect(client.engine.info?.resumed).toBe(true);
    });

    it('the session is offered before the PSK, which does when the session will not', () => {
      const strangers = { psks: [psk], tickets: { protector: createTicketKeys(provider) } } as const;
      const { client } = connectedPair(provider, { client: { psks: [psk], session: session() }, server: strangers });
      expect(client.engine.info).toMatchObject({ resumed: false, authentication: 'psk' });
    });
  });

  describe('a peer that has a PSK in both roles (Selfie; RFC 9257 §4.1, §F.8)', () => {
    it('is connected to itself when a ClientHello is reflected: without a guard nothing shows it', () => {
      const { client, server } = pskOnly(only([psk]));
      expect([client.engine.state, server.engine.state]).toEqual(['connected', 'connected']);
    });

    it('refuses the reflected ClientHello where client and server share a guard', () => {
      const guard = { reflectionGuard: createReflectionGuard() };
      const options = only([psk], [psk], { client: guard, server: guard });
      expect(alerts(pskOnly(options))).toEqual(['illegal_parameter', 'illegal_parameter']);
      // Somebody else's are taken.
      expect(pskOnly(only([psk], [psk], { server: guard })).server.engine.state).toBe('connected');
    });

    it('does not know its own offer where the context names the roles (RFC 9258, appendix B)', () => {
      const as = (client: string, server: string): PskToImport => ({
        ...toImport,
        context: text(`${client}>${server}`),
      });
      // Node A dials B and serves B: what it offers to B comes back to it.
      const reflected = pskOnly({
        client: { psks: [as('A', 'B')] },
        server: { psks: [as('B', 'A')], credentials: [] },
      });
      expect(alerts(reflected)).toEqual(['decrypt_error', 'decrypt_error']);
      const honest = pskOnly({ client: { psks: [as('A', 'B')] }, server: { psks: [as('A', 'B')], credentials: [] } });
      expect(honest.server.engine.info?.authentication).toBe('psk');
    });

    it('a guard forgets the oldest first, and has room for at least one', () => {
      const guard = createReflectionGuard({ capacity: 2 });
      for (const value of [1, 2, 3]) guard.sent(bytes(32, value));
      expect([1, 2, 3].map((value) => guard.wasSent(bytes(32, value)))).toEqual([false, true, true]);
      expect(() => createReflectionGuard({ capacity: 0 })).toThrow(/capacity must be a whole number/);
    });
  });
}
