/** What the versions of OpenSSL, or its programs, have not. */
import { hybrids, type Reasons } from '../peer.js';

const programs: Reasons = {
  'peer-closes': { server: 's_server closes the socket without a close_notify' },
};

const noEch: Reasons = {
  ech: 'since OpenSSL 4.0',
  'ech-rejected': 'since OpenSSL 4.0',
  'ech-grease': { client: 'since OpenSSL 4.0' },
};

export const lackedBy30: Reasons = {
  ...programs,
  ...noEch,
  ...hybrids('since OpenSSL 3.5'),
};

export const lackedBy36: Reasons = {
  ...programs,
  ...noEch,
};

export const lackedBy40: Reasons = {
  ...programs,
};
