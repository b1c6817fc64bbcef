/** Padding of records (§5.4): how much of it a policy puts into each. */
import type { CryptoProvider } from '../crypto/provider.js';

/** As the settings have it; structurally the configuration's. */
export type PaddingPolicy =
  | { readonly multiple: number }
  | { readonly random: number }
  | ((record: { readonly contentType: number; readonly length: number; readonly room: number }) => number);

/** Bytes of padding for a record of that much content, of which at most `room`. */
export type Pad = (contentType: number, length: number, room: number) => number;

export function paddingBy(policy: PaddingPolicy, provider: Pick<CryptoProvider, 'random'>): Pad {
  if (typeof policy === 'function') return (contentType, length, room) => asked(policy, contentType, length, room);
  if ('multiple' in policy) {
    const { multiple } = policy;
    // Of content and type together: padding counts from there.
    return (_contentType, length, room) => Math.min(room, (multiple - ((length + 1) % multiple)) % multiple);
  }
  return (_contentType, _length, room) => uniform(Math.min(policy.random, room), provider);
}

function asked(
  policy: Extract<PaddingPolicy, (...args: never[]) => unknown>,
  contentType: number,
  length: number,
  room: number,
): number {
  const padding = policy({ contentType, length, room });
  if (!Number.isInteger(padding) || padding < 0 || padding > room) {
    throw new RangeError(`padding() returned ${String(padding)} where a whole number from 0 to ${room} is wanted`);
  }
  return padding;
}

/** 0 to `highest`, each as likely as any other. */
function uniform(highest: number, provider: Pick<CryptoProvider, 'random'>): number {
  const count = highest + 1;
  const fair = 2 ** 32 - (2 ** 32 % count);
  for (;;) {
    const [a = 0, b = 0, c = 0, d = 0] = provider.random(4);
    const value = ((a << 24) | (b << 16) | (c << 8) | d) >>> 0;
    if (value < fair) return value % count;
  }
}
