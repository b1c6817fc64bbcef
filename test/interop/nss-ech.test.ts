/** Encrypted Client Hello (RFC 9849): NSS's client with our server. */
import { execFileSync } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import { generateEchConfig } from 'tls13-core';
import { createProvider } from 'tls13-node-crypto';
import type { TlsServerOptions } from 'tls13-server';
import { beforeAll, describe, expect, it } from 'vitest';
import { scratch, trusted } from './identities.js';
import { listen, provider } from './ours.js';
import { Program } from './peers/program.js';

// tstclnt checks the certificate against the name that it asks for, also when that is the hidden one.
const publicName = 'localhost';
const key = generateEchConfig(createProvider(), { publicName, configId: 1 });
const other = generateEchConfig(createProvider(), { publicName, configId: 2 });
const base64 = (list: Uint8Array) => Buffer.from(list).toString('base64');
const database = scratch('nss');

beforeAll(() => {
  mkdirSync(database);
  execFileSync('certutil', ['-N', '-d', `sql:${database}`, '--empty-password']);
  execFileSync('certutil', ['-A', '-d', `sql:${database}`, '-n', 'ca', '-t', 'C,C,C', '-i', trusted.files.cert]);
});

function tstclnt(port: number, list: Uint8Array): Program {
  const name = ['-4', '-h', '127.0.0.1', '-a', 'localhost', '-p', String(port)];
  return new Program('tstclnt', [...name, '-d', `sql:${database}`, '-V', 'tls1.3:', '-v', '-N', base64(list)]);
}

const options: TlsServerOptions = { ech: { keys: key } };

describe('NSS and our server', () => {
  it.each([
    ['native', 'at once', {}],
    ['native', 'after a HelloRetryRequest', { ecdhCurve: 'secp384r1' }],
    ['noble', 'at once', {}],
  ] as const)('%s: the name is hidden, %s', async (name, _when, more) => {
    const { port, next } = await listen({ ...options, ...more, ...provider(name) });
    const client = tstclnt(port, key.configList);
    const connection = await next();
    expect(connection.info).toMatchObject({ echAccepted: true, serverName: 'localhost' });
    connection.end('\u00e9'.repeat(10), 'latin1');
    expect(await client.take(10)).toHaveLength(10);
  });

  it('a client with another config is given one that it can use', async () => {
    const { port } = await listen(options);
    await tstclnt(port, other.configList).until(/SSL_ERROR_ECH_RETRY_WITH_ECH/);
  });

  it('a client whose server has no ECH any more is told so', async () => {
    const { port } = await listen();
    await tstclnt(port, key.configList).until(/SSL_ERROR_ECH_RETRY_WITHOUT_ECH/);
  });
});
