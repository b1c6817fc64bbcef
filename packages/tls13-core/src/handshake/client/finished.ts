/** The server's Finished (§4.5.3) and the client's answer: its certificate when one was requested, and its Finished. */
import { TlsError } from '../../alert.js';
import { EchRejectedError } from '../../ech/rejected.js';
import { finishedVerifyData, verifyFinished } from '../../keys/finished.js';
import type { Transcript } from '../../keys/transcript.js';
import { encodeMessage } from '../../wire/index.js';
import type { Effect } from '../effects.js';
import type { ChosenCredential } from '../own-certificate.js';
import { type MessageOf, type Step, type Transition, whenReady } from '../step.js';
import { answerRequest, type ClientAuthentication } from './certificate-answer.js';
import { endEarlyData } from './early-data.js';
import { connectionInfo } from './info.js';
import type { ClientContext, Connected, WaitFinished } from './states.js';

export function receiveFinished(
  state: WaitFinished,
  { body, bytes }: MessageOf<'finished'>,
  context: ClientContext,
): Transition<Connected> {
  const { transcript, negotiated, request } = state;
  const { hash } = transcript;
  if (body.verifyData.length !== hash.length) {
    throw new TlsError(
      'decrypt_error',
      `the server's Finished has ${body.verifyData.length} bytes of verify_data; wanted are ${hash.length} (§4.5.3)`,
    );
  }
  if (!verifyFinished(hash, negotiated.serverSecret, transcript.digest(), body.verifyData)) {
    throw new TlsError('decrypt_error', "the server's Finished does not verify (§4.5.3)");
  }
  const throughServerFinished = transcript.append(bytes);
  if (request === undefined) {
    const { transcript: ended, effects } = endEarlyData(negotiated, throughServerFinished);
    const nothing = { messages: [], transcript: ended, presented: undefined, compression: undefined };
    const connected = connect(state, context, throughServerFinished, nothing);
    return { next: connected.next, effects: [...effects, ...connected.effects] };
  }
  // RFC 9849 §6.1.7: who cannot open the ClientHello is not shown who the client is.
  const { settings } = context;
  const own = negotiated.offer.ech.kind === 'rejected' ? { ...settings, credential: [] } : settings;
  const answer = answerRequest(request, noContext, throughServerFinished, own);
  return whenReady(answer, (authentication) => connect(state, context, throughServerFinished, authentication));
}

/** The leaf that was shown, empty for none though one was asked for. */
function shown({ request }: WaitFinished, presented: ChosenCredential | undefined): Uint8Array | undefined {
  if (request === undefined) return undefined;
  return presented?.credential.rawPublicKey ?? presented?.credential.certificateChain[0] ?? new Uint8Array(0);
}

/** Sends the client's flight and turns to the application keys. */
function connect(
  state: WaitFinished,
  { settings }: ClientContext,
  throughServerFinished: Transcript,
  { messages, transcript, presented, compression }: ClientAuthentication,
): Step<Connected> {
  const { negotiated, alpnProtocol, evidence, signatureScheme, peerDelegated, peerCompression } = state;
  const { offer, suite, clientSecret, mainSecret, psk } = negotiated;
  const resumed = psk?.kind === 'resumption' ? psk.session : undefined;
  const { hash } = transcript;
  const finished = encodeMessage('finished', {
    verifyData: finishedVerifyData(hash, clientSecret, transcript.digest()),
  });

  const clientTraffic = mainSecret.clientTraffic(throughServerFinished.digest());
  const serverTraffic = mainSecret.serverTraffic(throughServerFinished.digest());
  const exporterSecret = mainSecret.exporter(throughServerFinished.digest());
  const throughClientFinished = transcript.append(finished);
  const resumptionSecret = mainSecret.resumption(throughClientFinished.digest());
  mainSecret.destroy();

  const clientRandom = offer.hello.random;
  const info = connectionInfo(settings, negotiated, {
    alpnProtocol,
    ...evidence,
    signatureScheme,
    clientSignatureScheme: presented?.scheme,
    localCertificates: presented?.credential.certificateChain ?? [],
    localRawPublicKey: presented?.credential.rawPublicKey,
    peerCertificateCompression: peerCompression,
    localCertificateCompression: compression,
    peerDelegatedCredential: peerDelegated,
    localDelegatedCredential: presented?.credential.delegatedCredential !== undefined,
  });
  const identities = {
    alpnProtocol,
    ...evidence,
    pskIdentity: psk?.kind === 'external' ? psk.identity : resumed?.pskIdentity,
    localCertificate: resumed === undefined ? shown(state, presented) : resumed.localCertificate,
  };
  const postHandshake = settings.postHandshakeAuthentication
    ? { transcript: throughClientFinished, contexts: [], certificateType: negotiated.certificateTypes.client }
    : undefined;
  const effects: Effect[] = [
    ...[...messages, finished].map((message) => ({ type: 'send', message }) as const),
    { type: 'key_log', label: 'CLIENT_TRAFFIC_SECRET_0', clientRandom, secret: clientTraffic },
    { type: 'key_log', label: 'SERVER_TRAFFIC_SECRET_0', clientRandom, secret: serverTraffic },
    { type: 'key_log', label: 'EXPORTER_SECRET', clientRandom, secret: exporterSecret },
    { type: 'K_send', epoch: 'application', suite, secret: clientTraffic },
    { type: 'K_recv', epoch: 'application', suite, secret: serverTraffic },
    offer.ech.kind === 'rejected'
      ? { type: 'fail', error: new EchRejectedError(offer.ech.publicName, negotiated.echRetryConfigs) }
      : { type: 'connected', info, exporterSecret, resumptionSecret },
  ];
  return {
    next: { name: 'CONNECTED', suite, resumptionSecret, identities, postHandshake, tickets: 0 },
    effects,
  };
}

/** certificate_request_context is for authentication after the handshake (§4.4.2). */
const noContext = new Uint8Array(0);
