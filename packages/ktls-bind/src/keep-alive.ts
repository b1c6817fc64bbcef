/** TCP keep-alive, of a connection or of the listening socket that connections begin with. */
import { nativeOptions } from './load.js';

/** Throws RangeError for a delay that Linux would not take. */
export function setKeepAliveBy(set: (option: number, value: number) => void, on: boolean, initialDelay = 0): void {
  if (!Number.isFinite(initialDelay) || initialDelay < 0 || initialDelay > maxKeepAliveDelay) {
    throw new RangeError(`the initial delay must be 0 to ${maxKeepAliveDelay} milliseconds, not ${initialDelay}`);
  }
  set(nativeOptions.keepAlive, on ? 1 : 0);
  const seconds = Math.round(initialDelay / 1000);
  if (on && initialDelay > 0) set(nativeOptions.keepAliveDelay, Math.max(1, seconds));
}

/** MAX_TCP_KEEPIDLE. */
const maxKeepAliveDelay = 32_767_000;
