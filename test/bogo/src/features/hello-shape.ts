/** GREASE (RFC 8701) and the order of extensions. */
import type { Feature } from '../feature.js';

export const helloShape: Feature = {
  flags: { switches: ['enable-grease', 'permute-extensions'], values: [] },
  client: ({ switches }) => ({
    grease: switches.has('enable-grease'),
    permuteExtensions: switches.has('permute-extensions'),
  }),
  // What the runner takes for the default of every server.
  server: () => ({ grease: true }),
};
