/** What TLS 1.3 is or has anyway, and what belongs to versions that this library does not speak. */
import { type Deviations, TlsError } from 'tls13-core';
import type { Feature } from '../feature.js';
import { type Flags, number } from '../flags.js';

// The runner was written for RFC 8446 and for BoringSSL.
const deviations = (flags: Flags): Deviations => ({
  anyLegacyVersion: true,
  recordVersions: true,
  unprotectedRecords: true,
  alertLevels: true,
  misplacedExtensions: true,
  shortBinders: true,
  unofferedProtocols: flags.switches.has('allow-unknown-alpn-protos'),
});

export const olderVersions: Feature = {
  flags: {
    switches: [
      'allow-unknown-alpn-protos',
      'expect-extended-master-secret',
      'expect-secure-renegotiation',
      'fallback-scsv',
      'no-legacy-server-connect',
      'no-tls1',
      'no-tls11',
      'no-tls12',
      'renegotiate-freely',
    ],
    values: ['advertise-npn', 'cipher', 'max-version', 'min-version', 'select-next-proto', 'srtp-profiles'],
  },
  client: (flags) => ({ deviations: deviations(flags), fallbackScsv: flags.switches.has('fallback-scsv') }),
  server: (flags) => ({ deviations: deviations(flags) }),
};

/** What a server that may speak no version of this library's says to every client. */
export function versionRefusal(flags: Flags): TlsError | undefined {
  const most = number(flags, 'max-version') ?? tls13;
  if (most >= tls13) return undefined;
  return new TlsError('protocol_version', `the versions up to 0x0${most.toString(16)} are none of this library's`);
}

const tls13 = 0x0304;
