/** Our server with OpenSSL's client: everything both have, judged by what each says of the connection. */
import { readFileSync } from 'node:fs';
import { type TlsConnection, TlsError } from 'tls13-server';
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
import { allSuites, ended, failure, listen, matrix, provider, receive, sizes } from './ours.js';
import { alertReceived, opensslGroups, sClient, temporaryKeys } from './peers/openssl.js';
import { type Program, payload } from './peers/program.js';

describe('OpenSSL s_client connects to our server', () => {
  it.each(matrix(allSuites, opensslGroups))('$suite, $group, $provider', async ({ suite, group, provider: name }) => {
    const ours = await listen(provider(name));
    const peer = sClient(ours.port, { suites: [suite], groups: [group] });
    const connection = await ours.next();
    expect(connection.info).toMatchObject({ cipherSuite: suite, group, helloRetryRequest: false, resumed: false });
    await peer.until(new RegExp(`New, TLSv1\\.3, Cipher is ${suite}\n`));
    expect(peer.text).toContain(`Server Temp Key: ${temporaryKeys[group]}\n`);
    peer.write(payload(1000, 1));
    expect(await receive(connection, 1000)).toEqual(payload(1000, 1));
    connection.write(payload(1000, 2));
    expect(await peer.take(1000)).toEqual(payload(1000, 2));
  });

  it.each(opensslGroups)('after a HelloRetryRequest for %s', async (group) => {
    const ours = await listen({ ecdhCurve: [group] });
    const other = group === 'x25519' ? 'secp256r1' : 'x25519';
    const peer = sClient(ours.port, { groups: [other, group] });
    const connection = await ours.next();
    expect(connection.info).toMatchObject({ group, helloRetryRequest: true });
    await peer.until(/New, TLSv1\.3/);
    expect(peer.text).toContain(`Server Temp Key: ${temporaryKeys[group]}\n`);
    peer.write(payload(10));
    expect(await receive(connection, 10)).toEqual(payload(10));
  });

  it('after a HelloRetryRequest whose cookie is all that the server keeps', async () => {
    const ours = await listen({ ecdhCurve: ['secp384r1'], statelessRetry: true });
    const peer = sClient(ours.port, { groups: ['x25519', 'secp384r1'] });
    const connection = await ours.next();
    expect(connection.info).toMatchObject({ group: 'secp384r1', helloRetryRequest: true });
    await peer.until(/New, TLSv1\.3/);
  });

  it.each(signatures)('with $scheme of a key of $kind', async ({ kind, scheme }) => {
    const { pem, keyPem } = serverIdentity(kind);
    const ours = await listen({ cert: pem, key: keyPem });
    const more = ['-sigalgs', scheme, '-CAfile', trusted.files.cert, '-verify_return_error'];
    const peer = sClient(ours.port, { more: [...more, '-verify_hostname', 'localhost'] });
    const connection = await ours.next();
    expect(connection.info?.signatureScheme).toBe(scheme);
    await peer.until(/Verify return code: 0 \(ok\)/);
    expect(peer.text).toMatch(peerSignature(scheme));
  });

  it.each(['p256', 'p384', 'p521', 'ed25519'] as const)('with a key of %s, signed portably', async (kind) => {
    const { pem, keyPem } = serverIdentity(kind);
    const ours = await listen({ cert: pem, key: keyPem, ...provider('noble') });
    const peer = sClient(ours.port, { more: ['-CAfile', trusted.files.cert, '-verify_return_error'] });
    await ours.next();
    await peer.until(/Verify return code: 0 \(ok\)/);
  });
});

describe('s_client sends and receives', () => {
  it.each(sizes)('%i bytes each way', async (size) => {
    const ours = await listen();
    const peer = sClient(ours.port);
    const connection = await ours.next();
    peer.write(payload(size, 3));
    expect((await receive(connection, size)).equals(payload(size, 3))).toBe(true);
    connection.write(payload(size, 4));
    expect((await peer.take(size)).equals(payload(size, 4))).toBe(true);
    peer.end();
    await ended(connection);
    connection.end();
    expect(await peer.ended()).toEqual({ status: 0, signal: null });
  });

  it('small records of ours', async () => {
    const ours = await listen({ maxSendFragment: 512 });
    const peer = sClient(ours.port);
    (await ours.next()).write(payload(100_000));
    expect((await peer.take(100_000)).equals(payload(100_000))).toBe(true);
  });

  it('small and split records of its own', async () => {
    const ours = await listen();
    const peer = sClient(ours.port, { more: ['-max_send_frag', '512', '-split_send_frag', '512'] });
    const connection = await ours.next();
    peer.write(payload(100_000));
    expect((await receive(connection, 100_000)).equals(payload(100_000))).toBe(true);
  });

  it('padded records', async () => {
    const ours = await listen();
    const peer = sClient(ours.port, { more: ['-record_padding', '4096'] });
    const connection = await ours.next();
    peer.write(payload(100_000));
    expect((await receive(connection, 100_000)).equals(payload(100_000))).toBe(true);
    connection.write(payload(10));
    expect(await peer.take(10)).toEqual(payload(10));
  });
});

describe('s_client and our server', () => {
  it.each(['native', 'noble'] as const)('resume (%s)', async (name) => {
    const ours = await listen(provider(name));
    const file = scratch(`s_client-${name}.session`);
    const first = sClient(ours.port, { more: ['-sess_out', file] });
    const full = await ours.next();
    expect(full.isSessionReused()).toBe(false);
    await quitWithTicket(first, full);
    const again = sClient(ours.port, { more: ['-sess_in', file] });
    const connection = await ours.next();
    expect(connection.isSessionReused()).toBe(true);
    expect(connection.info?.signatureScheme).toBeUndefined();
    await again.until(/Reused, TLSv1\.3/);
    again.write(payload(10));
    expect(await receive(connection, 10)).toEqual(payload(10));
  });

  it('resume after a HelloRetryRequest', async () => {
    const ours = await listen({ ecdhCurve: ['secp256r1'] });
    const file = scratch('s_client-retry.session');
    const groups = ['x25519', 'secp256r1'] as const;
    const first = sClient(ours.port, { groups, more: ['-sess_out', file] });
    await quitWithTicket(first, await ours.next());
    const again = sClient(ours.port, { groups, more: ['-sess_in', file] });
    expect((await ours.next()).info).toMatchObject({ resumed: true, helloRetryRequest: true });
    await again.until(/Reused, TLSv1\.3/);
  });

  it('do a full handshake when the ticket is under keys that are gone', async () => {
    const ours = await listen({ ticketKeys: Buffer.alloc(48, 1) });
    const file = scratch('s_client-stale.session');
    const first = sClient(ours.port, { more: ['-sess_out', file] });
    await quitWithTicket(first, await ours.next());
    ours.server.setTicketKeys(Buffer.alloc(48, 2));
    const again = sClient(ours.port, { more: ['-sess_in', file] });
    expect((await ours.next()).isSessionReused()).toBe(false);
    await again.until(/New, TLSv1\.3/);
  });

  it('replace keys when it asks for ours too, and when it does not', async () => {
    const ours = await listen();
    const peer = sClient(ours.port);
    const connection = await ours.next();
    const updates: string[] = [];
    connection.on('keyUpdate', ({ direction }: { direction: string }) => updates.push(direction));
    for (const command of ['K', 'k', 'K']) {
      const said = peer.text.length;
      peer.write(command);
      await peer.until(new RegExp(`^[^]{${said}}[^]*KEYUPDATE\n`));
      peer.write(payload(40_000));
      expect((await receive(connection, 40_000)).equals(payload(40_000))).toBe(true);
      connection.write(payload(40_000));
      expect((await peer.take(40_000)).equals(payload(40_000))).toBe(true);
    }
    // Of its own, three; of ours, one for each that asked.
    expect(updates.filter((direction) => direction === 'receive')).toHaveLength(3);
    expect(updates.filter((direction) => direction === 'send')).toHaveLength(2);
  });

  it('replace keys when we ask for it', async () => {
    const ours = await listen();
    const peer = sClient(ours.port);
    const connection = await ours.next();
    let received = 0;
    connection.on('keyUpdate', ({ direction }: { direction: string }) => {
      if (direction === 'receive') received += 1;
    });
    for (let count = 0; count < 3; count++) {
      connection.updateKeys({ requestPeer: true });
      connection.write(payload(40_000));
      expect((await peer.take(40_000)).equals(payload(40_000))).toBe(true);
      peer.write(payload(40_000));
      expect((await receive(connection, 40_000)).equals(payload(40_000))).toBe(true);
    }
    expect(received).toBe(3);
  });

  it.each(['p256', 'p384', 'ed25519', 'rsa', 'rsaPss'] as const)('know the client by a key of %s', async (kind) => {
    const ours = await listen({ requestCert: true, ca: trusted.pem });
    const identity = clientIdentity(kind);
    const peer = sClient(ours.port, { identity: identity.files });
    const connection = await ours.next();
    expect(connection.authorized).toBe(true);
    expect(connection.getPeerX509Certificate()?.subject).toBe(`CN=client ${kind}`);
    peer.write(payload(10));
    expect(await receive(connection, 10)).toEqual(payload(10));
    await peer.until(/Client Certificate Types|Requested Signature Algorithms/);
  });

  it('know the client again when it resumes', async () => {
    const ours = await listen({ requestCert: true, ca: trusted.pem });
    const { files: identity } = clientIdentity('p256');
    const file = scratch('s_client-auth.session');
    const first = sClient(ours.port, { identity, more: ['-sess_out', file] });
    await quitWithTicket(first, await ours.next());
    sClient(ours.port, { identity, more: ['-sess_in', file] });
    const connection = await ours.next();
    expect(connection.isSessionReused()).toBe(true);
    expect(connection.authorized).toBe(true);
    expect(connection.getPeerX509Certificate()?.subject).toBe('CN=client p256');
  });

  it('agree on a protocol', async () => {
    const ours = await listen({ ALPNProtocols: ['h2', 'http/1.1'] });
    const peer = sClient(ours.port, { more: ['-alpn', 'spdy/1,http/1.1,h2'] });
    expect((await ours.next()).alpnProtocol).toBe('h2');
    await peer.until(/ALPN protocol: h2\n/);
  });

  it('find the certificate that holds the name', async () => {
    const identities = ['one.example', 'two.example'].map(namedIdentity);
    const credentials = identities.map(({ pem, keyPem }) => ({ cert: pem, key: keyPem }));
    const ours = await listen({ credentials });
    for (const name of ['two.example', 'one.example', 'localhost']) {
      const more = ['-servername', name, '-CAfile', trusted.files.cert, '-verify_hostname', name];
      const peer = sClient(ours.port, { more });
      expect((await ours.next()).servername).toBe(name);
      await peer.until(/Verify return code: 0 \(ok\)/);
      expect(peer.text).toContain(`subject=CN = ${name}\n`);
    }
    sClient(ours.port, { more: ['-noservername'] });
    expect((await ours.next()).servername).toBe(false);
  });

  it('make the same key log', async () => {
    const ours = await listen();
    const file = scratch('s_client.keys');
    const peer = sClient(ours.port, { more: ['-keylogfile', file] });
    await quitWithTicket(peer, await ours.next());
    const lines = readFileSync(file, 'latin1')
      .split('\n')
      .filter((line) => /^[A-Z]/.test(line));
    expect(lines).toHaveLength(5);
    expect(ours.keyLog.toSorted()).toEqual(lines.toSorted());
  });

  it('export the same keying material', async () => {
    const ours = await listen();
    const peer = sClient(ours.port, { more: ['-keymatexport', 'EXPORTER-interop', '-keymatexportlen', '48'] });
    const connection = await ours.next();
    const [, theirs] = await peer.until(/Keying material: ([0-9A-F]{96})\n/);
    expect(connection.exportKeyingMaterial(48, 'EXPORTER-interop').toString('hex').toUpperCase()).toBe(theirs);
  });

  it('close: it first', async () => {
    const ours = await listen();
    const peer = sClient(ours.port);
    const connection = await ours.next();
    peer.write('Q');
    await ended(connection);
    expect(await peer.ended()).toEqual({ status: 0, signal: null });
  });

  it('close: we first', async () => {
    const ours = await listen();
    const peer = sClient(ours.port);
    const connection = await ours.next();
    connection.end(payload(10));
    expect(await peer.take(10)).toEqual(payload(10));
    // What it says on a close_notify; without one it complains of an unexpected end.
    await peer.until(/^closed\n/m);
    expect(await peer.ended()).toEqual({ status: 0, signal: null });
  });

  it('do not take a killed client for one that closed', async () => {
    const ours = await listen();
    const peer = sClient(ours.port);
    const connection = await ours.next();
    peer.kill('SIGKILL');
    // A reset, if the killed client had not read our tickets yet.
    expect(await failure(connection)).toMatchObject({
      code: expect.stringMatching(/^(ERR_TLS_TRUNCATED|ECONNRESET)$/),
    });
  });
});

describe('s_client and our server refuse each other', () => {
  const verified = ['-CAfile', trusted.files.cert, '-verify_return_error', '-verify_hostname', 'localhost'];

  it.each([
    {
      what: 'no suite in common',
      alert: 40,
      ours: { ciphers: ['TLS_AES_128_GCM_SHA256'] },
      theirs: ['-ciphersuites', 'TLS_AES_256_GCM_SHA384'],
    },
    { what: 'no group in common', alert: 40, ours: { ecdhCurve: ['x25519'] }, theirs: ['-groups', 'P-256'] },
    { what: 'no signature scheme in common', alert: 40, ours: {}, theirs: ['-sigalgs', 'ed25519'] },
    { what: 'no protocol in common', alert: 120, ours: { ALPNProtocols: ['h2'] }, theirs: ['-alpn', 'smtp'] },
    { what: 'TLS 1.2 only', alert: 70, ours: {}, theirs: ['-tls1_2'] },
    { what: 'no client certificate', alert: 116, ours: { requestCert: true, ca: trusted.pem }, theirs: [] },
  ] as const)('$what: alert $alert', async ({ alert, ours: options, theirs }) => {
    const ours = await listen(options);
    const peer = sClient(ours.port, { more: theirs });
    const error = await ours.failure();
    expect(error).toBeInstanceOf(TlsError);
    expect(error).toMatchObject({ received: false });
    await peer.until(alertReceived(alert));
    expect((await peer.ended()).status).toBe(1);
  });

  it('a client certificate of an unknown authority: alert 48', async () => {
    const ours = await listen({ requestCert: true, ca: trusted.pem });
    const peer = sClient(ours.port, { identity: strangersClient().files });
    expect(await ours.failure()).toMatchObject({ alert: 'unknown_ca', received: false });
    await peer.until(alertReceived(48));
  });

  it('the same is let in when asked for, and known as not authorized', async () => {
    const ours = await listen({ requestCert: true, ca: trusted.pem, rejectUnauthorized: false });
    sClient(ours.port, { identity: strangersClient().files });
    const connection = await ours.next();
    expect(connection.authorized).toBe(false);
    expect(connection.authorizationError).not.toBeNull();
  });

  it.each([
    { what: 'an unknown authority', identity: strangersIdentity, alert: 'unknown_ca' },
    { what: 'an expired certificate', identity: expiredIdentity, alert: 'certificate_expired' },
    { what: 'a certificate for another name', identity: () => namedIdentity('one.example'), alert: 'bad_certificate' },
  ])('it refuses $what with $alert', async ({ identity, alert }) => {
    const { pem, keyPem } = identity();
    const ours = await listen({ cert: pem, key: keyPem });
    const peer = sClient(ours.port, { more: verified });
    expect(await ours.failure()).toMatchObject({ alert, received: true });
    expect((await peer.ended()).status).toBe(1);
  });
});

/** Data comes behind the tickets: who has it has them. */
async function quitWithTicket(peer: Program, connection: TlsConnection): Promise<void> {
  connection.write(payload(1));
  await peer.take(1);
  peer.write('Q');
  await ended(connection);
  connection.end();
  await peer.ended();
}

function peerSignature(scheme: string): RegExp {
  if (scheme === 'ed25519') return /Peer signature type: ed25519\n/;
  const digest = scheme.slice(-6).toUpperCase();
  const type = scheme.startsWith('ecdsa') ? 'ECDSA' : 'RSA-PSS';
  return new RegExp(`Peer signing digest: ${digest}\nPeer signature type: ${type}\n`);
}
