/** External PSKs (§4.3.11) with OpenSSL and GnuTLS, both roles: by key alone, of either hash, with psk_ke, resumed, and with early data. */
import { writeFileSync } from 'node:fs';
import type { EarlyDataUse, ExternalPsk, TlsConnection } from 'tls13-server';
import { describe, expect, it } from 'vitest';
import { scratch, serverIdentity } from './identities.js';
import { dial, listen, receive } from './ours.js';
import { alertReceived, sClient, sServer } from './peers/openssl.js';
import { sessionFile } from './peers/openssl-session.js';
import { freePort, Program, payload } from './peers/program.js';

const name = 'sensor-7';
const hex = '00112233445566778899aabbccddeeff'.repeat(2);
const psk: ExternalPsk = { identity: Buffer.from(name), key: Buffer.from(hex, 'hex') };
const wrong: ExternalPsk = { ...psk, key: Buffer.alloc(32, 1) };
const long: ExternalPsk = { identity: psk.identity, key: Buffer.from(hex + hex.slice(0, 32), 'hex'), hash: 'sha384' };
const theirs = ['-psk', hex, '-psk_identity', name];
const identity = serverIdentity('p256').files;

describe('OpenSSL s_client has a PSK that our server knows', () => {
  it('of SHA-256: no certificate is shown', async () => {
    const ours = await listen({ psks: [psk] });
    const peer = sClient(ours.port, { suites: ['TLS_AES_128_GCM_SHA256'], more: theirs });
    const connection = await ours.next();
    expect(connection.info).toMatchObject({ authentication: 'psk', resumed: false, localCertificates: [] });
    expect(Buffer.from(connection.info?.pskIdentity ?? []).toString()).toBe(name);
    expect(connection.authorized).toBe(true);
    await bothWays(connection, peer);
  });

  it('of SHA-384, as a session of its own making', async () => {
    const ours = await listen({ psks: [long] });
    const more = ['-psk_identity', name, '-psk_session', sessionFile(long.key)];
    const peer = sClient(ours.port, { suites: ['TLS_AES_256_GCM_SHA384'], more });
    const connection = await ours.next();
    expect(connection.info).toMatchObject({ authentication: 'psk', cipherSuite: 'TLS_AES_256_GCM_SHA384' });
    await bothWays(connection, peer);
  });

  it('after a HelloRetryRequest, whose suite goes with the PSK', async () => {
    const ours = await listen({ psks: [psk], ecdhCurve: ['secp384r1'], statelessRetry: true });
    sClient(ours.port, { groups: ['x25519', 'secp384r1'], more: theirs });
    const connection = await ours.next();
    expect(connection.info).toMatchObject({ authentication: 'psk', helloRetryRequest: true });
  });

  it('and no (EC)DHE, where we allow it (psk_ke)', async () => {
    const ours = await listen({ psks: [psk], pskKeyExchangeModes: ['psk_ke'] });
    const peer = sClient(ours.port, { more: [...theirs, '-allow_no_dhe_kex'] });
    const connection = await ours.next();
    expect(connection.info).toMatchObject({ authentication: 'psk', group: undefined });
    await bothWays(connection, peer);
  });

  it('by pskCallback, as in node:tls', async () => {
    const seen: string[] = [];
    const ours = await listen({
      pskCallback: (socket, given) => {
        seen.push(`${given} ${socket.remoteAddress}`);
        return psk.key;
      },
    });
    sClient(ours.port, { more: theirs });
    expect((await ours.next()).info?.authentication).toBe('psk');
    expect(seen).toEqual([`${name} 127.0.0.1`]);
  });

  it('with another key: decrypt_error', async () => {
    const ours = await listen({ psks: [wrong] });
    const peer = sClient(ours.port, { more: theirs });
    expect(await ours.failure()).toMatchObject({ alert: 'decrypt_error' });
    await peer.until(alertReceived(51));
  });

  it('that our server does not know: then by certificate', async () => {
    const ours = await listen({ psks: [{ ...psk, identity: Buffer.from('other') }] });
    sClient(ours.port, { more: theirs });
    expect((await ours.next()).info?.authentication).toBe('certificate');
  });
});

describe('our client has a PSK that OpenSSL s_server knows', () => {
  it.each<[string, ExternalPsk, string, readonly string[]]>([
    ['SHA-256', psk, 'TLS_AES_128_GCM_SHA256', theirs],
    ['SHA-384', long, 'TLS_AES_256_GCM_SHA384', ['-psk_identity', name, '-psk_session', 'of the long one']],
  ])('of %s, and the session of it is resumed', async (_hash, one, cipherSuite, words) => {
    const more = words.map((word) => (word === 'of the long one' ? sessionFile(long.key) : word));
    const { port, program } = await sServer({ identity, suites: [cipherSuite], more });
    const connection = await dial(port, { psks: [one] });
    expect(connection.info).toMatchObject({ authentication: 'psk', cipherSuite, peerCertificates: [] });
    const [session] = await Promise.all([
      new Promise<Buffer>((resolve) => connection.once('session', resolve)),
      bothWays(connection, program),
    ]);
    connection.destroy();
    const again = await dial(port, { psks: [one], session });
    expect(again.info).toMatchObject({ authentication: 'resumption', resumed: true, pskIdentity: one.identity });
  });

  it('by pskCallback, as in node:tls', async () => {
    const { port } = await sServer({ identity, more: theirs });
    const connection = await dial(port, { pskCallback: () => ({ psk: psk.key, identity: name }) });
    expect(connection.info?.authentication).toBe('psk');
  });
});

describe('GnuTLS', () => {
  const priority = 'NORMAL:-VERS-ALL:+VERS-TLS1.3:+ECDHE-PSK:+PSK';

  it('gnutls-cli has a PSK that our server knows', async () => {
    const ours = await listen({ psks: [psk] });
    const words = ['--pskusername', name, '--pskkey', hex, '--insecure', '--priority', priority, 'localhost'];
    const peer = new Program('stdbuf', ['-oL', 'gnutls-cli', '--port', `${ours.port}`, ...words]);
    const connection = await ours.next();
    expect(connection.info).toMatchObject({ authentication: 'psk' });
    await peer.until(/Handshake was completed/);
    await bothWays(connection, peer);
  });

  it('our client has a PSK that gnutls-serv knows', async () => {
    const file = scratch('psk.passwd');
    writeFileSync(file, `${name}:${hex}\n`);
    const port = await freePort();
    const words = ['--port', `${port}`, '--echo', '--nodb', '--pskpasswd', file, '--priority', priority];
    const program = new Program('stdbuf', ['-oL', 'gnutls-serv', ...words]);
    await program.until(/IPv4 0\.0\.0\.0 port \d+\.\.\.done/);
    const connection = await dial(port, { psks: [psk] });
    expect(connection.info).toMatchObject({ authentication: 'psk', peerCertificates: [] });
    connection.write('hello\n');
    expect((await receive(connection, 6)).toString()).toBe('hello\n');
  });
});

async function bothWays(connection: TlsConnection, peer: Program): Promise<void> {
  connection.write(payload(1000, 1));
  expect(await peer.take(1000)).toEqual(payload(1000, 1));
}

describe('early data under a PSK', () => {
  const early = 'before the server has answered\n';
  const one: ExternalPsk = { ...long, earlyData: { maxSize: 1000, cipherSuite: 'TLS_AES_256_GCM_SHA384' } };
  const suites = ['TLS_AES_256_GCM_SHA384'];
  const session = () => ['-psk_identity', name, '-psk_session', sessionFile(long.key, 1000)];

  it('s_client sends it to our server, whose cache has to outlive it', async () => {
    const seen = new Set<string>();
    // A stand-in for one that several processes share.
    const replayCache = { claim: ({ id }: EarlyDataUse) => seen.size < seen.add(id.join()).size };
    const file = scratch('early-data-psk.txt');
    writeFileSync(file, early);
    for (const [earlyData, outcome] of [
      [{ replayCache }, 'accepted'],
      [true, 'rejected'],
    ] as const) {
      const ours = await listen({ psks: [one], earlyData });
      const peer = sClient(ours.port, { suites, more: [...session(), '-early_data', file] });
      const connection = await ours.next();
      if (outcome === 'accepted') expect(String(await receive(connection, early.length))).toBe(early);
      await peer.until(new RegExp(`Early data was ${outcome}`));
      expect(connection.info).toMatchObject({ authentication: 'psk', resumed: false, earlyData: outcome });
    }
    expect(seen.size).toBe(1);
  });

  it('our client sends it to s_server', async () => {
    const more = [...session(), '-early_data', '-max_early_data', '1000'];
    const { port, program } = await sServer({ identity, suites, more });
    const client = await dial(port, { psks: [one], earlyData: early });
    expect(client.info).toMatchObject({ authentication: 'psk', earlyData: 'accepted' });
    expect(client.earlyDataAccepted).toBe(true);
    await program.until(/before the server has answered\n/);
  });
});
