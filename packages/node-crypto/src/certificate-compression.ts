/** Compressors of certificates (RFC 8879) by node:zlib: zlib, brotli, and zstd where this Node has it (22.15 and later). */
import * as zlib from 'node:zlib';
import type { CertificateCompressionName, CertificateCompressor } from 'tls13-core';

/** What this Node can, best first. */
export function supportedCertificateCompression(): readonly CertificateCompressionName[] {
  return zstd === undefined ? ['brotli', 'zlib'] : ['brotli', 'zstd', 'zlib'];
}

/**
 * The compressors of these names, in their order. Throws TypeError for a name that is unknown, or that this Node does not
 * have. Each decompresses to no more bytes than it is told.
 */
export function certificateCompressors(names: readonly CertificateCompressionName[]): readonly CertificateCompressor[] {
  return names.map((name) => {
    if (!Object.hasOwn(algorithms, name)) {
      const known = Object.keys(algorithms).join(', ');
      throw new TypeError(`certificate compression '${String(name)}' is unknown; known are ${known}`);
    }
    const codec = codecs[name];
    if (codec === undefined)
      throw new TypeError(`certificate compression zstd needs Node 22.15; this is ${process.version}`);
    return { algorithm: algorithms[name], ...codec };
  });
}

/** RFC 8879 §3 */
const algorithms = { zlib: 1, brotli: 2, zstd: 3 } as const satisfies Record<CertificateCompressionName, number>;

type Codec = Required<Pick<CertificateCompressor, 'compress' | 'decompress'>>;

/** Of zlib: not there before Node 22.15, nor in the types of Node 20. */
const zstd = zstdOf(zlib);

const codecs: Readonly<Record<CertificateCompressionName, Codec | undefined>> = {
  zlib: {
    compress: (certificate) => plain(zlib.deflateSync(certificate, { level: 9 })),
    decompress: (compressed, length) => plain(zlib.inflateSync(compressed, { maxOutputLength: length })),
  },
  brotli: {
    compress: (certificate) => plain(zlib.brotliCompressSync(certificate)),
    decompress: (compressed, length) => plain(zlib.brotliDecompressSync(compressed, { maxOutputLength: length })),
  },
  zstd,
};

function zstdOf(module: object): Codec | undefined {
  if (!('zstdCompressSync' in module) || !('zstdDecompressSync' in module)) return undefined;
  const { zstdCompressSync: compress, zstdDecompressSync: decompress } = module;
  if (typeof compress !== 'function' || typeof decompress !== 'function') return undefined;
  return {
    compress: (certificate) => plain(bufferOf(compress(certificate))),
    decompress: (compressed, length) => plain(bufferOf(decompress(compressed, { maxOutputLength: length }))),
  };
}

function bufferOf(value: unknown): Buffer {
  if (Buffer.isBuffer(value)) return value;
  throw new TypeError('node:zlib answered something else than bytes');
}

/** A Uint8Array, as everywhere in the core. */
function plain(bytes: Buffer): Uint8Array {
  return new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.length);
}
