/**
 * HelloRetryRequest (§4.2.4): what ties the second ClientHello to the first (§4.2.2). A server keeps this, or puts it
 * into a cookie; either way it is all that is left of the first ClientHello.
 */
import { TlsError } from '../../alert.js';
import { equal } from '../../bytes.js';
import type { CryptoProvider, Hash } from '../../crypto/provider.js';
import type { CipherSuite } from '../../crypto/suites.js';
import { Transcript } from '../../keys/transcript.js';
import { extensionTypes, type NamedGroupName, namedGroups, nameOf, protocolVersions } from '../../registry.js';
import { encodeMessage, helloRetryRequestRandom } from '../../wire/index.js';
import { confirmationLength, confirmRetry } from '../ech/confirmation.js';
import { isConfirmed } from '../ech/open.js';
import type { ChosenShare } from '../negotiate.js';
import type { Offer, OfferedPsk } from './client-hello.js';

export interface Retry {
  readonly suite: CipherSuite;
  /** Asked for in the HelloRetryRequest: the client sent no share for any group that would do. */
  readonly group: NamedGroupName;
  /** Hash(ClientHello1) (§4.1). */
  readonly clientHello1Hash: Uint8Array;
  /** Hash over everything that both ClientHellos must have alike. */
  readonly unchangedHash: Uint8Array;
  /**
   * A short hash of each PSK identity that goes with the suite, in order; `undefined` when there were too many to
   * remember.
   */
  readonly identities: readonly Uint8Array[] | undefined;
  /** The same of the external PSK that the suite was chosen for, which must come again; empty without one. */
  readonly promised: Uint8Array;
}

/** Bytes of the hashes in `Retry.identities`. */
export const identityHashLength = 8;
export const mostIdentities = 32;

/** `promised` is the place of the external PSK that is to be taken when it comes again. */
export function retryFor(
  offer: Offer,
  suite: CipherSuite,
  group: NamedGroupName,
  provider: CryptoProvider,
  promised?: number,
): Retry {
  const hash = provider.hash(suite.hash);
  const psks = compatible(offer.psks, hash);
  const chosen = promised === undefined ? undefined : offer.psks[promised];
  return {
    suite,
    group,
    clientHello1Hash: hash.digest(offer.bytes),
    unchangedHash: unchangedHash(offer, hash),
    identities: psks.length > mostIdentities ? undefined : psks.map((psk) => identityHash(psk, hash)),
    promised: chosen === undefined ? noBytes : identityHash(chosen, hash),
  };
}

/** The message, the same for the same offer: with a cookie it is made again when the second ClientHello comes. */
export function helloRetryRequest(
  offer: Offer,
  retry: Retry,
  cookie: Uint8Array | undefined,
  provider: CryptoProvider,
): Uint8Array {
  const confirmed = isConfirmed(offer.ech);
  const message = encodeMessage('hello_retry_request', {
    legacyVersion: protocolVersions.tls12,
    random: helloRetryRequestRandom,
    legacySessionIdEcho: offer.hello.legacySessionId,
    cipherSuite: retry.suite.code,
    legacyCompressionMethod: 0,
    extensions: {
      supportedVersions: protocolVersions.tls13,
      keyShare: namedGroups[retry.group],
      cookie,
      encryptedClientHello: confirmed ? new Uint8Array(confirmationLength) : undefined,
    },
  });
  if (confirmed) {
    const transcript = Transcript.fromClientHello1Hash(provider.hash(retry.suite.hash), retry.clientHello1Hash);
    confirmRetry({ innerRandom: offer.hello.random, transcript, message });
  }
  return message;
}

/** The transcript that the second ClientHello is appended to (§4.1). */
export function transcriptBeforeRetriedHello(retry: Retry, message: Uint8Array, provider: CryptoProvider): Transcript {
  return Transcript.fromClientHello1Hash(provider.hash(retry.suite.hash), retry.clientHello1Hash).append(message);
}

/** Holds the second ClientHello against §4.2.2's list of what may differ; the share that was asked for. */
export function checkSecondClientHello(offer: Offer, retry: Retry, provider: CryptoProvider): ChosenShare {
  const hash = provider.hash(retry.suite.hash);
  if (!equal(unchangedHash(offer, hash), retry.unchangedHash)) {
    throw changed('differs from the first in more than key_share, cookie, pre_shared_key, early_data and padding');
  }
  checkIdentities(offer.psks, retry, hash);
  const [share, ...others] = offer.keyShares;
  if (share === undefined || others.length > 0 || share.group !== namedGroups[retry.group]) {
    const seen = offer.keyShares.map(({ group }) => nameOf(namedGroups, group)).join(', ');
    throw changed(`has shares for ${seen || 'no group'}; wanted is one, for ${retry.group}`);
  }
  return { group: retry.group, keyExchange: share.keyExchange };
}

const mayChange: ReadonlySet<number> = new Set([
  extensionTypes.key_share,
  extensionTypes.cookie,
  extensionTypes.pre_shared_key,
  extensionTypes.early_data,
  extensionTypes.padding,
  // Of a client whose ECH was rejected (RFC 9849 §6.1.5); one that was accepted shows the inner ClientHello here.
  extensionTypes.encrypted_client_hello,
]);

/** The order of extensions means nothing (§4.3), and there are clients that change it (wolfSSL). */
function unchangedHash({ hello, bytes }: Offer, hash: Hash): Uint8Array {
  const running = hash.start();
  running.update(beforeExtensions(bytes, hello.legacySessionId.length, hello.cipherSuites.length));
  for (const [type, data] of [...hello.extensions.raw].sort(([one], [other]) => one - other)) {
    if (mayChange.has(type)) continue;
    running.update(Uint8Array.of(type >> 8, type & 0xff, data.length >> 8, data.length & 0xff));
    running.update(data);
  }
  return running.digest();
}

/** From legacy_version through legacy_compression_methods, which have been found to be one byte. */
function beforeExtensions(bytes: Uint8Array, sessionIdLength: number, cipherSuiteCount: number): Uint8Array {
  const header = 4;
  const versionAndRandom = 2 + 32;
  const compression = 2;
  const end = header + versionAndRandom + (1 + sessionIdLength) + (2 + 2 * cipherSuiteCount) + compression;
  return bytes.subarray(header, end);
}

/**
 * PSKs may be dropped, as those of another hash than the suite's should be, but not all of them, and not the one that
 * the suite was chosen for; none may be new, and none in another place.
 */
function checkIdentities(offered: readonly OfferedPsk[], { identities, promised }: Retry, hash: Hash): void {
  if (offered.length === 0 && (identities === undefined || identities.length > 0)) {
    throw new TlsError(
      'missing_extension',
      'the second ClientHello is without the pre_shared_key of the first (§4.2.2)',
    );
  }
  if (promised.length > 0 && !offered.some((psk) => equal(identityHash(psk, hash), promised))) {
    throw changed('is without the PSK that the HelloRetryRequest was meant for');
  }
  if (identities === undefined) return;
  let place = 0;
  for (const psk of offered) {
    // One whose binder is of no hash's length may be of either: if it is chosen, its verification fails.
    if (psk.binder.length !== hash.length) continue;
    const wanted = identityHash(psk, hash);
    place = identities.findIndex((identity, index) => index >= place && equal(identity, wanted)) + 1;
    if (place === 0) throw changed('offers PSKs that the first did not, or in another order');
  }
}

/**
 * A binder is as long as its PSK's hash (§4.3.11.2): so it shows before anything is opened which PSKs go with a suite. One
 * of no hash's length stays: the second ClientHello may have a right one.
 */
function compatible(psks: readonly OfferedPsk[], hash: Hash): readonly OfferedPsk[] {
  return psks.filter(({ binder }) => binder.length === hash.length || !hashLengths.has(binder.length));
}

const hashLengths: ReadonlySet<number> = new Set([32, 48]);

function identityHash(psk: OfferedPsk, hash: Hash): Uint8Array {
  return hash.digest(psk.identity).subarray(0, identityHashLength);
}

function changed(what: string): TlsError {
  return new TlsError('illegal_parameter', `the second ClientHello ${what} (§4.2.2)`);
}

const noBytes = new Uint8Array(0);
