/** Takes connections from a listening descriptor, a burst of them per turn of the event loop. */
import { errnoName } from './errno.js';
import { refusal } from './errors.js';
import { setKeepAliveBy } from './keep-alive.js';
import { type Native, type NativeAcceptor, nativeOptions } from './load.js';
import { acceptedSocket } from './socket.js';
import type { AcceptOptions, Acceptor, KtlsSocket } from './types.js';

/** So many connections are taken before the others of the event loop have their turn. */
const burst = 32;
/** Milliseconds without a try, when this process or the system has no descriptors or no memory left. */
const pause = 100;

export function openAcceptor(
  NativeClass: NonNullable<Native['Acceptor']>,
  fd: number,
  options: AcceptOptions,
): Acceptor {
  if (!Number.isInteger(fd) || fd < 0) throw new TypeError(`a descriptor must be an integer from 0, not ${fd}`);
  const native = new NativeClass(fd, burst);
  try {
    if (native.error < 0) throw refusal('open', errnoName(native.error));
    return new ListeningAcceptor(native, options);
  } catch (error) {
    native.close();
    throw error;
  }
}

class ListeningAcceptor implements Acceptor {
  readonly #native: NativeAcceptor;
  readonly #accepted: (sockets: readonly KtlsSocket[]) => void;
  #closed = false;
  #referenced = true;
  #paused: NodeJS.Timeout | undefined;

  constructor(native: NativeAcceptor, { accepted, noDelay, keepAlive, keepAliveInitialDelay }: AcceptOptions) {
    this.#native = native;
    this.#accepted = accepted;
    // Connections begin with what is set here: no system call for each.
    const set = (option: number, value: number) => native.setOption(option, value);
    if (noDelay !== undefined) set(nativeOptions.noDelay, noDelay ? 1 : 0);
    if (keepAlive !== undefined) setKeepAliveBy(set, keepAlive, keepAliveInitialDelay);
    native.onAccepted = (error, sockets) => this.#onAccepted(error, sockets.map(acceptedSocket));
    this.#watch();
  }

  get closed(): boolean {
    return this.#closed;
  }

  ref(): void {
    this.#referenced = true;
    this.#paused?.ref();
    this.#native.ref(true);
  }

  unref(): void {
    this.#referenced = false;
    this.#paused?.unref();
    this.#native.ref(false);
  }

  handBack(): number {
    const fd = this.#native.handBack();
    this.close();
    return fd;
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    clearTimeout(this.#paused);
    this.#native.onAccepted = undefined;
    this.#native.close();
  }

  #onAccepted(error: number, sockets: readonly KtlsSocket[]): void {
    // They wait in the kernel's queue meanwhile: what is level-triggered would report them again and again.
    if (error < 0) this.#pause();
    if (sockets.length > 0) this.#accepted(sockets);
  }

  #pause(): void {
    this.#native.watch(false);
    this.#paused = setTimeout(() => this.#watch(), pause);
    if (!this.#referenced) this.#paused.unref();
  }

  #watch(): void {
    const result = this.#native.watch(true);
    if (result < 0) throw refusal('watch', errnoName(result));
  }
}
