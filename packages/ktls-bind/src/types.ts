/**
 * The public interface of ktls-bind: what a kernel that seals and opens TLS 1.3 records offers, whether it is the
 * running Linux (index.ts) or the in-memory one for tests (fake.ts). Nothing here knows of handshakes.
 */
import type { KtlsError } from './errors.js';

/** The ciphers that Linux has for TLS 1.3 and the RFC names suites for. There is no kernel cipher for CCM_8. */
export type KtlsCipher = 'aes-128-gcm' | 'aes-256-gcm' | 'chacha20-poly1305' | 'aes-128-ccm';

/** `send`: the kernel seals what is written (TLS_TX). `receive`: it opens what is read (TLS_RX). */
export type Direction = 'send' | 'receive';

/** The keys of one direction, structurally the `TrafficKeys` of tls13-core. */
export interface CryptoInfo {
  /** A {@link KtlsCipher}; any other name gives `ERR_KTLS_CIPHER`. */
  readonly aead: string;
  /** 16 or 32 bytes, as the cipher wants. Copied, and the copy wiped, before `enable` returns. */
  readonly key: Uint8Array;
  /** The 12-byte write_iv. */
  readonly iv: Uint8Array;
  /** Number of the next record in this direction under this key, 0 … 2^64−1; 0 after a KeyUpdate. */
  readonly sequenceNumber: bigint;
}

/** Options of {@link KtlsSocket.enable}. All are off unless asked for. */
export interface EnableOptions {
  /** Send: `sendFile` seals straight from the page cache (TLS_TX_ZEROCOPY_RO; device offload only, in effect). A file
   * that changes while in flight corrupts retransmitted records. Linux 5.19. */
  readonly zeroCopy?: boolean;
  /** Receive: the peer is not expected to pad, so records are opened in place (TLS_RX_EXPECT_NO_PAD). A peer that
   * pads costs a second decryption per record. Linux 6.0. */
  readonly expectNoPad?: boolean;
  /** Send: the greatest number of content bytes in a record, 63 … 16384; a negotiated record_size_limit minus one
   * (TLS_TX_MAX_PAYLOAD_LEN). Linux 6.19. */
  readonly maxPayload?: number;
}

/** Whether the kernel took throw-away keys of one cipher in one direction. */
export type Verdict = { readonly supported: true } | { readonly supported: false; readonly error: KtlsError };

/** What {@link Kernel.probe} found. */
export interface KtlsSupport {
  /** True when at least one cipher works in at least one direction. */
  readonly available: boolean;
  /** Why not, when nothing is available: which step failed, and the errno. */
  readonly error: KtlsError | undefined;
  /** One line for people: `kernel: send+receive, AES-GCM/CCM/ChaCha20, rekey` or
   * `user space: this kernel has no tls ULP (ENOENT)`. */
  readonly summary: string;
  readonly ciphers: Readonly<Record<KtlsCipher, Readonly<Record<Direction, Verdict>>>>;
  /** Whether keys can be replaced after a KeyUpdate (Linux 6.14). */
  readonly rekey: Readonly<Record<Direction, boolean>>;
  readonly zeroCopy: boolean;
  readonly expectNoPad: boolean;
  readonly maxPayload: boolean;
}

export interface ProbeOptions {
  /** Try again instead of returning what the first call found (a module may have been loaded since). */
  readonly fresh?: boolean;
}

/** A kernel: the running one is exported by `ktls-bind` as `kernel`, a programmable one by `ktls-bind/fake`. */
export interface Kernel {
  /** Whether the native part is loaded. When it is not, `probe` says why and `open` throws `ERR_KTLS_UNAVAILABLE`. */
  readonly nativeAvailable: boolean;
  /** Synchronous, never throws, remembered: a loopback pair and throw-away keys, about a millisecond the first time. */
  probe(options?: ProbeOptions): KtlsSupport;
  /**
   * Takes hold of a connected TCP socket. The descriptor is duplicated (close-on-exec) and made non-blocking; the
   * caller keeps and closes his own. Bytes that somebody else already read from the socket are his to account for.
   */
  open(fd: number, options?: OpenOptions): KtlsSocket;
  /**
   * Takes the connections that come to a listening TCP socket: without an object of node:net for each, and some system
   * calls fewer. The descriptor is duplicated; whoever else accepts from it goes on competing for the connections. Not
   * there without the native part. Throws KtlsError when the descriptor does not listen.
   */
  accept?(fd: number, options: AcceptOptions): Acceptor;
  /** The counters of /proc/net/tls_stat (`TlsTxSw`, `TlsRxSw`, …); `undefined` where the kernel has none. */
  readTlsStat(): Readonly<Record<string, number>> | undefined;
}

/** Of {@link Kernel.accept}. What is set here is set on the listening socket, and every connection begins with it. */
export interface AcceptOptions {
  /** Called with those that came, oldest first: theirs to close. At most 32 in a turn of the event loop. */
  accepted(sockets: readonly KtlsSocket[]): void;
  readonly noDelay?: boolean;
  readonly keepAlive?: boolean;
  /** Milliseconds, as of {@link KtlsSocket.setKeepAlive}. */
  readonly keepAliveInitialDelay?: number;
}

/**
 * Accepts until it is closed. When there are no descriptors or there is no memory left it pauses for a moment, and
 * connections wait in the kernel's queue. Keeps the process alive.
 */
export interface Acceptor {
  readonly closed: boolean;
  ref(): void;
  unref(): void;
  /** Ends it. @returns its descriptor, which listens on and is the caller's. */
  handBack(): number;
  /** Idempotent. What waits in the kernel's queue is reset once no other descriptor of the listening socket is open. */
  close(): void;
}

export interface OpenOptions {
  /** Use `fd` itself, which then belongs to the socket and is closed with it. */
  readonly adopt?: boolean;
}

/**
 * Called when the socket can be read or written. After an error on the socket both are true, so that the next read
 * or write tells which error it is.
 */
export type ReadyCallback = (readable: boolean, writable: boolean) => void;

/** What `readRecord` found. `end` is the end of the TCP stream, which says nothing about close_notify. */
export type RecordRead =
  | { readonly kind: 'record'; readonly contentType: number; readonly length: number }
  | { readonly kind: 'end' };

/** What one bounded call of `sendFile` did. */
export interface FileProgress {
  /** File bytes accepted by the kernel in this call; the next call starts at `offset + bytes`. */
  readonly bytes: number;
  /** The send buffer is full: go on when writable. Neither `blocked` nor `endOfFile` and `bytes < length`: the bound
   * per call was reached, go on in a later turn of the loop. */
  readonly blocked: boolean;
  /** The file ended before `length` bytes: it was truncated, or never that long. */
  readonly endOfFile: boolean;
}

/** Where one direction's keys are, `none` without keys; `unknown` when the kernel would not say (no CAP_NET_ADMIN). */
export type Placement = 'none' | 'software' | 'device' | 'unknown';

/** What the kernel says about a socket of ours. */
export interface SocketInfo {
  /** `TLS 1.3`, or undefined while no key is set. */
  readonly version: string | undefined;
  /** The kernel's cipher, or undefined while no key is set. */
  readonly cipher: KtlsCipher | undefined;
  readonly send: Placement;
  readonly receive: Placement;
}

export interface SocketAddress {
  readonly address: string;
  readonly port: number;
  readonly family: 'IPv4' | 'IPv6';
}

/**
 * A TCP socket whose directions may, one after the other, go over to the kernel's record layer. Until then it is a
 * plain non-blocking TCP socket, so a whole connection can run over it. Every call returns at once; errors are
 * {@link KtlsError}s with the step and the errno's name; after `close` every call throws `ERR_KTLS_CLOSED`, but
 * `close`, `reset`, `watch(false, false)`, `ref`, `unref`.
 */
export interface KtlsSocket {
  /** The descriptor in use, −1 when closed. For diagnosis; closing it elsewhere is a mistake. */
  readonly fd: number;
  readonly closed: boolean;
  /** Whether the tls ULP is attached; irrevocable. While no send key is set, what is written goes out in clear. */
  readonly attached: boolean;
  /** Whether the kernel has keys for this direction. */
  enabled(direction: Direction): boolean;

  /**
   * Plain read of TCP bytes, and of application data once receive is enabled.
   * @returns bytes read into the start of `into`, 0 at the end of the stream, undefined when it would block.
   * @throws KtlsError `ERR_KTLS_CONTROL_RECORD` when the kernel holds a record that is not application data: from
   *   `enable('receive', …)` on use {@link readRecord}.
   */
  read(into: Uint8Array): number | undefined;

  /**
   * As {@link read} before receive is enabled, but what is read stays there: for whoever must look at the beginning of a
   * connection and leave it untouched. Meanwhile the socket is readable; see {@link setReceiveLowWater}.
   */
  peek(into: Uint8Array): number | undefined;

  /**
   * From how many bytes on the socket counts as readable (SO_RCVLOWAT; the end and errors always do). The kernel takes
   * no more than half of its receive buffer. 1 is the usual.
   */
  setReceiveLowWater(bytes: number): void;

  /**
   * Reads opened records: one control record, or application data of one or more records.
   * @param into at least 16384 bytes, so that a control record fits whole.
   * @returns what was read, undefined when it would block (always, after a KeyUpdate, until the new keys are set).
   * @throws KtlsError `ERR_KTLS_KEY_EXPIRED` (set new receive keys), `ERR_KTLS_BAD_RECORD` (bad_record_mac),
   *   `ERR_KTLS_RECORD_OVERFLOW` (record_overflow), `ERR_KTLS_BAD_HEADER`, and the fatal `ERR_KTLS_CONTROL_TRUNCATED`,
   *   `ERR_KTLS_RECORD_TYPE_MISSING`, `ERR_KTLS_RECORD_INCOMPLETE`.
   */
  readRecord(into: Uint8Array): RecordRead | undefined;

  /**
   * Vectored write: TCP bytes in clear, or application data once send is enabled (each call then ends a record
   * unless `more`).
   * @param more more will follow at once: the kernel may keep the last record open (MSG_MORE).
   * @returns bytes accepted, counted through all chunks; may be short; 0 when it would block.
   */
  write(chunks: readonly Uint8Array[], more?: boolean): number;

  /**
   * Sends one record of the given content type, all or nothing. Only once send is enabled.
   * @param fragment 1 … 16384 bytes.
   * @returns false when it would block (nothing was sent).
   */
  sendRecord(contentType: number, fragment: Uint8Array): boolean;

  /**
   * sendfile(2) from a regular file, at most a megabyte or so per call so that no connection starves the loop. Only
   * once send is enabled.
   * @param fileFd a readable descriptor; its own position is neither used nor moved.
   * @param offset bytes from the start of the file, 0 … 2^53−1.
   * @param length bytes to send.
   */
  sendFile(fileFd: number, offset: number, length: number): FileProgress;

  /** Attaches the ULP; `enable` does it by itself. ENOENT: no module; ENOTCONN; EEXIST: somebody else attached it. */
  attach(): void;

  /**
   * Sets the first keys of a direction, or, called again, the next ones (after a KeyUpdate).
   * @throws KtlsError `ERR_KTLS_NO_ULP`, `ERR_KTLS_NOT_CONNECTED`, `ERR_KTLS_ULP_EXISTS`, `ERR_KTLS_CIPHER`,
   *   `ERR_KTLS_REKEY_UNSUPPORTED`, `ERR_KTLS_REKEY_AGAIN` (a device that is not ready: try again), `ERR_KTLS_OPTION`.
   *   When first send keys are refused, everything written would go out as it is: from then on `write` throws
   *   `ERR_KTLS_UNSEALED`, unless {@link continueInUserSpace} is called.
   */
  enable(direction: Direction, keys: CryptoInfo, options?: EnableOptions): void;

  /** After the kernel refused first send keys: promises that what is written from now on was sealed by the caller. */
  continueInUserSpace(): void;

  /** Who is told; replaces the earlier one. */
  onReady(callback: ReadyCallback | undefined): void;
  /** What to wait for; level-triggered, idempotent, cheap; (false, false) stops. Keeps the process alive while on. */
  watch(readable: boolean, writable: boolean): void;
  ref(): void;
  unref(): void;

  /** SHUT_WR: the FIN goes after everything accepted; writing is EPIPE from then on. Send close_notify before. */
  shutdown(): void;
  /** Closes the descriptor and stops watching; idempotent, allowed in the callback. */
  close(): void;
  /** Like `close`, but the peer gets a reset, once no other descriptor of this socket is open. */
  reset(): void;

  /** Takes the pending socket error (SO_ERROR), which clears it. */
  takeError(): KtlsError | undefined;
  setNoDelay(on: boolean): void;
  /** @param initialDelay milliseconds of silence before the first probe, rounded to seconds; 0 leaves the system's. */
  setKeepAlive(on: boolean, initialDelay?: number): void;
  /** Bytes accepted by write, sendRecord or sendFile that the peer has not acknowledged (as the wire counts them). */
  unacknowledged(): number;
  localAddress(): SocketAddress | undefined;
  remoteAddress(): SocketAddress | undefined;
  info(): SocketInfo;
}
