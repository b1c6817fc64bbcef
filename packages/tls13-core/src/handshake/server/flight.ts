/** The server's flight, ServerHello to Finished (§4.2.3, §4.4, §4.5; NEGOTIATED of §A.2). */
import { TlsError } from '../../alert.js';
import type { ConnectionInfo } from '../../connection-info.js';
import { finishedVerifyData } from '../../keys/finished.js';
import { EarlySecret, type MainSecret, type Secret } from '../../keys/schedule.js';
import type { Transcript } from '../../keys/transcript.js';
import { namedGroups } from '../../registry.js';
import { encodeMessage, handshakeHeaderLength, type KeyShareEntry } from '../../wire/index.js';
import { typeOf } from '../certificate-types.js';
import { confirmServerHello } from '../ech/confirmation.js';
import { forgetOpening, isConfirmed } from '../ech/open.js';
import type { Effect, KeyLogLabel } from '../effects.js';
import { authenticate } from '../own-certificate.js';
import { noEvidence } from '../peer-certificate.js';
import { agreedLimit } from '../record-size-limit.js';
import { type Step, type Transition, whenReady } from '../step.js';
import { type AnswerableHello, transcriptBefore } from './answerable-hello.js';
import { type EarlyTraffic, earlyDataUse, earlyKeys, readEarlyData, ticketAgeSkew } from './early-data.js';
import { certificateRequest, clientCertificateType, encryptedExtensions, serverHello } from './messages.js';
import type { Parameters } from './parameters.js';
import { canResume, expectedTickets } from './psk.js';
import type { ServerContext, TicketTerms, WaitCertificate, WaitEndOfEarlyData, WaitFinished } from './states.js';
import { seconds } from './time.js';

type AfterFlight = WaitCertificate | WaitEndOfEarlyData | WaitFinished;

export function sendFlight(parameters: Parameters, context: ServerContext): Transition<AfterFlight> {
  const { settings } = context;
  const { chosen } = parameters;
  const opened = openFlight(parameters, context);
  const extended = send(opened.sent, encryptedExtensions(parameters, context));
  if (chosen === undefined) {
    const name = opened.early === undefined ? 'WAIT_FINISHED' : 'WAIT_EOED';
    return closeFlight<AfterFlight['name']>(opened, extended, undefined, name, parameters, context);
  }

  const asks = settings.clientAuthentication !== 'none';
  const requested = asks ? send(extended, certificateRequest(context)) : extended;
  const { transcript } = requested;
  const { extensions } = parameters.hello.offer.hello;
  const shown = authenticate(chosen, {
    role: 'server',
    context: new Uint8Array(0),
    transcript,
    asked: extensions.types,
    acceptedCompression: extensions.compressCertificate ?? [],
    compressors: settings.certificateCompression,
  });
  return whenReady(shown, ({ messages, compression }) => {
    const sent = messages.reduce(send, requested);
    return closeFlight(opened, sent, compression, asks ? 'WAIT_CERT' : 'WAIT_FINISHED', parameters, context);
  });
}

/** What of the flight is made: one list of effects, which grows. */
interface Sent {
  readonly transcript: Transcript;
  readonly effects: Effect[];
}

interface OpenedFlight {
  readonly sent: Sent;
  readonly serverRandom: Uint8Array;
  readonly clientTraffic: Secret;
  readonly serverTraffic: Secret;
  readonly main: MainSecret;
  /** When early data is accepted. */
  readonly early: EarlyTraffic | undefined;
}

function send({ transcript, effects }: Sent, message: Uint8Array): Sent {
  effects.push({ type: 'send', message });
  return { transcript: transcript.append(message), effects };
}

/** ServerHello, and the handshake traffic keys of both directions. */
function openFlight(parameters: Parameters, { settings }: ServerContext): OpenedFlight {
  const { hello, suite, psk, earlyData } = parameters;
  const { provider } = settings;
  const { hello: clientHello, bytes } = hello.offer;
  const { keyShare, sharedSecret } = agreeOnKeys(hello, settings.provider);
  const message = serverHello(parameters, provider.random(32), keyShare);
  const throughClientHello = transcriptBefore(hello, suite, provider).append(bytes);
  if (isConfirmed(hello.offer.ech)) {
    confirmServerHello({ innerRandom: clientHello.random, transcript: throughClientHello, message });
  }
  forgetOpening(hello.offer.ech);
  const transcript = throughClientHello.append(message);
  const serverRandom = randomOf(message);

  const earlySecret = psk?.earlySecret ?? EarlySecret.from(provider.hash(suite.hash));
  const { limit } = earlyData;
  const early = limit === undefined ? undefined : earlyKeys(earlySecret, throughClientHello, suite, limit);
  const handshake = earlySecret.handshake(sharedSecret);
  sharedSecret?.fill(0);
  const clientTraffic = handshake.clientTraffic(transcript.digest());
  const serverTraffic = handshake.serverTraffic(transcript.digest());

  const effects: Effect[] = [{ type: 'send', message }];
  // §E.4: immediately after the server's first handshake message, which a HelloRetryRequest would have been.
  const compatible = clientHello.legacySessionId.length > 0 || settings.middleboxCompatibility;
  if (compatible && hello.retried === undefined) effects.push({ type: 'change_cipher_spec', when: 'now' });
  effects.push({ type: 'K_send', epoch: 'handshake', suite, secret: serverTraffic });
  // Known to both from here on: the client's is in its hello, ours goes out in the next message.
  const recordSizes = agreedLimit(clientHello.extensions.recordSizeLimit, settings.recordSizeLimit);
  if (recordSizes !== undefined) effects.push({ type: 'record_size_limit', limit: recordSizes });
  if (early === undefined) effects.push({ type: 'K_recv', epoch: 'handshake', suite, secret: clientTraffic });
  else effects.push(...readEarlyData(early, clientHello.random));
  effects.push(
    keyLog(parameters, 'CLIENT_HANDSHAKE_TRAFFIC_SECRET', clientTraffic),
    keyLog(parameters, 'SERVER_HANDSHAKE_TRAFFIC_SECRET', serverTraffic),
  );
  // Behind a HelloRetryRequest there is none (§4.2.2).
  const skipped = hello.offer.earlyData && early === undefined && hello.retried === undefined;
  if (skipped) effects.push({ type: 'skip_early_data', until: 'first_opened_record' });
  return {
    sent: { transcript, effects },
    serverRandom,
    clientTraffic,
    serverTraffic,
    main: handshake.main(),
    early,
  };
}

/**
 * Finished, the application traffic keys, and what waits for the client's answer; `sent` is all that precedes it, its
 * Certificate compressed with `compression`.
 */
function closeFlight<Name extends AfterFlight['name']>(
  flight: OpenedFlight,
  sent: Sent,
  compression: string | undefined,
  name: Name,
  parameters: Parameters,
  context: ServerContext,
): Step<{ readonly name: Name } & Omit<AfterFlight, 'name'>> {
  const { suite } = parameters;
  const { main, clientTraffic, serverTraffic, serverRandom } = flight;
  const hash = context.settings.provider.hash(suite.hash);
  const verifyData = finishedVerifyData(hash, serverTraffic, sent.transcript.digest());
  const { transcript, effects } = send(sent, encodeMessage('finished', { verifyData }));
  const clientApplicationTraffic = main.clientTraffic(transcript.digest());
  const serverApplicationTraffic = main.serverTraffic(transcript.digest());
  const exporter = main.exporter(transcript.digest());
  const info = connectionInfo(parameters, serverRandom, compression, context);
  effects.push(
    keyLog(parameters, 'CLIENT_TRAFFIC_SECRET_0', clientApplicationTraffic),
    keyLog(parameters, 'SERVER_TRAFFIC_SECRET_0', serverApplicationTraffic),
    keyLog(parameters, 'EXPORTER_SECRET', exporter),
    { type: 'K_send', epoch: 'application', suite, secret: serverApplicationTraffic },
  );
  if (flight.early !== undefined) {
    effects.push({ type: 'early_data_read', early: flight.early, info, exporterSecret: exporter });
  }
  return {
    next: {
      name,
      suite,
      transcript,
      secrets: { clientHandshakeTraffic: clientTraffic, clientApplicationTraffic, exporter, main },
      info,
      clientCertificateType: clientCertificateType(parameters, context),
      tickets: ticketTerms(parameters, context),
    },
    effects,
  };
}

/** Of a ServerHello: it stands behind the header and legacy_version. */
function randomOf(message: Uint8Array): Uint8Array {
  return message.slice(handshakeHeaderLength + 2, handshakeHeaderLength + 2 + 32);
}

/** (EC)DHE, or nothing where a PSK does without (psk_ke, §4.3.9). */
function agreeOnKeys(
  { share }: AnswerableHello,
  provider: ServerContext['settings']['provider'],
): { readonly keyShare: KeyShareEntry | undefined; readonly sharedSecret: Uint8Array | undefined } {
  if (share === undefined) return { keyShare: undefined, sharedSecret: undefined };
  const encapsulation = provider.encapsulate(share.group, share.keyExchange);
  if (encapsulation === undefined) {
    throw new TlsError('illegal_parameter', `the client's share for ${share.group} is not valid (§4.3.8.2, §7.4.2)`);
  }
  const { keyExchange, sharedSecret } = encapsulation;
  return { keyShare: { group: namedGroups[share.group], keyExchange }, sharedSecret };
}

function connectionInfo(
  parameters: Parameters,
  serverRandom: Uint8Array,
  compression: string | undefined,
  context: ServerContext,
): ConnectionInfo {
  const { settings } = context;
  const { hello, suite, alpnProtocol, psk, chosen, earlyData } = parameters;
  const resumed = psk?.origin.kind === 'resumption' ? psk.origin.ticket : undefined;
  return {
    role: 'server',
    protocol: 'TLSv1.3',
    cipherSuite: suite.name,
    group: hello.share?.group,
    signatureScheme: chosen?.scheme,
    clientSignatureScheme: undefined,
    serverName: hello.offer.serverName,
    alpnProtocol,
    resumed: resumed !== undefined,
    authentication: psk === undefined ? 'certificate' : resumed === undefined ? 'psk' : 'resumption',
    pskIdentity: psk?.name,
    helloRetryRequest: hello.retried !== undefined,
    ticketAgeSkew: psk && resumed && ticketAgeSkew(resumed, hello.offer.psks[psk.index], settings.now()),
    earlyData: earlyDataUse(hello, earlyData),
    earlyDataReason: earlyData.reason,
    recordSizeLimit: agreedLimit(hello.offer.hello.extensions.recordSizeLimit, settings.recordSizeLimit),
    echAccepted: hello.offer.ech.kind === 'accepted',
    ocspResponse: noEvidence.ocspResponse,
    signedCertificateTimestamps: noEvidence.signedCertificateTimestamps,
    peerCertificates: resumed?.clientCertificates ?? [],
    peerCertificateSha256: resumed?.clientCertificateHash?.sha256,
    peerRawPublicKey: resumed?.clientRawPublicKey,
    localRawPublicKey: chosen?.credential.rawPublicKey,
    localCertificates: chosen?.credential.certificateChain ?? [],
    peerCertificateCompression: undefined,
    localCertificateCompression: compression,
    peerDelegatedCredential: false,
    postHandshakeAuthentication: mayBeAskedLater(parameters, context),
    localDelegatedCredential: chosen?.credential.delegatedCredential !== undefined,
    // Not a view of the ClientHello, which would be kept as long as the connection.
    clientRandom: hello.offer.hello.random.slice(),
    serverRandom,
  };
}

/** §4.7.2; whom an external PSK makes known is asked for nothing else (§4.4.2), and the type is settled by now (RFC 7250). */
function mayBeAskedLater(parameters: Parameters, context: ServerContext): boolean {
  const { hello, psk } = parameters;
  const offered = hello.offer.hello.extensions.postHandshakeAuth === true && psk?.origin.kind !== 'external';
  return offered && context.settings.clientCertificateTypes.includes(clientCertificateType(parameters, context));
}

function ticketTerms(parameters: Parameters, { settings }: ServerContext): TicketTerms | undefined {
  const { hello, psk, chosen } = parameters;
  if (settings.tickets === undefined || !canResume(hello.offer, settings)) return undefined;
  const count = expectedTickets(parameters, settings) ?? settings.tickets.count;
  if (psk?.origin.kind === 'resumption') {
    const { authenticatedAt, pskIdentity, serverCertificateType, clientCertificateHash } = psk.origin.ticket;
    return { authenticatedAt, pskIdentity, serverCertificateType, clientCertificateHash, count };
  }
  const serverCertificateType = chosen === undefined ? 'x509' : typeOf(chosen.credential);
  return {
    authenticatedAt: seconds(settings.now()),
    pskIdentity: psk?.origin.identity,
    serverCertificateType,
    clientCertificateHash: undefined,
    count,
  };
}

function keyLog({ hello }: Parameters, label: KeyLogLabel, secret: Secret): Effect {
  return { type: 'key_log', label, clientRandom: hello.offer.hello.random, secret };
}
