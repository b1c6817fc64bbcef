/** Batched record protection (§5.2) by the native addon. */
import type {
  AeadName,
  AlertName,
  Fragment,
  HashName,
  OpenedRecords,
  RecordOpener,
  RecordProtection,
  RecordSealer,
  TrafficKeys,
} from 'tls13-core';
import type { Binding, BoundOpener, BoundProtector, BoundSealer } from './binding.js';
import { keepRoom, takeRoom } from './buffers.js';
import { OpenedMemory } from './opened-memory.js';
import { outside, roomOutside } from './room.js';

export function nativeRecordProtection(binding: Binding): RecordProtection {
  const memory = new OpenedMemory(binding);
  const sealers = new Pool(() => new binding.RecordSealer());
  const openers = new Pool(() => new binding.RecordOpener());
  return {
    sealer: (keys) => new NativeSealer(sealers, keys.aead, keys.sequenceNumber, (native) => startWith(native, keys)),
    opener: (keys) => new NativeOpener(openers, memory, keys.sequenceNumber, (native) => startWith(native, keys)),
    ofSecret: {
      sealer: (aead, hash, secret) =>
        new NativeSealer(sealers, aead, 0n, (native) => startWithSecret(native, aead, hash, secret)),
      opener: (aead, hash, secret) =>
        new NativeOpener(openers, memory, 0n, (native) => startWithSecret(native, aead, hash, secret)),
    },
  };
}

function startWith(native: BoundProtector, { aead, key, iv, sequenceNumber }: TrafficKeys): void {
  native.start(aead, key, iv, sequenceNumber);
}

function startWithSecret(native: BoundProtector, aead: AeadName, hash: HashName, secret: Uint8Array): void {
  const room = secretRooms[hash];
  room.set(secret);
  try {
    native.startOfSecret(aead, hash, room);
  } finally {
    room.fill(0);
  }
}

const secretRooms: Readonly<Record<HashName, Uint8Array>> = {
  sha256: roomOutside(32),
  sha384: roomOutside(48),
};

/** Native objects that wait to be started again: every key of every connection would otherwise have its own to collect. */
class Pool<Native extends BoundProtector> {
  readonly #make: () => Native;
  readonly #free: Native[] = [];

  constructor(make: () => Native) {
    this.#make = make;
  }

  take(): Native {
    return this.#free.pop() ?? this.#make();
  }

  /** Wipes its key. Nobody may have it any more. */
  giveBack(native: Native): void {
    native.destroy();
    if (this.#free.length < mostFree) this.#free.push(native);
  }
}

/** About 100 bytes each. */
const mostFree = 1024;

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

/** The native half of a sealer or an opener until it is destroyed. */
class Lease<Native extends BoundProtector> {
  readonly #pool: Pool<Native>;
  #native: Native | undefined;

  constructor(pool: Pool<Native>, start: (native: Native) => void) {
    const native = pool.take();
    // One that could not be started is nobody's: it is collected.
    start(native);
    this.#pool = pool;
    this.#native = native;
  }

  get native(): Native {
    if (this.#native === undefined) throw new TypeError('this key has been destroyed');
    return this.#native;
  }

  destroy(): void {
    const native = this.#native;
    this.#native = undefined;
    if (native !== undefined) this.#pool.giveBack(native);
  }
}

class NativeSealer extends Lease<BoundSealer> implements RecordSealer {
  readonly #expansion: number;
  #sequenceNumber: number;

  constructor(pool: Pool<BoundSealer>, aead: AeadName, sequenceNumber: bigint, start: (native: BoundSealer) => void) {
    const first = exactSequenceNumber(sequenceNumber);
    super(pool, start);
    this.#sequenceNumber = first;
    this.#expansion = fixedExpansion + tagLengths[aead];
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
    const reached = outside(content);
    this.native.seal(contentType, reached, maxFragment, room);
    if (reached !== content) reached.fill(0);
    this.#sequenceNumber += count;
    return keepRoom(room, length);
  }
}

class NativeOpener extends Lease<BoundOpener> implements RecordOpener {
  readonly #memory: OpenedMemory;
  #sequenceNumber: number;

  constructor(
    pool: Pool<BoundOpener>,
    memory: OpenedMemory,
    sequenceNumber: bigint,
    start: (native: BoundOpener) => void,
  ) {
    const first = exactSequenceNumber(sequenceNumber);
    super(pool, start);
    this.#memory = memory;
    this.#sequenceNumber = first;
  }

  get sequenceNumber(): number {
    return this.#sequenceNumber;
  }

  open(records: Uint8Array): OpenedRecords {
    if (this.#sequenceNumber >= Number.MAX_SAFE_INTEGER - records.length) throw usedUp();
    const room = this.#memory.take(records.length);
    this.native.open(records, room, results);
    const [count = 0, consumed = 0, length = 0, lastType = 0, lastLength = 0, failureCode = 0] = results;
    this.#sequenceNumber += count;
    const failure = failures[failureCode];
    if (failure === undefined && lastType === 0 && consumed < records.length) {
      throw new RangeError(`only whole records can be opened: ${records.length - consumed} bytes behind them are none`);
    }
    const kept = this.#memory.keep(room, length + lastLength);
    return { fragments: fragmentsOf(kept, count, length, lastType), count, consumed, failure };
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

/** @param kept `length` bytes of application data, then the content of a last record of another type. */
function fragmentsOf(kept: Uint8Array, count: number, length: number, lastType: number): readonly Fragment[] {
  if (lastType === 0) return count === 0 ? [] : [{ contentType: applicationData, content: kept }];
  if (count === 1) return [{ contentType: lastType, content: kept }];
  return [
    { contentType: applicationData, content: kept.subarray(0, length) },
    { contentType: lastType, content: kept.subarray(length) },
  ];
}

function exactSequenceNumber(sequenceNumber: bigint): number {
  if (sequenceNumber < 0n || sequenceNumber > largestSequenceNumber) {
    throw new RangeError(`a record sequence number lies from 0 to 2^53 - 1, and ${sequenceNumber} does not`);
  }
  return Number(sequenceNumber);
}

const largestSequenceNumber = BigInt(Number.MAX_SAFE_INTEGER);

function usedUp(): RangeError {
  return new RangeError('the record sequence numbers of this key are used up: update the key');
}
