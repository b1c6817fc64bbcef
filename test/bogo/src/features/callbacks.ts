/** When and how an application is asked, and that it may refuse: each flag is used where its callback is. */
import { readClientHello, TlsError } from 'tls13-core';
import type { Feature } from '../feature.js';
import type { Flags } from '../flags.js';
import type { Wire } from '../wire.js';
import { versionRefusal } from './older-versions.js';

export const callbacks: Feature = {
  flags: {
    switches: [
      'async',
      'fail-cert-callback',
      'fail-ddos-callback',
      'fail-early-callback',
      'install-ddos-callback',
      'use-custom-verify-callback',
      'use-early-callback',
      'use-old-client-cert-callback',
      'use-ticket-aead-callback',
      'use-ticket-callback',
    ],
  },
};

/** Whether a server looks at the ClientHello before its engine does. */
export function looksFirst(flags: Flags): boolean {
  return flags.switches.has('install-ddos-callback') || versionRefusal(flags) !== undefined;
}

/** The beginning of the stream, through the ClientHello, and why the connection is refused, if it is. */
export async function lookFirst(
  wire: Wire,
  flags: Flags,
): Promise<{ readonly bytes: Uint8Array; readonly refusal: TlsError | undefined }> {
  let bytes = new Uint8Array(0);
  for (;;) {
    const read = readClientHello(bytes);
    if ('hello' in read) break;
    const more = await wire.read(read.wanted - bytes.length);
    if (more === undefined) break;
    bytes = new Uint8Array(Buffer.concat([bytes, more]));
  }
  const refused = flags.switches.has('fail-ddos-callback');
  const refusal = refused
    ? new TlsError('internal_error', 'the callback refuses the connection')
    : versionRefusal(flags);
  return { bytes, refusal };
}
