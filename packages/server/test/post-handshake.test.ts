/** `requestCertificate`: a client is asked for its certificate after the handshake (§4.7.2), over sockets and under a kernel. */
import { once } from 'node:events';
import { credential } from 'tls13-node-crypto';
import { describe, expect, it } from 'vitest';
import { createSecureContext, extendedKeyUsageFilter, type TlsConnection } from '../src/index.js';
import { secured } from './fake-pair.js';
import { certificates, dial, pattern, readAll, readBytes, serve } from './support.js';

const asking = {
  postHandshakeAuthentication: true,
  get ca() {
    return certificates().root.pem;
  },
};
const own = () => {
  const { pem, keyPem } = certificates().client;
  return { cert: pem, key: keyPem };
};
const willing = () => ({ postHandshakeAuthentication: true, ...own() });

/** What a server's application says of the answer. */
async function outcome(connection: TlsConnection, options = {}): Promise<string> {
  try {
    const certificate = await connection.requestCertificate(options);
    return `${certificate?.subject ?? 'nobody'} ${connection.authorized}`;
  } catch (error) {
    return error instanceof Error && 'code' in error ? String(error.code) : String(error);
  }
}

describe('requestCertificate()', () => {
  it('tells who the client is, whom nobody knew before', async () => {
    const server = await serve(asking, async (connection) => {
      const before = `${connection.getPeerCertificate().subject?.CN} ${connection.authorized}`;
      const after = await outcome(connection);
      connection.end(`${before}, ${after}, ${connection.getPeerCertificate().subject?.CN}`);
    });
    expect(String(await readAll(dial(server, willing())))).toBe('undefined false, CN=a client true, a client');
  });

  it('leads to sessions by which the next connection knows the client at once', async () => {
    const server = await serve(asking, async (connection) => {
      const before = connection.authorized;
      if (!before) await outcome(connection);
      connection.end(`${before} ${connection.getPeerCertificate().subject?.CN}`);
    });
    const sessions: Buffer[] = [];
    const first = dial(server, willing()).on('session', (session: Buffer) => sessions.push(session));
    expect(String(await readAll(first))).toBe('false a client');
    // Two of the handshake, which say nothing of the client, and two behind the answer.
    expect(sessions).toHaveLength(4);
    const [before, , after] = sessions;
    const again = async (session: Buffer | undefined) =>
      String(await readAll(dial(server, { ...willing(), ...(session === undefined ? {} : { session }) })));
    expect(await again(after)).toBe('true a client');
    expect(await again(before)).toBe('false a client');
  });

  it('is answered by the choice of onCertificateRequest', async () => {
    const server = await serve(
      { ...asking, oidFilters: [extendedKeyUsageFilter('clientAuth')] },
      async (connection) => {
        connection.end(await outcome(connection));
      },
    );
    const asked: string[][] = [];
    const client = dial(server, {
      postHandshakeAuthentication: true,
      onCertificateRequest: async ({ oidFilters }) => {
        asked.push(oidFilters.map(({ oid }) => oid));
        return createSecureContext(own());
      },
    });
    expect(String(await readAll(client))).toBe('CN=a client true');
    expect(asked).toEqual([['2.5.29.37']]);
  });

  it('is fulfilled with undefined by a client without a certificate, unless one is required', async () => {
    const server = await serve(asking, async (connection) => connection.end(await outcome(connection)));
    expect(String(await readAll(dial(server, { postHandshakeAuthentication: true })))).toBe('nobody false');

    const outcomes: string[] = [];
    const strict = await serve(asking, async (connection) => {
      connection.on('error', () => undefined);
      outcomes.push(await outcome(connection, { required: true }));
    });
    const client = dial(strict, { postHandshakeAuthentication: true });
    client.resume();
    const [error] = await once(client, 'error');
    expect(error).toMatchObject({ alert: 'certificate_required', received: true });
    await expect.poll(() => outcomes).toEqual(['ERR_TLS_CERTIFICATE_REQUIRED']);
  });

  it('rejects, and ends the connection, when the certificate is not trusted', async () => {
    const outcomes: string[] = [];
    const server = await serve({ ...asking, ca: certificates().server.pem }, async (connection) => {
      connection.on('error', () => undefined);
      outcomes.push(await outcome(connection));
    });
    const client = dial(server, willing());
    client.resume();
    const [error] = await once(client, 'error');
    expect(error).toMatchObject({ received: true });
    await expect.poll(() => outcomes).toHaveLength(1);
    expect(outcomes[0]).not.toMatch(/CN=/);
  });

  it('rejects at clients that did not offer it, and at servers that do not ask', async () => {
    const server = await serve(asking, async (connection) => connection.end(await outcome(connection)));
    expect(String(await readAll(dial(server, own())))).toMatch(/did not offer post_handshake_auth/);
    const other = await serve({}, async (connection) => connection.end(await outcome(connection)));
    expect(String(await readAll(dial(other, willing())))).toMatch(/verifyPeer/);
  });

  it('gives up after its timeout, and lives with an answer that comes later', async () => {
    const server = await serve(asking, async (connection) => {
      const first = await outcome(connection, { timeout: 50 });
      connection.write(first);
      connection.once('data', () => connection.end(` ${connection.authorized}`));
    });
    let answer = () => {};
    const client = dial(server, {
      postHandshakeAuthentication: true,
      onCertificateRequest: () => new Promise((resolve) => (answer = () => resolve(own()))),
    });
    await once(client, 'secureConnect');
    setTimeout(() => {
      answer();
      client.write('go on');
    }, 200);
    expect(String(await readAll(client))).toBe('ERR_TLS_CERTIFICATE_TIMEOUT true');
  });

  it('rejects when the connection ends before the answer', async () => {
    const outcomes: string[] = [];
    const server = await serve(asking, async (connection) => {
      const waiting = outcome(connection);
      connection.destroy();
      outcomes.push(await waiting);
    });
    const client = dial(server, { ...willing(), onCertificateRequest: () => new Promise(() => {}) });
    client.on('error', () => undefined);
    client.resume();
    await expect.poll(() => outcomes).toEqual(['ERR_TLS_CONNECTION_CLOSED']);
  });
});

it('works where the kernel protects both directions of both ends', async () => {
  const both = { offload: 'both', allowHalfOpen: true } as const;
  const { server, client } = await secured({
    server: both,
    client: both,
    serverConfig: { verifyPeer: () => undefined },
    clientConfig: { postHandshakeAuthentication: true, credential: credential(own()) },
  });
  expect(server.offload.receive).toMatchObject({ where: 'kernel' });
  const data = pattern(100_000);
  client.write(data);
  const asked = server.requestCertificate();
  expect((await readBytes(server, data.length)).equals(data)).toBe(true);
  expect((await asked)?.subject).toBe('CN=a client');
  server.updateKeys({ requestPeer: true });
  expect((await server.requestCertificate())?.subject).toBe('CN=a client');
});
