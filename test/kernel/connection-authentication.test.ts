// A client is asked for its certificate after the handshake (§4.7.2) while the kernel protects the records.
import { describe, expect, it } from 'vitest';
import { connected, pair, readBytes, startServer, write } from './support/connections.js';
import { cert, certFile, key, keyFile } from './support/files.js';
import { countTlsStat, rekeys, until } from './support/kernel.js';
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

  it('our server asks our client, whose answer comes between records of data and of new keys', async () => {
    const risen = countTlsStat();
    const own = { cert, key, postHandshakeAuthentication: true, offload };
    const { server, client } = await pair({ server: { ...asking, offload }, client: own });
    const received = offload === 'both' ? 2 : 0;
    for (let count = 1; count <= 3; count++) {
      const asked = server.requestCertificate();
      // Under kernel records keys change only where the kernel can replace them.
      if (rekeys) client.updateKeys({ requestPeer: true });
      await write(client, 'data\n');
      expect(String(await readBytes(server, 5))).toBe('data\n');
      expect((await asked)?.toString()).toBe(String(cert));
      await write(server, 'answer\n');
      expect(String(await readBytes(client, 7))).toBe('answer\n');
      if (rekeys) expect([risen('TlsTxRekeyOk'), risen('TlsRxRekeyOk')]).toEqual([2 * count, received * count]);
    }
    expect(server.offload.receive.where).toBe(offload === 'both' ? 'kernel' : 'user');
    expect([risen('TlsTxSw'), risen('TlsRxSw'), risen('TlsDecryptError')]).toEqual([2, received, 0]);
  });
});
