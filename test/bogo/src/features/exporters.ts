/** Exporters (§7.5), and the traffic secrets that the runner compares. */
import type { Feature } from '../feature.js';

export const exporters: Feature = {
  flags: {
    switches: ['export-traffic-secrets', 'use-export-context'],
    values: ['export-context', 'export-keying-material', 'export-label'],
  },
  // Also what shows that a ServerHello has been read.
  client: (flags) => ({
    keyLog: flags.switches.has('export-traffic-secrets') || flags.values.has('early-write-after-message'),
  }),
  server: (flags) => ({ keyLog: flags.switches.has('export-traffic-secrets') }),
};
