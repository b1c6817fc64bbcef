// A client is asked for its certificate after the handshake (§4.7.2) while the kernel protects the records.
import { describe, expect, it } from 'vitest';
import { connected, readBytes, startServer, write } from './support/connections.js';
import { cert, certFile, key, keyFile } from './support/files.js';
import { until } from './support/kernel.js';
import { sClient, sServer } from './support/openssl.js';

// The test's one certificate is for servers: who it names is of no concern here.
const asking = { ca: cert, postHandshakeAuthentication: true, rejectUnauthorized: false } as const;

describe.each(['send', 'both'] as const)('offload %s', (offload) => {
  it('our server asks s_client, twice', async () => {
    const listener = await startServer({ ...asking, offload });
    const client = sClient(listener.port, '-tls1_3', '-enable_pha', '-cert', certFile, '-key', keyFile);
    const connection = await listener.next();
    expect(connection.offload.send).toMatchObject({ where: 'kernel' });
    for (let count = 0; count < 2; count++) {
      const certificate = await connection.requestCertificate();
      expect(certificate?.toString()).toBe(String(cert));
      client.stdin.write('data\n');
      expect(String(await readBytes(connection, 5))).toBe('data\n');
    }
    connection.end();
    expect(await client.exited, client.diagnostics()).toBe(0);
  });

  it('s_server asks our client', async () => {
    const server = await sServer('-tls1_3', '-CAfile', certFile);
    const own = { cert, key, postHandshakeAuthentication: true };
    const connection = await connected(server.port, { ...own, offload });
    server.stdin.write('c\n');
    await until(() => (connection.info?.localCertificates.length ?? 0) > 0, 'the request');
    await write(connection, 'data\n');
    await until(() => server.output().includes('data\n'), 'the data at OpenSSL');
    await until(() => server.diagnostics().includes('depth=0'), 'the certificate at OpenSSL');
    connection.end();
    await server.exited;
  });
});
