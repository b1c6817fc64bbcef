/** GREASE and permuted extensions with peers of others: nobody stumbles over them, HelloRetryRequest and tickets included. */
import { describe, expect, it } from 'vitest';
import { clientIdentity, serverIdentity, trusted } from './identities.js';
import { dial, listen, receive, session } from './ours.js';
import { gnutlsCli, gnutlsServ } from './peers/gnutls.js';
import { sClient, sServer } from './peers/openssl.js';

const identity = serverIdentity('p256').files;
const odd = { grease: true, permuteExtensions: true, ALPNProtocols: ['http/1.1'] } as const;

describe('our client with GREASE', () => {
  it('connects to OpenSSL, resumes, and answers a HelloRetryRequest', async () => {
    const { port } = await sServer({ identity, groups: ['secp384r1'] });
    const first = await dial(port, { ...odd, ecdhCurve: ['x25519', 'secp384r1'] });
    expect(first.info).toMatchObject({ helloRetryRequest: true, group: 'secp384r1' });
    const kept = await session(first);
    // It serves one at a time.
    first.destroy();
    const second = await dial(port, { ...odd, ecdhCurve: ['x25519', 'secp384r1'], session: kept });
    expect(second.info).toMatchObject({ resumed: true, helloRetryRequest: true });
  });

  it('connects to GnuTLS and shows it a certificate', async () => {
    const asking = ['--x509cafile', trusted.files.cert, '--require-client-cert', '--verify-client-cert'];
    const { port } = await gnutlsServ({ identity, more: asking });
    const { pem, keyPem } = clientIdentity('p256');
    const connection = await dial(port, { ...odd, cert: pem, key: keyPem });
    connection.write('hello\n');
    expect((await receive(connection, 6)).toString()).toBe('hello\n');
  });
});

describe('our server with GREASE in its CertificateRequest and its tickets', () => {
  const options = { grease: true, requestCert: true, rejectUnauthorized: false } as const;

  it('serves OpenSSL', async () => {
    const ours = await listen(options);
    const program = sClient(ours.port, { more: ['-ign_eof'] });
    const connection = await ours.next();
    await program.until(/Post-Handshake New Session Ticket arrived/);
    connection.end('done\n');
    await program.until(/done\n/);
  });

  it('serves GnuTLS', async () => {
    const ours = await listen(options);
    const program = gnutlsCli(ours.port);
    const connection = await ours.next();
    connection.end('done\n');
    await program.until(/done\n/);
  });
});
