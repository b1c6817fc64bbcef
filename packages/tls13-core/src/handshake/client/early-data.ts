/** The client's early data (§2.3, §4.3.10): whether it is offered, its keys, and what the server made of it. */
import { TlsError } from '../../alert.js';
import type { PskEarlyData } from '../../config/index.js';
import type { ConnectionInfo, EarlyDataReason, PeerEvidence } from '../../connection-info.js';
import type { CipherSuite } from '../../crypto/suites.js';
import type { Secret } from '../../keys/schedule.js';
import { Transcript } from '../../keys/transcript.js';
import type { Session } from '../../session.js';
import type { ClientSettings } from '../../settings/index.js';
import { encodeMessage } from '../../wire/index.js';
import type { Effect } from '../effects.js';
import { connectionInfo } from './info.js';
import type { Offer } from './offer.js';
import type { OfferedPsk } from './psk.js';
import type { Negotiated } from './states.js';

/** Early data as a ClientHello offers it, or why it does not. */
export type EarlyDataOffer = OfferedEarlyData | { readonly offered: false; readonly reason: EarlyDataReason };

export interface OfferedEarlyData {
  readonly offered: true;
  /** The first that is offered (§4.3.10), with which go all that follows. */
  readonly psk: OfferedPsk;
  readonly suite: CipherSuite;
  readonly alpnProtocol: string | undefined;
  /** Bytes. */
  readonly limit: number;
}

/** What has become of it. */
export type EarlyDataOutcome = {
  readonly status: 'none' | 'offered' | 'accepted' | 'rejected';
  readonly reason: EarlyDataReason;
};

/** @param first the PSK that is offered first. */
export function earlyDataOffer(settings: ClientSettings, first: OfferedPsk | undefined): EarlyDataOffer {
  if (!settings.earlyData) return notOffered('disabled');
  if (first === undefined) return notOffered('no_session_offered');
  const permitted = first.kind === 'resumption' ? first.session : permission(first.earlyData, settings);
  if (permitted === undefined) return notOffered('no_session_offered');
  const { maxEarlyData: limit, alpnProtocol } = permitted;
  const suite = settings.cipherSuites.find(({ name }) => name === permitted.cipherSuite);
  if (limit === 0) return notOffered('unsupported_for_session');
  if (suite === undefined) return notOffered('cipher_suite_mismatch');
  if (alpnProtocol !== undefined && !settings.alpnProtocols.includes(alpnProtocol)) return notOffered('alpn_mismatch');
  return { offered: true, psk: first, suite, alpnProtocol, limit };
}

/** Of an external PSK, as a session says it; `undefined` where nothing was agreed on. */
function permission(
  agreed: PskEarlyData | undefined,
  { now }: ClientSettings,
): Pick<Session, 'maxEarlyData' | 'cipherSuite' | 'alpnProtocol'> | undefined {
  if (agreed === undefined) return undefined;
  const { maxSize, cipherSuite, alpnProtocol, expiresAt = Number.POSITIVE_INFINITY } = agreed;
  return { maxEarlyData: now() < expiresAt ? maxSize : 0, cipherSuite, alpnProtocol };
}

export function notOffered(reason: EarlyDataReason): EarlyDataOffer {
  return { offered: false, reason };
}

/** Behind the ClientHello: the early keys, and a change_cipher_spec before the first record under them (§E.4). */
export function startEarlyData({ message, hello, earlyData }: Offer, settings: ClientSettings): readonly Effect[] {
  if (!earlyData.offered) return [];
  const { suite, limit, psk } = earlyData;
  const { random: clientRandom, legacySessionId } = hello;
  const transcriptHash = Transcript.start(settings.provider.hash(suite.hash)).append(message).digest();
  const secret = psk.earlySecret.clientEarlyTraffic(transcriptHash);
  const exporterSecret = psk.earlySecret.earlyExporter(transcriptHash);
  const compatibility: readonly Effect[] =
    legacySessionId.length > 0 ? [{ type: 'change_cipher_spec', when: 'now' }] : [];
  return [
    ...compatibility,
    { type: 'key_log', label: 'CLIENT_EARLY_TRAFFIC_SECRET', clientRandom, secret },
    { type: 'key_log', label: 'EARLY_EXPORTER_SECRET', clientRandom, secret: exporterSecret },
    { type: 'K_send', epoch: 'early', suite, secret },
    { type: 'early_data_offered', early: { limit, suite, exporterSecret } },
  ];
}

/** The server asked again: early data is over before it was read, and the second ClientHello goes in clear (§4.2.4). */
export function endEarlyDataByRetry({ earlyData }: Offer): readonly Effect[] {
  if (!earlyData.offered) return [];
  return [{ type: 'send_in_clear' }, { type: 'early_data_rejected', reason: 'hello_retry_request' }];
}

/** After the ServerHello: without the PSK there is no early data (§4.3.10). */
export function outcomeOfServerHello({ earlyData }: Offer, psk: OfferedPsk | undefined): EarlyDataOutcome {
  if (!earlyData.offered) return { status: rejectedBefore(earlyData.reason), reason: earlyData.reason };
  return psk === undefined
    ? { status: 'rejected', reason: 'session_not_resumed' }
    : { status: 'offered', reason: 'accepted' };
}

/** After EncryptedExtensions. Throws illegal_parameter when the server accepts what it must not (§4.3.10). */
export function outcomeOfEncryptedExtensions(
  { offer, psk, suite, earlyData }: Negotiated,
  accepted: boolean,
  alpnProtocol: string | undefined,
): EarlyDataOutcome {
  if (!accepted) return earlyData.status === 'offered' ? { status: 'rejected', reason: 'peer_declined' } : earlyData;
  if (!offer.earlyData.offered || psk !== offer.earlyData.psk) {
    throw refused('without the first of the PSKs that were offered');
  }
  const { name } = offer.earlyData.suite;
  if (suite.name !== name) throw refused(`with ${suite.name}; the session is of ${name}`);
  if (alpnProtocol !== offer.earlyData.alpnProtocol) {
    const protocols = [alpnProtocol, offer.earlyData.alpnProtocol];
    const [seen, wanted] = protocols.map((protocol) => JSON.stringify(protocol ?? null));
    throw refused(`with the protocol ${seen}; the session is of ${wanted}`);
  }
  return { status: 'accepted', reason: 'accepted' };
}

export function earlyDataRejected({ reason }: EarlyDataOutcome): Effect {
  return { type: 'early_data_rejected', reason };
}

/** What follows early data, or takes its place. */
export function handshakeKeys(suite: CipherSuite, secret: Secret): readonly Effect[] {
  return [{ type: 'K_send', epoch: 'handshake', suite, secret }];
}

/** The application hears of the outcome, and the keys change unless early data goes on. */
export function effectsOfEncryptedExtensions(
  negotiated: Negotiated,
  settings: ClientSettings,
  known: Pick<ConnectionInfo, 'alpnProtocol'> & PeerEvidence,
): readonly Effect[] {
  const { offer, earlyData, suite, clientSecret } = negotiated;
  if (!offer.earlyData.offered) return [];
  if (earlyData.status !== 'accepted') return [...handshakeKeys(suite, clientSecret), earlyDataRejected(earlyData)];
  const info = connectionInfo(settings, negotiated, {
    ...known,
    signatureScheme: undefined,
    clientSignatureScheme: undefined,
    localCertificates: [],
    localRawPublicKey: undefined,
    peerCertificateCompression: undefined,
    localCertificateCompression: undefined,
    peerDelegatedCredential: false,
    localDelegatedCredential: false,
  });
  return [{ type: 'early_data_accepted', info }];
}

/** Between early data and the rest of the client's flight (§4.6). */
export function endEarlyData({ earlyData, suite, clientSecret }: Negotiated, transcript: Transcript): EndedEarlyData {
  if (earlyData.status !== 'accepted') return { transcript, effects: [] };
  const message = encodeMessage('end_of_early_data', {});
  return {
    transcript: transcript.append(message),
    effects: [{ type: 'send', message }, ...handshakeKeys(suite, clientSecret)],
  };
}

export interface EndedEarlyData {
  readonly transcript: Transcript;
  readonly effects: readonly Effect[];
}

function rejectedBefore(reason: EarlyDataReason): 'none' | 'rejected' {
  return reason === 'hello_retry_request' ? 'rejected' : 'none';
}

function refused(how: string): TlsError {
  return new TlsError('illegal_parameter', `the server accepts early data ${how} (§4.3.10)`);
}
