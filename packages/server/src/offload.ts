/** Where a connection's records are protected, and why: the policy, the verdict per direction, and the reason codes. */
import type { Direction, KtlsCipher, KtlsSupport, Placement } from 'ktls-bind';
import type { AeadName } from 'tls13-core';

/** Bytes of content in a record at most (§5.1): what the kernel makes unless it can be told otherwise. */
export const largestFragment = 16_384;

/** Which directions are to be handed over. `auto` is `send`: opening in software costs more than it saves most servers. */
export type OffloadPolicy = 'auto' | 'send' | 'both' | 'off';

/** Why a direction is in user space, a sentence each. */
export const offloadReasons = {
  handshake: 'the handshake is not complete yet',
  'policy-off': "the option offload is 'off'",
  'policy-send-only': "the option offload is 'auto' or 'send', which hands over sending only",
  'not-linux': 'only Linux has a record layer in its kernel',
  'no-addon': 'the native part of ktls-bind did not load',
  'not-a-socket': 'the connection does not run over a TCP socket that could be taken over',
  'open-failed': 'the descriptor of the socket could not be taken over',
  'no-ulp': 'this kernel has no tls module, or may not load it',
  'probe-failed': "the kernel's record layer did not pass its probe",
  'cipher-unsupported': 'the kernel does not take this cipher in this direction',
  ccm8: 'no kernel has TLS_AES_128_CCM_8_SHA256',
  'record-size': 'records are to be smaller than 16,384 bytes, by option or by the peer, which this kernel cannot do',
  padding: 'records are padded, which the kernel cannot do',
  'dynamic-record-sizing': 'records are small at first, which is done in user space',
  'record-size-limit': 'the option recordSizeLimit bounds the records that are opened, which the kernel does not do',
  'partial-record': 'waiting for the end of a record that has partly been read',
  closed: 'the direction was closed before it could be handed over',
  'attach-failed': "the kernel's record layer could not be attached to this socket",
  'enable-failed': 'the kernel refused the keys, and the connection was closed',
} as const;

export type OffloadReason = keyof typeof offloadReasons;

/** One direction's place. */
export interface DirectionOffload {
  readonly where: 'kernel' | 'user';
  /** In the kernel: who computes. `unknown` when the kernel does not tell this user. */
  readonly device?: 'software' | 'device' | 'unknown';
  /** In user space: why. */
  readonly reason?: OffloadReason;
  /** For people: the reason's sentence, and what the kernel said. */
  readonly detail?: string;
}

export interface ConnectionOffload {
  readonly send: DirectionOffload;
  readonly receive: DirectionOffload;
}

/** What the kernel is asked for beyond keys. An option that this kernel does not have is left out. */
export interface OffloadOptions {
  /** Seal files straight from the page cache: they must not change while they are sent. Matters with devices only. Linux 5.19. */
  readonly zeroCopy?: boolean;
  /** Open records in place: cheaper while the peer does not pad. Linux 6.0. */
  readonly expectNoPad?: boolean;
}

/** A direction's verdict so far. */
export type Verdict = { readonly where: 'kernel' } | Refusal;

export interface Refusal {
  readonly where: 'user';
  readonly reason: OffloadReason;
  readonly detail?: string;
}

export function refused(reason: OffloadReason, detail?: string): Refusal {
  return detail === undefined ? { where: 'user', reason } : { where: 'user', reason, detail };
}

/** What a connection's records must be like. */
export interface RecordDemands {
  /** Bytes of content, the peer's limit (RFC 8449) included. */
  readonly maxSendFragment: number;
  readonly padding: boolean;
  readonly dynamicRecordSizing: boolean;
  /** Whether the peer was told of a limit below that of every record. */
  readonly receiveLimited: boolean;
}

/** Whether a direction may be handed over, as far as it is known before trying. */
export function offloadVerdict(
  direction: Direction,
  policy: OffloadPolicy,
  aead: AeadName,
  support: KtlsSupport | Refusal,
  records: RecordDemands,
): Verdict {
  if (policy === 'off') return refused('policy-off');
  if (direction === 'receive' && policy !== 'both') return refused('policy-send-only');
  if ('where' in support) return support;
  if (aead === 'aes-128-ccm-8') return refused('ccm8');
  if (!support.available) return absent(support);
  const verdict = support.ciphers[kernelCipher(aead)][direction];
  if (!verdict.supported) return refused('cipher-unsupported', verdict.error.message);
  if (direction === 'receive') return records.receiveLimited ? refused('record-size-limit') : { where: 'kernel' };
  if (records.padding) return refused('padding');
  if (records.dynamicRecordSizing) return refused('dynamic-record-sizing');
  if (records.maxSendFragment < largestFragment && !support.maxPayload) return refused('record-size');
  return { where: 'kernel' };
}

/** For people and programs to see; `placement` is asked only when the kernel has the direction. */
export function describe(verdict: Verdict, placement: () => Placement): DirectionOffload {
  if (verdict.where === 'kernel') return { where: 'kernel', device: deviceOf(placement()) };
  const sentence = offloadReasons[verdict.reason];
  const detail = verdict.detail === undefined ? sentence : `${sentence}: ${verdict.detail}`;
  return { where: 'user', reason: verdict.reason, detail };
}

function kernelCipher(aead: Exclude<AeadName, 'aes-128-ccm-8'>): KtlsCipher {
  return aead;
}

function absent({ error }: KtlsSupport): Refusal {
  if (error?.code === 'ERR_KTLS_NO_ULP') return refused('no-ulp', error.message);
  if (error?.code === 'ERR_KTLS_UNAVAILABLE') {
    return refused(process.platform === 'linux' ? 'no-addon' : 'not-linux', error.message);
  }
  return refused('probe-failed', error?.message);
}

function deviceOf(placement: Placement): 'software' | 'device' | 'unknown' {
  return placement === 'device' || placement === 'software' ? placement : 'unknown';
}
