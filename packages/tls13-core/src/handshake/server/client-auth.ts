/** The client's certificate (WAIT_CERT) and the proof that it has the key (WAIT_CV) (§4.5.1, §4.5.2). */
import { TlsError } from '../../alert.js';
import { type MessageOf, type Step, type Transition, whenReady } from '../step.js';
import { claimOf, identityInfo, judgeClient } from './client-identity.js';
import type { ServerContext, WaitCertificate, WaitCertificateVerify, WaitFinished } from './states.js';

export function receiveCertificate(
  state: WaitCertificate,
  { body, bytes }: MessageOf<'certificate'>,
  { settings }: ServerContext,
): Step<WaitCertificateVerify | WaitFinished> {
  const claimed = claimOf(body, noContext, settings, state.clientCertificateType);
  const transcript = state.transcript.append(bytes);
  if (claimed !== undefined) return { next: { ...state, name: 'WAIT_CV', transcript, claimed }, effects: [] };
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
  const { claimed, transcript, info } = state;
  const verdict = judgeClient(body, claimed, transcript.digest(), settings);
  return whenReady(verdict, (scheme) => {
    const { suite, secrets, tickets, clientCertificateType } = state;
    return {
      next: {
        name: 'WAIT_FINISHED',
        suite,
        transcript: transcript.append(bytes),
        secrets,
        info: { ...info, ...identityInfo(claimed, scheme, settings) },
        clientCertificateType,
        tickets,
      },
      effects: [],
    };
  });
}

/** certificate_request_context is for authentication after the handshake (§4.4.2). */
const noContext = new Uint8Array(0);
