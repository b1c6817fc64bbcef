// Handshakes with features of their own end in the kernel like any other, in both directions and by the kernel's own count.
import { createPublicKey } from 'node:crypto';
import { once } from 'node:events';
import type { ConnectionInfo, ConnectOptions, TlsConnection, TlsServerOptions } from 'tls13-server';
import { expect, it } from 'vitest';
import { connected, pair, readBytes, startServer, write } from './support/connections.js';
import { bytesOf, cert, key } from './support/files.js';
import { countTlsStat, within } from './support/kernel.js';

// The test's one certificate is for servers: who it names is of no concern here.
const asking = { ca: cert, requestCert: true, rejectUnauthorized: false } as const;
const compressing = { certificateCompression: ['brotli', 'zlib'] } as const;
const message = bytesOf(40_000);

type Told = { readonly server?: Partial<ConnectionInfo>; readonly client?: Partial<ConnectionInfo> };

it.each<[string, Omit<TlsServerOptions, 'cert' | 'key'>, Partial<ConnectOptions>, Told]>([
  ['certificate compression', compressing, compressing, { client: { peerCertificateCompression: 'brotli' } }],
  [
    'compressed certificates of both',
    { ...asking, ...compressing },
    { cert, key, ...compressing },
    { server: { peerCertificateCompression: 'brotli' } },
  ],
  [
    'raw public keys',
    { credentials: [{ key, rawPublicKey: true }] },
    { expectedRawPublicKeys: createPublicKey(key).export({ type: 'spki', format: 'pem' }) },
    { client: { peerCertificates: [], peerRawPublicKey: expect.any(Uint8Array) } },
  ],
  [
    'a stateless HelloRetryRequest',
    { ecdhCurve: 'secp384r1', statelessRetry: true },
    {},
    { server: { helloRetryRequest: true } },
  ],
  [
    'GREASE, permuted extensions, and the largest record_size_limit',
    { grease: true },
    { grease: true, permuteExtensions: true, recordSizeLimit: 16_385 },
    { client: { recordSizeLimit: { send: 16_385, receive: 16_385 } } },
  ],
])('%s', async (_name, server, client, told) => {
  const risen = countTlsStat();
  const ends = await pair({ server: { ...server, offload: 'both' }, client: { ...client, offload: 'both' } });
  expect(ends.server.info).toMatchObject(told.server ?? {});
  expect(ends.client.info).toMatchObject(told.client ?? {});
  await expectBothWays(ends);
  expect([risen('TlsTxSw'), risen('TlsRxSw'), risen('TlsDecryptError')]).toEqual([2, 2, 0]);
});

it('a session of a client with a certificate, resumed', async () => {
  const listener = await startServer({ ...asking, offload: 'both' });
  const own = { cert, key, offload: 'both' } as const;
  const first = await connected(listener.port, own);
  const [session] = await within(once(first, 'session'), 'a session');
  (await listener.next()).destroy();
  first.destroy();

  const risen = countTlsStat();
  const client = await connected(listener.port, { ...own, session });
  const server = await listener.next();
  expect([client.info?.resumed, server.info?.resumed]).toEqual([true, true]);
  expect(server.getPeerX509Certificate()?.toString()).toBe(String(cert));
  await expectBothWays({ client, server });
  expect([risen('TlsTxSw'), risen('TlsRxSw'), risen('TlsDecryptError')]).toEqual([2, 2, 0]);
});

async function expectBothWays(ends: { readonly client: TlsConnection; readonly server: TlsConnection }): Promise<void> {
  for (const [from, to] of [
    [ends.client, ends.server],
    [ends.server, ends.client],
  ] as const) {
    const [content] = await Promise.all([readBytes(to, message.length), write(from, message)]);
    expect(content.equals(message)).toBe(true);
    expect(to.offload).toMatchObject({ send: { where: 'kernel' }, receive: { where: 'kernel' } });
  }
}
