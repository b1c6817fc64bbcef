/** Sessions that a server keeps itself, in place of tickets that hold them (§4.7.1): each good for one resumption. */
import type { SessionStore } from './config/index.js';

export interface SessionStoreOptions {
  /** Sessions kept; the oldest goes first. Default 10,000 (some 10 MB, more with clients' certificates). */
  readonly capacity?: number;
  /** Bytes of state that they may have together; the oldest goes first here too. Default 67,108,864. */
  readonly maxBytes?: number;
  /** Milliseconds since 1970. Default `Date.now`. */
  readonly now?: () => number;
}

/** A store in the memory of this process. Throws RangeError for a bound that is no whole number of at least 1. */
export function createSessionStore({
  capacity = 10_000,
  maxBytes = 67_108_864,
  now = Date.now,
}: SessionStoreOptions = {}): SessionStore & {
  readonly size: number;
} {
  for (const [name, value] of Object.entries({ capacity, maxBytes })) {
    if (!Number.isSafeInteger(value) || value < 1) {
      throw new RangeError(`${name} must be a whole number of at least 1, not ${value}`);
    }
  }
  // A map keeps the order of insertion: the first is the oldest.
  const sessions = new Map<string, { readonly state: Uint8Array; readonly until: number }>();
  let bytes = 0;
  const remove = (id: string) => {
    const session = sessions.get(id);
    sessions.delete(id);
    bytes -= session?.state.length ?? 0;
    return session;
  };
  const forget = (id: string) => remove(id)?.state.fill(0);
  return {
    get size() {
      return sessions.size;
    },
    set(id, state, lifetime) {
      const key = text(id);
      forget(key);
      sessions.set(key, { state: Uint8Array.from(state), until: now() + lifetime * 1000 });
      bytes += state.length;
      for (const [oldest, { until }] of sessions) {
        if (sessions.size <= capacity && bytes <= maxBytes && until > now()) return;
        forget(oldest);
      }
    },
    take(id) {
      const found = remove(text(id));
      return found !== undefined && found.until > now() ? found.state : undefined;
    },
  };
}

function text(bytes: Uint8Array): string {
  return String.fromCharCode(...bytes);
}
