/** Options of few lines: tickets for all names, server_name without an answer, TLS_FALLBACK_SCSV, the age of tickets. */
import { describe, expect, it } from 'vitest';
import { nobleProvider as provider } from '../../src/crypto/noble.js';
import { parseSession, serializeSession } from '../../src/session.js';
import { createTicketKeys } from '../../src/ticket-keys.js';
import { decode, encode } from '../../src/wire/codec.js';
import { tlsFlags } from '../../src/wire/extension-values.js';
import { asItIs } from './support/hand.js';
import { HandClient } from './support/hand-client.js';
import { HandServer } from './support/hand-server.js';
import { connectedPair, sessionOf } from './support/pair.js';

describe('tls_flags (draft-ietf-tls-tlsflags §2)', () => {
  it.each([
    [[8], [0, 1]],
    [
      [0, 7, 9],
      [0x81, 2],
    ],
    [[2039], [...new Uint8Array(254), 0x80]],
  ])('%j', (flags, bytes) => {
    const encoded = Uint8Array.of(bytes.length, ...bytes);
    expect(encode(tlsFlags, flags)).toEqual(encoded);
    expect(decode(tlsFlags, encoded, 'tls_flags')).toEqual(flags);
  });

  it.each([
    ['no byte', [0], 'decode_error'],
    ['a last byte of zeros', [2, 1, 0], 'illegal_parameter'],
    ['a byte behind it', [1, 1, 0], 'decode_error'],
  ])('%s is refused', (_what, bytes, alert) => {
    expect(() => decode(tlsFlags, Uint8Array.from(bytes), 'tls_flags')).toThrow(expect.objectContaining({ alert }));
  });
});

describe('tickets.acrossNames', () => {
  const at = (acrossNames: boolean, protector = createTicketKeys(provider)) => ({
    server: { tickets: { protector, acrossNames } },
    client: { serverName: 'one.example' },
  });

  it.each([true, false])('%s: a session of one name is resumed under another, or not even offered', (acrossNames) => {
    const options = at(acrossNames);
    const session = sessionOf(provider, options);
    expect(session.resumableAcrossNames ?? false).toBe(acrossNames);
    expect(parseSession(serializeSession(session))).toEqual(session);
    const names: unknown[] = [];
    const { client } = connectedPair(provider, {
      ...options,
      client: {
        serverName: 'other.example',
        session,
        verifyPeer: ({ serverName, resumed }) => {
          names.push([serverName, resumed]);
        },
      },
    });
    expect(client.engine.info?.resumed).toBe(acrossNames);
    // Whether the certificate is good for the other name is asked in any case.
    expect(names).toEqual([['other.example', acrossNames]]);
  });

  it('a server that does not allow it resumes no ticket under another name, whatever the client believes', () => {
    const protector = createTicketKeys(provider);
    const session = sessionOf(provider, at(true, protector));
    const { client } = connectedPair(provider, {
      ...at(false, protector),
      client: { serverName: 'b.example', session },
    });
    expect(client.engine.info?.resumed).toBe(false);
  });
});

describe('acknowledgeServerName', () => {
  it.each([true, false])('%s', (acknowledgeServerName) => {
    const peer = new HandClient(provider, { acknowledgeServerName });
    peer.clientHello((right) => ({ ...right, extensions: { ...right.extensions, serverName: 'a.example' } }));
    const answer = peer.wire.messages.find(({ type }) => type === 'encrypted_extensions');
    expect(answer?.body).toMatchObject({ extensions: acknowledgeServerName ? { serverName: true } : { types: [] } });
    expect(peer.finished(asItIs).end.engine.info?.serverName).toBe('a.example');
  });
});

describe('fallbackScsv', () => {
  it.each([true, false])('%s: 0x5600 is the last of the cipher suites, or is not there', (fallbackScsv) => {
    const { hello } = new HandServer(provider, { fallbackScsv });
    expect(hello.cipherSuites.at(-1) === 0x5600).toBe(fallbackScsv);
    expect(hello.cipherSuites.slice(0, -1)).not.toContain(0x5600);
  });
});

describe('ticketAgeSkew', () => {
  it.each([0, 5, -5])('is %i seconds when the clocks drift so', (drift) => {
    const protector = createTicketKeys(provider);
    const start = 1_700_000_000_000;
    const clock = (now: number) => ({ client: { now: () => now }, server: { now: () => now, tickets: { protector } } });
    const session = sessionOf(provider, clock(start));
    const { client, server } = clock(start + 60_000);
    const later = connectedPair(provider, { server, client: { now: () => client.now() + drift * 1000, session } });
    expect(later.server.engine.info).toMatchObject({ resumed: true, ticketAgeSkew: drift });
    expect(later.client.engine.info?.ticketAgeSkew).toBeUndefined();
  });
});
