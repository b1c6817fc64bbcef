/** What the versions of OpenSSL, or its programs, have not. */
import { hybrids, type Reasons } from '../peer.js';

const programs: Reasons = {
  'peer-closes': { server: 's_server closes the socket without a close_notify' },
};

export const lackedBy30: Reasons = {
  ...programs,
  ...hybrids('since OpenSSL 3.5'),
};

export const lackedBy36: Reasons = {
  ...programs,
};

export const lackedBy40: Reasons = {
  ...programs,
};
