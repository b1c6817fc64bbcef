/** The receiving half of a connection: from the byte stream to fragments, in clear, then under one key after another. */
import { TlsError } from '../alert.js';
import type { Deviations } from '../config/index.js';
import type {
  CryptoProvider,
  Fragment,
  Hash,
  RecordOpener,
  RecordProtection,
  TrafficKeys,
} from '../crypto/provider.js';
import { aeadTagLength, type CipherSuite } from '../crypto/suites.js';
import type { TlsEvent } from '../events.js';
import { finishedVerifyData } from '../keys/finished.js';
import { nextTrafficSecret, type Secret } from '../keys/schedule.js';
import { openerUnder, trafficKeys } from '../keys/traffic.js';
import { Deframer } from '../record/deframer.js';
import { hasVersion, headerLength, maxInnerPlaintextLength } from '../record/header.js';
import { recordProtection } from '../record/protection.js';
import { contentTypes, nameOf } from '../registry.js';

/** Opened by us with `opener`, or by somebody else when it is undefined. */
interface Keyed {
  readonly suite: CipherSuite;
  readonly hash: Hash;
  readonly secret: Secret;
  opener: RecordOpener | undefined;
}

/** Which records of a client's rejected early data are dropped (§4.3.10). */
type Skipping = 'first_opened_record' | 'second_client_hello';

export class ReceivingHalf {
  readonly #provider: CryptoProvider;
  readonly #protection: RecordProtection;
  readonly #skipLimit: number;
  readonly #deviations: Pick<Deviations, 'recordVersions' | 'unprotectedRecords'>;
  readonly #deframer = new Deframer();
  #keyed: Keyed | undefined;
  /** Those of the records opened last, and how many of them `next` has returned. */
  #fragments: readonly Fragment[] = none;
  #returned = 0;
  #skipping: Skipping | undefined;
  #skipped = 0;
  /** Whether the peer has shown that it has keys: from then on nothing of it comes in clear, whatever the key. */
  #proven = false;
  /** Bytes of content, type and padding of a record (RFC 8449), and whether the peer is to know of it by now. */
  #limit = maxInnerPlaintextLength;
  #limitEnforced = false;

  constructor(
    provider: CryptoProvider,
    skipLimit: number,
    deviations: Pick<Deviations, 'recordVersions' | 'unprotectedRecords'>,
  ) {
    this.#provider = provider;
    this.#protection = recordProtection(provider);
    this.#skipLimit = skipLimit;
    this.#deviations = deviations;
  }

  get detached(): boolean {
    return this.#keyed !== undefined && this.#keyed.opener === undefined;
  }

  get wanted(): number {
    return this.#deframer.wanted;
  }

  /** Bytes that have come and were not taken yet. */
  get buffered(): number {
    return this.#deframer.buffered;
  }

  get atRecordBoundary(): boolean {
    return this.#deframer.buffered === 0 && !this.#holdsFragments();
  }

  push(bytes: Uint8Array, headroom = 0): void {
    this.#deframer.push(bytes, headroom);
  }

  /** Copies what has come and was not taken yet: the memory given to `push` is the caller's again. */
  keep(): void {
    this.#deframer.keep();
  }

  /** The next fragment, a change_cipher_spec among them; `undefined` when more bytes are wanted. */
  next(): Fragment | undefined {
    for (;;) {
      if (this.#holdsFragments()) return this.#nextFragment();
      const run = this.#deframer.next();
      if (run === undefined) return undefined;
      if (run.contentType === contentTypes.application_data) this.#open(run.records);
      else return this.#inClear(run.contentType, run.records);
    }
  }

  /** verify_data of a Finished under the secret in force (§4.5.3). */
  finished(transcriptHash: Uint8Array): Uint8Array {
    const keyed = this.#keyed;
    if (keyed === undefined) throw new TypeError('there is no secret before the handshake has made one');
    return finishedVerifyData(keyed.hash, keyed.secret, transcriptHash);
  }

  setSecret(suite: CipherSuite, secret: Secret): void {
    this.#replace(suite, secret, false);
  }

  /** §7.2. The `rekey` event, when somebody else protects this direction. */
  update(): TlsEvent | undefined {
    const keyed = this.#keyed;
    if (keyed === undefined) throw new TypeError('there is no key to update before the handshake has made one');
    const { suite, hash } = keyed;
    const detached = keyed.opener === undefined;
    const secret = nextTrafficSecret(hash, keyed.secret);
    this.#replace(suite, secret, detached);
    return detached ? { type: 'rekey', direction: 'receive', keys: trafficKeys(suite, hash, secret) } : undefined;
  }

  detach(): TrafficKeys {
    const keyed = this.#keyed;
    if (keyed?.opener === undefined) throw new TypeError('receiving is in clear or detached already');
    const { sequenceNumber } = keyed.opener;
    keyed.opener.destroy();
    keyed.opener = undefined;
    return { ...trafficKeys(keyed.suite, keyed.hash, keyed.secret), sequenceNumber: BigInt(sequenceNumber) };
  }

  /** What the peer was told a record may hold (RFC 8449). */
  limit(bytes: number): void {
    this.#limit = bytes;
  }

  /** Early data is sent before a client knows its server's limit; from behind it on the limit holds. */
  enforceLimit(): void {
    this.#limitEnforced = true;
  }

  /** Refuses a record of that many bytes of content, type and padding. */
  checkLimit(bytes: number): void {
    if (this.#limitEnforced && bytes > this.#limit) {
      throw new TlsError(
        'record_overflow',
        `a record of ${bytes} bytes of content, type and padding where record_size_limit is ${this.#limit} (RFC 8449 §4)`,
      );
    }
  }

  skipEarlyData(until: Skipping): void {
    this.#skipping = until;
  }

  destroy(): void {
    this.#keyed?.opener?.destroy();
    this.#keyed?.secret.fill(0);
  }

  #replace(suite: CipherSuite, secret: Secret, detached: boolean): void {
    this.destroy();
    const hash = this.#provider.hash(suite.hash);
    const opener = detached ? undefined : openerUnder(this.#protection, suite, hash, secret);
    this.#keyed = { suite, hash, secret, opener };
  }

  #inClear(contentType: number, record: Uint8Array): Fragment {
    const content = record.subarray(headerLength);
    const [, major] = record;
    if (this.#deviations.recordVersions && major !== 3) {
      throw new TlsError('protocol_version', `a record's version begins with ${major}; it begins with 3 in every TLS`);
    }
    if (contentType === contentTypes.change_cipher_spec) return { contentType, content };
    // A peer that could not use our first flight has no keys to seal its alert with; from a proven one it is a forgery.
    const sealed = this.#keyed !== undefined && (contentType !== contentTypes.alert || this.#proven);
    if (sealed) {
      throw new TlsError(
        this.#deviations.unprotectedRecords ? 'bad_record_mac' : 'unexpected_message',
        `unprotected ${nameOf(contentTypes, contentType)} record where protected records are due`,
      );
    }
    if (contentType === contentTypes.handshake && this.#skipping === 'second_client_hello') this.#skipping = undefined;
    if (content.length === 0) {
      throw new TlsError('unexpected_message', `empty ${nameOf(contentTypes, contentType)} record (§5.1)`);
    }
    return { contentType, content };
  }

  #nextFragment(): Fragment | undefined {
    const fragment = this.#fragments[this.#returned];
    this.#returned += 1;
    // Nothing keeps what was returned.
    if (!this.#holdsFragments()) this.#fragments = none;
    return fragment;
  }

  #holdsFragments(): boolean {
    return this.#returned < this.#fragments.length;
  }

  /** Opens a run of protected records as far as the key in force reaches; the rest waits in the deframer. */
  #open(records: Uint8Array): void {
    const opener = this.#keyed?.opener;
    if (opener === undefined) {
      if (this.#skipping !== 'second_client_hello') {
        throw new TlsError('unexpected_message', 'application_data record before any key was agreed');
      }
      return this.#skip(records);
    }
    // Only the first of a run may have another.
    if (!hasVersion(records, 0)) {
      throw new TlsError('protocol_version', 'a protected record has another version than 0x0303 (§5.2)');
    }
    const { fragments, count, consumed, failure } = opener.open(this.#withinLimit(records));
    if (count > 0) {
      this.#proven = true;
      this.#skipping = undefined;
    }
    this.#fragments = fragments;
    this.#returned = 0;
    if (failure === undefined && consumed === records.length) return;
    const rest = records.subarray(consumed);
    if (failure === undefined) {
      this.#deframer.unread(rest.length);
    } else if (this.#skipping === 'first_opened_record' && failure === 'bad_record_mac') {
      this.#skip(rest);
    } else if (this.#holdsFragments()) {
      // What came before the bad record is good: it is delivered, and the record fails when its turn comes.
      this.#deframer.unread(rest.length);
    } else {
      throw new TlsError(failure, failureTexts[failure] ?? 'a protected record could not be opened');
    }
  }

  /** Those in front of the first that is too long; which, when its turn comes, is refused unopened. */
  #withinLimit(records: Uint8Array): Uint8Array {
    const { suite } = this.#keyed ?? {};
    const bounded = this.#limitEnforced && this.#limit < maxInnerPlaintextLength;
    // Early data that is rejected was made before its client knew the limit.
    if (suite === undefined || !bounded || this.#skipping !== undefined) return records;
    const overhead = aeadTagLength(suite.aead);
    for (let offset = 0; offset < records.length; ) {
      const length = ((records[offset + 3] ?? 0) << 8) | (records[offset + 4] ?? 0);
      if (length - overhead > this.#limit) {
        if (offset === 0 && !this.#holdsFragments()) this.checkLimit(length - overhead);
        return records.subarray(0, offset);
      }
      offset += headerLength + length;
    }
    return records;
  }

  /** Drops the first of `records`, within the limit; the others are looked at again. */
  #skip(records: Uint8Array): void {
    const [, , , high = 0, low = 0] = records;
    const length = headerLength + ((high << 8) | low);
    this.#skipped += length;
    if (this.#skipped > this.#skipLimit) {
      throw new TlsError(
        'unexpected_message',
        `more than ${this.#skipLimit} bytes of early data that was not accepted`,
      );
    }
    this.#deframer.unread(records.length - length);
  }
}

const none: readonly Fragment[] = [];

const failureTexts: Readonly<Record<string, string>> = {
  bad_record_mac: 'a record does not authenticate under the key in force',
  record_overflow: 'a record is longer than §5.2 allows',
  unexpected_message: 'a protected record holds no content (§5.4)',
};
