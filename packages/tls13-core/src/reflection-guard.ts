/** The memory of a ReflectionGuard: the randoms of the ClientHellos that this process sent last (§F.8, RFC 9257 §4.1). */
import type { ReflectionGuard } from './config/index.js';

export interface ReflectionGuardOptions {
  /** ClientHellos remembered, the newest: as many as may be on their way at once. Default 16,384 (about 2 MB). */
  readonly capacity?: number;
}

/** Throws RangeError for a capacity that is no whole number of at least 1. */
export function createReflectionGuard({ capacity = 16_384 }: ReflectionGuardOptions = {}): ReflectionGuard {
  if (!Number.isSafeInteger(capacity) || capacity < 1) {
    throw new RangeError(`capacity must be a whole number of at least 1, not ${capacity}`);
  }
  const randoms = new Set<string>();
  return {
    sent(clientRandom) {
      randoms.add(text(clientRandom));
      // A set keeps the order of insertion: the first is the oldest.
      for (const oldest of randoms) {
        if (randoms.size <= capacity) return;
        randoms.delete(oldest);
      }
    },
    wasSent: (clientRandom) => randoms.has(text(clientRandom)),
  };
}

function text(bytes: Uint8Array): string {
  return String.fromCharCode(...bytes);
}
