/** Attacks with tickets: forged, changed, or carried over to another name, protocol, server or identity. */
import { describe, expect, it } from 'vitest';
import { TlsError } from '../../packages/tls13-core/src/alert.js';
import type { ClientConfig, ServerConfig } from '../../packages/tls13-core/src/config/index.js';
import { nobleProvider } from '../../packages/tls13-core/src/crypto/noble.js';
import { createClientEngine, createServerEngine } from '../../packages/tls13-core/src/engine/index.js';
import type { Session } from '../../packages/tls13-core/src/session.js';
import { createSessionStore } from '../../packages/tls13-core/src/session-store.js';
import { createTicketKeys } from '../../packages/tls13-core/src/ticket-keys.js';
import { credential } from '../../packages/tls13-core/test/engine/support/certificates.js';
import { HandClient } from '../../packages/tls13-core/test/engine/support/hand-client.js';
import { changed } from '../../packages/tls13-core/test/engine/support/hello-changes.js';
import {
  clientConfig,
  Pair,
  type PairOptions,
  pair,
  serverConfig,
  sessionOf,
} from '../../packages/tls13-core/test/engine/support/pair.js';

const provider = nobleProvider;
const protector = createTicketKeys(provider);
const server = { tickets: { protector } };

/** How the server took it: `resumed`, `full`, or the alert. */
function outcome(session: Session, options: PairOptions): string {
  const { server: end } = pair(provider, { ...options, client: { ...options.client, session } }).handshake();
  if (end.engine.error !== undefined) return end.engine.error.alert;
  return end.engine.info?.resumed === true ? 'resumed' : 'full';
}

const flipped = (bytes: Uint8Array, at: number) => bytes.map((byte, index) => (index === at ? byte ^ 1 : byte));

describe('forged tickets cost a full handshake and gain nothing (§4.7.1; RFC 5077 §5)', () => {
  const session = sessionOf(provider, { server });

  it('as it should be it is resumed', () => expect(outcome(session, { server })).toBe('resumed'));

  it('one bit changed, wherever it is', () => {
    for (let at = 0; at < session.ticket.length; at += 7) {
      expect(outcome({ ...session, ticket: flipped(session.ticket, at) }, { server })).toBe('full');
    }
  });

  it('cut short, made longer, of random bytes', () => {
    const { ticket } = session;
    const longer = Uint8Array.from([...ticket, 0]);
    for (const forged of [ticket.subarray(0, -1), ticket.subarray(0, 16), longer, provider.random(200)]) {
      expect(outcome({ ...session, ticket: forged }, { server })).toBe('full');
    }
  });

  it('sealed under a key that this server does not have', () => {
    expect(outcome(session, { server: { tickets: { protector: createTicketKeys(provider) } } })).toBe('full');
  });

  it('a cookie of the same keys is no ticket, and a ticket no cookie (two uses of one key)', () => {
    let cookie: Uint8Array | undefined;
    const asking = { ...server, cookies: protector, groups: ['secp256r1'] } as const;
    const client = { groups: ['x25519', 'secp256r1'] } as const;
    const watched: ServerConfig['cookies'] = {
      protect: (state) => {
        cookie = protector.protect(state);
        return cookie;
      },
      unprotect: (sealed) => protector.unprotect(sealed),
    };
    pair(provider, { client, server: { ...asking, cookies: watched } }).handshake();
    if (cookie === undefined) throw new Error('no cookie was made');
    expect(outcome({ ...session, ticket: cookie }, { server })).toBe('full');
  });

  it('without the PSK the ticket alone, as an eavesdropper sees it, is a decrypt_error', () => {
    expect(outcome({ ...session, psk: new Uint8Array(32) }, { server })).toBe('decrypt_error');
  });
});

describe('tickets at another place (Virtual Host Confusion, Delignat-Lavaud and Bhargavan 2014; §4.7.1)', () => {
  it('another server name: a full handshake', () => {
    const session = sessionOf(provider, { server });
    const moved = { ...session, serverName: 'other.test' };
    expect(outcome(moved, { client: { serverName: 'other.test' }, server })).toBe('full');
  });

  it('no server name, and a name where there was none: a full handshake', () => {
    const named = sessionOf(provider, { server });
    const { serverName: _name, ...config } = clientConfig(provider, { groups: ['x25519'] });
    const nameless = (more: Partial<ClientConfig> = {}) =>
      new Pair(
        createClientEngine({ ...config, ...more }),
        createServerEngine(serverConfig(provider, server)),
      ).handshake();
    const moved = nameless({ session: { ...named, serverName: undefined } });
    expect(moved.server.engine.info).toMatchObject({ resumed: false, serverName: undefined });
    const anonymous = nameless().client.of('ticket')[0]?.session;
    if (anonymous === undefined) throw new Error('no ticket came');
    expect(nameless({ session: anonymous }).server.engine.info?.resumed).toBe(true);
    expect(outcome({ ...anonymous, serverName: 'example.test' }, { server })).toBe('full');
  });

  it('another protocol: it is negotiated anew, and nothing that was meant for the first is taken (ALPACA, Brinkmann et al. 2021; §4.3.10)', () => {
    const earlyData = { maxSize: 100, replayCache: { claim: () => true } };
    const both = { ...server, alpnProtocols: ['h2', 'http/1.1'], earlyData };
    const session = sessionOf(provider, { client: { alpnProtocols: ['http/1.1'] }, server: both });
    const client = { alpnProtocols: ['h2', 'http/1.1'], earlyData: true, session };
    const { server: theirs, client: ours } = pair(provider, { client, server: both }).handshake();
    expect(ours.engine.info).toMatchObject({ alpnProtocol: 'h2', earlyData: 'rejected' });
    expect(theirs.engine.info).toMatchObject({ alpnProtocol: 'h2', earlyDataReason: 'alpn_mismatch' });
  });
});

describe('tickets and client identity (Cross-context resumption of client certificates; §4.7.1, §E.1.2)', () => {
  const mutual = { ...server, clientAuthentication: 'require', verifyPeer: () => {} } as const;
  const identity = { credential: credential(provider, 'ed25519') };

  it('one made without a certificate does not pass where one is required', () => {
    const anonymous = sessionOf(provider, { server });
    expect(outcome(anonymous, { server: mutual })).toBe('certificate_required');
  });

  it('the identity is judged anew, so one that is trusted no longer does not come in by its ticket', () => {
    const session = sessionOf(provider, { client: identity, server: mutual });
    const strict = {
      ...mutual,
      verifyPeer: () => {
        throw new TlsError('certificate_revoked', 'revoked since');
      },
    };
    expect(outcome(session, { client: identity, server: strict })).toBe('certificate_revoked');
  });

  it('one with an identity is not taken by a server that asks for none, which would report it unjudged', () => {
    const session = sessionOf(provider, { client: identity, server: mutual });
    expect(outcome(session, { client: identity, server })).toBe('full');
  });

  it('another client that has recorded the ticket is not taken for its owner: without the PSK it is a decrypt_error', () => {
    const victim = sessionOf(provider, { client: identity, server: mutual });
    const own = { credential: credential(provider, 'p256') };
    const attacker = sessionOf(provider, { client: own, server: mutual });
    // The age can be told from what the victim sent.
    const mixed = { ...attacker, ticket: victim.ticket, ageAdd: victim.ageAdd };
    expect(outcome(mixed, { client: own, server: mutual })).toBe('decrypt_error');
  });

  it('one with an identity that another server of the same keys does not trust costs a full handshake there', () => {
    const session = sessionOf(provider, { client: identity, server: mutual });
    const other = {
      ...mutual,
      clientAuthentication: 'request',
      verifyPeer: ({ resumed }: { readonly resumed: boolean }) => {
        if (resumed) throw new TlsError('unknown_ca', 'an authority of another server');
      },
    } as const;
    const { server: end } = pair(provider, { client: { ...identity, session }, server: other }).handshake();
    expect(end.engine.info).toMatchObject({ resumed: false, authentication: 'certificate' });
  });
});

describe('tickets that fill a server (CWE-770)', () => {
  it('no session is kept for a name that is longer than any host has', () => {
    const store = createSessionStore();
    const name = 'x'.repeat(256);
    const hello = new HandClient(provider, { tickets: { store } }).clientHello(changed(() => ({ serverName: name })));
    expect(hello.finished().end.engine.info?.serverName).toBe(name);
    expect(store.size).toBe(0);
    new HandClient(provider, { tickets: { store } })
      .clientHello(changed(() => ({ serverName: name.slice(1) })))
      .finished();
    expect(store.size).toBe(2);
  });
});
