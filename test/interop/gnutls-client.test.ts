/** Our server with GnuTLS's client. */
import { describe, expect, it } from 'vitest';
import {
  clientIdentity,
  expiredIdentity,
  namedIdentity,
  serverIdentity,
  signatures,
  strangersIdentity,
  trusted,
} from './identities.js';
import { allSuites, ended, listen, matrix, provider, receive, sizes } from './ours.js';
import { description, gnutlsCli, gnutlsGroups, signatureNames } from './peers/gnutls.js';
import { payload } from './peers/program.js';

const complete = /Handshake was completed/;

describe('gnutls-cli connects to our server', () => {
  it.each(matrix(allSuites, gnutlsGroups))('$suite, $group, $provider', async ({ suite, group, provider: name }) => {
    const ours = await listen(provider(name));
    const peer = gnutlsCli(ours.port, { suite, groups: [group] });
    const connection = await ours.next();
    expect(connection.info).toMatchObject({ cipherSuite: suite, group, helloRetryRequest: false });
    await peer.until(complete);
    expect(peer.text).toMatch(description(suite, group));
    peer.write(payload(1000, 1));
    expect(await receive(connection, 1000)).toEqual(payload(1000, 1));
    connection.write(payload(1000, 2));
    expect(await peer.take(1000)).toEqual(payload(1000, 2));
  });

  it.each(gnutlsGroups)('after a HelloRetryRequest for %s', async (group) => {
    const ours = await listen({ ecdhCurve: [group] });
    const other = group === 'x25519' ? 'secp256r1' : 'x25519';
    const peer = gnutlsCli(ours.port, { groups: [other, group], more: ['--single-key-share'] });
    const connection = await ours.next();
    expect(connection.info).toMatchObject({ group, helloRetryRequest: true });
    await peer.until(complete);
    peer.write(payload(10));
    expect(await receive(connection, 10)).toEqual(payload(10));
  });

  it.each(signatures)('with $scheme of a key of $kind', async ({ kind, scheme }) => {
    const { pem, keyPem } = serverIdentity(kind);
    const ours = await listen({ cert: pem, key: keyPem });
    const peer = gnutlsCli(ours.port, { scheme });
    const connection = await ours.next();
    expect(connection.info?.signatureScheme).toBe(scheme);
    await peer.until(complete);
    expect(peer.text).toContain(`-(${signatureNames[scheme]})-`);
    expect(peer.text).toContain('The certificate is trusted');
  });
});

describe('gnutls-cli and our server', () => {
  it.each(sizes)('pass %i bytes each way', async (size) => {
    // It prints what it receives byte by byte.
    const returned = Math.min(size, 256 << 10);
    const ours = await listen();
    const peer = gnutlsCli(ours.port);
    const connection = await ours.next();
    await peer.until(complete);
    peer.write(payload(size, 3));
    expect((await receive(connection, size)).equals(payload(size, 3))).toBe(true);
    connection.write(payload(returned, 4));
    expect((await peer.take(returned)).equals(payload(returned, 4))).toBe(true);
    peer.end();
    await ended(connection);
    connection.end();
    expect(await peer.ended()).toEqual({ status: 0, signal: null });
  });

  it.each(['native', 'noble'] as const)('resume (%s)', async (name) => {
    const ours = await listen(provider(name));
    const peer = gnutlsCli(ours.port, { more: ['--resume', '--waitresumption'] });
    const first = await ours.next();
    first.resume();
    expect(first.isSessionReused()).toBe(false);
    await ended(first);
    first.end();
    const second = await ours.next();
    expect(second.isSessionReused()).toBe(true);
    await peer.until(/This is a resumed session/);
    peer.write(payload(10));
    expect(await receive(second, 10)).toEqual(payload(10));
  });

  it('replace keys when it asks for ours too, and when it does not', async () => {
    const ours = await listen();
    const peer = gnutlsCli(ours.port, { more: ['--inline-commands'] });
    const connection = await ours.next();
    await peer.until(complete);
    const updates: string[] = [];
    connection.on('keyUpdate', ({ direction }: { direction: string }) => updates.push(direction));
    for (const [index, command] of ['^rekey^', '^rekey1^'].entries()) {
      peer.write(`${command}\n`);
      await peer.until(new RegExp(`(Rekey was completed[^]*){${index + 1}}`));
      peer.write(Buffer.concat([payload(1000), Buffer.from('\n')]));
      expect((await receive(connection, 1001)).subarray(0, 1000)).toEqual(payload(1000));
      connection.write(payload(20_000));
      expect(await peer.take(20_000)).toEqual(payload(20_000));
    }
    expect(updates.filter((direction) => direction === 'receive')).toHaveLength(2);
  });

  it('replace keys when we ask for it', async () => {
    const ours = await listen();
    const peer = gnutlsCli(ours.port);
    const connection = await ours.next();
    await peer.until(complete);
    const updates: string[] = [];
    connection.on('keyUpdate', ({ direction }: { direction: string }) => updates.push(direction));
    connection.updateKeys({ requestPeer: true });
    connection.write(payload(40_000));
    expect((await peer.take(40_000)).equals(payload(40_000))).toBe(true);
    peer.write(payload(40_000));
    expect((await receive(connection, 40_000)).equals(payload(40_000))).toBe(true);
    expect(updates).toEqual(['send', 'receive']);
  });

  it.each(['p256', 'ed25519', 'rsa', 'rsaPss'] as const)('know the client by a key of %s', async (kind) => {
    const ours = await listen({ requestCert: true, ca: trusted.pem });
    gnutlsCli(ours.port, { identity: clientIdentity(kind).files });
    const connection = await ours.next();
    expect(connection.authorized).toBe(true);
    expect(connection.getPeerX509Certificate()?.subject).toBe(`CN=client ${kind}`);
  });

  it('agree on a protocol', async () => {
    const ours = await listen({ ALPNProtocols: ['h2', 'http/1.1'] });
    const peer = gnutlsCli(ours.port, { more: ['--alpn', 'http/1.1', '--alpn', 'h2'] });
    expect((await ours.next()).alpnProtocol).toBe('h2');
    await peer.until(/Application protocol: h2\n/);
  });

  it('export the same keying material', async () => {
    const ours = await listen();
    const peer = gnutlsCli(ours.port, { more: ['--keymatexport', 'EXPORTER-interop', '--keymatexportsize', '48'] });
    const connection = await ours.next();
    const [, theirs] = await peer.until(/Key material: ([0-9a-f]{96})\n/);
    expect(connection.exportKeyingMaterial(48, 'EXPORTER-interop').toString('hex')).toBe(theirs);
  });

  it('close: we first', async () => {
    const ours = await listen();
    const peer = gnutlsCli(ours.port);
    const connection = await ours.next();
    await peer.until(complete);
    connection.end(payload(10));
    expect(await peer.take(10)).toEqual(payload(10));
    await peer.until(/Peer has closed the GnuTLS connection/);
    expect(await peer.ended()).toEqual({ status: 0, signal: null });
  });
});

describe('gnutls-cli and our server refuse each other', () => {
  it.each([
    {
      what: 'no suite in common',
      alert: 40,
      ours: { ciphers: ['TLS_AES_128_GCM_SHA256'] },
      theirs: { suite: 'TLS_AES_256_GCM_SHA384' },
    },
    { what: 'no group in common', alert: 40, ours: { ecdhCurve: ['x25519'] }, theirs: { groups: ['secp256r1'] } },
    {
      what: 'no protocol in common',
      alert: 120,
      ours: { ALPNProtocols: ['h2'] },
      theirs: { more: ['--alpn', 'smtp'] },
    },
    { what: 'TLS 1.2 only', alert: 70, ours: {}, theirs: { version: '1.2' } },
    { what: 'no client certificate', alert: 116, ours: { requestCert: true, ca: trusted.pem }, theirs: {} },
  ] as const)('$what: alert $alert', async ({ alert, ours: options, theirs }) => {
    const ours = await listen(options);
    const peer = gnutlsCli(ours.port, theirs);
    expect(await ours.failure()).toMatchObject({ received: false });
    await peer.until(new RegExp(`Received alert \\[${alert}\\]`));
    expect((await peer.ended()).status).toBe(1);
  });

  it.each([
    { what: 'an unknown authority', identity: strangersIdentity },
    { what: 'an expired certificate', identity: expiredIdentity },
    { what: 'a certificate for another name', identity: () => namedIdentity('one.example') },
  ])('it refuses $what', async ({ identity }) => {
    const { pem, keyPem } = identity();
    const ours = await listen({ cert: pem, key: keyPem });
    const peer = gnutlsCli(ours.port);
    expect(await ours.failure()).toMatchObject({ received: true });
    expect((await peer.ended()).status).toBe(1);
    expect(peer.text).toContain('The certificate is NOT trusted');
  });
});
