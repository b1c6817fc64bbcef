/** Certificate compression (RFC 8879) by the runner's algorithms, which are no real ones. */
import type { CertificateCompressor } from 'tls13-core';
import type { Feature } from '../feature.js';
import { type Flags, number } from '../flags.js';
import type { World } from '../world.js';

export const certificateCompression: Feature = {
  flags: { switches: ['install-cert-compression-algs'], values: ['install-one-cert-compression-alg'] },
  client: configured,
  server: configured,
};

function configured(flags: Flags, world: World): { readonly certificateCompression: readonly CertificateCompressor[] } {
  const all = [expanding, shrinking, random(world)];
  const one = number(flags, 'install-one-cert-compression-alg');
  const installed = flags.switches.has('install-cert-compression-algs');
  return { certificateCompression: all.filter(({ algorithm }) => installed || algorithm === one) };
}

/** Leaves out the first two bytes of a Certificate, which are 0. */
const shrinking: CertificateCompressor = {
  algorithm: 0xff01,
  compress: (certificate) => certificate.slice(2),
  decompress: (compressed) => Uint8Array.of(0, 0, ...compressed),
};

const prefix = [1, 2, 3, 4];

const expanding: CertificateCompressor = {
  algorithm: 0xff02,
  compress: (certificate) => Uint8Array.of(...prefix, ...certificate),
  decompress: (compressed) =>
    prefix.every((byte, index) => compressed[index] === byte) ? compressed.slice(prefix.length) : undefined,
};

function random({ provider }: World): CertificateCompressor {
  return {
    algorithm: 0xff03,
    compress: (certificate) => Uint8Array.of(...provider.random(1), ...certificate),
    decompress: (compressed) => compressed.slice(1),
  };
}
