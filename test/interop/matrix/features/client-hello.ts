/** The ClientHello: encrypted, or with what nobody knows in it. */
import { writeFileSync } from 'node:fs';
import { generateEchConfig } from 'tls13-core';
import { createProvider } from 'tls13-node-crypto';
import { expect } from 'vitest';
import { echPem } from '../../../../packages/server/src/ech.js';
import { namedIdentity, scratch } from '../../identities.js';
import { dial, dialInVain } from '../../ours.js';
import type { EchWish } from '../peer.js';
import { type Feature, simple } from './feature.js';

const group = 'Encrypted Client Hello (RFC 9849)';
const publicName = 'public.example';
const secretName = 'secret.example';

export const clientHello: readonly Feature[] = [
  {
    id: 'ech',
    title: 'Accepted: the name is encrypted',
    group,
    client: async (cell) => {
      const { wish, pem } = makeKey();
      const credentials = [publicName, secretName].map((name) => {
        const { pem: cert, keyPem: key } = namedIdentity(name);
        return { cert, key };
      });
      const pair = await cell.connect(
        { servername: secretName, ech: wish },
        { credentials, asServer: { ech: { keys: pem } } },
      );
      await cell.check(pair, { echAccepted: true, serverName: secretName }, { ech: true });
      expect(pair.connection.getX509Certificate()?.subject).toBe(`CN=${secretName}`);
    },
    server: async (cell) => {
      const { wish } = makeKey();
      const {
        port,
        echConfigs = wish.configs,
        ...link
      } = await cell.server({
        identity: namedIdentity(secretName).files,
        ech: wish,
      });
      const ech = { configs: echConfigs ?? '', required: true };
      const connection = await dial(port, { servername: secretName, ech });
      await cell.check({ link, connection }, { echAccepted: true, serverName: secretName }, { ech: true });
    },
  },
  {
    id: 'ech-retry',
    title: 'Accepted after a HelloRetryRequest',
    group,
    client: async (cell) => {
      const { wish, pem } = makeKey();
      const { pem: cert, keyPem: key } = namedIdentity(secretName);
      const theirs = { servername: secretName, ech: wish, groups: ['x25519', 'secp256r1'] as const };
      const ours = { cert, key, ecdhCurve: ['secp256r1'], asServer: { ech: { keys: pem } } };
      const pair = await cell.connect(theirs, ours);
      await cell.check(pair, { echAccepted: true, helloRetryRequest: true, serverName: secretName }, { ech: true });
    },
    server: async (cell) => {
      const { wish } = makeKey();
      const theirs = { identity: namedIdentity(secretName).files, ech: wish, groups: ['secp256r1'] as const };
      const { port, echConfigs = wish.configs, ...link } = await cell.server(theirs);
      const connection = await dial(port, {
        servername: secretName,
        ecdhCurve: ['x25519', 'secp256r1'],
        keyShares: ['x25519'],
        ech: { configs: echConfigs ?? '', required: true },
      });
      await cell.check({ link, connection }, { echAccepted: true, helloRetryRequest: true }, { ech: true });
    },
  },
  {
    id: 'ech-rejected',
    title: 'Rejected, with new configurations',
    group,
    server: async (cell) => {
      const { wish } = makeKey();
      const { port } = await cell.server({ identity: namedIdentity(publicName).files, ech: wish });
      const error = await dialInVain(port, { servername: secretName, ech: { configs: makeKey().wish.configs ?? '' } });
      expect(error).toMatchObject({ alert: 'ech_required', retryConfigs: expect.any(Uint8Array) });
    },
  },
  {
    id: 'ech-grease',
    title: 'A dummy (GREASE ECH)',
    group,
    client: async (cell) => {
      const pair = await cell.connect({ ech: { grease: true } }, { asServer: { ech: { keys: makeKey().pem } } });
      await cell.check(pair, { echAccepted: false }, {});
    },
    server: simple({ ours: { asClient: { ech: { grease: true } } }, info: { echAccepted: false } }),
  },
];

export const strange: readonly Feature[] = [
  {
    id: 'grease',
    title: 'GREASE (RFC 8701) and extensions in any order, from us',
    group: 'Handshake',
    client: simple({ ours: { grease: true } }),
    server: simple({ ours: { grease: true, asClient: { permuteExtensions: true } } }),
  },
];

function makeKey(): { wish: EchWish; pem: string } {
  const made = generateEchConfig(createProvider(), { publicName });
  const pem = echPem(made);
  const keyFile = scratch('ech.pem');
  writeFileSync(keyFile, pem);
  return { pem, wish: { configs: Buffer.from(made.configList).toString('base64'), keyFile, publicName } };
}
