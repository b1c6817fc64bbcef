/** Authentication after the handshake (§4.7.2) with OpenSSL's programs, each way. */
import { describe, expect, it } from 'vitest';
import { clientIdentity, serverIdentity, trusted } from './identities.js';
import { dial, listen, receive } from './ours.js';
import { sClient, sServer } from './peers/openssl.js';

describe('our server asks OpenSSL s_client', () => {
  const asking = { postHandshakeAuthentication: true, ca: trusted.pem } as const;

  it.each(['p256', 'rsa', 'ed25519'] as const)('which shows a certificate of %s, twice', async (kind) => {
    const ours = await listen(asking);
    sClient(ours.port, { identity: clientIdentity(kind).files, more: ['-enable_pha'] });
    const connection = await ours.next();
    expect(connection.info).toMatchObject({ postHandshakeAuthentication: true, peerCertificates: [] });
    for (let count = 0; count < 2; count++) {
      const certificate = await connection.requestCertificate();
      expect(new Uint8Array(certificate?.raw ?? [])).toEqual(clientIdentity(kind).der);
    }
    expect(connection.authorized).toBe(true);
  });

  it('which has none', async () => {
    const ours = await listen(asking);
    sClient(ours.port, { more: ['-enable_pha'] });
    const connection = await ours.next();
    expect(await connection.requestCertificate()).toBeUndefined();
    expect(connection.authorized).toBe(false);
  });

  it('which does not offer it', async () => {
    const ours = await listen(asking);
    sClient(ours.port, { identity: clientIdentity('p256').files });
    const connection = await ours.next();
    await expect(connection.requestCertificate()).rejects.toThrow(/did not offer/);
  });
});

describe('OpenSSL s_server asks our client', () => {
  const own = () => ({ cert: clientIdentity('p256').pem, key: clientIdentity('p256').keyPem, ca: trusted.pem });

  it('by the command c, and is shown the certificate', async () => {
    const identity = serverIdentity('p256').files;
    const { port, program } = await sServer({ identity, more: ['-CAfile', trusted.files.cert] });
    const connection = await dial(port, { ...own(), postHandshakeAuthentication: true });
    expect(connection.info?.localCertificates).toEqual([]);
    for (let count = 0; count < 2; count++) {
      program.write('c\n');
      await program.until(/SSL_do_handshake -> 1\n/);
      await expect.poll(() => connection.info?.localCertificates).toEqual([clientIdentity('p256').der]);
    }
    // It verifies what comes while it reads.
    connection.write('before\n');
    await program.until(/before\n/);
    await program.until(/(?:depth=0 CN = client p256\nverify return:1\n[\s\S]*){2}/);
    program.write('after\n');
    expect(String(await receive(connection, 6))).toBe('after\n');
  });
});
