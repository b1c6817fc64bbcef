/** The sending half of a connection: in clear, then under one key after another, at last perhaps in other hands. */
import { concat } from '../bytes.js';
import type { CryptoProvider, Hash, RecordSealer, TrafficKeys } from '../crypto/provider.js';
import type { CipherSuite } from '../crypto/suites.js';
import type { TlsEvent } from '../events.js';
import { finishedVerifyData } from '../keys/finished.js';
import { nextTrafficSecret, type Secret } from '../keys/schedule.js';
import { type SealingProtection, sealerUnder, trafficKeys } from '../keys/traffic.js';
import { plaintextRecords } from '../record/header.js';
import { paddingProtection, recordProtection } from '../record/protection.js';
import { contentTypes, protocolVersions } from '../registry.js';
import type { EngineSettings } from './machine.js';
import { RecordSizes } from './record-sizes.js';

/** Sealed by us with `sealer`, or by somebody else when it is undefined; `records` were sealed under this key. */
interface Keyed {
  readonly suite: CipherSuite;
  readonly hash: Hash;
  readonly secret: Secret;
  sealer: RecordSealer | undefined;
  detachedRecords: number;
}

export class SendingHalf {
  readonly #provider: CryptoProvider;
  readonly #protection: SealingProtection;
  readonly sizes: RecordSizes;
  /** Of the next record in clear: for the first ClientHello what every server has always taken (§5.1). */
  #recordVersion: number;
  #changeCipherSpecOwed = false;
  #keyed: Keyed | undefined;

  constructor(role: 'client' | 'server', settings: EngineSettings) {
    const { provider, padding } = settings;
    this.#provider = provider;
    this.sizes = new RecordSizes(settings, settings.now);
    const room = () => this.sizes.innerLimit;
    this.#protection = padding === undefined ? recordProtection(provider) : paddingProtection(provider, padding, room);
    this.#recordVersion = role === 'client' ? protocolVersions.tls10 : protocolVersions.tls12;
  }

  get detached(): boolean {
    return this.#keyed !== undefined && this.#keyed.sealer === undefined;
  }

  /** Records that were sealed under the key in force. */
  get recordsUnderKey(): number {
    const keyed = this.#keyed;
    return keyed === undefined ? 0 : (keyed.sealer?.sequenceNumber ?? keyed.detachedRecords);
  }

  get suite(): CipherSuite | undefined {
    return this.#keyed?.suite;
  }

  /** What a record to the peer may hold from here on (RFC 8449). */
  limit(bytes: number): void {
    this.sizes.innerLimit = bytes;
  }

  /** The content, protected by the keys in force; `record` when somebody else protects it. */
  write(contentType: number, content: Uint8Array): TlsEvent {
    const keyed = this.#keyed;
    if (keyed === undefined) return { type: 'transmit', data: this.#inClear(contentType, content) };
    if (keyed.sealer === undefined) {
      keyed.detachedRecords += 1;
      return { type: 'record', contentType, fragment: content };
    }
    const sealed = this.#seal(keyed.sealer, contentType, content);
    if (!this.#changeCipherSpecOwed) return { type: 'transmit', data: sealed };
    this.#changeCipherSpecOwed = false;
    return { type: 'transmit', data: concat(this.#inClear(contentTypes.change_cipher_spec, changeCipherSpec), sealed) };
  }

  /** The same for content of any length: records of their own when somebody else protects them. */
  writeAll(contentType: number, content: Uint8Array): readonly TlsEvent[] {
    if (!this.detached) return [this.write(contentType, content)];
    const events: TlsEvent[] = [];
    const size = this.sizes.protected;
    for (let start = 0; start < content.length; start += size) {
      events.push(this.write(contentType, content.subarray(start, start + size)));
    }
    return events;
  }

  /** verify_data of a Finished under the secret in force (§4.5.3). */
  finished(transcriptHash: Uint8Array): Uint8Array {
    const keyed = this.#keyed;
    if (keyed === undefined) throw new TypeError('there is no secret before the handshake has made one');
    return finishedVerifyData(keyed.hash, keyed.secret, transcriptHash);
  }

  /** The one record that is in clear whatever keys are in force (§5). */
  changeCipherSpec(): TlsEvent {
    return { type: 'transmit', data: this.#inClear(contentTypes.change_cipher_spec, changeCipherSpec) };
  }

  /** Puts a change_cipher_spec in front of the next record, which is protected. */
  changeCipherSpecFirst(): void {
    this.#changeCipherSpecOwed = true;
  }

  setSecret(suite: CipherSuite, secret: Secret): void {
    this.#replace(suite, secret, false);
  }

  /** A second ClientHello follows early data: from here on in clear again (§4.2.4). */
  setNoSecret(): void {
    this.destroy();
    this.#keyed = undefined;
  }

  /** §7.2. The `rekey` event, when somebody else protects this direction. */
  update(): TlsEvent | undefined {
    const keyed = this.#keyed;
    if (keyed === undefined) throw new TypeError('there is no key to update before the handshake has made one');
    const { suite, hash } = keyed;
    const detached = keyed.sealer === undefined;
    const secret = nextTrafficSecret(hash, keyed.secret);
    this.#replace(suite, secret, detached);
    return detached ? { type: 'rekey', direction: 'send', keys: trafficKeys(suite, hash, secret) } : undefined;
  }

  detach(): TrafficKeys {
    const keyed = this.#keyed;
    if (keyed?.sealer === undefined) throw new TypeError('sending is in clear or detached already');
    const { sequenceNumber } = keyed.sealer;
    keyed.sealer.destroy();
    keyed.sealer = undefined;
    keyed.detachedRecords = sequenceNumber;
    return { ...trafficKeys(keyed.suite, keyed.hash, keyed.secret), sequenceNumber: BigInt(sequenceNumber) };
  }

  countDetached(records: number): void {
    if (this.#keyed !== undefined) this.#keyed.detachedRecords += records;
  }

  destroy(): void {
    this.#keyed?.sealer?.destroy();
    this.#keyed?.secret.fill(0);
  }

  #seal(sealer: RecordSealer, contentType: number, content: Uint8Array): Uint8Array {
    const { sizes } = this;
    const small = contentType === contentTypes.application_data ? sizes.small(content.length) : 0;
    if (small === 0) return sealer.seal(contentType, content, sizes.protected);
    const first = sealer.seal(contentType, content.subarray(0, small), sizes.least);
    if (small === content.length) return first;
    return concat(first, sealer.seal(contentType, content.subarray(small), sizes.protected));
  }

  #inClear(contentType: number, content: Uint8Array): Uint8Array {
    const records = plaintextRecords(contentType, content, this.sizes.clear, this.#recordVersion);
    this.#recordVersion = protocolVersions.tls12;
    return records;
  }

  #replace(suite: CipherSuite, secret: Secret, detached: boolean): void {
    this.destroy();
    const hash = this.#provider.hash(suite.hash);
    const sealer = detached ? undefined : sealerUnder(this.#protection, suite, hash, secret);
    this.#keyed = { suite, hash, secret, sealer, detachedRecords: 0 };
  }
}

const changeCipherSpec = Uint8Array.of(1);
