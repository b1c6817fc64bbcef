/** Our client with GnuTLS's server. */
import { writeFileSync } from 'node:fs';
import type { TlsConnection } from 'tls13-server';
import { describe, expect, it } from 'vitest';
import {
  clientIdentity,
  expiredIdentity,
  namedIdentity,
  scratch,
  serverIdentity,
  signatures,
  strangersClient,
  strangersIdentity,
  trusted,
} from './identities.js';
import { allSuites, dial, dialInVain, ended, matrix, provider, receive, session, sizes } from './ours.js';
import { description, gnutlsGroups, gnutlsServ, signatureNames } from './peers/gnutls.js';
import { payload } from './peers/program.js';

const identity = serverIdentity('p256').files;
const anonymous = ['--disable-client-cert'];
const asking = ['--x509cafile', trusted.files.cert, '--require-client-cert', '--verify-client-cert'];

describe('our client connects to gnutls-serv', () => {
  it.each(matrix(allSuites, gnutlsGroups))('$suite, $group, $provider', async ({ suite, group, provider: name }) => {
    const { port, program } = await gnutlsServ({ identity, suite, groups: [group], more: anonymous });
    const connection = await dial(port, { ...provider(name), keyShares: [group] });
    expect(connection.info).toMatchObject({ cipherSuite: suite, group, helloRetryRequest: false });
    await program.until(description(suite, group));
    await echo(connection, 1000);
  });

  it.each(gnutlsGroups)('after a HelloRetryRequest for %s', async (group) => {
    const { port } = await gnutlsServ({ identity, groups: [group], more: anonymous });
    const other = group === 'x25519' ? 'secp256r1' : 'x25519';
    const connection = await dial(port, { ecdhCurve: [other, group] });
    expect(connection.info).toMatchObject({ group, helloRetryRequest: true });
    await echo(connection, 10);
  });

  it.each(signatures)('with $scheme of a key of $kind', async ({ kind, scheme }) => {
    const { port } = await gnutlsServ({ identity: serverIdentity(kind).files, more: anonymous });
    const sigalgs = [...new Set([scheme, 'ecdsa_secp256r1_sha256'])];
    const connection = await dial(port, { sigalgs });
    expect(connection.info?.signatureScheme).toBe(scheme);
    expect(connection.authorized).toBe(true);
  });
});

describe('our client and gnutls-serv', () => {
  // It echoes a line at a time, each of which it takes apart by itself: large data goes by HTTP.
  it.each(sizes.filter((size) => size <= 16_385))('pass %i bytes each way', async (size) => {
    const { port } = await gnutlsServ({ identity, more: anonymous });
    const connection = await dial(port);
    await echo(connection, size);
    connection.end();
    await ended(connection);
  });

  it('receive 5 MiB', async () => {
    const body = payload(5 << 20);
    const file = scratch('gnutls-body');
    writeFileSync(file, body);
    const { port } = await gnutlsServ({ identity, more: [...anonymous, '--http', '--httpdata', file] });
    const connection = await dial(port);
    connection.write('GET / HTTP/1.0\r\n\r\n');
    const all: Buffer[] = [];
    for await (const part of connection) all.push(part);
    const answer = Buffer.concat(all);
    expect(answer.subarray(answer.indexOf('\r\n\r\n') + 4).equals(body)).toBe(true);
  });

  it.each(['native', 'noble'] as const)('resume (%s)', async (name) => {
    const { port, program } = await gnutlsServ({ identity, more: anonymous });
    const first = await dial(port, provider(name));
    await echo(first, 10);
    const kept = await session(first);
    const again = await dial(port, { ...provider(name), session: kept });
    expect(again.isSessionReused()).toBe(true);
    await program.until(/This is a resumed session/);
    await echo(again, 10);
  });

  it('replace keys', async () => {
    const { port } = await gnutlsServ({ identity, more: anonymous });
    const connection = await dial(port);
    const updates: string[] = [];
    connection.on('keyUpdate', ({ direction }: { direction: string }) => updates.push(direction));
    for (let count = 0; count < 3; count++) {
      connection.updateKeys({ requestPeer: true });
      await echo(connection, 1000);
    }
    expect(updates).toEqual(['send', 'receive', 'send', 'receive', 'send', 'receive']);
    connection.updateKeys();
    await echo(connection, 1000);
    expect(updates).toHaveLength(7);
  });

  it.each(signatures.filter(({ kind }) => kind !== 'rsa4096'))(
    'show a client certificate with $scheme of a key of $kind',
    async ({ kind, scheme }) => {
      const { pem, keyPem } = clientIdentity(kind);
      const { port, program } = await gnutlsServ({ identity, scheme, more: asking });
      const connection = await dial(port, { cert: pem, key: keyPem });
      expect(connection.info?.clientSignatureScheme).toBe(scheme);
      await echo(connection, 10);
      await program.until(new RegExp(`Client Signature: ${signatureNames[scheme]}\n`));
      expect(program.text).toContain(`Subject: CN=client ${kind}\n`);
    },
  );

  it('agree on a protocol', async () => {
    const { port, program } = await gnutlsServ({
      identity,
      more: [...anonymous, '--alpn', 'h2', '--alpn', 'http/1.1'],
    });
    const connection = await dial(port, { ALPNProtocols: ['spdy/1', 'h2'] });
    expect(connection.alpnProtocol).toBe('h2');
    await program.until(/Application protocol: h2/);
  });

  it('export the same keying material', async () => {
    const more = [...anonymous, '--keymatexport', 'EXPORTER-interop', '--keymatexportsize', '48'];
    const { port, program } = await gnutlsServ({ identity, more });
    const connection = await dial(port);
    const [, theirs] = await program.until(/Key material: ([0-9a-f]{96})\n/);
    expect(connection.exportKeyingMaterial(48, 'EXPORTER-interop').toString('hex')).toBe(theirs);
  });
});

describe('our client and gnutls-serv refuse each other', () => {
  it.each([
    { what: 'an unknown authority', theirs: strangersIdentity, alert: 'unknown_ca', number: 48 },
    { what: 'an expired certificate', theirs: expiredIdentity, alert: 'certificate_expired', number: 45 },
    { what: 'another name', theirs: () => namedIdentity('one.example'), alert: 'certificate_unknown', number: 46 },
  ])('$what: alert $number', async ({ theirs, alert, number }) => {
    const { port, program } = await gnutlsServ({ identity: theirs().files, more: anonymous });
    expect(await dialInVain(port)).toMatchObject({ alert, received: false });
    await program.until(new RegExp(`Received alert '${number}'`));
  });

  it.each([
    {
      what: 'no suite in common',
      theirs: { suite: 'TLS_AES_256_GCM_SHA384' },
      ours: { ciphers: ['TLS_AES_128_GCM_SHA256'] },
      alert: 'handshake_failure',
    },
    {
      what: 'no group in common',
      theirs: { groups: ['secp256r1'] },
      ours: { ecdhCurve: ['x25519'] },
      alert: 'handshake_failure',
    },
    { what: 'no signature scheme in common', theirs: {}, ours: { sigalgs: ['ed25519'] }, alert: 'handshake_failure' },
    {
      what: 'no protocol in common',
      theirs: { more: ['--alpn', 'h2', '--alpn-fatal'] },
      ours: { ALPNProtocols: ['smtp'] },
      alert: 'no_application_protocol',
    },
    { what: 'TLS 1.2 only', theirs: { version: '1.2' }, ours: {}, alert: 'handshake_failure' },
    { what: 'no client certificate', theirs: { more: asking }, ours: {}, alert: 'certificate_required' },
  ] as const)('$what: it says $alert', async ({ theirs, ours, alert }) => {
    const { port } = await gnutlsServ({ identity, ...theirs });
    expect(await dialInVain(port, ours)).toMatchObject({ alert, received: true });
  });

  it('a client certificate of an unknown authority', async () => {
    const { pem, keyPem } = strangersClient();
    const { port } = await gnutlsServ({ identity, more: asking });
    expect(await dialInVain(port, { cert: pem, key: keyPem })).toMatchObject({ received: true });
  });
});

/** A line goes there and comes back, whole and unchanged. */
async function echo(connection: TlsConnection, size: number): Promise<void> {
  const line = Buffer.concat([payload(size), Buffer.from('\n')]);
  connection.write(line);
  expect((await receive(connection, line.length)).equals(line)).toBe(true);
}
