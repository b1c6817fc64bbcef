/** Record protection (§5.2) built over a provider's AEAD, one record at a time. */
import type { AlertName } from '../alert.js';
import type {
  Aead,
  CryptoProvider,
  Fragment,
  OpenedRecords,
  RecordOpener,
  RecordProtection,
  RecordSealer,
  TrafficKeys,
} from '../crypto/provider.js';
import { contentTypes } from '../registry.js';
import { checkMaxFragment, headerLength, maxCiphertextLength, maxInnerPlaintextLength, writeHeader } from './header.js';
import { NonceSequence } from './nonce.js';
import { type PaddingPolicy, paddingBy } from './padding.js';

/** The provider's own batched protection where it has one, otherwise the portable one over its AEAD. */
export function recordProtection(provider: CryptoProvider): RecordProtection {
  return provider.recordProtection ?? portableRecordProtection(provider);
}

export function portableRecordProtection(provider: Pick<CryptoProvider, 'aead'>): RecordProtection {
  return {
    sealer: (keys) => new PortableSealer(provider.aead(keys.aead, keys.key), keys),
    opener: (keys) => new PortableOpener(provider.aead(keys.aead, keys.key), keys),
  };
}

/** Seals with padding, which no batched protection does: a record's content, type and padding are at most `limit()` bytes. */
export function paddingProtection(
  provider: Pick<CryptoProvider, 'aead' | 'random'>,
  policy: PaddingPolicy,
  limit: () => number,
): Pick<RecordProtection, 'sealer'> {
  const pad = paddingBy(policy, provider);
  const room: PadRecord = (contentType, length) => pad(contentType, length, Math.max(0, limit() - 1 - length));
  return { sealer: (keys) => new PortableSealer(provider.aead(keys.aead, keys.key), keys, room) };
}

type PadRecord = (contentType: number, length: number) => number;

class PortableSealer implements RecordSealer {
  readonly #pad: PadRecord | undefined;
  readonly #aead: Aead;
  readonly #nonces: NonceSequence;

  constructor(aead: Aead, keys: TrafficKeys, pad?: PadRecord) {
    this.#aead = aead;
    this.#pad = pad;
    this.#nonces = new NonceSequence(keys.iv, keys.sequenceNumber);
  }

  get sequenceNumber(): number {
    return this.#nonces.sequenceNumber;
  }

  seal(contentType: number, content: Uint8Array, maxFragment: number): Uint8Array {
    checkMaxFragment(maxFragment);
    if (content.length === 0 && contentType !== contentTypes.application_data) {
      throw new TypeError(`a record of content type ${contentType} may not be empty: only application data may (§5.4)`);
    }
    const count = Math.max(1, Math.ceil(content.length / maxFragment));
    const paddings = this.#paddings(contentType, content.length, maxFragment, count);
    const padding = paddings.reduce((sum, each) => sum + each, 0);
    const expansion = headerLength + 1 + this.#aead.tagLength;
    const records = new Uint8Array(content.length + count * expansion + padding);
    let offset = 0;
    for (let index = 0; index < count; index++) {
      const fragment = content.subarray(index * maxFragment, (index + 1) * maxFragment);
      offset = this.#sealOne(contentType, fragment, paddings[index] ?? 0, records, offset);
    }
    return records;
  }

  destroy(): void {
    this.#aead.destroy();
    this.#nonces.destroy();
  }

  #paddings(contentType: number, length: number, maxFragment: number, count: number): readonly number[] {
    const pad = this.#pad;
    if (pad === undefined) return [];
    return Array.from({ length: count }, (_, index) => {
      return pad(contentType, Math.min(maxFragment, length - index * maxFragment));
    });
  }

  /** Writes a record at `offset` of `records`, and returns where it ends. */
  #sealOne(contentType: number, fragment: Uint8Array, padding: number, records: Uint8Array, offset: number): number {
    const length = fragment.length + 1 + padding;
    const body = offset + headerLength;
    const end = body + length + this.#aead.tagLength;
    writeHeader(records, offset, contentTypes.application_data, end - body);
    const room = workspace.subarray(0, end - body);
    try {
      room.set(fragment);
      room[fragment.length] = contentType;
      const header = records.subarray(offset, body);
      records.set(this.#aead.seal(this.#nonces.nonce(), header, room.subarray(0, length), room), body);
    } finally {
      room.fill(0);
    }
    this.#nonces.advance();
    return end;
  }
}

/**
 * Where an inner plaintext is put together, and sealed by a cipher that can do that in place. All zeros in between, and
 * aligned, which a fragment within a record is not: ciphers in JavaScript copy what is not aligned.
 */
const workspace = new Uint8Array(maxInnerPlaintextLength + 16);

class PortableOpener implements RecordOpener {
  readonly #aead: Aead;
  readonly #nonces: NonceSequence;

  constructor(aead: Aead, keys: TrafficKeys) {
    this.#aead = aead;
    this.#nonces = new NonceSequence(keys.iv, keys.sequenceNumber);
  }

  get sequenceNumber(): number {
    return this.#nonces.sequenceNumber;
  }

  open(records: Uint8Array): OpenedRecords {
    const fragments: Fragment[] = [];
    let consumed = 0;
    let failure: AlertName | undefined;
    while (consumed < records.length) {
      const length = wholeRecordLength(records, consumed);
      const opened = this.#openOne(records.subarray(consumed, consumed + length));
      if (typeof opened === 'string') {
        failure = opened;
        break;
      }
      this.#nonces.advance();
      consumed += length;
      fragments.push(opened);
      if (opened.contentType !== contentTypes.application_data) break;
    }
    return { fragments, count: fragments.length, consumed, failure };
  }

  destroy(): void {
    this.#aead.destroy();
    this.#nonces.destroy();
  }

  #openOne(record: Uint8Array): Fragment | AlertName {
    if (record[0] !== contentTypes.application_data) return 'unexpected_message';
    const sealed = record.subarray(headerLength);
    if (sealed.length > maxCiphertextLength) return 'record_overflow';
    const inner = this.#aead.open(this.#nonces.nonce(), record.subarray(0, headerLength), sealed);
    return inner === undefined ? 'bad_record_mac' : fragmentOf(inner);
  }
}

/** The content of a TLSInnerPlaintext and its type, which is the last octet that is not padding (§5.4). */
export function fragmentOf(inner: Uint8Array): Fragment | AlertName {
  if (inner.length > maxInnerPlaintextLength) return 'record_overflow';
  let end = inner.length;
  while (end > 0 && inner[end - 1] === 0) end--;
  if (end === 0) return 'unexpected_message';
  const contentType = inner[end - 1];
  const content = inner.subarray(0, end - 1);
  if (contentType === contentTypes.application_data) return { contentType, content };
  // A protected change_cipher_spec, an unknown type or an empty handshake or alert record (§5, §5.4).
  const known = contentType === contentTypes.handshake || contentType === contentTypes.alert;
  return known && content.length > 0 ? { contentType, content } : 'unexpected_message';
}

function wholeRecordLength(records: Uint8Array, offset: number): number {
  const length = headerLength + (((records[offset + 3] ?? 0) << 8) | (records[offset + 4] ?? 0));
  if (offset + length > records.length) {
    throw new RangeError(`only whole records can be opened: ${records.length - offset} bytes of ${length} are there`);
  }
  return length;
}
