/** This side's Certificate and CertificateVerify (§4.5.1, §4.5.2), for both roles: how they are made. */
import { type Awaitable, whenKnown } from '../awaitable.js';
import type { Credential } from '../config/index.js';
import type { Transcript } from '../keys/transcript.js';
import { type SignatureSchemeName, signatureSchemes } from '../registry.js';
import { encodeMessage } from '../wire/index.js';
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
}

/** Messages that are made, and the transcript through the last of them. */
export interface Authentication {
  readonly messages: readonly Uint8Array[];
  readonly transcript: Transcript;
}

/** Certificate and CertificateVerify. */
export function authenticate(chosen: ChosenCredential, answer: CertificateAnswer): Awaitable<Authentication> {
  const { credential, scheme } = chosen;
  const certificate = encodeMessage('certificate', {
    certificateRequestContext: answer.context,
    certificateList: credential.certificateChain.map((certData, index) => ({
      certData,
      extensions: index === 0 ? { delegatedCredential: credential.delegatedCredential } : {},
    })),
  });
  const throughCertificate = answer.transcript.append(certificate);
  const content = signedContent(answer.role, throughCertificate.digest());
  return whenKnown(credential.signer.sign(scheme, content), (signature) => {
    const verify = encodeMessage('certificate_verify', { algorithm: signatureSchemes[scheme], signature });
    return { messages: [certificate, verify], transcript: throughCertificate.append(verify) };
  });
}

/** A client's empty Certificate: it has none to show (§4.5.1). No CertificateVerify follows. */
export function authenticateAsNobody({ context, transcript }: CertificateAnswer): Authentication {
  const message = encodeMessage('certificate', { certificateRequestContext: context, certificateList: [] });
  return { messages: [message], transcript: transcript.append(message) };
}
