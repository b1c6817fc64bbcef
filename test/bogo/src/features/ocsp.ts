/** Stapled OCSP responses (§4.5.1.1). */
import type { PeerCertificates } from 'tls13-core';
import { expectBytes } from '../failure.js';
import type { Feature, Seen } from '../feature.js';
import { base64, type Flags } from '../flags.js';

export const ocsp: Feature = {
  flags: { switches: ['enable-ocsp-stapling'], values: ['expect-ocsp-response'] },
  client: (flags) => ({ ocspStapling: flags.switches.has('enable-ocsp-stapling') }),
  check: (_info, flags, seen) => checkResponse(flags, seen.ocspResponse),
};

/** What a peer's certificate came with, while it is verified. */
export function examineResponse(flags: Flags, peer: PeerCertificates, seen: Seen): void {
  seen.ocspResponse = peer.ocspResponse?.slice();
  checkResponse(flags, seen.ocspResponse);
}

function checkResponse(flags: Flags, response: Uint8Array | undefined): void {
  const expected = base64(flags, 'expect-ocsp-response');
  if (expected !== undefined) expectBytes('OCSP response', [response ?? new Uint8Array(0)], [expected]);
}
