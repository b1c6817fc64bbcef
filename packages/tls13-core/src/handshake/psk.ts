/** PSK binders (§4.3.11.2), for both roles: the client makes them, the server checks the one it selects. */
import { finishedVerifyData, verifyFinished } from '../keys/finished.js';
import type { BinderKind, EarlySecret } from '../keys/schedule.js';
import type { Transcript } from '../keys/transcript.js';

/** What a binder binds. */
export interface Binding {
  readonly kind: BinderKind;
  /** Extracted from the PSK; its hash is the transcript's. */
  readonly earlySecret: EarlySecret;
  /** Before this ClientHello: of no message, or of message_hash and HelloRetryRequest. */
  readonly before: Transcript;
  /** Truncate(ClientHello): all of the message, header included, up to the binders list and its length. */
  readonly truncatedClientHello: Uint8Array;
}

/** The binder: `Hash.length` bytes. */
export function pskBinder(binding: Binding): Uint8Array {
  const binderKey = binding.earlySecret.binderKey(binding.kind);
  const binder = finishedVerifyData(binding.before.hash, binderKey, boundHash(binding));
  binderKey.fill(0);
  return binder;
}

/** Whether `binder` is the right one, in time that does not depend on how much of it is. */
export function verifyPskBinder(binding: Binding, binder: Uint8Array): boolean {
  const binderKey = binding.earlySecret.binderKey(binding.kind);
  const right = verifyFinished(binding.before.hash, binderKey, boundHash(binding), binder);
  binderKey.fill(0);
  return right;
}

function boundHash(binding: Binding): Uint8Array {
  return binding.before.append(binding.truncatedClientHello).digest();
}
