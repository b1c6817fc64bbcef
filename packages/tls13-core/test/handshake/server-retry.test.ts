import { describe, expect, it } from 'vitest';
import type { ServerConfig } from '../../src/config/index.js';
import { namedGroups } from '../../src/registry.js';
import { createTicketKeys } from '../../src/ticket-keys.js';
import {
  type ClientOptions,
  provider,
  resumable,
  type StoredTicket,
  TestClient,
  TestServer,
  ticketsFrom,
} from './server-support.js';

const { x25519, secp256r1 } = namedGroups;
/** A client that lets the server choose the group. */
const noShares: ClientOptions = { shares: [] };

function retried(config: Partial<ServerConfig> = {}, options: ClientOptions = noShares) {
  const server = new TestServer(config);
  const client = new TestClient(options);
  server.receive(client.hello());
  client.takeRetry(server);
  return { server, client };
}

function cookieOf(server: TestServer): Uint8Array {
  const { cookie } = server.sent('hello_retry_request').body.extensions;
  if (cookie === undefined) throw new Error('the HelloRetryRequest has no cookie');
  return cookie;
}

const second: ClientOptions = { shares: ['x25519'] };
const ticket = (byte: number): StoredTicket => ({
  ticket: Uint8Array.of(byte),
  psk: new Uint8Array(32),
  suite: 'TLS_AES_128_GCM_SHA256',
  ageAdd: 0,
});

describe('HelloRetryRequest', () => {
  it("asks for the server's best group that the client has, when there is no share for any", () => {
    const { server } = retried({ groups: ['secp384r1', 'secp256r1', 'x25519'] });
    const { body } = server.sent('hello_retry_request');
    expect(body.extensions).toMatchObject({ supportedVersions: 0x0304, keyShare: secp256r1 });
    expect(body.legacySessionIdEcho).toEqual(new Uint8Array(32).fill(0x53));
    expect(server.summary).toEqual(['send hello_retry_request', 'change_cipher_spec']);
    expect(server.state.name).toBe('WAIT_SECOND_CLIENT_HELLO');
  });

  it('is avoided when there is a share for a group that will do, though another is liked better', () => {
    const server = new TestServer({ groups: ['secp256r1', 'x25519'] });
    server.receive(new TestClient().hello());
    expect(server.sent('server_hello').body.extensions.keyShare?.group).toBe(x25519);
  });

  it('leads to a handshake that both sides finish', () => {
    const { server, client } = retried();
    server.receive(client.hello(second));
    // §E.4: the compatibility record came behind the HelloRetryRequest.
    expect(server.summary.slice(0, 2)).toEqual(['send server_hello', 'K_send handshake']);
    client.takeFlight(server);
    server.receive(client.finished());
    expect(server.effects.at(-1)).toMatchObject({ type: 'connected', info: { helloRetryRequest: true } });
  });

  it('works with a suite of the longer hash', () => {
    const { server, client } = retried({}, { ...noShares, suites: ['TLS_AES_256_GCM_SHA384'] });
    server.receive(client.hello(second));
    client.takeFlight(server);
    expect(server.receive(client.finished()).state.name).toBe('CONNECTED');
  });

  it('skips early data up to the second ClientHello (§4.3.10)', () => {
    const { server } = retried({}, { ...noShares, tickets: [ticket(1)], extensions: { earlyData: true } });
    expect(server.effects.at(-1)).toEqual({ type: 'skip_early_data', until: 'second_client_hello' });
  });
});

describe('a second ClientHello', () => {
  it.each<readonly [string, ClientOptions]>([
    ['a share for another group', { shares: ['secp256r1'] }],
    ['two shares', { shares: ['x25519', 'secp256r1'] }],
    ['no share', { shares: [] }],
    ['another random', { ...second, changes: { random: new Uint8Array(32) } }],
    ['another legacy_session_id', { ...second, changes: { legacySessionId: new Uint8Array(0) } }],
    ['other cipher suites', { ...second, suites: ['TLS_AES_256_GCM_SHA384', 'TLS_AES_128_GCM_SHA256'] }],
    ['other groups', { ...second, groups: ['x25519'] }],
    ['other signature schemes', { ...second, extensions: { signatureAlgorithms: [0x0807] } }],
    ['another server name', { ...second, extensions: { serverName: 'other.test' } }],
    ['a protocol more', { ...second, extensions: { alpn: ['h2'] } }],
    ['an unknown extension more', { ...second, extensions: { extra: [{ type: 0xfafa, data: new Uint8Array(0) }] } }],
    ['a cookie that was not given', { ...second, extensions: { cookie: Uint8Array.of(1) } }],
    ['a PSK that the first had not', { ...second, tickets: [ticket(1)] }],
  ])('with %s is an illegal_parameter (§4.2.2)', (_what, options) => {
    const { server, client } = retried();
    expect(server.alertFor(client.hello(options))).toBe('illegal_parameter');
  });

  it.each<readonly [string, ClientOptions]>([
    ['padding more', { ...second, extensions: { extra: [{ type: 21, data: new Uint8Array(9) }] } }],
    ['another ticket age', { ...second, age: 5000 }],
  ])('with %s is taken (§4.2.2)', (_what, options) => {
    const { server, client } = retried({}, { ...noShares, tickets: [ticket(1), ticket(2), ticket(3)] });
    expect(server.receive(client.hello(options)).state.name).toBe('WAIT_FINISHED');
  });

  it.each<readonly [string, ClientOptions]>([
    ['its PSKs in another order', { ...second, tickets: [ticket(2), ticket(1)] }],
    ['another PSK', { ...second, tickets: [ticket(1), ticket(3)] }],
    ['one PSK twice', { ...second, tickets: [ticket(1), ticket(1)] }],
  ])('with %s is an illegal_parameter (§4.2.2)', (_what, options) => {
    const { server, client } = retried({}, { ...noShares, tickets: [ticket(1), ticket(2)] });
    expect(server.alertFor(client.hello(options))).toBe('illegal_parameter');
  });

  it('without any of its PSKs is a missing_extension (§4.2.2)', () => {
    const { server, client } = retried({}, { ...noShares, tickets: [ticket(1)] });
    expect(server.alertFor(client.hello({ ...second, tickets: undefined }))).toBe('missing_extension');
  });

  it('may drop the PSKs of another hash than the suite has (§4.2.2)', () => {
    const long = { ...ticket(1), psk: new Uint8Array(48), suite: 'TLS_AES_256_GCM_SHA384' } as const;
    const { server, client } = retried({}, { ...noShares, tickets: [long, ticket(2)] });
    expect(server.receive(client.hello({ ...second, tickets: [ticket(2)] })).state.name).toBe('WAIT_FINISHED');
  });

  it('may drop one of several PSKs: the server counts in what is left', () => {
    const { server, client } = retried({}, { ...noShares, tickets: [ticket(1), ticket(2)] });
    expect(server.receive(client.hello({ ...second, tickets: [ticket(2)] })).state.name).toBe('WAIT_FINISHED');
  });

  it('with early_data is taken, and no early data is skipped any more (§4.2.2)', () => {
    const { server, client } = retried();
    server.receive(client.hello({ ...second, extensions: { earlyData: true } }));
    expect(server.summary).not.toContain('skip_early_data');
  });

  it('may resume: the binder covers both hellos (§4.3.11.2)', () => {
    const { config } = resumable();
    const tickets = ticketsFrom(config).slice(0, 1);
    const { server, client } = retried(config, { ...noShares, tickets });
    server.receive(client.hello(second));
    client.takeFlight(server);
    expect(server.receive(client.finished()).effects).toContainEqual(
      expect.objectContaining({ info: expect.objectContaining({ resumed: true, helloRetryRequest: true }) }),
    );
  });

  it('whose binders are of no hash is a decrypt_error, as any that does not verify (§4.3.11)', () => {
    const { config } = resumable();
    const long = { ...ticket(1), psk: new Uint8Array(48), suite: 'TLS_AES_256_GCM_SHA384' } as const;
    const tickets = [...ticketsFrom(config).slice(0, 1), long];
    const { server, client } = retried(config, { ...noShares, tickets });
    const preSharedKey = {
      identities: tickets.map(({ ticket: identity, ageAdd }) => ({ identity, obfuscatedTicketAge: ageAdd })),
      binders: [new Uint8Array(33), new Uint8Array(47)],
    };
    const hello = client.hello({ ...second, tickets: undefined, extensions: { preSharedKey } });
    expect(server.alertFor(hello)).toBe('decrypt_error');
  });

  it('is followed by no HelloRetryRequest, whatever it holds', () => {
    const { server, client } = retried();
    expect(server.alertFor(client.hello(noShares))).toBe('illegal_parameter');
  });
});

describe('a server that keeps its state in a cookie', () => {
  const clock = { milliseconds: 1_800_000_000_000 };
  const now = () => clock.milliseconds;
  const cookies = createTicketKeys(provider, { now });
  const config: Partial<ServerConfig> = { cookies, now };

  function withCookie() {
    const { server, client } = retried(config);
    return { server, client, cookie: cookieOf(server) };
  }

  it('goes on on the same connection', () => {
    const { server, client, cookie } = withCookie();
    expect(server.state).toEqual({ name: 'WAIT_COOKIE', ech: { kind: 'absent' } });
    server.receive(client.hello({ ...second, extensions: { cookie } }));
    client.takeFlight(server);
    expect(server.receive(client.finished()).state.name).toBe('CONNECTED');
  });

  it('goes on where nothing of the first ClientHello is known', () => {
    const { client, cookie } = withCookie();
    const elsewhere = new TestServer(config);
    elsewhere.receive(client.hello({ ...second, extensions: { cookie } }));
    client.takeFlight(elsewhere);
    expect(elsewhere.receive(client.finished()).effects.at(-1)).toMatchObject({ info: { helloRetryRequest: true } });
  });

  it('waits for a protector that answers later', async () => {
    const later = {
      protect: cookies.protect.bind(cookies),
      unprotect: async (bytes: Uint8Array) => cookies.unprotect(bytes),
    };
    const { client, cookie } = withCookie();
    const server = new TestServer({ ...config, cookies: later });
    await server.receiveLater(client.hello({ ...second, extensions: { cookie } }));
    expect(server.state.name).toBe('WAIT_FINISHED');
  });

  it('never asks twice: without the cookie the second ClientHello is refused', () => {
    const { server, client } = withCookie();
    expect(server.alertFor(client.hello(second))).toBe('missing_extension');
    expect(server.alertFor(client.hello(noShares))).toBe('missing_extension');
  });

  it('holds the second ClientHello against the first all the same (§4.2.2)', () => {
    const { client, cookie } = withCookie();
    const hello = (options: ClientOptions) =>
      client.hello({ ...options, extensions: { cookie, ...options.extensions } });
    const elsewhere = new TestServer(config);
    expect(elsewhere.alertFor(hello({ shares: ['secp256r1'] }))).toBe('illegal_parameter');
    expect(elsewhere.alertFor(hello({ ...second, extensions: { serverName: 'other.test' } }))).toBe(
      'illegal_parameter',
    );
    expect(elsewhere.alertFor(hello({ ...second, tickets: [ticket(1)] }))).toBe('illegal_parameter');
  });

  it('refuses a cookie that was altered, is too old, or is a ticket (§4.3.2)', () => {
    const { client, cookie } = withCookie();
    const alert = (bytes: Uint8Array) =>
      new TestServer(config).alertFor(client.hello({ ...second, extensions: { cookie: bytes } }));
    expect(alert(cookie.map((byte, index) => (index === 40 ? byte ^ 1 : byte)))).toBe('illegal_parameter');
    const [stored] = ticketsFrom({ ...config, tickets: { protector: cookies } });
    expect(alert(stored?.ticket ?? cookie)).toBe('illegal_parameter');
    clock.milliseconds += 61_000;
    expect(alert(cookie)).toBe('illegal_parameter');
    clock.milliseconds -= 61_000;
  });

  it('refuses a cookie for a suite or a group that it no longer has', () => {
    const { client, cookie } = withCookie();
    const hello = client.hello({ ...second, extensions: { cookie } });
    expect(new TestServer({ ...config, groups: ['secp256r1'] }).alertFor(hello)).toBe('illegal_parameter');
    const suites: Partial<ServerConfig> = { cipherSuites: ['TLS_CHACHA20_POLY1305_SHA256'] };
    expect(new TestServer({ ...config, ...suites }).alertFor(hello)).toBe('illegal_parameter');
  });

  it('remembers a ClientHello with more PSKs than a cookie holds, without judging which of them come again', () => {
    const tickets = Array.from({ length: 40 }, (_, index) => ticket(index));
    const { server, client } = retried(config, { ...noShares, tickets });
    const cookie = cookieOf(server);
    expect(cookie.length).toBeLessThan(300);
    expect(server.receive(client.hello({ ...second, extensions: { cookie } })).state.name).toBe('WAIT_FINISHED');
  });
});
