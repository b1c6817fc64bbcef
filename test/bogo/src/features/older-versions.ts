/** What TLS 1.3 is or has anyway, and what belongs to versions that this library does not speak. */
import type { Deviations } from 'tls13-core';
import type { Feature } from '../feature.js';

// The runner was written for RFC 8446 and for BoringSSL.
const deviations: Deviations = {
  anyLegacyVersion: true,
  recordVersions: true,
  unprotectedRecords: true,
  alertLevels: true,
  misplacedExtensions: true,
  shortBinders: true,
};

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
  client: () => ({ deviations }),
  server: () => ({ deviations }),
};
