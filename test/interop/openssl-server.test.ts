/** Our client with OpenSSL's server: everything both have, judged by what each says of the connection. */
import { once } from 'node:events';
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
import { allSuites, dial, dialInVain, ended, failure, matrix, provider, receive, session, sizes } from './ours.js';
import { alertReceived, opensslGroups, sServer } from './peers/openssl.js';
import { type Program, payload } from './peers/program.js';

const identity = serverIdentity('p256').files;

describe('our client connects to OpenSSL s_server', () => {
  it.each(matrix(allSuites, opensslGroups))('$suite, $group, $provider', async ({ suite, group, provider: name }) => {
    const { port, program } = await sServer({ identity, suites: [suite], groups: [group] });
    const connection = await dial(port, { ...provider(name), keyShares: [group] });
    expect(connection.info).toMatchObject({ cipherSuite: suite, group, helloRetryRequest: false, resumed: false });
    await program.until(new RegExp(`CIPHER is ${suite}\n`));
    await exchange(connection, program, 1000);
  });

  it.each(opensslGroups)('after a HelloRetryRequest for %s', async (group) => {
    const { port, program } = await sServer({ identity, groups: [group] });
    const other = group === 'x25519' ? 'secp256r1' : 'x25519';
    const connection = await dial(port, { ecdhCurve: [other, group] });
    expect(connection.info).toMatchObject({ group, helloRetryRequest: true });
    await exchange(connection, program, 10);
  });

  it('without middlebox compatibility', async () => {
    const { port, program } = await sServer({ identity, more: ['-no_middlebox'] });
    await exchange(await dial(port, { middleboxCompatibility: false }), program, 10);
  });

  it.each(signatures)('with $scheme of a key of $kind', async ({ kind, scheme }) => {
    const { port, program } = await sServer({ identity: serverIdentity(kind).files });
    // The authority's own scheme is for the certificate's signature.
    const sigalgs = [...new Set([scheme, 'ecdsa_secp256r1_sha256'])];
    const connection = await dial(port, { sigalgs });
    expect(connection.info?.signatureScheme).toBe(scheme);
    expect(connection.authorized).toBe(true);
    await program.until(/CIPHER is/);
  });

  it.each(['p256', 'p384', 'p521', 'ed25519', 'rsa', 'rsaPss'] as const)(
    'a key of %s, verified portably',
    async (kind) => {
      const { port, program } = await sServer({ identity: serverIdentity(kind).files });
      expect((await dial(port, provider('noble'))).authorized).toBe(true);
      await program.until(/CIPHER is/);
    },
  );
});

describe('s_server sends and receives', () => {
  it.each(sizes)('%i bytes each way', async (size) => {
    const { port, program } = await sServer({ identity });
    const connection = await dial(port);
    await exchange(connection, program, size);
    connection.end();
    await ended(connection);
    await program.until(/CONNECTION CLOSED/);
  });

  it('small records of ours', async () => {
    const { port, program } = await sServer({ identity });
    await exchange(await dial(port, { maxSendFragment: 512 }), program, 100_000);
  });

  it('padded records', async () => {
    const { port, program } = await sServer({ identity, more: ['-record_padding', '4096'] });
    await exchange(await dial(port), program, 100_000);
  });
});

describe('our client and s_server', () => {
  it.each(['native', 'noble'] as const)('resume (%s)', async (name) => {
    const { port, program } = await sServer({ identity });
    const first = await dial(port, provider(name));
    expect(first.isSessionReused()).toBe(false);
    const kept = await session(first);
    await hangUp(first, program);
    const again = await dial(port, { ...provider(name), session: kept });
    expect(again.isSessionReused()).toBe(true);
    expect(again.getPeerX509Certificate()?.subject).toBe('CN=localhost');
    expect(again.authorized).toBe(true);
    await program.until(/Reused session-id/);
    await exchange(again, program, 10);
  });

  it('resume after a HelloRetryRequest', async () => {
    const { port, program } = await sServer({ identity, groups: ['secp384r1'] });
    const ecdhCurve = ['x25519', 'secp384r1'];
    const first = await dial(port, { ecdhCurve });
    const kept = await session(first);
    await hangUp(first, program);
    const again = await dial(port, { ecdhCurve, session: kept });
    expect(again.info).toMatchObject({ resumed: true, helloRetryRequest: true });
    await exchange(again, program, 10);
  });

  it('do a full handshake when the server has forgotten', async () => {
    const one = await sServer({ identity });
    const kept = await session(await dial(one.port));
    const two = await sServer({ identity });
    const again = await dial(two.port, { session: kept });
    expect(again.isSessionReused()).toBe(false);
    await exchange(again, two.program, 10);
  });

  it('replace keys when it asks for ours too, and when it does not', async () => {
    const { port, program } = await sServer({ identity });
    const connection = await dial(port);
    const updates: string[] = [];
    connection.on('keyUpdate', ({ direction }: { direction: string }) => updates.push(direction));
    await program.until(/CIPHER is/);
    for (const command of ['K', 'k', 'K']) {
      // Our own update goes before the next data: the request has to be there by then.
      const updated = once(connection, 'keyUpdate');
      program.write(`${command}\n`);
      await updated;
      await exchange(connection, program, 40_000);
    }
    expect(updates.filter((direction) => direction === 'receive')).toHaveLength(3);
    expect(updates.filter((direction) => direction === 'send')).toHaveLength(2);
  });

  it('replace keys when we ask for it', async () => {
    const { port, program } = await sServer({ identity });
    const connection = await dial(port);
    let received = 0;
    connection.on('keyUpdate', ({ direction }: { direction: string }) => {
      if (direction === 'receive') received += 1;
    });
    for (let count = 0; count < 3; count++) {
      connection.updateKeys({ requestPeer: true });
      await exchange(connection, program, 40_000);
    }
    expect(received).toBe(3);
  });

  it.each(signatures)('show a client certificate with $scheme of a key of $kind', async ({ kind, scheme }) => {
    const { pem, keyPem } = clientIdentity(kind);
    const more = ['-Verify', '1', '-CAfile', trusted.files.cert, '-verify_return_error', '-client_sigalgs', scheme];
    const { port, program } = await sServer({ identity, more });
    const connection = await dial(port, { cert: pem, key: keyPem });
    expect(connection.info?.clientSignatureScheme).toBe(scheme);
    await program.until(/CIPHER is/);
    expect(program.text).toContain(`subject=CN = client ${kind}\n`);
    await exchange(connection, program, 10);
  });

  it('go on without a client certificate where it only asks', async () => {
    const { port, program } = await sServer({ identity, more: ['-verify', '1'] });
    await exchange(await dial(port), program, 10);
    expect(program.text).not.toContain('Client certificate');
  });

  it('agree on a protocol', async () => {
    const { port, program } = await sServer({ identity, more: ['-alpn', 'h2,http/1.1'] });
    const connection = await dial(port, { ALPNProtocols: ['spdy/1', 'http/1.1', 'h2'] });
    expect(connection.alpnProtocol).toBe('h2');
    await program.until(/ALPN protocols selected: h2/);
  });

  it('meet by name', async () => {
    const named = namedIdentity('one.example').files;
    const more = ['-servername', 'one.example', '-cert2', named.cert, '-key2', named.key];
    const { port } = await sServer({ identity, more });
    const one = await dial(port, { servername: 'one.example' });
    expect(one.getPeerX509Certificate()?.subject).toBe('CN=one.example');
    one.destroy();
    const other = await dial(port, { servername: 'localhost' });
    expect(other.getPeerX509Certificate()?.subject).toBe('CN=localhost');
  });

  it('meet by address, for which no name is asked', async () => {
    const { port, program } = await sServer({ identity });
    const connection = await dial(port, { servername: '127.0.0.1' });
    expect(connection.authorized).toBe(true);
    expect(connection.info?.serverName).toBeUndefined();
    await exchange(connection, program, 10);
  });

  it('make the same key log', async () => {
    const file = scratch('s_server.keys');
    const { port, program } = await sServer({ identity, more: ['-keylogfile', file] });
    const lines: string[] = [];
    const connection = await dial(port, {}, (line) => lines.push(line));
    await exchange(connection, program, 1);
    const theirs = readFileSync(file, 'latin1')
      .split('\n')
      .filter((line) => /^[A-Z]/.test(line));
    expect(theirs).toHaveLength(5);
    expect(lines.toSorted()).toEqual(theirs.toSorted());
  });

  it('export the same keying material', async () => {
    const more = ['-keymatexport', 'EXPORTER-interop', '-keymatexportlen', '48'];
    const { port, program } = await sServer({ identity, more });
    const connection = await dial(port);
    const [, theirs] = await program.until(/Keying material: ([0-9A-F]{96})\n/);
    expect(connection.exportKeyingMaterial(48, 'EXPORTER-interop').toString('hex').toUpperCase()).toBe(theirs);
  });

  it('close: we first', async () => {
    const { port, program } = await sServer({ identity });
    const connection = await dial(port);
    connection.end(payload(10));
    expect(await program.take(10)).toEqual(payload(10));
    await program.until(/CONNECTION CLOSED/);
    expect(program.text).not.toContain('unexpected eof');
  });

  it('do not take a killed server for one that closed', async () => {
    const { port, program } = await sServer({ identity });
    const connection = await dial(port);
    await exchange(connection, program, 1);
    program.kill('SIGKILL');
    expect(await failure(connection)).toMatchObject({ code: 'ERR_TLS_TRUNCATED' });
  });
});

describe('our client and s_server refuse each other', () => {
  it.each([
    { what: 'an unknown authority', theirs: strangersIdentity, alert: 'unknown_ca', number: 48 },
    { what: 'an expired certificate', theirs: expiredIdentity, alert: 'certificate_expired', number: 45 },
    { what: 'another name', theirs: () => namedIdentity('one.example'), alert: 'certificate_unknown', number: 46 },
  ])('$what: alert $number', async ({ theirs, alert, number }) => {
    const { port, program } = await sServer({ identity: theirs().files });
    const error = await dialInVain(port);
    expect(error).toBeInstanceOf(TlsError);
    expect(error).toMatchObject({ alert, received: false });
    await program.until(alertReceived(number));
  });

  it.each([
    {
      what: 'no suite in common',
      theirs: ['-ciphersuites', 'TLS_AES_256_GCM_SHA384'],
      ours: { ciphers: ['TLS_AES_128_GCM_SHA256'] },
      alert: 'handshake_failure',
    },
    {
      what: 'no group in common',
      theirs: ['-groups', 'P-256'],
      ours: { ecdhCurve: ['x25519'] },
      alert: 'handshake_failure',
    },
    { what: 'no signature scheme in common', theirs: [], ours: { sigalgs: ['ed25519'] }, alert: 'handshake_failure' },
    {
      what: 'no protocol in common',
      theirs: ['-alpn', 'h2'],
      ours: { ALPNProtocols: ['smtp'] },
      alert: 'no_application_protocol',
    },
    { what: 'TLS 1.2 only', theirs: ['-tls1_2'], ours: {}, alert: 'protocol_version' },
    { what: 'no client certificate', theirs: ['-Verify', '1'], ours: {}, alert: 'certificate_required' },
  ] as const)('$what: it says $alert', async ({ theirs, ours, alert }) => {
    const { port } = await sServer({ identity, more: theirs });
    expect(await dialInVain(port, ours)).toMatchObject({ alert, received: true });
  });

  it('a client certificate of an unknown authority: it says unknown_ca', async () => {
    const { pem, keyPem } = strangersClient();
    const more = ['-Verify', '1', '-CAfile', trusted.files.cert, '-verify_return_error'];
    const { port } = await sServer({ identity, more });
    expect(await dialInVain(port, { cert: pem, key: keyPem })).toMatchObject({ alert: 'unknown_ca', received: true });
  });

  it('let an unknown authority pass where that is asked for, and say so', async () => {
    const { port } = await sServer({ identity: strangersIdentity().files });
    const connection = await dial(port, { rejectUnauthorized: false });
    expect(connection.authorized).toBe(false);
    expect(connection.authorizationError).not.toBeNull();
  });
});

/** Data both ways, whole and unchanged. */
async function exchange(connection: TlsConnection, program: Program, size: number): Promise<void> {
  connection.write(payload(size, 1));
  expect((await program.take(size)).equals(payload(size, 1))).toBe(true);
  program.write(payload(size, 2));
  expect((await receive(connection, size)).equals(payload(size, 2))).toBe(true);
}

/** Closes, and waits for the server to be ready for another. */
async function hangUp(connection: TlsConnection, program: Program): Promise<void> {
  connection.end();
  await program.until(/CONNECTION CLOSED/);
}
