/** This side's Certificate and CertificateVerify (§4.5.1, §4.5.2), for both roles: how they are made. */
import { type Awaitable, whenKnown } from '../awaitable.js';
import type { CertificateCompressor, Credential } from '../config/index.js';
import type { Transcript } from '../keys/transcript.js';
import { extensionTypes, type SignatureSchemeName, signatureSchemes } from '../registry.js';
import {
  type CertificateExtensionsToSend,
  encodeCertificateStatus,
  encodeMessage,
  ocspStatusType,
} from '../wire/index.js';
import { compress } from './certificate-compression.js';
import { type SigningRole, signedContent } from './certificate-verify.js';

/** A credential, and the scheme to sign with that the peer accepts. */
export interface ChosenCredential {
  readonly credential: Credential;
  readonly scheme: SignatureSchemeName;
}

/** The request that a Certificate answers. */
export interface CertificateAnswer {
  readonly role: SigningRole;
  /** certificate_request_context: empty in the handshake (§4.4.2). */
  readonly context: Uint8Array;
  /** Through the last message before the Certificate. */
  readonly transcript: Transcript;
  /** Types of the extensions of the ClientHello or CertificateRequest that it answers: what may be shown (§4.3). */
  readonly asked: readonly number[];
  /** Its compress_certificate, and what this side has (RFC 8879). */
  readonly acceptedCompression: readonly number[];
  readonly compressors: readonly CertificateCompressor[];
}

/** Messages that are made, and the transcript through the last of them. */
export interface Authentication {
  readonly messages: readonly Uint8Array[];
  readonly transcript: Transcript;
  /** What the Certificate is compressed with (RFC 8879). */
  readonly compression: string | undefined;
}

/** Certificate and CertificateVerify. */
export function authenticate(chosen: ChosenCredential, answer: CertificateAnswer): Awaitable<Authentication> {
  const { credential, scheme } = chosen;
  return whenKnown(leafExtensions(credential, answer.asked), (extensions) => {
    const plain = certificateMessage(credential, answer.context, extensions);
    const { acceptedCompression: accepted } = answer;
    // There is nothing to gain with a key alone.
    const compressors = credential.rawPublicKey === undefined ? answer.compressors : [];
    const { message: certificate, compression } = compress({ credential, message: plain, compressors, accepted });
    const throughCertificate = answer.transcript.append(certificate);
    const content = signedContent(answer.role, throughCertificate.digest());
    return whenKnown(credential.signer.sign(scheme, content), (signature) => {
      const verify = encodeMessage('certificate_verify', { algorithm: signatureSchemes[scheme], signature });
      return { messages: [certificate, verify], transcript: throughCertificate.append(verify), compression };
    });
  });
}

/** A client's empty Certificate: it has none to show (§4.5.1). No CertificateVerify follows. */
export function authenticateAsNobody({
  context,
  transcript,
}: Pick<CertificateAnswer, 'context' | 'transcript'>): Authentication {
  const message = encodeMessage('certificate', { certificateRequestContext: context, certificateList: [] });
  return { messages: [message], transcript: transcript.append(message), compression: undefined };
}

/** Made once for each credential, unless there is something in it of this connection alone. */
function certificateMessage(
  credential: Credential,
  context: Uint8Array,
  extensions: CertificateExtensionsToSend,
): Uint8Array {
  const { statusRequest, signedCertificateTimestamp } = extensions;
  const lasting = context.length === 0 && statusRequest === undefined && signedCertificateTimestamp === undefined;
  const known = lasting ? lastingMessages.get(credential) : undefined;
  if (known !== undefined) return known;
  const certificateList = entries(credential, extensions);
  const message = encodeMessage('certificate', { certificateRequestContext: context, certificateList });
  if (lasting) lastingMessages.set(credential, message);
  return message;
}

const lastingMessages = new WeakMap<Credential, Uint8Array>();

function entries({ certificateChain, rawPublicKey }: Credential, extensions: CertificateExtensionsToSend) {
  // RFC 7250 §3: one entry, and nothing that is about a certificate.
  if (rawPublicKey !== undefined) return [{ certData: rawPublicKey, extensions: {} }];
  return certificateChain.map((certData, index) => ({ certData, extensions: index === 0 ? extensions : {} }));
}

/** What the peer asked for and the credential has (§4.5.1.1, RFC 6962 §3.3). */
function leafExtensions(credential: Credential, asked: readonly number[]): Awaitable<CertificateExtensionsToSend> {
  const { ocspResponse, delegatedCredential, signedCertificateTimestamps: timestamps = [] } = credential;
  const isAsked = (name: 'status_request' | 'signed_certificate_timestamp') => asked.includes(extensionTypes[name]);
  const signedCertificateTimestamp =
    timestamps.length > 0 && isAsked('signed_certificate_timestamp') ? timestamps : undefined;
  if (!isAsked('status_request')) return { signedCertificateTimestamp, delegatedCredential };
  const given = typeof ocspResponse === 'function' ? ocspResponse() : ocspResponse;
  return whenKnown(given, (response) => ({
    statusRequest: response && encodeCertificateStatus({ statusType: ocspStatusType, response }),
    signedCertificateTimestamp,
    delegatedCredential,
  }));
}
