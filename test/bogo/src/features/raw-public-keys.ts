/** Raw public keys (RFC 7250). */
import { createHash } from 'node:crypto';
import { type CertificateTypeName, certificateTypes } from 'tls13-core';
import { candidates } from '../credentials.js';
import { expectBytes, expectSame } from '../failure.js';
import type { Feature } from '../feature.js';
import { base64, type Flags, number, numbers, Unimplemented } from '../flags.js';

export const rawPublicKeys: Feature = {
  flags: {
    switches: ['new-rpk-credential'],
    values: [
      'accepted-peer-cert-types',
      'available-client-cert-types',
      'expect-peer-certificate-type',
      'expect-peer-rpk-sha256',
    ],
  },
  client(flags, world) {
    const accepted = types(flags, 'accepted-peer-cert-types');
    const shown = candidates(flags, world).map(({ credential }) => typeOf(credential.rawPublicKey));
    const available = types(flags, 'available-client-cert-types') ?? (shown.length === 0 ? undefined : shown);
    return {
      ...(accepted === undefined ? {} : { serverCertificateTypes: accepted }),
      ...(available === undefined ? {} : { clientCertificateTypes: available }),
    };
  },
  server(flags) {
    const accepted = types(flags, 'accepted-peer-cert-types');
    return accepted === undefined ? {} : { clientCertificateTypes: accepted };
  },
  check({ peerRawPublicKey }, flags) {
    const expected = number(flags, 'expect-peer-certificate-type');
    if (expected !== undefined) {
      expectSame('type of the peer’s certificate', certificateTypes[typeOf(peerRawPublicKey)], expected);
    }
    const hash = base64(flags, 'expect-peer-rpk-sha256');
    if (hash === undefined) return;
    const seen = createHash('sha256')
      .update(peerRawPublicKey ?? new Uint8Array(0))
      .digest();
    expectBytes('hash of the raw public key', [seen], [hash]);
  },
};

function typeOf(rawPublicKey: Uint8Array | undefined): CertificateTypeName {
  return rawPublicKey === undefined ? 'x509' : 'rawPublicKey';
}

function types(flags: Flags, name: string): readonly CertificateTypeName[] | undefined {
  return numbers(flags, name)?.map((code) => {
    if (code === certificateTypes.x509) return 'x509';
    if (code === certificateTypes.rawPublicKey) return 'rawPublicKey';
    throw new Unimplemented(`certificate type ${code}`);
  });
}
