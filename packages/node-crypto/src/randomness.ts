/** Random bytes from OpenSSL. */
import { randomFillSync } from 'node:crypto';

/**
 * A call costs the same for a few bytes as for thousands, and a handshake wants a few bytes many times: they are drawn
 * ahead. What has been handed out is wiped here, so that nothing that was drawn is ever given twice or found later.
 */
export function randomBytes(length: number): Uint8Array {
  if (length > mostAtOnce) return randomFillSync(new Uint8Array(length));
  if (left < length) {
    randomFillSync(ahead);
    left = ahead.length;
  }
  const start = left - length;
  const bytes = ahead.slice(start, left);
  ahead.fill(0, start, left);
  left = start;
  return bytes;
}

const ahead = new Uint8Array(4096);
const mostAtOnce = 256;
/** Bytes of `ahead` that have not been handed out, at its beginning. */
let left = 0;
