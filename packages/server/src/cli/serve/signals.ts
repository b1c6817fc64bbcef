/** SIGHUP, SIGINT and SIGTERM for a server that runs in a terminal or under a supervisor. */
import { constants } from 'node:os';
import type { HttpsServer } from '../../https.js';

/** Milliseconds in which a second signal is taken for an echo of the first: npm and terminals send Ctrl-C twice. */
const echo = 1_000;

/** Milliseconds for what is being sent to be finished. */
const patience = 60_000;

/** Resolves when the server has been stopped by a signal and its last connection has ended. */
export async function untilStopped(server: HttpsServer, reload: () => void): Promise<void> {
  process.on('SIGHUP', reload);
  await new Promise<void>((resolve) => {
    let first: number | undefined;
    const stop = (signal: 'SIGINT' | 'SIGTERM') => {
      const now = performance.now();
      if (first !== undefined) {
        // As if the signal had not been caught.
        if (now - first > echo) process.exit(128 + constants.signals[signal]);
        return;
      }
      first = now;
      const { open } = server.counters.connections;
      server.shutdown({ timeout: patience }).then(resolve);
      if (open > 0) process.stderr.write(`tls13: finishing what is being sent; once more to end at once\n`);
    };
    process.on('SIGINT', stop);
    process.on('SIGTERM', stop);
  });
}
