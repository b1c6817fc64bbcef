/** Stapled OCSP responses (§4.5.1.1) and SCTs (RFC 6962): what this side shows, and what it makes of the peer's. */
import { type Credential, type PeerIdentity, TlsError } from 'tls13-core';
import { expectBytes } from '../failure.js';
import type { Feature, Seen } from '../feature.js';
import { base64, type CredentialFlags, type Flags } from '../flags.js';
import { answerer } from '../world.js';

export const ocsp: Feature = {
  flags: {
    switches: [
      'decline-ocsp-callback',
      'enable-ocsp-stapling',
      'enable-signed-cert-timestamps',
      'fail-ocsp-callback',
      'set-ocsp-in-callback',
      'use-ocsp-callback',
    ],
    values: ['expect-ocsp-response', 'expect-signed-cert-timestamps', 'ocsp-response', 'signed-cert-timestamps'],
  },
  client: (flags) => ({
    ocspStapling: flags.switches.has('enable-ocsp-stapling'),
    signedCertificateTimestamps: flags.switches.has('enable-signed-cert-timestamps'),
  }),
  check(info, flags, seen) {
    checkResponse(flags, info.ocspResponse);
    // That it is shown to whoever verifies is part of the case, where anybody does.
    if (!info.resumed) checkResponse(flags, seen.ocspResponse);
    const timestamps = base64(flags, 'expect-signed-cert-timestamps');
    if (timestamps !== undefined) {
      expectBytes('SCTs', info.signedCertificateTimestamps, timestampsOf(timestamps));
    }
  },
};

/** What a credential shows beside its chain; a callback, where there is one, has the last word on the response. */
export function shownWith(
  source: Flags | CredentialFlags,
  flags: Flags,
): Pick<Credential, 'ocspResponse' | 'signedCertificateTimestamps'> {
  const response = base64(source, 'ocsp-response');
  const timestamps = base64(source, 'signed-cert-timestamps');
  const asked = flags.switches.has('use-ocsp-callback');
  const later = answerer(flags.switches.has('async'));
  const given = asked ? () => later(() => callback(flags, response)) : response;
  return {
    ...(given === undefined ? {} : { ocspResponse: given }),
    ...(timestamps === undefined ? {} : { signedCertificateTimestamps: timestampsOf(timestamps) }),
  };
}

/** What a peer's certificate came with, while it is verified. */
export function examineResponse(flags: Flags, peer: PeerIdentity, seen: Seen): void {
  seen.ocspResponse = peer.certificateType === 'x509' ? peer.ocspResponse?.slice() : undefined;
  checkResponse(flags, seen.ocspResponse);
  if (flags.switches.has('use-ocsp-callback') && flags.switches.has('fail-ocsp-callback')) {
    throw new TlsError('bad_certificate_status_response', 'the OCSP callback refuses the response');
  }
}

function callback({ switches }: Flags, response: Uint8Array | undefined): Uint8Array | undefined {
  if (switches.has('fail-ocsp-callback')) throw new TlsError('internal_error', 'the OCSP callback fails');
  return switches.has('decline-ocsp-callback') ? undefined : response;
}

function checkResponse(flags: Flags, response: Uint8Array | undefined): void {
  const expected = base64(flags, 'expect-ocsp-response');
  if (expected !== undefined) expectBytes('OCSP response', [response ?? new Uint8Array(0)], [expected]);
}

/** SignedCertificateTimestampList (RFC 6962 §3.3). */
function timestampsOf(list: Uint8Array): readonly Uint8Array[] {
  const found: Uint8Array[] = [];
  for (let rest = list.subarray(2); rest.length > 0; ) {
    const end = 2 + (rest[0] ?? 0) * 256 + (rest[1] ?? 0);
    found.push(rest.slice(2, end));
    rest = rest.subarray(end);
  }
  return found;
}
