/** What GnuTLS, or its programs, have not. */
import { hybrids, type Reasons } from '../peer.js';

const compression = 'Debian builds it without certificate compression';

export const lackedByGnutls: Reasons = {
  ...hybrids('Debian builds it without ML-KEM'),
  ech: 'GnuTLS has no ECH',
  'ech-rejected': 'GnuTLS has no ECH',
  'ech-grease': { client: 'GnuTLS has no ECH' },
  'ech-retry': 'GnuTLS has no ECH',
  'psk-sha384': 'its programs take keys for SHA-256',
  delegated: 'GnuTLS has no delegated credentials',
  'compress-zlib': compression,
  'compress-brotli': compression,
  'compress-zstd': compression,
  'compress-client': compression,
  authorities: { client: 'gnutls-cli does not say what it is told' },
  'post-handshake': { server: 'gnutls-serv cannot be told to' },
  'their-padding': 'its programs cannot be told to pad',
  'their-small-records': 'its programs cannot be told to send smaller records',
  'key-update': { server: 'gnutls-serv cannot be told to' },
  'key-update-requested': { server: 'gnutls-serv cannot be told to' },
  'peer-closes': { server: 'gnutls-serv cannot be told to' },
};
