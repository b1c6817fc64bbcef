/**
 * What carries a connection's bytes. The driver knows no more of sockets than this. A transport delivers and takes TCP
 * bytes; one with a `kernel` side can hand the record protection of a direction over to the kernel.
 */
import type { CryptoInfo, Direction, EnableOptions, KtlsSupport, Placement, SocketAddress } from 'ktls-bind';
import type { Refusal } from '../offload.js';

export interface Transport {
  readonly kind: 'native' | 'stream';
  /** The kernel's side, or why there is none. */
  readonly kernel: KernelSide | Refusal;
  /** Everything written has reached TCP. */
  readonly drained: boolean;
  /** The most bytes that one read may take: what completes a record, while the driver waits for a record boundary. */
  readLimit: number;
  /** A hint: what is written has a successor in the same turn of the event loop, or the FIN, and may wait for it. */
  moreFollows: boolean;
  /** Begins to report. Nothing is reported from within a call of the driver's, but `sealed`. */
  start(handler: TransportHandler): void;
  /** Whether to read. Bytes already in hand may still come on a stream. */
  setReading(on: boolean): void;
  /** Reads what is there, if `setReading` permits; to be called when `readable` was, then or later. */
  read(): void;
  /** Takes TCP bytes, in order; they must not change until written. @returns whether all is with TCP; else `drained` comes. */
  write(chunks: readonly Uint8Array[]): boolean;
  /** The FIN goes after everything written. @returns as `write`. */
  end(): boolean;
  /**
   * Sends the control records and sealed bytes that wait, if the wire takes them now, then closes. Application data in
   * hand is dropped, and a close_notify behind it too. Nothing is reported any more.
   */
  finish(): void;
  /** Closes at once, with a reset if asked to. Nothing is reported any more. */
  destroy(reset?: boolean): void;
  setNoDelay(on: boolean): void;
  /** @param initialDelay milliseconds of silence before the first probe; 0 leaves the system's. */
  setKeepAlive(on: boolean, initialDelay: number): void;
  ref(): void;
  unref(): void;
  localAddress(): SocketAddress | undefined;
  remoteAddress(): SocketAddress | undefined;
}

export interface TransportHandler {
  /** There is something to read: `read` is to be called. */
  readable(): void;
  /** TCP bytes: a view, valid during the call, as are the bytes of its memory in front of it, which may be overwritten. */
  received(bytes: Uint8Array, headroom: number): void;
  /** A record that the kernel opened; of application data, perhaps several. A view, valid during the call. */
  receivedRecord(contentType: number, fragment: Uint8Array): void;
  /** The kernel took this many bytes of application data in one call. */
  sealed(bytes: number): void;
  /** Everything written has reached TCP, after a call that said it had not. */
  drained(): void;
  /** The peer's FIN. */
  ended(): void;
  /** The socket broke; nothing follows. */
  failed(error: Error): void;
}

/** A range of a file on its way into the kernel. */
export interface FileTransfer {
  readonly fd: number;
  /** Where the next byte is. */
  offset: number;
  /** Bytes still to be sent. */
  remaining: number;
  /** After each step, with the bytes it moved. */
  progress(bytes: number): void;
}

export type Control =
  | { readonly kind: 'record'; readonly contentType: number; readonly fragment: Uint8Array }
  | { readonly kind: 'keys'; readonly keys: CryptoInfo };

/** Narrows {@link Transport.kernel}. */
export function isKernelSide(kernel: KernelSide | Refusal): kernel is KernelSide {
  return 'support' in kernel;
}

/** A socket whose records the kernel may protect. */
export interface KernelSide {
  readonly support: KtlsSupport;
  /** Attaches the record layer without keys: harmless, and irrevocable. Throws KtlsError. */
  attach(): void;
  /** Sets keys at once. For sending only when `drained`. Throws KtlsError. */
  enable(direction: Direction, keys: CryptoInfo, options?: EnableOptions): void;
  /** Application data for the kernel to seal. One call at a time: wait for true, or `drained`. @returns as `write`. */
  writeData(chunks: readonly Uint8Array[]): boolean;
  /**
   * Control records and new send keys, in their order, behind everything sealed so far. What belongs together (a
   * KeyUpdate and its keys) must come in one call: application data in hand goes between two calls. @returns as `write`.
   */
  sendControl(items: readonly Control[]): boolean;
  /** One file at a time, behind everything written. `done` comes once, perhaps before this returns. */
  sendFile(transfer: FileTransfer, done: (error?: Error) => void): void;
  /** Where the kernel says the records of a direction are protected. Asks the kernel: not for a hot path. */
  placement(direction: Direction): Placement;
}
