/** What the versions of OpenSSL, or its programs, have not. */
import { hybrids, type Reasons } from '../peer.js';

const programs: Reasons = {
  delegated: 'OpenSSL has no delegated credentials',
  'record-size-limit': 'OpenSSL has no record_size_limit',
  'compress-brotli': 'Debian builds it without brotli',
  'peer-closes': { server: 's_server closes the socket without a close_notify' },
};

const noEch: Reasons = {
  ech: 'since OpenSSL 4.0',
  'ech-retry': 'since OpenSSL 4.0',
  'ech-rejected': 'since OpenSSL 4.0',
  'ech-grease': { client: 'since OpenSSL 4.0' },
};

export const lackedBy30: Reasons = {
  ...programs,
  ...noEch,
  ...hybrids('since OpenSSL 3.5'),
  'server-raw-key': 'since OpenSSL 3.2',
  'client-raw-key': 'since OpenSSL 3.2',
  'compress-zlib': 'since OpenSSL 3.2',
  'compress-brotli': 'since OpenSSL 3.2',
  'compress-zstd': 'since OpenSSL 3.2',
  'compress-client': 'since OpenSSL 3.2',
};

export const lackedBy36: Reasons = {
  ...programs,
  ...noEch,
};

export const lackedBy40: Reasons = {
  ...programs,
};
