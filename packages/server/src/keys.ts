/** Traffic keys on their way to the kernel: copies that are ours to wipe. */
import type { CryptoInfo } from 'ktls-bind';

/** Overwrites keys that the kernel has taken; what the engine keeps is the secret they came from. */
export function wipe(keys: CryptoInfo): void {
  keys.key.fill(0);
  keys.iv.fill(0);
}
