/** ServerHello (§4.2.3) and HelloRetryRequest (§4.2.4): what the server chose, judged by what was offered. */
import { TlsError } from '../../alert.js';
import { equal } from '../../bytes.js';
import type { PskKeyExchangeMode } from '../../config/index.js';
import type { EphemeralKey } from '../../crypto/provider.js';
import type { CipherSuite } from '../../crypto/suites.js';
import { EarlySecret } from '../../keys/schedule.js';
import { Transcript } from '../../keys/transcript.js';
import { cipherSuites, extensionTypes, namedGroups, nameOf, protocolVersions } from '../../registry.js';
import { downgradeSentinel, type ServerHello } from '../../wire/index.js';
import { defaultCertificateTypes } from '../certificate-types.js';
import type { Effect } from '../effects.js';
import type { MessageOf, Step } from '../step.js';
import { earlyDataRejected, endEarlyDataByRetry, handshakeKeys, outcomeOfServerHello } from './early-data.js';
import { innerSent, offerAnsweredBy, offerRetriedBy } from './ech-answer.js';
import { type Changes, changedOffer, checkOffered, type Offer } from './offer.js';
import { forgetPsks, type OfferedPsk } from './psk.js';
import type { ClientContext, WaitEncryptedExtensions, WaitServerHello, WaitServerHelloAgain } from './states.js';

export function receiveHelloRetryRequest(
  { offer: given }: WaitServerHello,
  message: MessageOf<'hello_retry_request'>,
  { settings }: ClientContext,
): Step<WaitServerHelloAgain> {
  const { body, bytes } = message;
  const suite = checkHello('HelloRetryRequest', body, given, settings.cipherSuites);
  const hash = settings.provider.hash(suite.hash);
  const offer = offerRetriedBy(given, Transcript.start(hash).append(given.message).messageHash(), message);
  const { cookie, keyShare: selectedGroup, types } = body.extensions;
  // §4.3.2: cookie is the one answer that needs no question.
  const answers = types.filter((type) => type !== extensionTypes.cookie);
  checkOffered(offer, 'HelloRetryRequest', answers);
  if (cookie === undefined && selectedGroup === undefined) {
    throw new TlsError('illegal_parameter', 'the HelloRetryRequest asks for no change of the ClientHello (§4.2.4)');
  }

  const before = Transcript.start(hash).append(offer.message).messageHash().append(bytes);
  const shares = selectedGroup === undefined ? offer.shares : [newShare(offer, selectedGroup, settings)];
  if (selectedGroup !== undefined) for (const share of offer.shares) share.destroy();
  const changes: Changes = { shares, cookie, psks: psksFor(suite, offer), before };
  const second = changedOffer(settings, offer, changes);
  const compatible = offer.hello.legacySessionId.length > 0 && !offer.earlyData.offered;
  return {
    next: { name: 'WAIT_SH_AFTER_HRR', offer: second, suite, transcript: before.append(second.message) },
    effects: [
      ...endEarlyDataByRetry(offer),
      ...(compatible ? [{ type: 'change_cipher_spec', when: 'now' } as const] : []),
      ...innerSent(second),
      { type: 'send', message: second.sent.message },
    ],
  };
}

export function receiveServerHello(
  { offer: given }: WaitServerHello,
  message: MessageOf<'server_hello'>,
  context: ClientContext,
): Step<WaitEncryptedExtensions> {
  const suite = checkHello('ServerHello', message.body, given, context.settings.cipherSuites);
  const hash = context.settings.provider.hash(suite.hash);
  const offer = offerAnsweredBy(given, Transcript.start(hash).append(given.message), message);
  return negotiate(offer, suite, Transcript.start(hash).append(offer.message), false, message, context);
}

export function receiveServerHelloAgain(
  { offer, suite: expected, transcript }: WaitServerHelloAgain,
  message: MessageOf<'server_hello'>,
  context: ClientContext,
): Step<WaitEncryptedExtensions> {
  const suite = checkHello('ServerHello', message.body, offer, context.settings.cipherSuites);
  if (suite.code !== expected.code) {
    throw new TlsError(
      'illegal_parameter',
      `the ServerHello selects ${suite.name}; the HelloRetryRequest selected ${expected.name} (§4.2.4)`,
    );
  }
  return negotiate(offerAnsweredBy(offer, transcript, message), suite, transcript, true, message, context);
}

/** What both messages must fulfil (§4.2.3, §4.3.1); the suite they select. */
function checkHello(
  name: 'ServerHello' | 'HelloRetryRequest',
  hello: Omit<ServerHello, 'extensions'> & { readonly extensions: { readonly supportedVersions?: number | undefined } },
  offer: Offer,
  suites: readonly CipherSuite[],
): CipherSuite {
  checkVersion(name, hello);
  if (!equal(hello.legacySessionIdEcho, offer.hello.legacySessionId)) {
    throw new TlsError('illegal_parameter', `the ${name} does not echo the legacy_session_id that was sent (§4.2.3)`);
  }
  if (hello.legacyCompressionMethod !== 0) {
    throw new TlsError(
      'decode_error',
      `the ${name} selects compression method ${hello.legacyCompressionMethod}; only 0 exists (§4.2.3)`,
    );
  }
  const suite = suites.find(({ code }) => code === hello.cipherSuite);
  if (suite === undefined) {
    const seen = nameOf(cipherSuites, hello.cipherSuite);
    const offered = offer.hello.cipherSuites.map((code) => nameOf(cipherSuites, code)).join(', ');
    throw new TlsError('illegal_parameter', `the ${name} selects ${seen}; offered were ${offered} (§4.2.3)`);
  }
  return suite;
}

function checkVersion(name: string, hello: Parameters<typeof checkHello>[1]): void {
  const { legacyVersion } = hello;
  const selected = hello.extensions.supportedVersions;
  if (selected === undefined) {
    // §4.2.3: a server that speaks TLS 1.3 and yet chose an older version was made to by somebody in between.
    const sentinel = downgradeSentinel(hello.random);
    if (sentinel !== undefined) {
      const claimed = sentinel === 'tls12' ? 'TLS 1.2' : 'TLS 1.1 or below';
      throw new TlsError('illegal_parameter', `the server speaks TLS 1.3 but was downgraded to ${claimed} (§4.2.3)`);
    }
    const seen = nameOf(protocolVersions, legacyVersion);
    throw new TlsError(
      'protocol_version',
      `the server selects ${seen} without supported_versions; wanted is tls13 (§E.1)`,
    );
  }
  if (selected !== protocolVersions.tls13) {
    const seen = nameOf(protocolVersions, selected);
    throw new TlsError(
      'illegal_parameter',
      `the ${name}'s supported_versions selects ${seen}; offered was tls13 (§4.3.1)`,
    );
  }
  if (legacyVersion !== protocolVersions.tls12) {
    const seen = `0x${legacyVersion.toString(16).padStart(4, '0')}`;
    throw new TlsError('protocol_version', `the ${name}'s legacy_version is ${seen}; wanted is 0x0303 (§4.2.3)`);
  }
}

/** A share for the group that a HelloRetryRequest asks for: one that was offered, and without a share so far (§4.3.8). */
function newShare(offer: Offer, selected: number, settings: ClientContext['settings']): EphemeralKey {
  const group = settings.groups.find((name) => namedGroups[name] === selected);
  const seen = nameOf(namedGroups, selected);
  if (group === undefined) {
    throw new TlsError(
      'illegal_parameter',
      `the HelloRetryRequest selects the group ${seen}; offered were ${settings.groups.join(', ')} (§4.3.8)`,
    );
  }
  if (offer.shares.some((share) => share.group === group)) {
    throw new TlsError(
      'illegal_parameter',
      `the HelloRetryRequest asks for ${seen}, of which a share was sent (§4.3.8)`,
    );
  }
  return settings.provider.generateKeyShare(group);
}

/** §4.2.4: PSKs of another hash than the selected suite's are not offered again. */
function psksFor(suite: CipherSuite, { psks }: Offer): readonly OfferedPsk[] {
  const compatible = psks.filter(({ earlySecret }) => earlySecret.hash.name === suite.hash);
  for (const psk of psks) if (!compatible.includes(psk)) psk.earlySecret.destroy();
  return compatible;
}

/** Agrees on the handshake's keys; `transcript` runs through the ClientHello that `offer` is. */
function negotiate(
  offer: Offer,
  suite: CipherSuite,
  transcript: Transcript,
  helloRetryRequest: boolean,
  { body, bytes }: MessageOf<'server_hello'>,
  { settings }: ClientContext,
): Step<WaitEncryptedExtensions> {
  const { types, preSharedKey: selectedIdentity } = body.extensions;
  checkOffered(offer, 'ServerHello', types);
  const psk = selectedIdentity === undefined ? undefined : selectedPsk(offer, selectedIdentity, suite);
  if (psk === undefined && settings.verifyPeer === undefined) {
    throw new TlsError('missing_extension', 'the ServerHello selects no PSK, and no certificate is accepted (§4.2.1)');
  }
  const share = chosenShare(offer, body, psk !== undefined, settings.pskKeyExchangeModes);
  const sharedSecret = share?.key.decapsulate(share.keyExchange);
  for (const key of offer.shares) key.destroy();
  if (share !== undefined && sharedSecret === undefined) {
    throw new TlsError('illegal_parameter', `the server's ${share.key.group} share is not valid (§4.3.8.2, §7.4.2)`);
  }

  const handshakeSecret = earlySecret(offer, psk, transcript).handshake(sharedSecret);
  sharedSecret?.fill(0);
  const throughServerHello = transcript.append(bytes);
  const clientSecret = handshakeSecret.clientTraffic(throughServerHello.digest());
  const serverSecret = handshakeSecret.serverTraffic(throughServerHello.digest());
  const { random: clientRandom, legacySessionId } = offer.hello;
  const earlyData = outcomeOfServerHello(offer, psk);
  const compatibility: readonly Effect[] =
    legacySessionId.length > 0 && !helloRetryRequest && !offer.earlyData.offered
      ? [{ type: 'change_cipher_spec', when: 'before_next_record' }]
      : [];
  return {
    next: {
      name: 'WAIT_EE',
      negotiated: {
        offer,
        suite,
        group: share?.key.group,
        serverRandom: body.random.slice(),
        helloRetryRequest,
        recordSizeLimit: undefined,
        echRetryConfigs: undefined,
        certificateTypes: defaultCertificateTypes,
        psk,
        earlyData,
        clientSecret,
        serverSecret,
        mainSecret: handshakeSecret.main(),
      },
      transcript: throughServerHello,
    },
    effects: [
      // §E.4: before the second flight, which after a HelloRetryRequest was the second ClientHello; so before an alert too.
      ...compatibility,
      { type: 'key_log', label: 'CLIENT_HANDSHAKE_TRAFFIC_SECRET', clientRandom, secret: clientSecret },
      { type: 'key_log', label: 'SERVER_HANDSHAKE_TRAFFIC_SECRET', clientRandom, secret: serverSecret },
      // §A.1 sends nothing under the handshake keys before Finished but alerts, which belong under them, not in clear.
      ...(earlyData.status === 'offered' ? [] : handshakeKeys(suite, clientSecret)),
      { type: 'K_recv', epoch: 'handshake', suite, secret: serverSecret },
      ...(earlyData.reason === 'session_not_resumed' ? [earlyDataRejected(earlyData)] : []),
    ],
  };
}

/** The PSK behind selected_identity, which must go with the suite (§4.3.11). */
function selectedPsk({ psks }: Offer, selectedIdentity: number, suite: CipherSuite): OfferedPsk {
  const psk = psks[selectedIdentity];
  if (psk === undefined) {
    throw new TlsError(
      'illegal_parameter',
      `the ServerHello selects PSK ${selectedIdentity}; offered were ${psks.length}, counted from 0 (§4.3.11)`,
    );
  }
  const { name: hash } = psk.earlySecret.hash;
  if (hash !== suite.hash) {
    throw new TlsError(
      'illegal_parameter',
      `the ServerHello selects ${suite.name} with a PSK whose hash is ${hash} (§4.3.11)`,
    );
  }
  return psk;
}

/** The server's share and the half of ours that it goes with (§4.3.8); neither, where the PSK alone is to make the keys. */
function chosenShare(
  { shares }: Offer,
  { extensions: { keyShare } }: ServerHello,
  withPsk: boolean,
  modes: readonly PskKeyExchangeMode[],
): { readonly key: EphemeralKey; readonly keyExchange: Uint8Array } | undefined {
  if (keyShare === undefined) {
    if (withPsk && modes.includes('psk_ke')) return undefined;
    // A PSK alone contradicts the offer (§4.3.11); with neither, no key can be made (§9.2).
    throw withPsk
      ? new TlsError('illegal_parameter', 'the ServerHello has no key_share; only psk_dhe_ke was offered (§4.3.11)')
      : new TlsError('missing_extension', 'the ServerHello has neither key_share nor pre_shared_key (§4.2.3)');
  }
  if (withPsk && !modes.includes('psk_dhe_ke')) {
    throw new TlsError('illegal_parameter', 'the ServerHello has a key_share; only psk_ke was offered (§4.3.9)');
  }
  const key = shares.find(({ group }) => namedGroups[group] === keyShare.group);
  if (key === undefined) {
    const sent = shares.map(({ group }) => group).join(', ') || 'none';
    const seen = nameOf(namedGroups, keyShare.group);
    throw new TlsError('illegal_parameter', `the server's share is of ${seen}; shares were sent of ${sent} (§4.3.8)`);
  }
  return { key, keyExchange: keyShare.keyExchange };
}

/** From the PSK that was taken; those that were not are wiped. */
function earlySecret({ psks }: Offer, selected: OfferedPsk | undefined, { hash }: Transcript): EarlySecret {
  forgetPsks(psks, selected);
  return selected?.earlySecret ?? EarlySecret.from(hash);
}
