/**
 * What a kernel can do, found out by doing it: throw-away keys on a connection with itself, per cipher and direction.
 * Module lists and kernel versions are not asked; they lie (containers, missing cipher modules, backports).
 */
import { cipherNames, ciphers, ivLength } from './ciphers.js';
import { errnoName } from './errno.js';
import { KtlsError, refusal } from './errors.js';
import type { Native } from './load.js';
import { openSocket } from './socket.js';
import type { CryptoInfo, Direction, EnableOptions, KtlsCipher, KtlsSocket, KtlsSupport, Verdict } from './types.js';

export function probe(native: Native | KtlsError): KtlsSupport {
  if (native instanceof KtlsError) return absent(native);
  const cipherVerdicts = tryCiphers(native);
  const firstWorking = (direction: Direction): KtlsCipher | undefined =>
    cipherNames.find((cipher) => cipherVerdicts[cipher][direction].supported);
  const send = firstWorking('send');
  const receive = firstWorking('receive');
  if (send === undefined && receive === undefined) {
    return absent(firstError(cipherVerdicts), cipherVerdicts);
  }
  const rekey = { send: canRekey(native, 'send', send), receive: canRekey(native, 'receive', receive) };
  return {
    available: true,
    error: undefined,
    summary: summarize(cipherVerdicts, rekey),
    ciphers: cipherVerdicts,
    rekey,
    zeroCopy: takesOption(native, 'send', send, { zeroCopy: true }),
    expectNoPad: takesOption(native, 'receive', receive, { expectNoPad: true }),
    maxPayload: takesOption(native, 'send', send, { maxPayload: 1024 }),
  };
}

/** As the `summary` of the support, of these directions alone: `kernel: send, AES-GCM/CCM/ChaCha20, rekey`. */
export function summarizeDirections(support: KtlsSupport, among: readonly Direction[]): string {
  return support.available ? summarize(support.ciphers, support.rekey, among) : support.summary;
}

type Verdicts = KtlsSupport['ciphers'];

const directions: readonly Direction[] = ['send', 'receive'];

function tryCiphers(native: Native): Verdicts {
  const tryDirection = (cipher: KtlsCipher, direction: Direction): Verdict =>
    verdict(() => onLoopback(native, (socket) => socket.enable(direction, throwAwayKeys(cipher))));
  const tryCipher = (cipher: KtlsCipher) => ({
    send: tryDirection(cipher, 'send'),
    receive: tryDirection(cipher, 'receive'),
  });
  return {
    'aes-128-gcm': tryCipher('aes-128-gcm'),
    'aes-256-gcm': tryCipher('aes-256-gcm'),
    'chacha20-poly1305': tryCipher('chacha20-poly1305'),
    'aes-128-ccm': tryCipher('aes-128-ccm'),
  };
}

function canRekey(native: Native, direction: Direction, cipher: KtlsCipher | undefined): boolean {
  if (cipher === undefined) return false;
  const tried = verdict(() =>
    onLoopback(native, (socket) => {
      socket.enable(direction, throwAwayKeys(cipher));
      socket.enable(direction, throwAwayKeys(cipher));
    }),
  );
  return tried.supported;
}

function takesOption(
  native: Native,
  direction: Direction,
  cipher: KtlsCipher | undefined,
  options: EnableOptions,
): boolean {
  if (cipher === undefined) return false;
  return verdict(() => onLoopback(native, (socket) => socket.enable(direction, throwAwayKeys(cipher), options)))
    .supported;
}

/** Only the kernel's refusals are verdicts. */
function verdict(attempt: () => void): Verdict {
  try {
    attempt();
    return { supported: true };
  } catch (error) {
    if (error instanceof KtlsError) return { supported: false, error };
    throw error;
  }
}

function onLoopback(native: Native, use: (socket: KtlsSocket) => void): void {
  const pair = native.loopbackPair();
  if (typeof pair === 'number') throw refusal('probe', errnoName(pair));
  const [first, second] = pair.map((fd) => openSocket(native, fd, { adopt: true }));
  try {
    if (first !== undefined) use(first);
  } finally {
    // Reset, so that probing leaves no connection in TIME_WAIT.
    first?.reset();
    second?.reset();
  }
}

/** Nothing is ever sent under these. */
function throwAwayKeys(cipher: KtlsCipher): CryptoInfo {
  return {
    aead: cipher,
    key: new Uint8Array(ciphers[cipher].keyLength),
    iv: new Uint8Array(ivLength),
    sequenceNumber: 0n,
  };
}

function firstError(verdicts: Verdicts): KtlsError {
  for (const cipher of cipherNames) {
    for (const direction of directions) {
      const found = verdicts[cipher][direction];
      if (!found.supported) return found.error;
    }
  }
  return refusal('probe', 'EINVAL');
}

function absent(error: KtlsError, verdicts?: Verdicts): KtlsSupport {
  const neither = { send: { supported: false, error }, receive: { supported: false, error } } as const;
  return {
    available: false,
    error,
    summary: `user space: ${reason(error)}`,
    ciphers: verdicts ?? {
      'aes-128-gcm': neither,
      'aes-256-gcm': neither,
      'chacha20-poly1305': neither,
      'aes-128-ccm': neither,
    },
    rekey: { send: false, receive: false },
    zeroCopy: false,
    expectNoPad: false,
    maxPayload: false,
  };
}

function reason(error: KtlsError): string {
  if (error.code === 'ERR_KTLS_NO_ULP') return `this kernel has no tls ULP (${error.errno})`;
  if (error.code === 'ERR_KTLS_CIPHER') return `this kernel's tls ULP takes none of the ciphers (${error.errno})`;
  return error.message;
}

/** `kernel: send+receive, AES-GCM/CCM/ChaCha20, rekey`. */
function summarize(verdicts: Verdicts, rekey: KtlsSupport['rekey'], among = directions): string {
  const where = among.filter((direction) => cipherNames.some((cipher) => verdicts[cipher][direction].supported));
  if (where.length === 0) return `user space: this kernel takes no keys to ${among.join(' or ')} with`;
  const works = (cipher: KtlsCipher) => where.every((direction) => verdicts[cipher][direction].supported);
  const gcm = works('aes-128-gcm') && works('aes-256-gcm') ? ['AES-GCM'] : [];
  const single =
    gcm.length > 0
      ? []
      : cipherNames
          .slice(0, 2)
          .filter(works)
          .map((cipher) => ciphers[cipher].label);
  const names = [
    ...gcm,
    ...single,
    ...(works('aes-128-ccm') ? [gcm.length > 0 ? 'CCM' : 'AES-CCM'] : []),
    ...(works('chacha20-poly1305') ? ['ChaCha20'] : []),
  ];
  const renewing = where.filter((direction) => rekey[direction]);
  const renewal = renewing.length === 0 ? 'no rekey' : 'rekey';
  const only = renewing.length === 0 || renewing.length === where.length ? '' : ` (${renewing.join('+')})`;
  return `kernel: ${where.join('+')}, ${names.join('/')}, ${renewal}${only}`;
}
