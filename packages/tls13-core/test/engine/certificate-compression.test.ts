/** Certificate compression (RFC 8879), both roles: what is negotiated, and what a peer must not do. */
import { brotliCompressSync, brotliDecompressSync, deflateSync, inflateSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import type { AlertName } from '../../src/alert.js';
import type { CertificateCompressor } from '../../src/config/index.js';
import { nobleProvider as provider } from '../../src/crypto/noble.js';
import { createServerEngine } from '../../src/engine/index.js';
import { certificateCompressionAlgorithms } from '../../src/registry.js';
import { encodeMessage, handshakeHeaderLength } from '../../src/wire/index.js';
import { credential, identity } from './support/certificates.js';
import { HandClient } from './support/hand-client.js';
import { HandServer } from './support/hand-server.js';
import { connectedPair, pair, serverConfig } from './support/pair.js';

function counting(): CertificateCompressor & { compressed: number } {
  return {
    compressed: 0,
    algorithm: certificateCompressionAlgorithms.zlib,
    compress(certificate) {
      this.compressed += 1;
      return new Uint8Array(deflateSync(certificate));
    },
    decompress: (compressed, length) => new Uint8Array(inflateSync(compressed, { maxOutputLength: length })),
  };
}

const zlib = counting();
const brotli: CertificateCompressor = {
  algorithm: certificateCompressionAlgorithms.brotli,
  compress: (certificate) => new Uint8Array(brotliCompressSync(certificate)),
  decompress: (compressed, length) => new Uint8Array(brotliDecompressSync(compressed, { maxOutputLength: length })),
};
const both = [brotli, zlib];

/** Certificates compressed with these, from the server and from the client. */
function used(server: readonly CertificateCompressor[], client: readonly CertificateCompressor[]) {
  const joined = connectedPair(provider, {
    client: { certificateCompression: client, credential: credential(provider, 'p256') },
    server: { certificateCompression: server, clientAuthentication: 'require' },
  });
  const [ours, theirs] = [joined.server.engine.info, joined.client.engine.info];
  expect(theirs?.peerCertificates).toEqual([identity('ed25519').certificate]);
  expect(ours?.peerCertificates).toEqual([identity('p256').certificate]);
  expect(theirs?.peerCertificateCompression).toBe(ours?.localCertificateCompression);
  expect(ours?.peerCertificateCompression).toBe(theirs?.localCertificateCompression);
  return [ours?.localCertificateCompression, theirs?.localCertificateCompression];
}

describe('what is negotiated', () => {
  it('each side compresses with its own best of what the other accepts', () => {
    expect(used(both, both)).toEqual(['brotli', 'brotli']);
    expect(used([zlib, brotli], both)).toEqual(['zlib', 'brotli']);
    expect(used([zlib], [brotli])).toEqual([undefined, undefined]);
    expect(used([], both)).toEqual([undefined, undefined]);
    expect(used(both, [])).toEqual([undefined, undefined]);
  });

  it('a side may compress without decompressing, and the other way round', () => {
    const { algorithm, compress, decompress } = zlib;
    const into = { algorithm, ...(compress === undefined ? {} : { compress: compress.bind(zlib) }) };
    const from = { algorithm, ...(decompress === undefined ? {} : { decompress }) };
    expect(used([into], [from])).toEqual(['zlib', undefined]);
    expect(used([from], [into])).toEqual([undefined, 'zlib']);
  });

  it('an empty Certificate is not compressed', () => {
    const { server } = connectedPair(provider, {
      client: { certificateCompression: both },
      server: { certificateCompression: both, clientAuthentication: 'request' },
    });
    expect(server.engine.info).toMatchObject({ peerCertificates: [], peerCertificateCompression: undefined });
  });

  it('a server compresses a chain once, and again when what is stapled to it changes', () => {
    const once = counting();
    let ocspResponse = Uint8Array.of(0x30, 0);
    const chain = { ...credential(provider, 'ed25519'), ocspResponse: () => ocspResponse };
    const server = { credentials: [chain], certificateCompression: [once] };
    const connect = () => connectedPair(provider, { server, client: { certificateCompression: both } }).client.engine;
    for (let connection = 0; connection < 3; connection += 1)
      expect(connect().info?.ocspResponse).toEqual(ocspResponse);
    expect(once.compressed).toBe(1);
    ocspResponse = Uint8Array.of(0x30, 1, 0);
    expect(connect().info?.ocspResponse).toEqual(ocspResponse);
    expect(once.compressed).toBe(2);
  });
});

/** A Certificate of the kind's leaf, as `change` makes a CompressedCertificate of it. */
type Made = { readonly algorithm?: number; readonly length?: number; readonly bytes?: Uint8Array };
const right = encodeMessage('certificate', {
  certificateRequestContext: new Uint8Array(0),
  certificateList: [{ certData: identity('ed25519').certificate, extensions: {} }],
}).subarray(handshakeHeaderLength);

function compressed({ algorithm = zlib.algorithm, length = right.length, bytes = deflateSync(right) }: Made) {
  const uncompressedLength = length;
  return { algorithm, uncompressedLength, compressedCertificateMessage: bytes };
}

describe('what a peer must not do', () => {
  const bomb = deflateSync(new Uint8Array(1 << 20));
  const cases: readonly (readonly [string, AlertName, Made])[] = [
    ['an algorithm that was not offered', 'illegal_parameter', { algorithm: certificateCompressionAlgorithms.zstd }],
    ['a length that is too small', 'bad_certificate', { length: right.length - 1 }],
    ['a length that is too large', 'bad_certificate', { length: right.length + 1 }],
    ['no length', 'bad_certificate', { length: 0 }],
    ['more than a handshake message may have', 'bad_certificate', { length: 131_073, bytes: bomb }],
    ['a bomb behind a modest length', 'bad_certificate', { bytes: bomb }],
    ['bytes that are not compressed', 'bad_certificate', { bytes: right }],
    ['compressed bytes that are cut', 'bad_certificate', { bytes: deflateSync(right).subarray(0, 40) }],
    ['a certificate that is none', 'decode_error', { bytes: deflateSync(new Uint8Array(9)), length: 9 }],
  ];

  it.each(cases)('a server: %s is %s', (_what, alert, made) => {
    const server = new HandServer(provider, { serverName: 'example.test', certificateCompression: both });
    server.serverHello().encryptedExtensions();
    server.compressedCertificate(compressed(made));
    server.expectRefusal(alert);
  });

  it.each(cases)('a client: %s is %s', (_what, alert, made) => {
    const asking = { clientAuthentication: 'require', verifyPeer: () => {}, certificateCompression: both } as const;
    const client = new HandClient(provider, asking);
    client.clientHello();
    client.compressedCertificate(compressed(made));
    client.expectRefusal(alert);
  });

  it('a server: compression that nobody offered is unexpected_message', () => {
    const server = new HandServer(provider, { serverName: 'example.test' }).serverHello().encryptedExtensions();
    server.compressedCertificate(compressed({}));
    server.expectRefusal('unexpected_message');
  });

  it('a client: the same algorithm twice is illegal_parameter, whether there is any in common or not', () => {
    for (const certificateCompression of [[], both]) {
      new HandClient(provider, { certificateCompression })
        .clientHello((hello) => ({
          ...hello,
          extensions: { ...hello.extensions, extra: [{ type: 27, data: Uint8Array.of(4, 0, 1, 0, 1) }] },
        }))
        .expectRefusal('illegal_parameter');
    }
  });
});

describe('what is configured wrong', () => {
  it.each([
    ['twice the same', [zlib, zlib], /stands twice/],
    ['no code', [{ ...zlib, algorithm: 0 }], /no code of RFC 8879/],
    ['neither way', [{ algorithm: 1 }], /neither compresses nor decompresses/],
  ])('%s', (_what, certificateCompression, message) => {
    expect(() => createServerEngine(serverConfig(provider, { certificateCompression }))).toThrow(message);
  });

  it('a compressor that throws ends the handshake with internal_error', () => {
    const broken: CertificateCompressor = {
      algorithm: 1,
      compress() {
        throw new Error('out of order');
      },
    };
    const { server } = pair(provider, {
      server: { certificateCompression: [broken] },
      client: { certificateCompression: both },
    }).handshake();
    expect(server.engine.error).toMatchObject({ alert: 'internal_error' });
  });
});
