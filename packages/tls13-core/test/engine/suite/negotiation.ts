/** Full handshakes: everything that can be negotiated, and what both ends report of it. */
import { describe, expect, it } from 'vitest';
import { TlsError } from '../../../src/alert.js';
import type { CryptoProvider } from '../../../src/crypto/provider.js';
import { cipherSuite } from '../../../src/crypto/suites.js';
import { createClientEngine, createServerEngine } from '../../../src/engine/index.js';
import { type CipherSuiteName, cipherSuites } from '../../../src/registry.js';
import { createTicketKeys } from '../../../src/ticket-keys.js';
import { credential, identity, keyKinds, schemesOf, serverName } from '../support/certificates.js';
import { bytes, connectedPair, Pair, pair, serverConfig } from '../support/pair.js';

export function negotiationTests(provider: CryptoProvider): void {
  const names = (Object.keys(cipherSuites) as CipherSuiteName[]).filter((name) =>
    provider.aeads.includes(cipherSuite(name).aead),
  );
  const signers = keyKinds.flatMap((kind) =>
    schemesOf[kind].filter((scheme) => provider.signatureSchemes.includes(scheme)).map((scheme) => ({ kind, scheme })),
  );
  const { groups } = provider;

  // Every suite with every scheme and every group, and every group with every scheme: all pairs in few handshakes.
  const cases = names.flatMap((suite, first) =>
    signers.map(({ kind, scheme }, second) => ({
      suite,
      kind,
      scheme,
      group: groups[(first + second) % groups.length] ?? 'x25519',
    })),
  );

  describe('a handshake with', () => {
    it.each(cases)('$suite, $group, $scheme', ({ suite, group, kind, scheme }) => {
      const common = { cipherSuites: [suite], groups: [group] } as const;
      const { client, server } = connectedPair(provider, {
        client: { ...common, signatureSchemes: [scheme] },
        server: { ...common, credentials: [credential(provider, kind, scheme)] },
      });
      const agreed = { protocol: 'TLSv1.3', cipherSuite: suite, group, signatureScheme: scheme, serverName };
      expect(client.engine.info).toMatchObject({ role: 'client', ...agreed, resumed: false });
      expect(server.engine.info).toMatchObject({ role: 'server', ...agreed, resumed: false });
      expect(client.engine.info?.peerCertificates).toEqual([identity(kind).certificate]);
      expect(server.engine.info?.localCertificates).toEqual([identity(kind).certificate]);
      expect(server.engine.info?.clientRandom).toEqual(client.engine.info?.clientRandom);
      expect(server.engine.info?.serverRandom).toEqual(client.engine.info?.serverRandom);
    });

    it.each(names)('%s, and data of every size both ways', (suite) => {
      const connected = connectedPair(provider, {
        client: { cipherSuites: [suite] },
        server: { cipherSuites: [suite] },
      });
      const { client, server } = connected;
      let expected = 0;
      for (const size of [0, 1, 2, 16_383, 16_384, 16_385, 50_000]) {
        client.take(client.engine.send(bytes(size)));
        server.take(server.engine.send(bytes(size)));
        connected.exchange();
        expected += size;
        expect(server.data).toHaveLength(expected);
        expect(client.data).toHaveLength(expected);
      }
      expect(server.data.every((byte) => byte === 0x61)).toBe(true);
    });
  });

  it('a client’s own signer is used when its key is the provider’s', () => {
    for (const kind of ['p256', 'p384', 'p521', 'ed25519'] as const) {
      const { client } = connectedPair(provider, { server: { credentials: [credential(provider, kind)] } });
      expect(schemesOf[kind]).toContain(client.engine.info?.signatureScheme);
    }
  });

  it('the server chooses in its own order', () => {
    const { client } = connectedPair(provider, {
      client: { cipherSuites: ['TLS_AES_128_GCM_SHA256', 'TLS_CHACHA20_POLY1305_SHA256'], groups, keyShares: groups },
      server: {
        cipherSuites: ['TLS_CHACHA20_POLY1305_SHA256', 'TLS_AES_128_GCM_SHA256'],
        groups: ['secp256r1', 'x25519'],
        credentials: [credential(provider, 'p256'), credential(provider, 'ed25519')],
      },
    });
    expect(client.engine.info).toMatchObject({
      cipherSuite: 'TLS_CHACHA20_POLY1305_SHA256',
      group: 'secp256r1',
      signatureScheme: 'ecdsa_secp256r1_sha256',
      helloRetryRequest: false,
    });
  });

  it('the first credential that the client can verify is shown', () => {
    const credentials = [credential(provider, 'p256'), credential(provider, 'ed25519')];
    const { client } = connectedPair(provider, {
      client: { signatureSchemes: ['ed25519'] },
      server: { credentials },
    });
    expect(client.engine.info?.signatureScheme).toBe('ed25519');
  });

  it('the credential is chosen by the name that the client asks for', () => {
    const asked: unknown[] = [];
    const { client } = connectedPair(provider, {
      client: { serverName: 'b.test', alpnProtocols: ['h2'] },
      server: {
        alpnProtocols: ['h2'],
        credentials: (hello) => {
          asked.push(hello.serverName, hello.alpnProtocols);
          return credential(provider, 'ed25519');
        },
      },
    });
    expect(asked).toEqual(['b.test', ['h2']]);
    expect(client.engine.info).toMatchObject({ serverName: 'b.test', alpnProtocol: 'h2' });
  });

  it.each([
    [['h2', 'http/1.1'], ['http/1.1', 'h2'], 'http/1.1'],
    [['h2', 'http/1.1'], ['http/1.1'], 'http/1.1'],
    [['h2'], [], undefined],
    [[], ['h2'], undefined],
  ])('ALPN: a client with %j and a server with %j agree on %s', (client, server, agreed) => {
    const ends = connectedPair(provider, { client: { alpnProtocols: client }, server: { alpnProtocols: server } });
    expect(ends.client.engine.info?.alpnProtocol).toBe(agreed);
    expect(ends.server.engine.info?.alpnProtocol).toBe(agreed);
  });

  it("the first ClientHello's record alone says TLS 1.0 (§5.1); change_cipher_spec comes once from each side (§E.4)", () => {
    const { client, server } = pair(provider).handshake();
    const [hello, ...others] = client.of('transmit').map(({ data }) => data);
    expect(hello?.subarray(0, 3)).toEqual(Uint8Array.of(22, 3, 1));
    expect(others[0]?.subarray(0, 6)).toEqual(Uint8Array.of(20, 3, 3, 0, 1, 1));
    for (const end of [client, server]) {
      const types = recordTypes(Buffer.concat(end.of('transmit').map(({ data }) => data)));
      expect(types.filter((type) => type === 20)).toHaveLength(1);
    }
  });

  it("change_cipher_spec comes before a client's alert too, when it has keys (§E.4)", () => {
    const refuse = () => {
      throw new TlsError('certificate_unknown', 'nobody is believed');
    };
    const { client } = pair(provider, { client: { verifyPeer: refuse } }).handshake();
    const [, alert] = client.of('transmit').map(({ data }) => data);
    expect(recordTypes(alert ?? new Uint8Array(0))).toEqual([20, 23]);
  });

  it('without a server name, and without middlebox compatibility', () => {
    const { client, server } = new Pair(
      createClientEngine({ provider, groups: ['x25519'], verifyPeer: () => {}, middleboxCompatibility: false }),
      createServerEngine(serverConfig(provider)),
    ).handshake();
    expect(server.engine.info?.serverName).toBeUndefined();
    const wire = Buffer.concat([...client.of('transmit'), ...server.of('transmit')].map(({ data }) => data));
    expect(recordTypes(wire)).not.toContain(20);
  });

  describe('HelloRetryRequest', () => {
    const asks = { client: { groups: ['x25519', 'secp256r1'] }, server: { groups: ['secp256r1'] } } as const;

    it('is answered with the share that was asked for', () => {
      const { client, server } = connectedPair(provider, asks);
      expect(client.engine.info).toMatchObject({ group: 'secp256r1', helloRetryRequest: true });
      expect(server.engine.info).toMatchObject({ group: 'secp256r1', helloRetryRequest: true });
    });

    it('with its state in a cookie', () => {
      const cookies = createTicketKeys(provider);
      const { server } = connectedPair(provider, { ...asks, server: { ...asks.server, cookies } });
      expect(server.engine.info).toMatchObject({ group: 'secp256r1', helloRetryRequest: true });
    });

    it('with its state in a cookie, and another server for the second ClientHello', () => {
      const cookies = createTicketKeys(provider);
      const options = { ...asks, server: { ...asks.server, cookies } };
      const first = pair(provider, options);
      const { client } = first;
      first.server.take(first.server.engine.start());
      client.take(client.engine.start());
      for (const hello of client.outgoing.splice(0)) first.server.take(first.server.engine.receive(hello));
      for (const retry of first.server.outgoing.splice(0)) client.take(client.engine.receive(retry));
      const { server } = pair(provider, options);
      server.take(server.engine.start());
      const turns = () => client.outgoing.length + server.outgoing.length > 0;
      while (turns()) {
        for (const data of client.outgoing.splice(0)) server.take(server.engine.receive(data));
        for (const data of server.outgoing.splice(0)) client.take(client.engine.receive(data));
      }
      expect([client.engine.state, server.engine.state]).toEqual(['connected', 'connected']);
    });

    it('is not sent when a share of a less preferred group is there', () => {
      const { client } = connectedPair(provider, {
        client: { groups: ['x25519', 'secp256r1'] },
        server: { groups: ['secp256r1', 'x25519'] },
      });
      expect(client.engine.info).toMatchObject({ group: 'x25519', helloRetryRequest: false });
    });
  });

  describe('client certificates', () => {
    it.each(['request', 'require'] as const)('%s: shown and verified', (clientAuthentication) => {
      for (const kind of ['ed25519', 'p256', 'rsa'] as const) {
        const asked: unknown[] = [];
        const { server, client } = connectedPair(provider, {
          client: { credential: credential(provider, kind) },
          server: { clientAuthentication, verifyPeer: (peer) => void asked.push(peer) },
        });
        expect(server.engine.info?.peerCertificates).toEqual([identity(kind).certificate]);
        const shown = { role: 'client', certificateType: 'x509', certificates: [identity(kind).certificate] };
        expect(asked).toEqual([expect.objectContaining(shown)]);
        expect(client.engine.info?.clientSignatureScheme).toBe(server.engine.info?.clientSignatureScheme);
        expect(schemesOf[kind]).toContain(client.engine.info?.clientSignatureScheme);
      }
    });

    it('request: a client without one is let in', () => {
      const { server } = connectedPair(provider, { server: { clientAuthentication: 'request' } });
      expect(server.engine.info?.peerCertificates).toEqual([]);
    });

    it('require: a client without one is told certificate_required', () => {
      const { client, server } = pair(provider, { server: { clientAuthentication: 'require' } }).handshake();
      expect(server.engine.error?.alert).toBe('certificate_required');
      expect(client.engine.error).toMatchObject({ alert: 'certificate_required', received: true });
    });

    it('the client chooses by what the server asks', () => {
      const asked: unknown[] = [];
      const authority = Uint8Array.of(0x30, 0);
      connectedPair(provider, {
        client: {
          credential: (request) => {
            asked.push(...request.certificateAuthorities);
            return undefined;
          },
        },
        server: { clientAuthentication: 'request', certificateAuthorities: [authority] },
      });
      expect(asked).toEqual([authority]);
    });
  });

  it('events come in the order of the wire', () => {
    const { client, server } = pair(provider, {
      client: { keyLog: true },
      server: { keyLog: true, tickets: { protector: createTicketKeys(provider), count: 2 } },
    }).handshake();
    expect(client.types).toEqual([
      'transmit',
      ...['secret', 'secret'],
      'transmit',
      ...['secret', 'secret', 'secret'],
      'connected',
      ...['ticket', 'ticket'],
    ]);
    expect(server.types.filter((type) => type !== 'transmit')).toEqual([
      ...['secret', 'secret', 'secret', 'secret', 'secret'],
      'connected',
    ]);
    const labels = (end: typeof client) =>
      end.of('secret').map(({ label, secret }) => [label, Buffer.from(secret).toString('hex')]);
    expect(new Set(labels(client).map(String))).toEqual(new Set(labels(server).map(String)));
    expect(new Set(labels(client).map(([label]) => label)).size).toBe(5);
  });

  it('no secret is told unless it is asked for', () => {
    const { client, server } = pair(provider).handshake();
    expect([...client.of('secret'), ...server.of('secret')]).toEqual([]);
  });

  describe('exporters (§7.5)', () => {
    const { client, server } = connectedPair(provider);
    const of = (end: typeof client, ...given: [number, string, Uint8Array?]) =>
      Buffer.from(end.engine.exportKeyingMaterial(...given)).toString('hex');

    it('are the same on both sides', () => {
      expect(of(client, 32, 'EXPERIMENTAL a')).toBe(of(server, 32, 'EXPERIMENTAL a'));
      expect(of(client, 100, 'EXPERIMENTAL a', bytes(3))).toBe(of(server, 100, 'EXPERIMENTAL a', bytes(3)));
    });

    it('differ by label, context, length and connection', () => {
      const other = connectedPair(provider).client;
      const all = [
        of(client, 32, 'EXPERIMENTAL a'),
        of(client, 32, 'EXPERIMENTAL b'),
        of(client, 32, 'EXPERIMENTAL a', bytes(1)),
        of(client, 32, 'EXPERIMENTAL a', bytes(2)),
        of(client, 33, 'EXPERIMENTAL a').slice(0, 64),
        of(other, 32, 'EXPERIMENTAL a'),
      ];
      expect(new Set(all).size).toBe(all.length);
    });

    it('an empty context is as none (§7.5)', () => {
      expect(of(client, 32, 'EXPERIMENTAL a', new Uint8Array(0))).toBe(of(server, 32, 'EXPERIMENTAL a'));
    });
  });
}

function recordTypes(wire: Uint8Array): number[] {
  const types: number[] = [];
  for (let at = 0; at < wire.length; at += 5 + (((wire[at + 3] ?? 0) << 8) | (wire[at + 4] ?? 0)))
    types.push(wire[at] ?? 0);
  return types;
}
