/** What TLS 1.3 is or has anyway, and what belongs to versions that this library does not speak. */
import type { Feature } from '../feature.js';

export const olderVersions: Feature = {
  flags: {
    switches: [
      'expect-extended-master-secret',
      'expect-secure-renegotiation',
      'no-legacy-server-connect',
      'no-tls1',
      'no-tls11',
      'no-tls12',
      'renegotiate-freely',
    ],
    values: ['advertise-npn', 'cipher', 'max-version', 'min-version', 'select-next-proto', 'srtp-profiles'],
  },
};
