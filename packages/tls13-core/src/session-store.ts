/** Sessions that a server keeps itself, in place of tickets that hold them (§4.7.1): each good for one resumption. */
import type { SessionStore } from './config/index.js';

export interface SessionStoreOptions {
  /** Sessions kept; the oldest goes first. Default 10,000 (some 10 MB, more with clients' certificates). */
  readonly capacity?: number;
  /** Milliseconds since 1970. Default `Date.now`. */
  readonly now?: () => number;
}

/** A store in the memory of this process. Throws RangeError for a capacity that is no whole number of at least 1. */
export function createSessionStore({ capacity = 10_000, now = Date.now }: SessionStoreOptions = {}): SessionStore & {
  readonly size: number;
} {
  if (!Number.isSafeInteger(capacity) || capacity < 1) {
    throw new RangeError(`capacity must be a whole number of at least 1, not ${capacity}`);
  }
  // A map keeps the order of insertion: the first is the oldest.
  const sessions = new Map<string, { readonly state: Uint8Array; readonly until: number }>();
  const forget = (id: string) => {
    sessions.get(id)?.state.fill(0);
    sessions.delete(id);
  };
  return {
    get size() {
      return sessions.size;
    },
    set(id, state, lifetime) {
      const key = text(id);
      forget(key);
      sessions.set(key, { state: Uint8Array.from(state), until: now() + lifetime * 1000 });
      for (const [oldest, { until }] of sessions) {
        if (sessions.size <= capacity && until > now()) return;
        forget(oldest);
      }
    },
    take(id) {
      const key = text(id);
      const found = sessions.get(key);
      sessions.delete(key);
      return found !== undefined && found.until > now() ? found.state : undefined;
    },
  };
}

function text(bytes: Uint8Array): string {
  return String.fromCharCode(...bytes);
}
