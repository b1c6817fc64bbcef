/** From a ClientHello to an answer: HelloRetryRequest, or the parameters of the handshake (START and RECVD_CH of §A.2). */
import { TlsError } from '../../alert.js';
import { type AcceptInner, innerRead, type OpenedHello, openFirst, openSecond } from '../ech/open.js';
import type { Effect } from '../effects.js';
import {
  chooseAlpnProtocol,
  chooseGroup,
  commonCipherSuites,
  noApplicationProtocol,
  orderGroups,
} from '../negotiate.js';
import { type MessageOf, preceded, type Step, type Transition, whenReady } from '../step.js';
import type { AnswerableHello } from './answerable-hello.js';
import { checkClientHello, type Offer } from './client-hello.js';
import { readCookie, sealCookie } from './cookie.js';
import { chooseCredential, clientHelloInfo } from './credential.js';
import { judgeEarlyData } from './early-data.js';
import { externalCandidate } from './external-psk.js';
import { sendFlight } from './flight.js';
import { noAcceptablePsk, selectPsk, wantsPskAlone } from './psk.js';
import type { PskCandidate, SelectedPsk } from './psk-candidate.js';
import {
  checkSecondClientHello,
  helloRetryRequest,
  type Retry,
  retryFor,
  transcriptBeforeRetriedHello,
} from './retry.js';
import type {
  ServerContext,
  Start,
  WaitCertificate,
  WaitCookie,
  WaitEndOfEarlyData,
  WaitFinished,
  WaitSecondClientHello,
} from './states.js';

type ClientHelloMessage = MessageOf<'client_hello'>;
type AfterHello = WaitCertificate | WaitEndOfEarlyData | WaitFinished;
type AfterFirstHello = AfterHello | WaitSecondClientHello | WaitCookie;

/** START: the first ClientHello, or the second of a connection whose state is in the cookie. */
export function receiveClientHello(
  _state: Start,
  message: ClientHelloMessage,
  context: ServerContext,
): Transition<AfterFirstHello> {
  const { ech, deviations } = context.settings;
  const accept: AcceptInner = (inner) => ech?.accept?.(clientHelloInfo(checkClientHello(inner, deviations))) ?? true;
  return whenReady<OpenedHello, AfterFirstHello>(openFirst(message, ech, accept), (opened) =>
    preceded(
      innerRead(opened),
      answerFirst(checkClientHello(opened.message, context.settings.deviations, opened.ech), context),
    ),
  );
}

function answerFirst(offer: Offer, context: ServerContext): Transition<AfterFirstHello> {
  if (offer.cookie !== undefined) return answerWithCookie(offer, offer.cookie, context);
  const { settings } = context;
  const suites = commonCipherSuites(settings.cipherSuites, offer.hello.cipherSuites, settings.prioritizeChaCha);
  if (!wantsPskAlone(offer, settings)) return agreeOnKeys(offer, suites, context);
  const hello = { offer, suites, share: undefined, retried: undefined };
  const alpnProtocol = selectAlpnProtocol(offer, context);
  return whenReady<SelectedPsk | undefined, AfterFirstHello>(selectPsk(hello, context), (psk) =>
    psk === undefined
      ? agreeOnKeys(offer, suites, context)
      : whenReady(judgeEarlyData(hello, psk, alpnProtocol, context), (earlyData) =>
          sendFlight({ hello, suite: psk.suite, alpnProtocol, earlyData, psk, chosen: undefined }, context),
        ),
  );
}

/** WAIT_SECOND_CLIENT_HELLO */
export function receiveSecondClientHello(
  { retry, ech }: WaitSecondClientHello,
  message: ClientHelloMessage,
  context: ServerContext,
): Transition<AfterHello> {
  const opened = openSecond(message, ech);
  const offer = checkClientHello(opened.message, context.settings.deviations, opened.ech);
  if (offer.cookie !== undefined) {
    throw new TlsError('illegal_parameter', 'the second ClientHello has a cookie; none was given (§4.2.2)');
  }
  return preceded(innerRead(opened), answerSecond(offer, retry, undefined, context));
}

/** WAIT_COOKIE: a second HelloRetryRequest is never sent, so a ClientHello without the cookie is refused. */
export function receiveClientHelloWithCookie(
  { ech }: WaitCookie,
  message: ClientHelloMessage,
  context: ServerContext,
): Transition<AfterHello> {
  const opened = openSecond(message, ech);
  const offer = checkClientHello(opened.message, context.settings.deviations, opened.ech);
  if (offer.cookie === undefined) {
    throw new TlsError('missing_extension', 'the second ClientHello is without the cookie it was given (§4.3.2)');
  }
  return preceded(innerRead(opened), answerWithCookie(offer, offer.cookie, context));
}

/** With a share of the client's, or by asking for one; a HelloRetryRequest settles the suite, and so which PSKs can follow. */
function agreeOnKeys(
  offer: Offer,
  suites: AnswerableHello['suites'],
  context: ServerContext,
): Transition<AfterFirstHello> {
  const { settings } = context;
  const ours = orderGroups(settings.groups, settings.equalGroups, offer.groups);
  const choice = chooseGroup(ours, offer.groups, offer.keyShares, settings.insistOnGroups);
  if (typeof choice !== 'string') return answer({ offer, suites, share: choice, retried: undefined }, context);
  return whenReady<PskCandidate | undefined, AfterFirstHello>(externalCandidate({ offer, suites }, settings), (psk) => {
    psk?.key.fill(0);
    const suite = psk?.suite ?? suites[0];
    return askAgain(offer, retryFor(offer, suite, choice, settings.provider, psk?.index), context);
  });
}

function askAgain(offer: Offer, retry: Retry, { settings }: ServerContext): Step<WaitSecondClientHello | WaitCookie> {
  const { cookies } = settings;
  const cookie = cookies === undefined ? undefined : sealCookie(retry, cookies, settings.now());
  const effects: Effect[] = [{ type: 'send', message: helloRetryRequest(offer, retry, cookie, settings.provider) }];
  if (offer.hello.legacySessionId.length > 0 || settings.middleboxCompatibility)
    effects.push({ type: 'change_cipher_spec', when: 'now' });
  if (offer.earlyData) effects.push({ type: 'skip_early_data', until: 'second_client_hello' });
  const { ech } = offer;
  if (cookie === undefined) return { next: { name: 'WAIT_SECOND_CLIENT_HELLO', retry, ech }, effects };
  return { next: { name: 'WAIT_COOKIE', ech }, effects };
}

function answerWithCookie(offer: Offer, cookie: Uint8Array, context: ServerContext): Transition<AfterHello> {
  const { settings } = context;
  if (settings.cookies === undefined) {
    throw new TlsError('illegal_parameter', 'the ClientHello has a cookie, and this server gives none (§4.3.2)');
  }
  return whenReady<Uint8Array | undefined, AfterHello>(settings.cookies.unprotect(cookie), (state) =>
    answerSecond(offer, readCookie(state, settings), cookie, context),
  );
}

function answerSecond(
  offer: Offer,
  retry: WaitSecondClientHello['retry'],
  cookie: Uint8Array | undefined,
  context: ServerContext,
): Transition<AfterHello> {
  const { provider } = context.settings;
  const share = checkSecondClientHello(offer, retry, provider);
  const retried = transcriptBeforeRetriedHello(retry, helloRetryRequest(offer, retry, cookie, provider), provider);
  return answer({ offer, suites: [retry.suite], share, retried }, context);
}

/** §4.2.1: a PSK if one will do, otherwise a certificate. */
function answer(hello: AnswerableHello, context: ServerContext): Transition<AfterHello> {
  const { offer, suites } = hello;
  const alpnProtocol = selectAlpnProtocol(offer, context);
  return whenReady(selectPsk(hello, context), (psk) =>
    whenReady(judgeEarlyData(hello, psk, alpnProtocol, context), (earlyData): Transition<AfterHello> => {
      if (psk !== undefined) {
        return sendFlight({ hello, suite: psk.suite, alpnProtocol, earlyData, psk, chosen: undefined }, context);
      }
      const { credentials } = context.settings;
      if (typeof credentials !== 'function' && credentials.length === 0) throw noAcceptablePsk(hello, context);
      return whenReady(chooseCredential(offer, context.settings), (chosen) =>
        sendFlight({ hello, suite: suites[0], alpnProtocol, earlyData, psk, chosen }, context),
      );
    }),
  );
}

function selectAlpnProtocol({ alpnProtocols: offered, serverName }: Offer, context: ServerContext): string | undefined {
  const { selectAlpnProtocol: select, alpnProtocols } = context.settings;
  if (select === undefined) return chooseAlpnProtocol(alpnProtocols, offered);
  if (offered.length === 0) return undefined;
  const protocol = select(offered, serverName);
  if (protocol === undefined) throw noApplicationProtocol(offered, 'the application wants none of them');
  if (!offered.includes(protocol)) {
    throw new TypeError(`selectAlpnProtocol returned ${JSON.stringify(protocol)}, which the client does not offer`);
  }
  return protocol;
}
