/**
 * KtlsSocket over a native socket, the kernel's or the fake's: arguments are checked, results and errors dressed, and
 * the states kept that the kernel does not keep for us: closed, watched, and whether writing would leak plaintext.
 */
import { checkKeys, cipherByNumber, ciphers } from './ciphers.js';
import { errnoName, errnos } from './errno.js';
import { KtlsError, type KtlsStep, refusal } from './errors.js';
import { setKeepAliveBy } from './keep-alive.js';
import { kernelDirections, type Native, type NativeSocket, nativeOptions } from './load.js';
import type {
  CryptoInfo,
  Direction,
  EnableOptions,
  FileProgress,
  KtlsCipher,
  KtlsSocket,
  OpenOptions,
  Placement,
  ReadyCallback,
  RecordRead,
  SocketAddress,
  SocketInfo,
} from './types.js';

export function openSocket(native: Native, fd: number, options: OpenOptions = {}): KtlsSocket {
  if (!Number.isInteger(fd) || fd < 0) throw new TypeError(`a descriptor must be an integer from 0, not ${fd}`);
  return new Socket(new native.Socket(fd, options.adopt === true));
}

/** One that was just accepted: nobody has attached anything to it. */
export function acceptedSocket(native: NativeSocket): KtlsSocket {
  return new Socket(native, true);
}

/** The greatest content of one record (§5.1). */
const maxFragment = 16384;
/** RFC 8449 allows no record_size_limit below 64, which counts the content type in TLS 1.3. */
const minPayload = 63;
/** Without keys the kernel does not know that it is TLS 1.3, and takes no less than TLS 1.2's minimum. */
const minPayloadBeforeKeys = 64;

class Socket implements KtlsSocket {
  readonly #native: NativeSocket;
  readonly #keys: Record<Direction, KtlsCipher | undefined> = { send: undefined, receive: undefined };
  #attached = false;
  #closed = false;
  /** First send keys were refused: a caller who did not notice would write in clear. */
  #unsealed = false;
  #watched = 0;
  /** The kernel seals and swallows what is written after the FIN. */
  #shutDown = false;
  #callback: ReadyCallback | undefined;

  constructor(native: NativeSocket, accepted = false) {
    this.#native = native;
    if (native.error < 0) throw refusal('open', errnoName(native.error));
    // A socket that was handed over may be the kernel's already.
    if (!accepted && native.ulpAttached() === 1) {
      this.#attached = true;
      this.#keys.send = cipherByNumber(native.cipherInUse(kernelDirections.send));
      this.#keys.receive = cipherByNumber(native.cipherInUse(kernelDirections.receive));
    }
    native.onReady = (events) => this.#callback?.((events & 1) !== 0, (events & 2) !== 0);
  }

  get fd(): number {
    return this.#native.fd();
  }

  get closed(): boolean {
    return this.#closed;
  }

  get attached(): boolean {
    return this.#attached;
  }

  enabled(direction: Direction): boolean {
    return this.#keys[direction] !== undefined;
  }

  read(into: Uint8Array): number | undefined {
    this.#check('read');
    if (into.length === 0) throw new RangeError('read needs a buffer of at least one byte');
    const result = this.#native.read(into);
    if (result >= 0) return result;
    if (result === -errnos.EAGAIN) return undefined;
    throw this.#readError(result);
  }

  peek(into: Uint8Array): number | undefined {
    this.#check('read');
    if (into.length === 0) throw new RangeError('peek needs a buffer of at least one byte');
    if (this.#keys.receive !== undefined) throw new TypeError("there is no peek after enable('receive', …)");
    const result = this.#native.peek(into);
    if (result >= 0) return result;
    if (result === -errnos.EAGAIN) return undefined;
    throw this.#readError(result);
  }

  setReceiveLowWater(bytes: number): void {
    this.#check('read');
    if (!Number.isInteger(bytes) || bytes < 1 || bytes >= 2 ** 31) {
      throw new RangeError(`a low-water mark is 1 to ${2 ** 31 - 1} bytes, not ${bytes}`);
    }
    this.#native.setOption(nativeOptions.receiveLowWater, bytes);
  }

  readRecord(into: Uint8Array): RecordRead | undefined {
    this.#check('read');
    if (into.length < maxFragment) throw new RangeError(`readRecord needs a buffer of at least ${maxFragment} bytes`);
    if (this.#keys.receive === undefined) {
      throw new TypeError("readRecord has no records before enable('receive', …): use read");
    }
    const result = this.#native.readRecord(into);
    if (result === 0) return { kind: 'end' };
    if (result > 0) {
      const contentType = Math.floor(result / 2 ** 32);
      return { kind: 'record', contentType, length: result - contentType * 2 ** 32 };
    }
    if (result === -errnos.EAGAIN) return undefined;
    const error = this.#readError(result);
    // A record's fault stays on the socket too, where it would fail the next write: the alert that answers it.
    if (error.code !== 'ERR_KTLS_IO') this.#native.takeError();
    throw error;
  }

  write(chunks: readonly Uint8Array[], more = false): number {
    this.#check('write');
    if (this.#shutDown) throw refusal('write', 'EPIPE');
    if (this.#unsealed) throw unsealed('write', 'write');
    const result = this.#native.write(chunks, more);
    if (result >= 0) return result;
    if (result === -errnos.EAGAIN) return 0;
    throw refusal('write', errnoName(result));
  }

  sendRecord(contentType: number, fragment: Uint8Array): boolean {
    this.#check('record');
    if (!Number.isInteger(contentType) || contentType < 1 || contentType > 255) {
      throw new RangeError(`a content type is 1 to 255, not ${contentType}`);
    }
    if (fragment.length < 1 || fragment.length > maxFragment) {
      throw new RangeError(`the fragment of a record is 1 to ${maxFragment} bytes, not ${fragment.length}`);
    }
    // Without keys the kernel would ignore the content type and send the fragment in clear.
    if (this.#keys.send === undefined) throw unsealed('record', 'sendRecord');
    if (this.#shutDown) throw refusal('record', 'EPIPE');
    const result = this.#native.writeRecord(contentType, fragment);
    if (result === fragment.length) return true;
    if (result === -errnos.EAGAIN) return false;
    if (result < 0) throw refusal('record', errnoName(result));
    throw new KtlsError(
      `sending a control record: the kernel took ${result} of ${fragment.length} bytes, so the record is broken`,
      { code: 'ERR_KTLS_RECORD_SHORT', step: 'record' },
    );
  }

  sendFile(fileFd: number, offset: number, length: number): FileProgress {
    this.#check('file');
    if (!Number.isInteger(fileFd) || fileFd < 0) throw new TypeError(`not a file descriptor: ${fileFd}`);
    if (!isCount(offset) || !isCount(length) || !isCount(offset + length)) {
      throw new RangeError(`offset and length must be integers from 0, and their sum a safe one: ${offset}, ${length}`);
    }
    if (this.#keys.send === undefined) throw unsealed('file', 'sendFile');
    if (this.#shutDown) throw refusal('file', 'EPIPE');
    if (length === 0) return { bytes: 0, blocked: false, endOfFile: false };
    const result = this.#native.sendFile(fileFd, offset, length);
    if (result < 0) throw refusal('file', errnoName(result));
    const flags = result % 4;
    return { bytes: (result - flags) / 4, blocked: flags === 1, endOfFile: flags === 2 };
  }

  attach(): void {
    this.#check('ulp');
    if (this.#attached) return;
    const result = this.#native.attachUlp();
    if (result < 0) throw refusal('ulp', errnoName(result));
    this.#attached = true;
  }

  enable(direction: Direction, keys: CryptoInfo, options: EnableOptions = {}): void {
    this.#check('crypto');
    const before = this.#keys[direction];
    // Undone by success alone.
    if (direction === 'send' && before === undefined) this.#unsealed = true;
    const cipher = checkKeys(keys);
    checkOptions(direction, options);
    if (before !== undefined && before !== cipher) {
      throw new TypeError(`the ${direction} keys are for ${before}; new ones cannot be for ${cipher}`);
    }
    this.attach();
    this.#setOptionsBeforeKeys(options);
    const result = this.#native.setKeys(
      kernelDirections[direction],
      ciphers[cipher].number,
      keys.key,
      keys.iv,
      keys.sequenceNumber,
    );
    if (result < 0) throw refusal(before === undefined ? 'crypto' : 'rekey', errnoName(result));
    this.#keys[direction] = cipher;
    if (direction === 'send') this.#unsealed = false;
    if (options.expectNoPad === true) this.#setOption(nativeOptions.expectNoPad, 1);
    if (options.maxPayload === minPayload) this.#setOption(nativeOptions.maxPayload, minPayload);
  }

  continueInUserSpace(): void {
    this.#check('write');
    this.#unsealed = false;
  }

  onReady(callback: ReadyCallback | undefined): void {
    this.#callback = callback;
  }

  watch(readable: boolean, writable: boolean): void {
    const wanted = (readable ? 1 : 0) + (writable ? 2 : 0);
    if (wanted === this.#watched) return;
    this.#check('watch');
    const result = this.#native.watch(wanted);
    if (result < 0) throw refusal('watch', errnoName(result));
    this.#watched = wanted;
  }

  ref(): void {
    this.#native.ref(true);
  }

  unref(): void {
    this.#native.ref(false);
  }

  shutdown(): void {
    this.#check('socket');
    const result = this.#native.shutdown();
    if (result < 0) throw refusal('socket', errnoName(result));
    this.#shutDown = true;
  }

  close(): void {
    this.#close(false);
  }

  reset(): void {
    this.#close(true);
  }

  takeError(): KtlsError | undefined {
    this.#check('socket');
    const result = this.#native.takeError();
    return result === 0 ? undefined : refusal('socket', errnoName(result));
  }

  setNoDelay(on: boolean): void {
    this.#setSocketOption(nativeOptions.noDelay, on ? 1 : 0);
  }

  setKeepAlive(on: boolean, initialDelay = 0): void {
    setKeepAliveBy((option, value) => this.#setSocketOption(option, value), on, initialDelay);
  }

  unacknowledged(): number {
    this.#check('socket');
    const result = this.#native.unacknowledged();
    if (result < 0) throw refusal('socket', errnoName(result));
    return result;
  }

  localAddress(): SocketAddress | undefined {
    this.#check('socket');
    return parseAddress(this.#native.localAddress());
  }

  remoteAddress(): SocketAddress | undefined {
    this.#check('socket');
    return parseAddress(this.#native.remoteAddress());
  }

  info(): SocketInfo {
    this.#check('socket');
    const answer = this.#native.diagnose();
    if (typeof answer !== 'number') {
      const [version, cipher, send, receive] = answer;
      return {
        version: version === tls13 ? 'TLS 1.3' : undefined,
        cipher: cipherByNumber(cipher),
        send: placement(send),
        receive: placement(receive),
      };
    }
    // No diagnostics for this user: what the socket itself tells has to do.
    const send = cipherByNumber(this.#native.cipherInUse(kernelDirections.send));
    const receive = cipherByNumber(this.#native.cipherInUse(kernelDirections.receive));
    const cipher = send ?? receive;
    return {
      version: cipher === undefined ? undefined : 'TLS 1.3',
      cipher,
      send: send === undefined ? 'none' : 'unknown',
      receive: receive === undefined ? 'none' : 'unknown',
    };
  }

  #check(step: KtlsStep): void {
    if (this.#closed) {
      throw new KtlsError('the socket was closed', { code: 'ERR_KTLS_CLOSED', step });
    }
  }

  #close(reset: boolean): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#watched = 0;
    this.#callback = undefined;
    this.#native.close(reset);
  }

  /** All that may be refused comes before the keys: after they are set nothing fails. */
  #setOptionsBeforeKeys(options: EnableOptions): void {
    if (options.zeroCopy === true) this.#setOption(nativeOptions.zeroCopy, 1);
    if (options.maxPayload !== undefined) {
      this.#setOption(nativeOptions.maxPayload, Math.max(options.maxPayload, minPayloadBeforeKeys));
    }
    // This one can only be set after the keys, so it is asked for before.
    if (options.expectNoPad === true && !this.#native.knowsOption(nativeOptions.expectNoPad)) {
      throw refusal('option', 'ENOPROTOOPT');
    }
  }

  #setOption(option: number, value: number): void {
    const result = this.#native.setOption(option, value);
    if (result < 0) throw refusal('option', errnoName(result));
  }

  #setSocketOption(option: number, value: number): void {
    this.#check('socket');
    const result = this.#native.setOption(option, value);
    if (result < 0) throw refusal('socket', errnoName(result));
  }

  #readError(result: number): KtlsError {
    const [code, message] = violations.get(result) ?? [];
    if (code !== undefined && message !== undefined) return new KtlsError(message, { code, step: 'read' });
    return refusal('read', errnoName(result));
  }
}

const tls13 = 0x0304;

/** What no errno says; the numbers are those of native/record_io.h. */
const violations = new Map([
  [-10001, ['ERR_KTLS_CONTROL_TRUNCATED', 'reading: the kernel cut off the content type of a record'] as const],
  [-10002, ['ERR_KTLS_RECORD_TYPE_MISSING', 'reading: a record came without its content type'] as const],
  [-10003, ['ERR_KTLS_RECORD_INCOMPLETE', 'reading: a control record did not come whole'] as const],
]);

function unsealed(step: KtlsStep, call: string): KtlsError {
  return new KtlsError(`${call}: the kernel has no send keys, so this would go out in clear`, {
    code: 'ERR_KTLS_UNSEALED',
    step,
  });
}

function isCount(value: number): boolean {
  return Number.isSafeInteger(value) && value >= 0;
}

function checkOptions(direction: Direction, { zeroCopy, expectNoPad, maxPayload }: EnableOptions): void {
  if (direction === 'send' && expectNoPad !== undefined) throw new TypeError('expectNoPad is an option of receiving');
  if (direction === 'receive' && (zeroCopy !== undefined || maxPayload !== undefined)) {
    throw new TypeError('zeroCopy and maxPayload are options of sending');
  }
  if (maxPayload === undefined) return;
  if (!Number.isInteger(maxPayload) || maxPayload < minPayload || maxPayload > maxFragment) {
    throw new RangeError(`maxPayload must be an integer from ${minPayload} to ${maxFragment}, not ${maxPayload}`);
  }
}

/** TLS_CONF_BASE, _SW, _HW and _HW_RECORD. */
function placement(configuration: number): Placement {
  if (configuration === 2) return 'software';
  return configuration > 2 ? 'device' : 'none';
}

function parseAddress(text: string | undefined): SocketAddress | undefined {
  const [address, port, family] = text?.split(' ') ?? [];
  if (address === undefined || port === undefined) return undefined;
  return { address, port: Number(port), family: family === 'IPv6' ? 'IPv6' : 'IPv4' };
}
