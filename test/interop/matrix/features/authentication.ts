/** Certificates and signatures of both sides. */
import { expect } from 'vitest';
import { clientIdentity, signatures, trusted } from '../../identities.js';
import { exchange } from '../exchange.js';
import { type Feature, simple } from './feature.js';

const group = 'Authentication';

const pairs = [...signatures, { kind: 'ed448', scheme: 'ed448' } as const];

/** Each scheme once, with a key of the first kind that signs with it. */
const schemes = pairs
  .filter(({ scheme }, index) => pairs.findIndex((other) => other.scheme === scheme) === index)
  .map(
    ({ kind, scheme }): Feature => ({
      id: scheme,
      title: scheme,
      group: 'Signatures of the server',
      client: simple({ theirs: { scheme }, kind, info: { signatureScheme: scheme }, said: { scheme, verified: true } }),
      // Some look for the scheme of the certificate's own signature too.
      server: simple({
        ours: { sigalgs: [scheme, 'ecdsa_secp256r1_sha256'] },
        kind,
        info: { signatureScheme: scheme },
      }),
    }),
  );

const clients = (['p256', 'ed25519', 'rsa', 'rsaPss'] as const).map(
  (kind): Feature => ({
    id: `client-${kind}`,
    title: `Client certificate, ${{ p256: 'ECDSA', ed25519: 'Ed25519', rsa: 'RSA', rsaPss: 'RSA-PSS' }[kind]}`,
    group,
    client: async (cell) => {
      const options = { requestCert: true, ca: trusted.pem };
      const pair = await cell.connect({ identity: clientIdentity(kind).files }, options);
      expect(pair.connection.authorized).toBe(true);
      expect(pair.connection.getPeerX509Certificate()?.subject).toBe(`CN=client ${kind}`);
      await cell.check(pair, {}, {});
    },
    server: async (cell) => {
      const { pem, keyPem } = clientIdentity(kind);
      const pair = await cell.connect({ requestCert: true }, { cert: pem, key: keyPem });
      await cell.check(pair, {}, { verified: true });
      expect(pair.connection.info?.clientSignatureScheme).toBeDefined();
    },
  }),
);

export const authentication: readonly Feature[] = [
  ...schemes,
  ...clients,
  {
    id: 'no-client-certificate',
    title: 'An empty client Certificate, where one is requested only',
    group,
    client: async (cell) => {
      const pair = await cell.connect({}, { requestCert: true, rejectUnauthorized: false, ca: trusted.pem });
      expect(pair.connection.authorized).toBe(false);
      await cell.check(pair, { peerCertificates: [] }, {});
    },
  },
  {
    id: 'post-handshake',
    title: 'Client certificate after the handshake (§4.7.2)',
    group,
    client: async (cell) => {
      const ours = { ca: trusted.pem, asServer: { postHandshakeAuthentication: true } };
      const theirs = { identity: clientIdentity('p256').files, postHandshakeAuth: true };
      const pair = await cell.connect(theirs, ours);
      expect(pair.connection.info).toMatchObject({ postHandshakeAuthentication: true, peerCertificates: [] });
      const certificate = await pair.connection.requestCertificate();
      expect(certificate?.subject).toBe('CN=client p256');
      expect(pair.connection.authorized).toBe(true);
      await cell.check(pair, {}, {});
    },
    server: async (cell) => {
      const { pem, keyPem } = clientIdentity('p256');
      const ours = { cert: pem, key: keyPem, asClient: { postHandshakeAuthentication: true } };
      const { connection, link } = await cell.connect({ postHandshakeAuth: true }, ours);
      expect(connection.info?.localCertificates).toEqual([]);
      if (link.service !== 'http') await link.said(1);
      // Who cannot be told to asks when a request has come.
      if (link.service === 'http') await exchange(connection, link, cell.role);
      else link.requestCertificate?.();
      await expect.poll(() => connection.info?.localCertificates.length, { timeout: 10_000 }).toBe(1);
      if (link.service !== 'http') await exchange(connection, link, cell.role);
    },
  },
];
