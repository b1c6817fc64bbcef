/** The compressors of node:zlib: what one packs the other unpacks, and no more than it is told. */
import { describe, expect, it } from 'vitest';
import { certificateCompressors, supportedCertificateCompression } from '../src/index.js';

const certificate = new Uint8Array(3000).map((_, index) => (index * index) >> 5);

describe.each(supportedCertificateCompression())('%s', (name) => {
  const [compressor] = certificateCompressors([name]);
  if (compressor?.compress === undefined || compressor.decompress === undefined) throw new Error('not both ways');
  const { compress, decompress } = compressor;

  it('comes back as it was', () => {
    const compressed = compress(certificate);
    expect(compressed).not.toEqual(certificate);
    expect(decompress(compressed, certificate.length)).toEqual(certificate);
  });

  it('makes no more bytes than it is told', () => {
    const bomb = compress(new Uint8Array(1 << 22));
    expect(bomb.length).toBeLessThan(8192);
    expect(() => decompress(bomb, 3000)).toThrow();
  });

  it('throws at what is not compressed', () => {
    expect(() => decompress(Uint8Array.of(0xff, 1, 2, 3), 100)).toThrow();
  });
});

describe('certificateCompressors', () => {
  it('refuses names that it does not have', () => {
    // @ts-expect-error: no such algorithm
    expect(() => certificateCompressors(['gzip'])).toThrow(/'gzip' is unknown; known are zlib, brotli, zstd/);
    if (!supportedCertificateCompression().includes('zstd')) {
      expect(() => certificateCompressors(['zstd'])).toThrow(/needs Node 22.15/);
    }
  });
});
