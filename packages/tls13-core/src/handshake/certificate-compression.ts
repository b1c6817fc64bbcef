/** Certificate compression (RFC 8879), for both roles: Certificates that travel smaller, and are bounded when they grow. */
import { TlsError } from '../alert.js';
import { equal } from '../bytes.js';
import type { CertificateCompressor, Credential } from '../config/index.js';
import { certificateCompressionAlgorithms, handshakeTypes, nameOf } from '../registry.js';
import type { CommonSettings } from '../settings/index.js';
import {
  type Certificate,
  type CompressedCertificate,
  decodeCertificate,
  encodeMessage,
  handshakeHeaderLength,
} from '../wire/index.js';
import type { MessageOf, Transition } from './step.js';

/** compress_certificate: what this side can decompress, best first; left out where that is nothing (RFC 8879 §3). */
export function acceptedCompression({ certificateCompression }: CommonSettings): readonly number[] | undefined {
  const codes = certificateCompression.flatMap(({ algorithm, decompress }) => (decompress ? [algorithm] : []));
  return codes.length === 0 ? undefined : codes;
}

/** What a table does with a CompressedCertificate: the same as with the Certificate in it. The transcript has it as it came. */
export function compressed<State, To, Context extends { readonly settings: CommonSettings }>(
  receive: (state: State, message: MessageOf<'certificate'>, context: Context) => Transition<To>,
): (state: State, message: MessageOf<'compressed_certificate'>, context: Context) => Transition<To> {
  return (state, { body, bytes }, context) =>
    receive(state, { type: 'certificate', body: expand(body, context.settings), bytes }, context);
}

export interface CompressibleCertificate {
  readonly credential: Credential;
  /** The whole Certificate message. */
  readonly message: Uint8Array;
  /** Best first. */
  readonly compressors: readonly CertificateCompressor[];
  /** The peer's compress_certificate. */
  readonly accepted: readonly number[];
}

/** The message to send, and the name of what it is compressed with, when there is anything in common. */
export function compress(given: CompressibleCertificate): {
  readonly message: Uint8Array;
  readonly compression: string | undefined;
} {
  const { credential, message, compressors, accepted } = given;
  const chosen = compressors.find(({ algorithm, compress: can }) => can !== undefined && accepted.includes(algorithm));
  if (chosen?.compress === undefined) return { message, compression: undefined };
  const body = message.subarray(handshakeHeaderLength);
  const kept = compressedBodies.get(credential)?.get(chosen);
  const compressedCertificate = kept !== undefined && equal(kept.body, body) ? kept.compressed : chosen.compress(body);
  if (kept?.compressed !== compressedCertificate) keep(credential, chosen, { body, compressed: compressedCertificate });
  return {
    message: encodeMessage('compressed_certificate', {
      algorithm: chosen.algorithm,
      uncompressedLength: body.length,
      compressedCertificateMessage: compressedCertificate,
    }),
    compression: nameOf(certificateCompressionAlgorithms, chosen.algorithm),
  };
}

function expand(body: CompressedCertificate, { certificateCompression, limits }: CommonSettings): Certificate {
  const { algorithm, uncompressedLength: length, compressedCertificateMessage } = body;
  const name = nameOf(certificateCompressionAlgorithms, algorithm);
  const offered = certificateCompression.filter(({ decompress }) => decompress !== undefined);
  if (offered.length === 0) {
    throw new TlsError(
      'unexpected_message',
      `${nameOf(handshakeTypes, handshakeTypes.compressed_certificate)}, and no compression was offered (RFC 8879 §4)`,
    );
  }
  const compressor = offered.find((one) => one.algorithm === algorithm);
  if (compressor?.decompress === undefined) {
    const names = offered.map((one) => nameOf(certificateCompressionAlgorithms, one.algorithm)).join(', ');
    throw new TlsError('illegal_parameter', `a certificate compressed by ${name}; offered were ${names} (RFC 8879 §4)`);
  }
  if (length > limits.handshakeMessage) {
    throw new TlsError(
      'bad_certificate',
      `a compressed certificate of ${length} bytes; at most ${limits.handshakeMessage} are accepted (limits.handshakeMessage)`,
    );
  }
  const whole = decompressed(compressor.decompress, compressedCertificateMessage, length);
  if (whole?.length !== length) {
    throw new TlsError(
      'bad_certificate',
      `a certificate compressed by ${name} does not decompress to the ${length} bytes it is said to have (RFC 8879 §4)`,
    );
  }
  return { ...decodeCertificate(whole), compression: name };
}

function decompressed(
  decompress: NonNullable<CertificateCompressor['decompress']>,
  bytes: Uint8Array,
  length: number,
): Uint8Array | undefined {
  try {
    return decompress(bytes, length);
  } catch {
    // Whatever a decompressor throws is about what the peer sent.
    return undefined;
  }
}

interface Kept {
  readonly body: Uint8Array;
  readonly compressed: Uint8Array;
}

/** The last of each credential and compressor: a server compresses its chain once, unless what is stapled changes. */
const compressedBodies = new WeakMap<Credential, Map<CertificateCompressor, Kept>>();

function keep(credential: Credential, compressor: CertificateCompressor, kept: Kept): void {
  const bodies = compressedBodies.get(credential) ?? new Map<CertificateCompressor, Kept>();
  bodies.set(compressor, kept);
  compressedBodies.set(credential, bodies);
}
