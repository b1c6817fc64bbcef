/** Sizes of records. */
import type { Feature } from '../feature.js';
import { type Flags, number } from '../flags.js';

export const records: Feature = {
  flags: { switches: [], values: ['max-send-fragment'] },
  client: (flags) => sizes(flags),
  server: (flags) => sizes(flags),
};

function sizes(flags: Flags): { readonly maxSendFragment?: number } {
  const maxSendFragment = number(flags, 'max-send-fragment');
  return maxSendFragment === undefined ? {} : { maxSendFragment };
}
