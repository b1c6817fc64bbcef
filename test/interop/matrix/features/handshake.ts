/** Suites, groups and what a handshake negotiates beside them. */
import { existsSync, readFileSync } from 'node:fs';
import { type CipherSuiteName, cipherSuites, type NamedGroupName, namedGroups } from 'tls13-core';
import { expect } from 'vitest';
import { namedIdentity, scratch } from '../../identities.js';
import { dial } from '../../ours.js';
import { both, type Feature, simple } from './feature.js';

const group = 'Handshake';

function isSuite(name: string): name is CipherSuiteName {
  return Object.hasOwn(cipherSuites, name);
}

function isGroup(name: string): name is NamedGroupName {
  return Object.hasOwn(namedGroups, name);
}

const suites = Object.keys(cipherSuites)
  .filter(isSuite)
  .map(
    (suite): Feature => ({
      id: suite,
      title: suite,
      group: 'Cipher suites',
      ...both(simple({ theirs: { suite }, ours: { ciphers: [suite] }, info: { cipherSuite: suite }, said: { suite } })),
    }),
  );

const groups = Object.keys(namedGroups)
  .filter(isGroup)
  .map(
    (name): Feature => ({
      id: name,
      title: name,
      group: 'Groups',
      ...both(
        simple({
          theirs: { groups: [name] },
          ours: { ecdhCurve: [name] },
          info: { group: name, helloRetryRequest: false },
          said: { group: name },
        }),
      ),
    }),
  );

export const handshake: readonly Feature[] = [
  ...suites,
  ...groups,
  {
    id: 'retry',
    title: 'HelloRetryRequest',
    group,
    client: simple({
      theirs: { groups: ['x25519', 'secp256r1'] },
      ours: { ecdhCurve: ['secp256r1'] },
      info: { group: 'secp256r1', helloRetryRequest: true },
      said: { group: 'secp256r1' },
    }),
    server: simple({
      theirs: { groups: ['secp256r1'] },
      ours: { ecdhCurve: ['x25519', 'secp256r1'], keyShares: ['x25519'] },
      info: { group: 'secp256r1', helloRetryRequest: true },
      said: { group: 'secp256r1' },
    }),
  },
  {
    id: 'stateless-retry',
    title: 'HelloRetryRequest with the server’s state in a cookie',
    group,
    client: simple({
      theirs: { groups: ['x25519', 'secp256r1'] },
      ours: { ecdhCurve: ['secp256r1'], statelessRetry: true },
      info: { group: 'secp256r1', helloRetryRequest: true },
    }),
  },
  {
    id: 'sni',
    title: 'server_name: certificate by name',
    group,
    client: async (cell) => {
      const credentials = ['one.example', 'two.example'].map((name) => {
        const { pem, keyPem } = namedIdentity(name);
        return { cert: pem, key: keyPem };
      });
      const pair = await cell.connect({ servername: 'two.example' }, { credentials });
      expect(pair.connection.getX509Certificate()?.subject).toBe('CN=two.example');
      await cell.check(pair, { serverName: 'two.example' }, { verified: true });
    },
    server: async (cell) => {
      const { port, ...link } = await cell.server({
        identity: namedIdentity('two.example').files,
        servername: 'two.example',
      });
      const connection = await dial(port, { servername: 'two.example' });
      await cell.check({ link, connection }, { serverName: 'two.example' }, { servername: 'two.example' });
      expect(connection.authorized).toBe(true);
    },
  },
  {
    id: 'alpn',
    title: 'application_layer_protocol_negotiation',
    group,
    ...both(
      simple({
        theirs: { alpn: ['spdy/1', 'http/1.1'] },
        ours: { ALPNProtocols: ['h2', 'http/1.1'] },
        info: { alpnProtocol: 'http/1.1' },
        said: { alpn: 'http/1.1' },
      }),
    ),
  },
  {
    id: 'exporter',
    title: 'Exporters (§7.5): the same on both sides',
    group,
    ...both(async (cell) => {
      const pair = await cell.connect({ exporter: 'EXPORTER-interop' });
      const exported = pair.connection.exportKeyingMaterial(32, 'EXPORTER-interop').toString('hex');
      await cell.check(pair, {}, {});
      expect((await pair.link.said(1)).exported).toBe(exported);
    }),
  },
  {
    id: 'channel-binding',
    title: 'tls-exporter (RFC 9266): the same on both sides',
    group,
    ...both(async (cell) => {
      const pair = await cell.connect({ exporter: 'EXPORTER-Channel-Binding' });
      const binding = pair.connection.channelBinding().toString('hex');
      await cell.check(pair, {}, {});
      expect((await pair.link.said(1)).exported).toBe(binding);
    }),
  },
  {
    id: 'key-log',
    title: 'Key log (RFC 9850): the same lines on both sides',
    group,
    ...both(async (cell) => {
      // Ours is held open from its first use on.
      const [theirs, ours] = [scratch(`theirs-${cell.role}.keys`), scratch(`ours-${cell.role}.keys`)];
      const pair = await cell.connect({ keyLog: theirs }, { keyLogFile: ours });
      await cell.check(pair, {}, {});
      expect(secretsIn(ours)).toHaveLength(5);
      await expect.poll(() => secretsIn(theirs)).toEqual(expect.arrayContaining(secretsIn(ours)));
    }),
  },
];

function secretsIn(file: string): string[] {
  const text = existsSync(file) ? readFileSync(file, 'latin1') : '';
  return (text.match(/^(CLIENT|SERVER|EXPORTER)_\w+ [0-9a-f]{64} [0-9a-f]+$/gm) ?? []).sort();
}
