/** Batched record protection (§5.2) by the native addon. */
import type {
  AeadName,
  AlertName,
  Fragment,
  OpenedRecords,
  RecordOpener,
  RecordProtection,
  RecordSealer,
  TrafficKeys,
} from 'tls13-core';
import type { Binding, BoundOpener, BoundSealer } from './binding.js';
import { keepRoom, takeRoom } from './buffers.js';

export function nativeRecordProtection(binding: Binding): RecordProtection {
  return {
    sealer: (keys) => new NativeSealer(binding, keys),
    opener: (keys) => new NativeOpener(binding, keys),
  };
}

const applicationData = 23;
const maxPlaintextLength = 16_384;
/** Header and content type; the tag is added to them. */
const fixedExpansion = 6;

const tagLengths: Readonly<Record<AeadName, number>> = {
  'aes-128-gcm': 16,
  'aes-256-gcm': 16,
  'chacha20-poly1305': 16,
  'aes-128-ccm': 16,
  'aes-128-ccm-8': 8,
};

class NativeSealer implements RecordSealer {
  readonly #native: BoundSealer;
  readonly #expansion: number;
  #sequenceNumber: number;

  constructor(binding: Binding, keys: TrafficKeys) {
    this.#sequenceNumber = exactSequenceNumber(keys.sequenceNumber);
    this.#native = new binding.RecordSealer(keys.aead, keys.key, keys.iv, keys.sequenceNumber);
    this.#expansion = fixedExpansion + tagLengths[keys.aead];
  }

  get sequenceNumber(): number {
    return this.#sequenceNumber;
  }

  seal(contentType: number, content: Uint8Array, maxFragment: number): Uint8Array {
    if (!Number.isInteger(maxFragment) || maxFragment < 1 || maxFragment > maxPlaintextLength) {
      throw new RangeError(`a record holds 1 to ${maxPlaintextLength} bytes of content, not ${maxFragment}`);
    }
    if (content.length === 0 && contentType !== applicationData) {
      throw new TypeError(`a record of content type ${contentType} may not be empty: only application data may (§5.4)`);
    }
    const count = Math.max(1, Math.ceil(content.length / maxFragment));
    if (this.#sequenceNumber + count > Number.MAX_SAFE_INTEGER) throw usedUp();
    const length = content.length + count * this.#expansion;
    const room = takeRoom(length);
    this.#native.seal(contentType, content, maxFragment, room);
    this.#sequenceNumber += count;
    return keepRoom(room, length);
  }

  destroy(): void {
    this.#native.destroy();
  }
}

class NativeOpener implements RecordOpener {
  readonly #native: BoundOpener;
  #sequenceNumber: number;

  constructor(binding: Binding, keys: TrafficKeys) {
    this.#sequenceNumber = exactSequenceNumber(keys.sequenceNumber);
    this.#native = new binding.RecordOpener(keys.aead, keys.key, keys.iv, keys.sequenceNumber);
  }

  get sequenceNumber(): number {
    return this.#sequenceNumber;
  }

  /** As the contract says; the fragments moreover stay as they are until they are released. */
  open(records: Uint8Array): OpenedRecords {
    if (this.#sequenceNumber >= Number.MAX_SAFE_INTEGER - records.length) throw usedUp();
    const room = takeRoom(records.length);
    this.#native.open(records, room, results);
    const [count = 0, consumed = 0, length = 0, lastType = 0, lastLength = 0, failureCode = 0] = results;
    this.#sequenceNumber += count;
    const failure = failures[failureCode];
    if (failure === undefined && lastType === 0 && consumed < records.length) {
      throw new RangeError(`only whole records can be opened: ${records.length - consumed} bytes behind them are none`);
    }
    return { fragments: fragmentsOf(room, count, length, lastType, lastLength), count, consumed, failure };
  }

  destroy(): void {
    this.#native.destroy();
  }
}

/** Written by every call, read before the next. */
const results = new Int32Array(6);
const failures: readonly (AlertName | undefined)[] = [
  undefined,
  'bad_record_mac',
  'record_overflow',
  'unexpected_message',
];

function fragmentsOf(
  room: Uint8Array,
  count: number,
  length: number,
  lastType: number,
  lastLength: number,
): readonly Fragment[] {
  if (lastType === 0) {
    const content = keepRoom(room, length);
    return count === 0 ? [] : [{ contentType: applicationData, content }];
  }
  const kept = keepRoom(room, length + lastLength);
  if (count === 1) return [{ contentType: lastType, content: kept }];
  return [
    { contentType: applicationData, content: kept.subarray(0, length) },
    { contentType: lastType, content: kept.subarray(length) },
  ];
}

function exactSequenceNumber(sequenceNumber: bigint): number {
  if (sequenceNumber < 0n || sequenceNumber > BigInt(Number.MAX_SAFE_INTEGER)) {
    throw new RangeError(`a record sequence number lies from 0 to 2^53 - 1, and ${sequenceNumber} does not`);
  }
  return Number(sequenceNumber);
}

function usedUp(): RangeError {
  return new RangeError('the record sequence numbers of this key are used up: update the key');
}
