/** Resumption. */
import { expect } from 'vitest';
import { clientIdentity, trusted } from '../../identities.js';
import { both, type Feature, simple } from './feature.js';

const group = 'Sessions';

const key = Buffer.from('000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f', 'hex');
const externalPsk = { identity: 'interop', key, hash: 'sha256' } as const;
const psks = [{ identity: Buffer.from(externalPsk.identity), key }];

/** As long as the hash, which some take for the sign of which hash it is for. */
const long = { identity: 'interop', key: Buffer.concat([key, key.subarray(0, 16)]), hash: 'sha384' } as const;
const longPsk = { identity: Buffer.from(long.identity), key: long.key, hash: long.hash };

export const sessions: readonly Feature[] = [
  {
    id: 'resumption',
    title: 'Resumption by a ticket',
    group,
    ...both(async (cell) => {
      const { first, ...pair } = await cell.resume();
      expect(first.info?.resumed).toBe(false);
      await cell.check(pair, { resumed: true, signatureScheme: undefined }, { resumed: true });
    }),
  },
  {
    id: 'resumption-retry',
    title: 'Resumption after a HelloRetryRequest',
    group,
    client: async (cell) => {
      const pair = await cell.resume({ groups: ['x25519', 'secp256r1'] }, { ecdhCurve: ['secp256r1'] });
      await cell.check(pair, { resumed: true, helloRetryRequest: true }, { resumed: true });
    },
    server: async (cell) => {
      const options = { ecdhCurve: ['x25519', 'secp256r1'], keyShares: ['x25519' as const] };
      const pair = await cell.resume({ groups: ['secp256r1'] }, options);
      await cell.check(pair, { resumed: true, helloRetryRequest: true }, { resumed: true });
    },
  },
  {
    id: 'psk',
    title: 'External PSK, with (EC)DHE',
    group,
    ...both(
      simple({
        // The key goes with suites of its hash.
        theirs: { externalPsk, suite: 'TLS_AES_128_GCM_SHA256' },
        ours: { asClient: { psks }, asServer: { psks } },
        info: { authentication: 'psk', resumed: false, peerCertificates: [] },
      }),
    ),
  },
  {
    id: 'psk-sha384',
    title: 'External PSK of SHA-384',
    group,
    ...both(
      simple({
        theirs: { externalPsk: long, suite: 'TLS_AES_256_GCM_SHA384' },
        ours: { asClient: { psks: [longPsk] }, asServer: { psks: [longPsk] } },
        info: { authentication: 'psk', cipherSuite: 'TLS_AES_256_GCM_SHA384' },
      }),
    ),
  },
  {
    id: 'psk-alone',
    title: 'External PSK alone (psk_ke)',
    group,
    ...both(
      simple({
        theirs: { externalPsk, pskAlone: true, suite: 'TLS_AES_128_GCM_SHA256' },
        ours: { pskKeyExchangeModes: ['psk_ke'], asClient: { psks }, asServer: { psks } },
        info: { authentication: 'psk', group: undefined },
      }),
    ),
  },
  {
    id: 'resumption-client',
    title: 'Resumption of a session with a client certificate',
    group,
    client: async (cell) => {
      const options = { requestCert: true, ca: trusted.pem };
      const pair = await cell.resume({ identity: clientIdentity('p256').files }, options);
      await cell.check(pair, { resumed: true }, { resumed: true });
      expect(pair.connection.getPeerX509Certificate()?.subject).toBe('CN=client p256');
    },
  },
];
