import { createHash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { TlsError } from '../../src/alert.js';
import type { PeerIdentity, Protector, ServerConfig } from '../../src/config/index.js';
import { decodeTicket, encodeTicket } from '../../src/handshake/server/ticket.js';
import { createTicketKeys } from '../../src/ticket-keys.js';
import {
  type ClientOptions,
  clientIdentity,
  provider,
  resumable,
  type StoredTicket,
  TestClient,
  TestServer,
  ticketsFrom,
} from './server-support.js';

/** Offers the tickets; the server's answer, with the client at its heels. */
function offered(config: Partial<ServerConfig>, tickets: readonly StoredTicket[], options: ClientOptions = {}) {
  const client = new TestClient({ tickets, ...options });
  const server = new TestServer(config);
  server.receive(client.hello());
  client.takeFlight(server);
  return { server, client };
}

function selected({ server }: { readonly server: TestServer }): number | undefined {
  return server.sent('server_hello').body.extensions.preSharedKey;
}

function connection(server: TestServer) {
  const effect = server.effects.find(({ type }) => type === 'connected');
  if (effect?.type !== 'connected') throw new Error('not connected');
  return effect.info;
}

function one(tickets: readonly StoredTicket[]): StoredTicket {
  const [ticket] = tickets;
  if (ticket === undefined) throw new Error('no ticket');
  return ticket;
}

const flipped = (bytes: Uint8Array, at: number) => bytes.map((byte, index) => (index === at ? byte ^ 1 : byte));

describe('tickets', () => {
  it('follow the client Finished, before the application hears of the connection (§4.7.1)', () => {
    const { config } = resumable();
    const { server, client } = offered(config, []);
    server.receive(client.finished());
    expect(server.summary).toEqual([
      'K_recv application',
      'send new_session_ticket',
      'send new_session_ticket',
      'connected',
    ]);
  });

  it('are each under a nonce, an age_add and a PSK of their own, with the lifetime configured', () => {
    const { config } = resumable();
    const protector = config.tickets?.protector;
    if (protector === undefined) throw new Error('no protector');
    const { server, client } = offered({ ...config, tickets: { protector, count: 4, lifetime: 60 } }, []);
    server.receive(client.finished());
    const distinct = (values: readonly unknown[]) => new Set(values.map(String)).size;
    const tickets = client.takeTickets(server);
    expect(tickets).toHaveLength(4);
    expect(distinct(tickets.map(({ psk }) => psk))).toBe(4);
    expect(distinct(tickets.map(({ ageAdd }) => ageAdd))).toBe(4);
    for (const message of server.messages) expect(message.subarray(4, 8)).toEqual(Uint8Array.of(0, 0, 0, 60));
  });

  it('are not sent to a client that cannot use them with (EC)DHE (§4.3.9)', () => {
    const { config } = resumable();
    for (const pskKeyExchangeModes of [undefined, [0]]) {
      const client = new TestClient({ extensions: { pskKeyExchangeModes } });
      const server = new TestServer(config);
      server.receive(client.hello());
      client.takeFlight(server);
      expect(server.receive(client.finished()).summary).toEqual(['K_recv application', 'connected']);
    }
  });

  it('come back from their state as they were, and from anything else not at all', () => {
    const ticket = {
      cipherSuite: 'TLS_AES_256_GCM_SHA384',
      psk: new Uint8Array(48).fill(1),
      issuedAt: 1_800_000_000,
      issuedAtMilliseconds: 999,
      authenticatedAt: 1_799_999_000,
      lifetime: 7_200,
      ageAdd: 0xffffffff,
      maxEarlyData: 0xffffffff,
      earlyDataIssuer: new Uint8Array(16).fill(3),
      serverName: 'example.com',
      alpnProtocol: undefined,
      clientCertificates: [Uint8Array.of(0x30, 0)],
      clientCertificateHash: { sha256: new Uint8Array(32).fill(7), notAfter: 2_000_000_000 },
      clientRawPublicKey: Uint8Array.of(0x30, 1, 5),
      serverCertificateType: 'rawPublicKey',
      pskIdentity: Uint8Array.of(1, 2, 3),
    } as const;
    const state = encodeTicket(ticket);
    expect(decodeTicket(state)).toEqual(ticket);
    expect(decodeTicket(state.subarray(1))).toBeUndefined();
    expect(decodeTicket(state.subarray(0, state.length - 1))).toBeUndefined();
    expect(decodeTicket(Uint8Array.of(...state, 0))).toBeUndefined();
    expect(decodeTicket(new Uint8Array(0))).toBeUndefined();
  });
});

describe('resumption', () => {
  it('authenticates by the PSK alone, with a fresh key exchange (§2.2)', () => {
    const { config } = resumable();
    const { server, client } = offered(config, [one(ticketsFrom(config))]);
    expect(server.messages.map(([type]) => type)).toEqual([2, 8, 20]);
    expect(server.sent('server_hello').body.extensions).toMatchObject({ preSharedKey: 0, keyShare: expect.anything() });
    server.receive(client.finished());
    expect(connection(server)).toMatchObject({ resumed: true, signatureScheme: undefined, localCertificates: [] });
    expect(client.takeTickets(server)).toHaveLength(2);
  });

  it('is offered again by the tickets of a resumed connection', () => {
    const { config } = resumable();
    const { server, client } = offered(config, [one(ticketsFrom(config))]);
    server.receive(client.finished());
    expect(selected(offered(config, client.takeTickets(server)))).toBe(0);
  });

  it('works across the suites of one hash; the suite that is negotiated comes before the ticket (§4.7.1)', () => {
    const { config } = resumable();
    const chacha = { suites: ['TLS_CHACHA20_POLY1305_SHA256'] } as const;
    const offersBoth = { suites: ['TLS_CHACHA20_POLY1305_SHA256', 'TLS_AES_128_GCM_SHA256'] } as const;
    expect(selected(offered(config, [one(ticketsFrom(config, chacha))], offersBoth))).toBe(0);
    expect(selected(offered(config, [one(ticketsFrom(config))], chacha))).toBeUndefined();
    const sha384 = { suites: ['TLS_AES_256_GCM_SHA384'] } as const;
    expect(selected(offered(config, [one(ticketsFrom(config))], sha384))).toBeUndefined();
    const both = { suites: ['TLS_AES_128_GCM_SHA256', 'TLS_AES_256_GCM_SHA384'] } as const;
    const offer = offered(config, [one(ticketsFrom(config, sha384))], both);
    expect(offer.server.sent('server_hello').body.cipherSuite).toBe(0x1301);
    expect(selected(offer)).toBeUndefined();
  });

  it('takes the first identity that will do', () => {
    const { config } = resumable();
    const good = one(ticketsFrom(config));
    const unknown = { ...good, ticket: Uint8Array.of(1, 2, 3) };
    expect(selected(offered(config, [unknown, { ...good, ticket: flipped(good.ticket, 30) }, good]))).toBe(2);
  });

  it('looks at no more than four identities', () => {
    const { config } = resumable();
    const good = one(ticketsFrom(config));
    const unknown = { ...good, ticket: Uint8Array.of(1) };
    expect(selected(offered(config, [unknown, unknown, unknown, good]))).toBe(3);
    expect(selected(offered(config, [unknown, unknown, unknown, unknown, good]))).toBeUndefined();
  });

  it('with a wrong binder is a decrypt_error (§4.3.11)', () => {
    const { config } = resumable();
    const hello = new TestClient({ tickets: [one(ticketsFrom(config))] }).hello();
    expect(new TestServer(config).alertFor(flipped(hello, hello.length - 1))).toBe('decrypt_error');
    // A bit of the random: the binder covers the whole of the message before it.
    expect(new TestServer(config).alertFor(flipped(hello, 10))).toBe('decrypt_error');
  });

  it('does not look at the binder of a ticket that it does not take', () => {
    const { config } = resumable();
    const good = one(ticketsFrom(config));
    expect(selected(offered(config, [{ ...good, ticket: Uint8Array.of(1), psk: new Uint8Array(32) }, good]))).toBe(1);
  });

  it('waits for a protector that answers later', async () => {
    const { config } = resumable();
    const protector = config.tickets?.protector;
    if (protector === undefined) throw new Error('no protector');
    const later: Protector = {
      protect: (state) => protector.protect(state),
      unprotect: async (sealed) => protector.unprotect(sealed),
    };
    const client = new TestClient({ tickets: [one(ticketsFrom(config))] });
    const server = new TestServer({ ...config, tickets: { protector: later } });
    await server.receiveLater(client.hello());
    client.takeFlight(server);
    expect(connection(server.receive(client.finished())).resumed).toBe(true);
  });
});

describe('a ticket is not honoured, and a full handshake follows,', () => {
  const named = { extensions: { serverName: 'a.test', alpn: ['h2'] } };

  it('when its lifetime is over, or the server comes from before it', () => {
    const { clock, config } = resumable();
    const ticket = one(ticketsFrom(config));
    clock.milliseconds += 7_199_000;
    expect(selected(offered(config, [ticket]))).toBe(0);
    clock.milliseconds += 1_000;
    expect(selected(offered(config, [ticket]))).toBeUndefined();
    clock.milliseconds -= 7_200_000 + 61_000;
    expect(selected(offered(config, [ticket]))).toBeUndefined();
  });

  it('when the client itself says that it is too old (§4.3.11.1)', () => {
    const { config } = resumable();
    const tickets = [one(ticketsFrom(config))];
    expect(selected(offered(config, tickets, { age: 7_200_000 }))).toBe(0);
    expect(selected(offered(config, tickets, { age: 7_300_000 }))).toBeUndefined();
  });

  it('when the last full handshake was a week ago, however many resumptions ago', () => {
    const { clock, config } = resumable();
    const protector = createTicketKeys(provider, { rotationInterval: 1e9 });
    const long = { ...config, tickets: { protector, lifetime: 604_800 } };
    let tickets = ticketsFrom(long);
    const resumed: boolean[] = [];
    for (let days = 2; days <= 8; days += 2) {
      clock.milliseconds += 2 * 86_400_000;
      const { server, client } = offered(long, tickets.slice(0, 1));
      resumed.push(selected({ server }) === 0);
      server.receive(client.finished());
      tickets = client.takeTickets(server);
    }
    expect(resumed).toEqual([true, true, true, false]);
  });

  it('when the server name differs, though not by its case', () => {
    const { config } = resumable();
    const tickets = [one(ticketsFrom(config, named))];
    const names = (serverName: string | undefined) => ({ extensions: { ...named.extensions, serverName } });
    expect(selected(offered(config, tickets, names('A.TEST')))).toBe(0);
    expect(selected(offered(config, tickets, names('b.test')))).toBeUndefined();
    expect(selected(offered(config, tickets, names(undefined)))).toBeUndefined();
  });

  it('when the client does not offer psk_dhe_ke', () => {
    const { config } = resumable();
    const tickets = [one(ticketsFrom(config))];
    expect(selected(offered(config, tickets, { extensions: { pskKeyExchangeModes: [0] } }))).toBeUndefined();
  });

  it('when its key has been rotated away, or tickets are off', () => {
    const { config } = resumable();
    const tickets = [one(ticketsFrom(config))];
    expect(selected(offered(resumable().config, tickets))).toBeUndefined();
    const { tickets: _off, ...withoutTickets } = config;
    expect(selected(offered(withoutTickets, tickets))).toBeUndefined();
  });
});

describe("the client's identity in a ticket", () => {
  const asking = { clientAuthentication: 'require', verifyPeer: () => {} } as const;

  it('is judged again and reported', () => {
    const judged: unknown[] = [];
    const { config } = resumable({ ...asking, verifyPeer: (peer) => void judged.push(peer) });
    const { server, client } = offered(config, [one(ticketsFrom(config))]);
    expect(selected({ server })).toBe(0);
    expect(server.summary).not.toContain('send certificate_request');
    const info = connection(server.receive(client.finished()));
    expect(info).toMatchObject({ peerCertificates: [clientIdentity.certificate], clientSignatureScheme: undefined });
    const shown = { certificateType: 'x509', certificates: [clientIdentity.certificate] };
    const first = expect.objectContaining({ ...shown, resumed: false });
    expect(judged).toEqual([first, expect.objectContaining({ ...shown, resumed: true })]);
  });

  it.each([
    [
      'at once',
      () => {
        throw new TlsError('certificate_expired', 'expired since');
      },
    ],
    [
      'later',
      async () => {
        throw new TlsError('certificate_expired', 'expired since');
      },
    ],
  ])(
    'that is refused %s costs a full handshake, in which the client shows a certificate anew',
    async (_when, verifyPeer) => {
      const { config } = resumable(asking);
      const client = new TestClient({ tickets: [one(ticketsFrom(config))] });
      const server = new TestServer({ ...config, verifyPeer });
      if (_when === 'later') await server.receiveLater(client.hello());
      else server.receive(client.hello());
      expect(selected({ server })).toBeUndefined();
      expect(server.state.name).toBe('WAIT_CERT');
    },
  );

  it('must be there when a certificate is required', () => {
    const { config } = resumable();
    const tickets = [one(ticketsFrom(config))];
    expect(selected(offered({ ...config, ...asking }, tickets))).toBeUndefined();
    expect(selected(offered({ ...config, ...asking, clientAuthentication: 'request' }, tickets))).toBe(0);
  });

  it('is not believed where nobody judges it', () => {
    const { config } = resumable(asking);
    const tickets = [one(ticketsFrom(config))];
    expect(selected(offered({ ...config, clientAuthentication: 'none' }, tickets))).toBeUndefined();
  });
});

describe('tickets.retainOnlySha256OfClientCerts', () => {
  const asking = { clientAuthentication: 'require', verifyPeer: () => {} } as const;
  const leaf = clientIdentity.certificate;
  const sha256 = new Uint8Array(createHash('sha256').update(leaf).digest());

  /** Tickets that can be read, so that a test sees what is in them. */
  const readable: Protector = { protect: (state) => state.slice(), unprotect: (sealed) => sealed.slice() };
  const settings = (retainOnlySha256OfClientCerts: boolean, more: Partial<ServerConfig> = {}) =>
    resumable({ ...asking, tickets: { protector: readable, retainOnlySha256OfClientCerts }, ...more });
  const includes = (whole: Uint8Array, part: Uint8Array) => Buffer.from(whole).includes(Buffer.from(part));

  it('puts the hash into the ticket in place of the certificates', () => {
    const [hashed, whole] = [true, false].map((retain) => one(ticketsFrom(settings(retain).config)).ticket);
    if (hashed === undefined || whole === undefined) throw new Error('no tickets');
    expect([includes(hashed, leaf), includes(hashed, sha256)]).toEqual([false, true]);
    expect([includes(whole, leaf), includes(whole, sha256)]).toEqual([true, false]);
    expect(whole.length - hashed.length).toBe(leaf.length + 3 - 32);
  });

  it('reports the hash of a client that shows its certificate, and of one that resumes', () => {
    const { config } = settings(true);
    const server = new TestServer(config);
    const client = new TestClient();
    server.receive(client.hello());
    client.takeFlight(server);
    server.receive(client.certificate());
    server.receive(client.certificateVerify());
    const info = connection(server.receive(client.finished()));
    expect(info).toMatchObject({ peerCertificates: [leaf], peerCertificateSha256: sha256 });

    let tickets = client.takeTickets(server);
    for (let resumptions = 0; resumptions < 2; resumptions++) {
      const again = offered(config, [one(tickets)]);
      const resumed = connection(again.server.receive(again.client.finished()));
      expect(resumed).toMatchObject({ resumed: true, peerCertificates: [], peerCertificateSha256: sha256 });
      tickets = again.client.takeTickets(again.server);
    }
  });

  it('says nothing of a client that shows no certificate', () => {
    const { config } = settings(true, { clientAuthentication: 'none' });
    const { server, client } = offered(config, [one(ticketsFrom(config))]);
    expect(selected({ server })).toBe(0);
    expect(connection(server.receive(client.finished())).peerCertificateSha256).toBeUndefined();
  });

  it('asks verifyPeer about the hash, which may refuse it: a full handshake', () => {
    const judged: PeerIdentity[] = [];
    const verifyPeer = (peer: PeerIdentity) => {
      judged.push(peer);
      if (peer.certificateType === 'x509Sha256') throw new TlsError('certificate_revoked', 'revoked since');
    };
    const { config } = settings(true, { verifyPeer });
    expect(selected(offered(config, [one(ticketsFrom(config))]))).toBeUndefined();
    expect(judged).toEqual([
      expect.objectContaining({ certificateType: 'x509', resumed: false }),
      { certificateType: 'x509Sha256', sha256, role: 'client', serverName: undefined, resumed: true },
    ]);
  });

  it.each([
    [true, false],
    [false, true],
  ])('does not take a ticket made under another setting: made with %s, taken with %s', (made, taken) => {
    const ticket = one(ticketsFrom(settings(made).config));
    expect(selected(offered(settings(made).config, [ticket]))).toBe(0);
    expect(selected(offered(settings(taken).config, [ticket]))).toBeUndefined();
  });

  it('takes no ticket with a hash where clients are not asked for certificates', () => {
    const ticket = one(ticketsFrom(settings(true).config));
    const { config } = settings(true, { clientAuthentication: 'none' });
    expect(selected(offered(config, [ticket]))).toBeUndefined();
  });

  it('has no ticket outlive the certificate, at the first resumption and behind it', () => {
    // The test certificate ends with 2048.
    const end = Date.UTC(2049, 0, 1);
    const { clock, config } = settings(true);
    const lifetimes = (server: TestServer) => server.messages.map((message) => Buffer.from(message).readUInt32BE(4));
    clock.milliseconds = end - 600_000;
    const tickets = ticketsFrom(config);
    clock.milliseconds += 100_000;
    const { server, client } = offered(config, [one(tickets)], { age: 100_000 });
    server.receive(client.finished());
    expect(lifetimes(server)).toEqual([500, 500]);
    clock.milliseconds = end;
    expect(selected(offered(config, [one(tickets)], { age: 600_000 }))).toBeUndefined();
    expect(ticketsFrom(config)).toEqual([]);
  });
});
