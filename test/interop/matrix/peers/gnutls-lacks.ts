/** What GnuTLS, or its programs, have not. */
import { hybrids, type Reasons } from '../peer.js';

export const lackedByGnutls: Reasons = {
  ...hybrids('Debian builds it without ML-KEM'),
  ech: 'GnuTLS has no ECH',
  'ech-rejected': 'GnuTLS has no ECH',
  'ech-grease': { client: 'GnuTLS has no ECH' },
  'their-padding': 'its programs cannot be told to pad',
  'their-small-records': 'its programs cannot be told to send smaller records',
  'key-update': { server: 'gnutls-serv cannot be told to' },
  'key-update-requested': { server: 'gnutls-serv cannot be told to' },
  'peer-closes': { server: 'gnutls-serv cannot be told to' },
};
