/**
 * The one error class of ktls-bind: which step failed, the kernel's errno by name, and what that means. Callers
 * decide on `code`; people read `message`.
 */

/** Where it failed. */
export type KtlsStep =
  | 'load'
  | 'open'
  | 'ulp'
  | 'crypto'
  | 'rekey'
  | 'option'
  | 'read'
  | 'write'
  | 'record'
  | 'file'
  | 'watch'
  | 'socket'
  | 'probe';

/** What to do about it. */
export type KtlsErrorCode =
  /** No native part here: not Linux, or the addon did not load. */
  | 'ERR_KTLS_UNAVAILABLE'
  /** The kernel has no tls module, or may not load it for this user. */
  | 'ERR_KTLS_NO_ULP'
  /** The socket is not connected (any more). */
  | 'ERR_KTLS_NOT_CONNECTED'
  /** Another ULP, or another owner of this socket, came first. */
  | 'ERR_KTLS_ULP_EXISTS'
  /** No such cipher in this kernel, or not together with the other direction's. */
  | 'ERR_KTLS_CIPHER'
  /** This kernel (or device) does not replace keys. */
  | 'ERR_KTLS_REKEY_UNSUPPORTED'
  /** Keys cannot be replaced at this moment; try again. */
  | 'ERR_KTLS_REKEY_AGAIN'
  /** An option was refused. */
  | 'ERR_KTLS_OPTION'
  /** A plain read met a record that is not application data. */
  | 'ERR_KTLS_CONTROL_RECORD'
  /** The peer updated its key: set new receive keys. */
  | 'ERR_KTLS_KEY_EXPIRED'
  /** A record did not authenticate: bad_record_mac. */
  | 'ERR_KTLS_BAD_RECORD'
  /** A record is longer than TLS allows: record_overflow. */
  | 'ERR_KTLS_RECORD_OVERFLOW'
  /** A record header is not one of TLS 1.3. */
  | 'ERR_KTLS_BAD_HEADER'
  /** The kernel cut off ancillary data. */
  | 'ERR_KTLS_CONTROL_TRUNCATED'
  /** A record came without its content type. */
  | 'ERR_KTLS_RECORD_TYPE_MISSING'
  /** A control record did not come whole. */
  | 'ERR_KTLS_RECORD_INCOMPLETE'
  /** The kernel took only a part of a control record. */
  | 'ERR_KTLS_RECORD_SHORT'
  /** Nobody would seal this: the kernel has no send keys. */
  | 'ERR_KTLS_UNSEALED'
  /** The socket object was closed. */
  | 'ERR_KTLS_CLOSED'
  /** Any other failure of the socket; `errno` tells which (ECONNRESET, EPIPE, ETIMEDOUT, …). */
  | 'ERR_KTLS_IO';

export interface KtlsErrorDetails {
  readonly code: KtlsErrorCode;
  readonly step: KtlsStep;
  /** The errno's name (`ENOENT`), where the kernel gave one. */
  readonly errno?: string | undefined;
  readonly cause?: unknown;
}

export class KtlsError extends Error {
  override readonly name = 'KtlsError';
  readonly code: KtlsErrorCode;
  readonly step: KtlsStep;
  readonly errno: string | undefined;

  constructor(message: string, details: KtlsErrorDetails) {
    super(message, details.cause === undefined ? undefined : { cause: details.cause });
    this.code = details.code;
    this.step = details.step;
    this.errno = details.errno;
  }
}

/** The error for a step that the kernel answered with an errno. */
export function refusal(step: KtlsStep, errno: string): KtlsError {
  const [code, meaning] = meanings[step]?.[errno] ?? [defaultCodes[step] ?? 'ERR_KTLS_IO', general[errno] ?? 'failed'];
  return new KtlsError(`${stepNames[step]}: ${meaning} (${errno})`, { code, step, errno });
}

type Meaning = readonly [KtlsErrorCode, string];

const stepNames: Readonly<Record<KtlsStep, string>> = {
  load: 'loading the native part',
  open: 'opening the socket',
  ulp: 'attaching the tls ULP',
  crypto: 'setting keys',
  rekey: 'replacing keys',
  option: 'setting a TLS option',
  read: 'reading',
  write: 'writing',
  record: 'sending a control record',
  file: 'sending a file',
  watch: 'watching the socket',
  socket: 'socket',
  probe: 'probing the kernel',
};

const defaultCodes: Partial<Readonly<Record<KtlsStep, KtlsErrorCode>>> = {
  crypto: 'ERR_KTLS_CIPHER',
  rekey: 'ERR_KTLS_REKEY_UNSUPPORTED',
  option: 'ERR_KTLS_OPTION',
};

const noCipher: Meaning = ['ERR_KTLS_CIPHER', 'the kernel lacks this cipher, or a module that it needs'];
const noRekey: Meaning = ['ERR_KTLS_REKEY_UNSUPPORTED', 'this kernel cannot replace keys (Linux 6.14 can)'];
const keyExpired: Meaning = ['ERR_KTLS_KEY_EXPIRED', 'the peer updated its key and the kernel waits for the new one'];
const badRecord: Meaning = ['ERR_KTLS_BAD_RECORD', 'a record did not authenticate'];
const overflow: Meaning = ['ERR_KTLS_RECORD_OVERFLOW', 'a record is longer than TLS allows'];

const meanings: Partial<Readonly<Record<KtlsStep, Readonly<Record<string, Meaning>>>>> = {
  ulp: {
    ENOENT: ['ERR_KTLS_NO_ULP', 'this kernel has none, or its module is not loaded and may not be by this user'],
    ENOPROTOOPT: ['ERR_KTLS_NO_ULP', 'this kernel has no upper layer protocols'],
    EOPNOTSUPP: ['ERR_KTLS_NO_ULP', 'this is not a TCP socket'],
    EPERM: ['ERR_KTLS_NO_ULP', 'a policy of this machine forbids it'],
    ENOTCONN: ['ERR_KTLS_NOT_CONNECTED', 'the socket is not connected in both directions'],
    EEXIST: ['ERR_KTLS_ULP_EXISTS', 'the socket has an upper layer protocol already, attached by somebody else'],
  },
  crypto: {
    EINVAL: ['ERR_KTLS_CIPHER', 'the kernel does not know this cipher, or it is not the one of the other direction'],
    ENOENT: noCipher,
    ENOPROTOOPT: ['ERR_KTLS_CIPHER', 'the kernel does not do TLS in this direction'],
    EBUSY: ['ERR_KTLS_ULP_EXISTS', 'this direction has keys already, set by somebody else'],
  },
  rekey: {
    EBUSY: noRekey,
    EOPNOTSUPP: ['ERR_KTLS_REKEY_UNSUPPORTED', 'the device that seals the records cannot replace keys'],
    EAGAIN: ['ERR_KTLS_REKEY_AGAIN', 'the device that seals the records is not ready to replace keys'],
  },
  read: {
    EIO: ['ERR_KTLS_CONTROL_RECORD', 'a record that is not application data came, which only readRecord can take'],
    EKEYEXPIRED: keyExpired,
    EBADMSG: badRecord,
    EMSGSIZE: overflow,
    EINVAL: ['ERR_KTLS_BAD_HEADER', 'a record header is not one of TLS 1.3'],
  },
};

const general: Readonly<Record<string, string>> = {
  EBADF: 'the descriptor is not open',
  EBADMSG: 'a record did not authenticate',
  ECONNREFUSED: 'the peer refused the connection',
  ECONNRESET: 'the peer reset the connection',
  EINVAL: 'the kernel refused an argument',
  EIO: 'input or output error',
  EKEYEXPIRED: 'the peer updated its key and the kernel waits for the new one',
  EMFILE: 'this process has too many descriptors',
  EMSGSIZE: 'a record is longer than TLS allows',
  ENETDOWN: 'the network is down',
  ENETUNREACH: 'the network cannot be reached',
  ENOBUFS: 'the kernel is out of buffers',
  ENOMEM: 'the kernel is out of memory',
  ENOPROTOOPT: 'the kernel does not know this option',
  ENOTCONN: 'the socket is not connected',
  ENOTSOCK: 'the descriptor is not a socket',
  EPIPE: 'the connection is closed for writing',
  EPROTOTYPE: 'the descriptor is not a stream socket',
  ESPIPE: 'the descriptor is not a regular file',
  ETIMEDOUT: 'the peer did not answer in time',
};
