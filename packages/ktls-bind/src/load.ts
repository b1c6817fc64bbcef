/**
 * The native part, or the reason why there is none: absence is a value. Its shapes are those of native/addon.cc;
 * numbers are results of system calls, negative ones an errno.
 */
import { createRequire } from 'node:module';
import { dirname } from 'node:path';
import { fileURLToPath } from 'node:url';
import { KtlsError } from './errors.js';

export interface NativeSocket {
  /** 0, or why the descriptor could not be taken. */
  readonly error: number;
  onReady?: ((events: number) => void) | undefined;
  fd(): number;
  read(into: Uint8Array): number;
  peek(into: Uint8Array): number;
  /** contentType · 2³² + length. */
  readRecord(into: Uint8Array): number;
  write(chunks: readonly Uint8Array[], more: boolean): number;
  writeRecord(contentType: number, fragment: Uint8Array): number;
  /** bytes · 4 + blocked + 2 · endOfFile. */
  sendFile(fileFd: number, offset: number, length: number): number;
  /** 1 when the tls ULP is attached, 0 when none is. */
  ulpAttached(): number;
  attachUlp(): number;
  /** The kernel's number of the cipher in use, 0 without keys. */
  cipherInUse(direction: number): number;
  setKeys(direction: number, cipher: number, key: Uint8Array, iv: Uint8Array, sequenceNumber: bigint): number;
  setOption(option: number, value: number): number;
  knowsOption(option: number): boolean;
  /** A set of 1 (readable) and 2 (writable). */
  watch(events: number): number;
  ref(on: boolean): void;
  shutdown(): number;
  close(reset: boolean): number;
  takeError(): number;
  unacknowledged(): number;
  /** `address port family`. */
  localAddress(): string | undefined;
  remoteAddress(): string | undefined;
  /** version, cipher, TX and RX configuration, in the kernel's numbers. */
  diagnose(): number | readonly [number, number, number, number];
}

export interface NativeAcceptor {
  /** 0, or why the descriptor could not be taken. */
  readonly error: number;
  /** The error, 0 or negative, is one that the next try would meet again. */
  onAccepted?: ((error: number, sockets: readonly NativeSocket[]) => void) | undefined;
  setOption(option: number, value: number): number;
  watch(on: boolean): number;
  ref(on: boolean): void;
  handBack(): number;
  close(): void;
}

export interface Native {
  readonly Socket: new (fd: number, adopt: boolean) => NativeSocket;
  /** The fake has none. */
  readonly Acceptor?: new (
    fd: number,
    burst: number,
  ) => NativeAcceptor;
  loopbackPair(): number | readonly [number, number];
  /** The fake has none. */
  readCached?(file: number, into: Uint8Array, offset: number): number;
}

/** TLS_TX and TLS_RX of uapi/linux/tls.h. */
export const kernelDirections = { send: 1, receive: 2 } as const;

/** The order of `enum class Option` in native/descriptor.h. */
export const nativeOptions = {
  noDelay: 0,
  zeroCopy: 1,
  expectNoPad: 2,
  maxPayload: 3,
  keepAlive: 4,
  /** Seconds. */
  keepAliveDelay: 5,
  /** Bytes. */
  receiveLowWater: 6,
} as const;

/** Loads the addon once; the error says why it cannot be had. */
export const native: Native | KtlsError = load();

function load(): Native | KtlsError {
  if (process.platform !== 'linux') {
    return new KtlsError(`kernel TLS is Linux's; this is ${process.platform}`, {
      code: 'ERR_KTLS_UNAVAILABLE',
      step: 'load',
    });
  }
  try {
    const require = createRequire(import.meta.url);
    const find: unknown = require('node-gyp-build');
    if (typeof find !== 'function') throw new TypeError('node-gyp-build is not a function');
    // This file is one folder below the package, in src as in dist.
    const found: unknown = find(dirname(dirname(fileURLToPath(import.meta.url))));
    if (!isNative(found)) throw new TypeError('the addon found has none of the expected functions');
    return found;
  } catch (cause) {
    const why = cause instanceof Error ? cause.message.split('\n', 1)[0] : String(cause);
    return new KtlsError(`the native part of ktls-bind did not load: ${why}`, {
      code: 'ERR_KTLS_UNAVAILABLE',
      step: 'load',
      cause,
    });
  }
}

function isNative(value: unknown): value is Native {
  return (
    typeof value === 'object' &&
    value !== null &&
    'Socket' in value &&
    typeof value.Socket === 'function' &&
    'loopbackPair' in value &&
    typeof value.loopbackPair === 'function'
  );
}
