/** Closes connections that are silent for too long. One timer for all, and nothing on the way of the bytes. */
import type { TlsConnection } from './connection.js';

export class IdleWatch {
  readonly #timeout: number;
  /** How many bytes a connection had moved when it was last seen to have moved any, and when that was. */
  readonly #seen = new Map<TlsConnection, { bytes: number; since: number }>();
  #timer: NodeJS.Timeout | undefined;

  /** @param timeout milliseconds; 0 watches nothing. */
  constructor(timeout: number) {
    this.#timeout = timeout;
  }

  add(connection: TlsConnection): void {
    if (this.#timeout === 0) return;
    this.#seen.set(connection, { bytes: bytesOf(connection), since: Date.now() });
    this.#timer ??= setInterval(() => this.#look(), Math.max(this.#timeout / looksPerTimeout, 1)).unref();
  }

  delete(connection: TlsConnection): void {
    if (!this.#seen.delete(connection) || this.#seen.size > 0) return;
    clearInterval(this.#timer);
    this.#timer = undefined;
  }

  #look(): void {
    const now = Date.now();
    for (const [connection, seen] of this.#seen) {
      const bytes = bytesOf(connection);
      if (bytes !== seen.bytes) {
        seen.bytes = bytes;
        seen.since = now;
      } else if (now - seen.since >= this.#timeout) {
        // With close_notify, if everything has been sent: a peer that is only slow to ask learns it in order.
        connection.destroy();
      }
    }
  }
}

/** How exact the timeout is: up to a quarter late. */
const looksPerTimeout = 4;

function bytesOf(connection: TlsConnection): number {
  return connection.bytesRead + connection.bytesWritten;
}
