/**
 * One end of a connection in memory, with the manners of a Linux TCP socket that may have the tls ULP. Results are those
 * of system calls: a count, or −errno.
 */
import { readSync } from 'node:fs';
import { type ErrnoName, errnos } from '../errno.js';
import type { Direction, KtlsCipher } from '../types.js';
import {
  applicationData,
  isKeyUpdate,
  maxFragment,
  type OpenedRecord,
  open,
  type RecordKeys,
  recordLength,
  seal,
} from './records.js';

/** What the kernel can do, and what it counts. */
export interface Environment {
  readonly abilities: {
    readonly ulp: boolean;
    readonly refuse: (cipher: KtlsCipher, direction: Direction) => ErrnoName | undefined;
    readonly rekey: Readonly<Record<Direction, boolean>>;
  };
  readonly counters: Record<string, number>;
}

/** The calls that can be made to fail. */
export type FakeCall = 'read' | 'write' | 'record' | 'file' | 'ulp' | 'crypto';

const fileBytesPerCall = 65536;

export class End {
  /** All bytes that this end has put on the wire. */
  transmitted: Uint8Array[] = [];
  /** See FakeEnd. */
  packets = 0;
  sendBuffer = 4 * 1024 * 1024;
  bytesPerCall = Number.POSITIVE_INFINITY;
  maxPayload = maxFragment;
  receiveLowWater = 1;
  attached = false;
  changed: () => void = () => {};

  readonly #environment: Environment;
  #peer: End | undefined;
  #inbound: Uint8Array[] = [];
  #inboundLength = 0;
  #ended = false;
  #shut = false;
  #error: ErrnoName | undefined;
  #failures = new Map<FakeCall, ErrnoName[]>();
  #keys: Record<Direction, RecordKeys | undefined> = { send: undefined, receive: undefined };
  /** Plaintext of a record kept open by MSG_MORE. */
  #unsent: Uint8Array = new Uint8Array(0);
  /** The last packet waits for more. */
  #packetOpen = false;
  #opened: OpenedRecord[] = [];
  #keyExpired = false;

  constructor(environment: Environment) {
    this.#environment = environment;
  }

  static connect(environment: Environment): readonly [End, End] {
    const [first, second] = [new End(environment), new End(environment)];
    first.#peer = second;
    second.#peer = first;
    return [first, second];
  }

  get transmittedBytes(): Uint8Array {
    return Buffer.concat(this.transmitted);
  }

  failNext(call: FakeCall, errno: ErrnoName): void {
    this.#failures.set(call, [...(this.#failures.get(call) ?? []), errno]);
  }

  /** Bytes that the peer did not send arrive from it. */
  inject(bytes: Uint8Array): void {
    this.#arrive(Uint8Array.from(bytes));
  }

  cipherInUse(direction: Direction): KtlsCipher | undefined {
    return this.#keys[direction]?.cipher;
  }

  attach(): number {
    const failure = this.#failure('ulp');
    if (failure < 0) return failure;
    if (!this.#environment.abilities.ulp) return -errnos.ENOENT;
    if (this.#peer === undefined || this.#ended || this.#shut) return -errnos.ENOTCONN;
    if (this.attached) return -errnos.EEXIST;
    this.attached = true;
    return 0;
  }

  setKeys(direction: Direction, keys: RecordKeys): number {
    const failure = this.#failure('crypto');
    if (failure < 0) return failure;
    if (!this.attached) return -errnos.ENOPROTOOPT;
    const { abilities } = this.#environment;
    const again = this.#keys[direction] !== undefined;
    const name = direction === 'send' ? 'Tx' : 'Rx';
    if (again && !abilities.rekey[direction]) return -errnos.EBUSY;
    const other = this.#keys[direction === 'send' ? 'receive' : 'send'];
    if (other !== undefined && other.cipher !== keys.cipher) return -errnos.EINVAL;
    const refused = abilities.refuse(keys.cipher, direction);
    if (refused !== undefined) return -errnos[refused];
    this.#keys[direction] = keys;
    this.#count(again ? `Tls${name}RekeyOk` : `Tls${name}Sw`);
    if (direction === 'receive') {
      this.#keyExpired = false;
      this.changed();
    }
    return 0;
  }

  read(into: Uint8Array): number {
    if (this.#keys.receive === undefined) return this.#readBytes(into);
    const failure = this.#failure('read');
    if (failure < 0) return failure;
    const state = this.#openNext();
    if (typeof state === 'number') return state;
    return state.contentType === applicationData ? this.#takeContent(into) : -errnos.EIO;
  }

  peek(into: Uint8Array): number {
    const failure = this.#failure('read') || this.takeError();
    if (failure < 0) return failure;
    if (this.#inboundLength === 0) return this.#ended ? 0 : -errnos.EAGAIN;
    const bytes = this.#peek().subarray(0, into.length);
    into.set(bytes);
    return bytes.length;
  }

  readRecord(into: Uint8Array): { readonly contentType: number; readonly length: number } {
    const failure = this.#failure('read');
    if (failure < 0) return { contentType: 0, length: failure };
    const state = this.#openNext();
    if (typeof state === 'number') return { contentType: 0, length: state };
    if (state.contentType === applicationData) {
      return { contentType: applicationData, length: this.#takeContent(into) };
    }
    into.set(state.content);
    this.#opened.shift();
    return { contentType: state.contentType, length: state.content.length };
  }

  write(chunks: readonly Uint8Array[], more: boolean): number {
    const failure = this.#failure('write');
    if (failure < 0) return failure;
    const stop = this.#cannotSend();
    if (stop < 0) return stop;
    const room = Math.min(this.#room(), this.bytesPerCall);
    const bytes = Buffer.concat(chunks).subarray(0, room);
    if (bytes.length === 0) return room === 0 ? -errnos.EAGAIN : 0;
    const keys = this.#keys.send;
    if (keys === undefined) {
      this.#transmit(bytes);
      this.#countPacket(more);
    } else {
      this.#unsent = Buffer.concat([this.#unsent, bytes]);
      this.#sealUnsent(keys, more);
    }
    return bytes.length;
  }

  writeRecord(contentType: number, fragment: Uint8Array): number {
    const failure = this.#failure('record');
    if (failure < 0) return failure;
    const stop = this.#cannotSend();
    if (stop < 0) return stop;
    const keys = this.#keys.send;
    if (keys === undefined) return -errnos.EINVAL;
    if (this.#room() === 0) return -errnos.EAGAIN;
    this.#sealUnsent(keys, false);
    this.#transmit(seal(keys, contentType, fragment));
    return fragment.length;
  }

  /** Bytes taken, 0 at the end of the file, or −errno. */
  sendFile(file: number, offset: number, length: number): number {
    const failure = this.#failure('file');
    if (failure < 0) return failure;
    const room = Math.min(this.#room(), this.bytesPerCall, length, fileBytesPerCall);
    if (room === 0) return this.#cannotSend() || -errnos.EAGAIN;
    const bytes = new Uint8Array(room);
    const found = readSync(file, bytes, 0, room, offset);
    return found === 0 ? 0 : this.write([bytes.subarray(0, found)], false);
  }

  shutdown(): number {
    if (this.#peer === undefined) return -errnos.ENOTCONN;
    if (!this.#shut) {
      const keys = this.#keys.send;
      if (keys !== undefined) this.#sealUnsent(keys, false);
      this.#countPacket(false);
      this.#shut = true;
      this.#peer.#ended = true;
      this.#peer.changed();
    }
    return 0;
  }

  /** The last descriptor of this end was closed. */
  close(reset: boolean): void {
    const peer = this.#peer;
    if (peer === undefined) return;
    this.shutdown();
    this.#peer = undefined;
    peer.#peer = undefined;
    if (reset || this.#inboundLength > 0) peer.#fail('ECONNRESET');
    peer.changed();
  }

  takeError(): number {
    const error = this.#error;
    this.#error = undefined;
    return error === undefined ? 0 : -errnos[error];
  }

  unacknowledged(): number {
    const peer = this.#peer;
    return peer === undefined ? 0 : peer.#inboundLength;
  }

  get readable(): boolean {
    if (this.#error !== undefined) return true;
    if (this.#keyExpired) return false;
    if (this.#keys.receive === undefined) return this.#inboundLength >= this.receiveLowWater || this.#ended;
    return this.#opened.length > 0 || recordLength(this.#peek()) !== undefined || this.#ended;
  }

  get writable(): boolean {
    return this.#error !== undefined || this.#cannotSend() < 0 || this.#room() > 0;
  }

  #readBytes(into: Uint8Array): number {
    const failure = this.#failure('read') || this.takeError();
    if (failure < 0) return failure;
    if (this.#inboundLength === 0) return this.#ended ? 0 : -errnos.EAGAIN;
    const bytes = this.#take(Math.min(into.length, this.#inboundLength));
    into.set(bytes);
    return bytes.length;
  }

  /** The next opened record, or 0 at the end, or −errno. */
  #openNext(): OpenedRecord | number {
    const waiting = this.#opened[0];
    if (waiting !== undefined) return waiting;
    const error = this.takeError();
    if (error < 0) return error;
    if (this.#keyExpired) return -errnos.EKEYEXPIRED;
    const keys = this.#keys.receive;
    if (keys === undefined) return -errnos.EINVAL;
    const length = recordLength(this.#peek());
    if (length === undefined) return this.#ended ? 0 : -errnos.EAGAIN;
    if (length < 0) return length;
    const record = open(keys, this.#take(length));
    if (record === undefined) {
      this.#count('TlsDecryptError');
      this.#error = 'EBADMSG';
      return this.takeError();
    }
    this.#keyExpired = this.#environment.abilities.rekey.receive && isKeyUpdate(record);
    if (this.#keyExpired) this.#count('TlsRxRekeyReceived');
    // Like Linux, an empty record of application data is not worth a return.
    if (record.contentType === applicationData && record.content.length === 0) return this.#openNext();
    this.#opened.push(record);
    return record;
  }

  /** Application data of as many records as are there and fit. */
  #takeContent(into: Uint8Array): number {
    let filled = 0;
    while (filled < into.length) {
      const record = this.#opened[0] ?? (recordLength(this.#peek()) === undefined ? undefined : this.#openNext());
      if (record === undefined || typeof record === 'number' || record.contentType !== applicationData) break;
      const part = record.content.subarray(0, into.length - filled);
      into.set(part, filled);
      filled += part.length;
      this.#opened.shift();
      const rest = record.content.subarray(part.length);
      if (rest.length > 0) this.#opened.unshift({ ...record, content: rest });
    }
    return filled;
  }

  #sealUnsent(keys: RecordKeys, more: boolean): void {
    while (this.#unsent.length >= this.maxPayload || (!more && this.#unsent.length > 0)) {
      this.#transmit(seal(keys, applicationData, this.#unsent.subarray(0, this.maxPayload)));
      this.#unsent = this.#unsent.subarray(this.maxPayload);
    }
  }

  #countPacket(more: boolean): void {
    if (!this.#packetOpen) this.packets += 1;
    this.#packetOpen = more;
  }

  #transmit(bytes: Uint8Array): void {
    const copy = Uint8Array.from(bytes);
    this.transmitted.push(copy);
    const peer = this.#peer;
    if (peer !== undefined) peer.#arrive(copy);
  }

  #arrive(bytes: Uint8Array): void {
    this.#inbound.push(bytes);
    this.#inboundLength += bytes.length;
    this.changed();
  }

  #peek(): Uint8Array {
    const all = Buffer.concat(this.#inbound);
    this.#inbound = [all];
    return all;
  }

  #take(length: number): Uint8Array {
    const all = this.#peek();
    this.#inbound = [all.subarray(length)];
    this.#inboundLength -= length;
    this.#peer?.changed();
    return all.subarray(0, length);
  }

  #room(): number {
    return Math.max(0, this.sendBuffer - this.unacknowledged() - this.#unsent.length);
  }

  #cannotSend(): number {
    if (this.#error !== undefined) return this.takeError();
    return this.#shut || this.#peer === undefined ? -errnos.EPIPE : 0;
  }

  #fail(error: ErrnoName): void {
    this.#error = error;
    this.#inbound = [];
    this.#inboundLength = 0;
  }

  #failure(call: FakeCall): number {
    const errno = this.#failures.get(call)?.shift();
    return errno === undefined ? 0 : -errnos[errno];
  }

  #count(counter: string): void {
    this.#environment.counters[counter] = (this.#environment.counters[counter] ?? 0) + 1;
  }
}
