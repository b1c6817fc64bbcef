/**
 * `ktls-bind/fake`: a kernel in memory with the interface of the running one, for tests without Linux. It seals and opens
 * real TLS 1.3 records, so engines can talk through it, and it can be told to refuse, to block at any byte, and to fail.
 */
import { cipherByNumber, ciphers } from './ciphers.js';
import { type ErrnoName, errnos } from './errno.js';
import { End, type Environment, type FakeCall } from './fake/connection.js';
import { createKernel } from './kernel.js';
import { kernelDirections, type Native, type NativeSocket, nativeOptions } from './load.js';
import type { Direction, Kernel, KtlsCipher } from './types.js';

export type { ErrnoName } from './errno.js';
export type { FakeCall } from './fake/connection.js';

/** What the kernel can do; everything, unless told otherwise. May be changed at any time. */
export interface FakeAbilities {
  /** False: attaching fails with ENOENT. */
  ulp: boolean;
  /** The errno with which a cipher is refused in a direction, undefined to take it. */
  refuse: (cipher: KtlsCipher, direction: Direction) => ErrnoName | undefined;
  /** False: as before Linux 6.14. */
  rekey: Record<Direction, boolean>;
  zeroCopy: boolean;
  expectNoPad: boolean;
  maxPayload: boolean;
}

/** One end of a connection: what a test holds beside the KtlsSocket over `fd`. */
export interface FakeEnd {
  /** For `kernel.open`; belongs to the caller, like a real one: see {@link FakeKernel.close}. */
  readonly fd: number;
  /** Everything this end has put on the wire. */
  readonly transmitted: Uint8Array;
  /** Packets that what was written here without keys took, were each large enough, the FIN among them (MSG_MORE joins). */
  readonly packets: number;
  /** Bytes that may be under way until the peer reads; beyond, writes block. 4 MiB at first. */
  sendBuffer: number;
  /** Greatest number of bytes that one write or sendFile takes; unlimited at first. */
  bytesPerCall: number;
  /** The next call of this kind fails with this errno; may be given several times. EAGAIN blocks. */
  failNext(call: FakeCall, errno: ErrnoName): void;
  /** These bytes arrive at this end, as if the peer had sent them. */
  inject(bytes: Uint8Array): void;
}

export interface FakeKernel extends Kernel {
  readonly abilities: FakeAbilities;
  connect(): readonly [FakeEnd, FakeEnd];
  /** close(2) of a descriptor from `connect`. */
  close(fd: number): void;
  /** Descriptors that are open, for leak tests. */
  readonly openDescriptors: number;
}

export function createFakeKernel(abilities: Partial<FakeAbilities> = {}): FakeKernel {
  const all: FakeAbilities = {
    ulp: true,
    refuse: () => undefined,
    rekey: { send: true, receive: true },
    zeroCopy: true,
    expectNoPad: true,
    maxPayload: true,
    ...abilities,
  };
  const system = new System(all);
  const kernel = createKernel(system.native(), () => ({ ...system.counters }));
  return {
    ...kernel,
    abilities: all,
    connect: () => {
      const [first, second] = system.connect();
      return [system.control(first), system.control(second)];
    },
    close: (fd) => system.close(fd, false),
    get openDescriptors() {
      return system.descriptors.size;
    },
  };
}

/** The descriptor table. */
class System implements Environment {
  readonly abilities: FakeAbilities;
  readonly counters: Record<string, number> = { TlsTxSw: 0, TlsRxSw: 0, TlsDecryptError: 0 };
  readonly descriptors = new Map<number, End>();
  readonly #listeners = new Map<End, Set<() => void>>();
  #next = 100;

  constructor(abilities: FakeAbilities) {
    this.abilities = abilities;
  }

  native(): Native {
    const system = this;
    return {
      Socket: class extends FakeSocket {
        constructor(fd: number, adopt: boolean) {
          super(system, fd, adopt);
        }
      },
      loopbackPair: () => this.connect(),
    };
  }

  connect(): readonly [number, number] {
    const [first, second] = End.connect(this);
    return [this.add(first), this.add(second)];
  }

  control(fd: number): FakeEnd {
    const end = this.descriptors.get(fd);
    if (end === undefined) throw new RangeError(`no such descriptor: ${fd}`);
    return {
      fd,
      get transmitted() {
        return end.transmittedBytes;
      },
      get packets() {
        return end.packets;
      },
      get sendBuffer() {
        return end.sendBuffer;
      },
      set sendBuffer(bytes) {
        end.sendBuffer = bytes;
        end.changed();
      },
      get bytesPerCall() {
        return end.bytesPerCall;
      },
      set bytesPerCall(bytes) {
        end.bytesPerCall = bytes;
      },
      failNext: (call, errno) => end.failNext(call, errno),
      inject: (bytes) => end.inject(bytes),
    };
  }

  add(end: End): number {
    const fd = this.#next++;
    this.descriptors.set(fd, end);
    return fd;
  }

  close(fd: number, reset: boolean): void {
    const end = this.descriptors.get(fd);
    this.descriptors.delete(fd);
    if (end !== undefined && ![...this.descriptors.values()].includes(end)) end.close(reset);
  }

  listen(end: End, listener: () => void): () => void {
    const listeners = this.#listeners.get(end) ?? new Set();
    this.#listeners.set(end, listeners.add(listener));
    end.changed = () => {
      for (const each of listeners) each();
    };
    return () => listeners.delete(listener);
  }
}

/** The system calls of one descriptor, with the numbers that native/addon.cc returns. */
class FakeSocket implements NativeSocket {
  readonly error: number;
  onReady?: ((events: number) => void) | undefined;
  readonly #system: System;
  #fd = -1;
  readonly #end: End;
  #events = 0;
  #referenced = true;
  #scheduled: NodeJS.Immediate | undefined;
  readonly #unlisten: () => void;

  constructor(system: System, fd: number, adopt: boolean) {
    const end = system.descriptors.get(fd);
    this.#system = system;
    this.error = end === undefined ? -errnos.EBADF : 0;
    this.#end = end ?? new End(system);
    if (end !== undefined) this.#fd = adopt ? fd : system.add(end);
    this.#unlisten = system.listen(this.#end, () => this.#schedule());
  }

  fd(): number {
    return this.#fd;
  }

  read(into: Uint8Array): number {
    return this.#end.read(into);
  }

  peek(into: Uint8Array): number {
    return this.#end.peek(into);
  }

  readRecord(into: Uint8Array): number {
    const { contentType, length } = this.#end.readRecord(into);
    return length < 0 ? length : contentType * 2 ** 32 + length;
  }

  write(chunks: readonly Uint8Array[], more: boolean): number {
    return this.#end.write(chunks, more);
  }

  writeRecord(contentType: number, fragment: Uint8Array): number {
    return this.#end.writeRecord(contentType, fragment);
  }

  sendFile(fileFd: number, offset: number, length: number): number {
    const result = this.#end.sendFile(fileFd, offset, length);
    if (result === 0) return 2;
    if (result === -errnos.EAGAIN) return 1;
    return result < 0 ? result : result * 4;
  }

  ulpAttached(): number {
    return this.#end.attached ? 1 : 0;
  }

  attachUlp(): number {
    return this.#end.attach();
  }

  cipherInUse(direction: number): number {
    const cipher = this.#end.cipherInUse(directionOf(direction));
    return cipher === undefined ? 0 : ciphers[cipher].number;
  }

  setKeys(direction: number, number: number, key: Uint8Array, iv: Uint8Array, sequenceNumber: bigint): number {
    const cipher = cipherByNumber(number);
    if (cipher === undefined) return -errnos.EINVAL;
    const keys = { cipher, key: Uint8Array.from(key), iv: Uint8Array.from(iv), sequenceNumber };
    return this.#end.setKeys(directionOf(direction), keys);
  }

  setOption(option: number, value: number): number {
    if (!this.knowsOption(option)) return -errnos.ENOPROTOOPT;
    if (option === nativeOptions.maxPayload) this.#end.maxPayload = value;
    if (option === nativeOptions.receiveLowWater) this.#end.receiveLowWater = value;
    return 0;
  }

  knowsOption(option: number): boolean {
    const { zeroCopy, expectNoPad, maxPayload } = this.#system.abilities;
    return [true, zeroCopy, expectNoPad, maxPayload, true, true, true][option] === true;
  }

  watch(events: number): number {
    this.#events = events;
    this.#schedule();
    return 0;
  }

  ref(on: boolean): void {
    this.#referenced = on;
    if (on) this.#scheduled?.ref();
    else this.#scheduled?.unref();
  }

  shutdown(): number {
    return this.#end.shutdown();
  }

  close(reset: boolean): number {
    this.#events = 0;
    this.#unlisten();
    if (this.#scheduled !== undefined) clearImmediate(this.#scheduled);
    this.#system.close(this.#fd, reset);
    this.#fd = -1;
    return 0;
  }

  takeError(): number {
    return this.#end.takeError();
  }

  unacknowledged(): number {
    return this.#end.unacknowledged();
  }

  localAddress(): string | undefined {
    return `127.0.0.1 ${this.#fd} IPv4`;
  }

  remoteAddress(): string | undefined {
    return '127.0.0.1 443 IPv4';
  }

  diagnose(): readonly [number, number, number, number] {
    const [send, receive] = [this.cipherInUse(kernelDirections.send), this.cipherInUse(kernelDirections.receive)];
    const cipher = send === 0 ? receive : send;
    return [cipher === 0 ? 0 : 0x0304, cipher, send === 0 ? 1 : 2, receive === 0 ? 1 : 2];
  }

  /** Level-triggered: as long as something that is watched is so, the callback is called once per turn of the loop. */
  #schedule(): void {
    if (this.#scheduled !== undefined || this.#ready() === 0) return;
    this.#scheduled = setImmediate(() => {
      this.#scheduled = undefined;
      const events = this.#ready();
      if (events !== 0) this.onReady?.(events);
      this.#schedule();
    });
    if (!this.#referenced) this.#scheduled.unref();
  }

  #ready(): number {
    return this.#events & ((this.#end.readable ? 1 : 0) + (this.#end.writable ? 2 : 0));
  }
}

function directionOf(number: number): Direction {
  return number === kernelDirections.send ? 'send' : 'receive';
}
