/** When and how an application is asked, and that it may refuse: each flag is used where its callback is. */
import type { Feature } from '../feature.js';

export const callbacks: Feature = {
  flags: {
    switches: [
      'async',
      'fail-cert-callback',
      'fail-early-callback',
      'use-custom-verify-callback',
      'use-early-callback',
      'use-old-client-cert-callback',
      'use-ticket-aead-callback',
      'use-ticket-callback',
    ],
  },
};
