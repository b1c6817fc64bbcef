/** The client's certificate (WAIT_CERT) and the proof that it has the key (WAIT_CV) (§4.5.1, §4.5.2). */
import { TlsError } from '../../alert.js';
import { extensionTypes, nameOf } from '../../registry.js';
import type { CertificateEntry } from '../../wire/index.js';
import { verifySignature } from '../certificate-verify.js';
import { leafKey } from '../peer-certificate.js';
import { type MessageOf, type Step, type Transition, whenReady } from '../step.js';
import type { ServerContext, WaitCertificate, WaitCertificateVerify, WaitFinished } from './states.js';

export function receiveCertificate(
  state: WaitCertificate,
  { body, bytes }: MessageOf<'certificate'>,
  { settings }: ServerContext,
): Step<WaitCertificateVerify | WaitFinished> {
  if (body.certificateRequestContext.length > 0) {
    throw new TlsError('illegal_parameter', 'certificate_request_context is not the empty one that was sent (§4.5.1)');
  }
  const transcript = state.transcript.append(bytes);
  const certificates = body.certificateList.map(certificateOf);
  const [leaf] = certificates;
  if (leaf !== undefined) {
    const key = leafKey(settings.provider, 'client', leaf);
    return { next: { ...state, name: 'WAIT_CV', transcript, certificates, key }, effects: [] };
  }
  if (settings.clientAuthentication === 'require') {
    throw new TlsError('certificate_required', 'the client shows no certificate, and one is required (§4.5.1.3)');
  }
  return { next: { ...state, name: 'WAIT_FINISHED', transcript }, effects: [] };
}

export function receiveCertificateVerify(
  state: WaitCertificateVerify,
  { body, bytes }: MessageOf<'certificate_verify'>,
  { settings }: ServerContext,
): Transition<WaitFinished> {
  const { certificates, key, transcript, info } = state;
  const clientSignatureScheme = verifySignature({
    role: 'client',
    key,
    offered: settings.signatureSchemes,
    algorithm: body.algorithm,
    signature: body.signature,
    transcriptHash: transcript.digest(),
  });
  const { verifyPeer } = settings;
  if (verifyPeer === undefined) throw new TypeError('verifyPeer is missing, so no client certificate can be judged');
  const verdict = verifyPeer({
    role: 'client',
    certificates,
    serverName: undefined,
    ocspResponse: undefined,
    resumed: false,
  });
  return whenReady(verdict, () => {
    const { suite, secrets, tickets } = state;
    return {
      next: {
        name: 'WAIT_FINISHED',
        suite,
        transcript: transcript.append(bytes),
        secrets,
        info: { ...info, peerCertificates: certificates, clientSignatureScheme },
        tickets,
      },
      effects: [],
    };
  });
}

/** A copy, as the application keeps it. The CertificateRequest asked for no extension, so none may answer (§4.3). */
function certificateOf({ certData, extensions }: CertificateEntry): Uint8Array {
  const [unasked] = extensions.types;
  if (unasked !== undefined) {
    throw new TlsError(
      'unsupported_extension',
      `the client's Certificate has ${nameOf(extensionTypes, unasked)}, which was not asked for (§4.3)`,
    );
  }
  return certData.slice();
}
