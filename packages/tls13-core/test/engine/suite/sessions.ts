/** Where sessions are kept and whom they are for: stores (§4.7.1), shared keys, numbers of tickets (RFC 9149), identities. */
import { describe, expect, it } from 'vitest';
import type { SessionStore } from '../../../src/config/index.js';
import type { CryptoProvider } from '../../../src/crypto/provider.js';
import { parseSession, serializeSession } from '../../../src/session.js';
import { createSessionStore } from '../../../src/session-store.js';
import { createTicketKeys, ticketKeyLength } from '../../../src/ticket-keys.js';
import { credential } from '../support/certificates.js';
import { bytes, connectedPair, type PairOptions, pair, sessionOf } from '../support/pair.js';

export function sessionTests(provider: CryptoProvider): void {
  const resumes = (options: PairOptions, session = sessionOf(provider, options)) =>
    connectedPair(provider, { ...options, client: { ...options.client, session } }).client.engine.info?.resumed;

  describe('a store', () => {
    it('keeps the session, and the ticket is no more than its name', () => {
      const store = createSessionStore();
      const options = { server: { tickets: { store } } };
      const session = sessionOf(provider, options);
      expect(session.ticket).toHaveLength(32);
      expect(store.size).toBe(2);
      expect(resumes(options, session)).toBe(true);
    });

    it('gives each session once', () => {
      const options = { server: { tickets: { store: createSessionStore() } } };
      const session = sessionOf(provider, options);
      expect([resumes(options, session), resumes(options, session)]).toEqual([true, false]);
    });

    it('may answer later', async () => {
      const inner = createSessionStore();
      const store: SessionStore = {
        set: async (id, state, lifetime) => inner.set(id, state, lifetime),
        take: async (id) => inner.take(id),
      };
      const first = await pair(provider, { server: { tickets: { store } } }).handshakeLater();
      const session = first.client.of('ticket')[0]?.session;
      if (session === undefined) throw new Error('no ticket came');
      const second = await pair(provider, { client: { session }, server: { tickets: { store } } }).handshakeLater();
      expect(second.server.engine.info?.resumed).toBe(true);
    });

    it('that fails costs the resumption, not the connection', async () => {
      const fails = () => {
        throw new Error('the store is away');
      };
      const later = () => Promise.reject(new Error('the store is away'));
      const session = sessionOf(provider, { server: { tickets: { store: createSessionStore() } } });
      for (const store of [
        { set: fails, take: fails },
        { set: later, take: later },
      ]) {
        const { client } = await pair(provider, {
          client: { session },
          server: { tickets: { store } },
        }).handshakeLater();
        expect(client.engine.info?.resumed).toBe(false);
        expect(client.of('ticket')).toEqual([]);
      }
    });

    it('in memory forgets the oldest beyond its capacity, and what is too old', () => {
      let now = 0;
      const store = createSessionStore({ capacity: 2, now: () => now });
      for (const value of [1, 2, 3]) store.set(bytes(32, value), bytes(8, value), 60);
      expect([store.size, store.take(bytes(32, 1)), store.take(bytes(32, 2))]).toEqual([2, undefined, bytes(8, 2)]);
      now = 60_000;
      expect(store.take(bytes(32, 3))).toBeUndefined();
      expect(() => createSessionStore({ capacity: 0 })).toThrow(/capacity must be a whole number/);
    });

    it('in memory forgets the oldest when all together have too many bytes', () => {
      const store = createSessionStore({ maxBytes: 100 });
      for (const value of [1, 2, 3]) store.set(bytes(32, value), bytes(40, value), 60);
      expect([store.size, store.take(bytes(32, 1)), store.take(bytes(32, 2))]).toEqual([2, undefined, bytes(40, 2)]);
      // What was taken counts no more, and what is larger than all of the room is not kept.
      store.set(bytes(32, 4), bytes(60), 60);
      expect([store.size, store.take(bytes(32, 3))]).toEqual([2, bytes(40, 3)]);
      store.set(bytes(32, 5), bytes(101), 60);
      expect(store.size).toBe(0);
      expect(() => createSessionStore({ maxBytes: 0 })).toThrow(/maxBytes must be a whole number/);
    });

    it('or a protector, not both and not neither', () => {
      const both = { store: createSessionStore(), protector: createTicketKeys(provider) };
      for (const tickets of [both, {}]) {
        expect(() => pair(provider, { server: { tickets } })).toThrow(/either a protector.*or a store/);
      }
    });
  });

  describe('tickets under keys that are shared', () => {
    const key = (value: number) => bytes(ticketKeyLength, value);
    const shared = (...keys: readonly Uint8Array[]) => ({
      server: { tickets: { protector: createTicketKeys(provider, { keys }) } },
    });

    it('are good with every server that has them, as long as it has them', () => {
      const stored = serializeSession(sessionOf(provider, shared(key(1))));
      expect(resumes(shared(key(1)), parseSession(stored))).toBe(true);
      expect(resumes(shared(key(2), key(1)), parseSession(stored))).toBe(true);
      expect(resumes(shared(key(2)), parseSession(stored))).toBe(false);
    });

    it('outlive setKeys while the old key is in the list', () => {
      const protector = createTicketKeys(provider, { keys: [key(1)] });
      const options = { server: { tickets: { protector } } };
      const old = sessionOf(provider, options);
      protector.setKeys([key(2), key(1)]);
      const newer = sessionOf(provider, options);
      expect([resumes(options, old), resumes(options, newer)]).toEqual([true, true]);
      protector.setKeys([key(3), key(2)]);
      expect([resumes(options, old), resumes(options, newer)]).toEqual([false, true]);
    });
  });

  describe('a client that asks for a number of tickets (RFC 9149)', () => {
    const protector = createTicketKeys(provider);
    const count = (client: PairOptions['client'], tickets: object = {}) =>
      pair(provider, { ...(client && { client }), server: { tickets: { protector, ...tickets } } })
        .handshake()
        .client.of('ticket').length;

    it('gets it, after a full handshake and after a resumption', () => {
      const ticketRequest = { newSession: 5, resumption: 1 };
      expect(count({ ticketRequest })).toBe(5);
      const session = sessionOf(provider, { server: { tickets: { protector } } });
      expect(count({ ticketRequest, session })).toBe(1);
      expect(count({ ticketRequest: { newSession: 0, resumption: 0 } })).toBe(0);
    });

    it('up to the limit of the server, which may be to send none', () => {
      const ticketRequest = { newSession: 255, resumption: 255 };
      expect(count({ ticketRequest })).toBe(8);
      expect(count({ ticketRequest }, { countLimit: 3 })).toBe(3);
      expect(count({ ticketRequest }, { count: 0 })).toBe(0);
      expect(count({}, { countLimit: 0 })).toBe(2);
    });

    it('asks for what fits into a byte', () => {
      const ticketRequest = { newSession: 256, resumption: 0 };
      expect(() => pair(provider, { client: { ticketRequest } })).toThrow(/ticketRequest.newSession must be/);
      expect(() => count({}, { countLimit: 17 })).toThrow(/tickets.countLimit must be/);
    });
  });

  describe('a session belongs to the client that it was made by', () => {
    const [a, b] = [credential(provider, 'ed25519'), credential(provider, 'p256')];
    const server = { tickets: { protector: createTicketKeys(provider) }, clientAuthentication: 'request' } as const;
    const made = (client: PairOptions['client']) => sessionOf(provider, { ...(client && { client }), server });
    const resumed = (client: NonNullable<PairOptions['client']>) =>
      connectedPair(provider, { client, server }).server.engine.info;

    it('and is not offered as another, or as nobody', () => {
      const session = made({ credential: a });
      expect(resumed({ credential: a, session })?.resumed).toBe(true);
      expect(resumed({ credential: b, session })).toMatchObject({
        resumed: false,
        peerCertificates: b.certificateChain,
      });
      expect(resumed({ session })).toMatchObject({ resumed: false, peerCertificates: [] });
    });

    it('nor one of nobody as somebody', () => {
      const session = made({});
      expect(resumed({ session })?.resumed).toBe(true);
      expect(resumed({ credential: a, session })).toMatchObject({
        resumed: false,
        peerCertificates: a.certificateChain,
      });
    });

    it('also across further resumptions, and in its stored form', () => {
      const options = { client: { credential: a, session: made({ credential: a }) }, server };
      const session = parseSession(serializeSession(sessionOf(provider, options)));
      expect(resumed({ credential: b, session })?.resumed).toBe(false);
      expect(resumed({ credential: a, session })?.resumed).toBe(true);
    });

    it('where nobody was asked it is anybody’s', () => {
      const open = { tickets: server.tickets };
      const session = sessionOf(provider, { server: open });
      const { client } = connectedPair(provider, { client: { credential: a, session }, server: open });
      expect(client.engine.info?.resumed).toBe(true);
    });
  });
}
