/**
 * Linux's error numbers, as far as a socket, a file or the tls ULP can give them. They are written out because the fake
 * kernel speaks them on any platform, and because Node's own table lacks those that only a key can cause.
 */
export const errnos = {
  EPERM: 1,
  ENOENT: 2,
  EINTR: 4,
  EIO: 5,
  EBADF: 9,
  EAGAIN: 11,
  ENOMEM: 12,
  EACCES: 13,
  EFAULT: 14,
  EBUSY: 16,
  EEXIST: 17,
  EINVAL: 22,
  ENFILE: 23,
  EMFILE: 24,
  EFBIG: 27,
  ENOSPC: 28,
  ESPIPE: 29,
  EPIPE: 32,
  ERANGE: 34,
  ENOSYS: 38,
  EOVERFLOW: 75,
  ENOTSOCK: 88,
  EMSGSIZE: 90,
  EPROTOTYPE: 91,
  ENOPROTOOPT: 92,
  EOPNOTSUPP: 95,
  EADDRNOTAVAIL: 99,
  EAFNOSUPPORT: 97,
  ENETDOWN: 100,
  ENETUNREACH: 101,
  ECONNABORTED: 103,
  ECONNRESET: 104,
  ENOBUFS: 105,
  EISCONN: 106,
  ENOTCONN: 107,
  ETIMEDOUT: 110,
  ECONNREFUSED: 111,
  EHOSTUNREACH: 113,
  EBADMSG: 74,
  ECANCELED: 125,
  EKEYEXPIRED: 127,
} as const;

export type ErrnoName = keyof typeof errnos;

/** `ENOENT` for 2 or −2; `errno 4711` for a number without a name here. */
export function errnoName(number: number): string {
  const positive = Math.abs(number);
  return names.get(positive) ?? `errno ${positive}`;
}

const names: ReadonlyMap<number, string> = new Map(
  Object.entries(errnos).map(([name, number]) => [number, name] as const),
);
