/** Raw public keys (RFC 7250): the server's, and the client's. */
import { createPublicKey } from 'node:crypto';
import { expect } from 'vitest';
import { clientIdentity, type Identity, serverIdentity } from '../../identities.js';
import { dial } from '../../ours.js';
import type { Feature } from './feature.js';

const group = 'Certificates';
const shown = expect.any(Uint8Array);

export const rawPublicKeys: readonly Feature[] = [
  {
    id: 'server-raw-key',
    title: 'Raw public key (RFC 7250) of the server',
    group,
    client: async (cell) => {
      const ours = await cell.listen();
      ours.server.setCredentials({ key: serverIdentity('p256').keyPem, rawPublicKey: true });
      const link = await cell.client(ours, { rawPublicKey: 'server' });
      await cell.check({ link, connection: await ours.next() }, { localRawPublicKey: shown }, {});
    },
    server: async (cell) => {
      const link = await cell.server({ rawPublicKey: 'server' });
      const connection = await dial(link.port, { expectedRawPublicKeys: publicKey(serverIdentity('p256')) });
      expect(connection.authorized).toBe(true);
      await cell.check({ link, connection }, { peerRawPublicKey: shown, peerCertificates: [] }, {});
    },
  },
  {
    id: 'client-raw-key',
    title: 'Raw public key of the client',
    group,
    client: async (cell) => {
      const identity = clientIdentity('p256');
      const ours = { requestCert: true, expectedRawPublicKeys: publicKey(identity) };
      const pair = await cell.connect({ identity: identity.files, rawPublicKey: 'client' }, ours);
      expect(pair.connection.authorized).toBe(true);
      await cell.check(pair, { peerRawPublicKey: shown, peerCertificates: [] }, {});
    },
    server: async (cell) => {
      const ours = { key: clientIdentity('p256').keyPem, rawPublicKey: true };
      const pair = await cell.connect({ requestCert: true, rawPublicKey: 'client' }, ours);
      await cell.check(pair, { localRawPublicKey: shown, localCertificates: [] }, {});
    },
  },
];

function publicKey({ key }: Identity): string {
  return createPublicKey(key).export({ format: 'pem', type: 'spki' }).toString();
}
