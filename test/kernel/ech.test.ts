// A connection that began with an encrypted ClientHello (RFC 9849) goes to the kernel like any other.
import { createEchKeys, generateEchConfig } from 'tls13-core';
import { createProvider } from 'tls13-node-crypto';
import { expect, it } from 'vitest';
import { pair, readAll } from './support/connections.js';
import { bytesOf, digest, mebibytes } from './support/files.js';
import { countTlsStat } from './support/kernel.js';

const key = generateEchConfig(createProvider(), { publicName: 'public.example' });

it.each([
  ['at once', {}],
  ['after a HelloRetryRequest', { ecdhCurve: 'secp384r1' }],
])('ECH, %s', async (_name, options) => {
  const risen = countTlsStat();
  const { server, client } = await pair({
    server: { offload: 'both', ech: { keys: createEchKeys(createProvider(), [key]) }, ...options },
    client: { offload: 'both', ech: { configs: key.configList } },
  });
  for (const end of [server, client]) {
    expect(end.info).toMatchObject({ echAccepted: true, serverName: 'localhost' });
    expect(end.offload).toMatchObject({ send: { where: 'kernel' }, receive: { where: 'kernel' } });
  }
  const content = bytesOf(mebibytes(2));
  const reading = readAll(client);
  server.end(content);
  expect(digest(await reading)).toBe(digest(content));
  expect([risen('TlsTxSw'), risen('TlsRxSw'), risen('TlsDecryptError')]).toEqual([2, 2, 0]);
});
