/** verify_data of Finished (§4.5.3) and the PSK binders, which are made the same way (§4.3.11.2). */
import { constantTimeEqual } from '../bytes.js';
import { hkdfExpandLabel } from '../crypto/hkdf.js';
import type { Hash } from '../crypto/provider.js';
import type { Secret } from './schedule.js';

/** HMAC(finished_key, transcript hash), with the finished_key of `baseKey`: a traffic secret, or a binder_key for a binder. */
export function finishedVerifyData(hash: Hash, baseKey: Secret, transcriptHash: Uint8Array): Uint8Array {
  const finishedKey = hkdfExpandLabel(hash, baseKey, 'finished', noBytes, hash.length);
  const verifyData = hash.hmac(finishedKey, transcriptHash);
  finishedKey.fill(0);
  return verifyData;
}

/** Whether `verifyData` is the right one, in time that does not depend on how much of it is. */
export function verifyFinished(
  hash: Hash,
  baseKey: Secret,
  transcriptHash: Uint8Array,
  verifyData: Uint8Array,
): boolean {
  return constantTimeEqual(finishedVerifyData(hash, baseKey, transcriptHash), verifyData);
}

const noBytes = new Uint8Array(0);
