/** In which order the shim reads, writes, changes keys and closes; connection.ts does it. */
import type { Feature } from '../feature.js';

export const inputOutput: Feature = {
  flags: {
    switches: [
      'check-close-notify',
      'implicit-handshake',
      'key-update',
      'no-op-extra-handshake',
      'peek-then-read',
      'read-with-unfinished-write',
      'send-alert',
      'shim-shuts-down',
      'shim-writes-first',
    ],
    values: ['read-size', 'shim-initial-write'],
  },
};
