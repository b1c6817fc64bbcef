/** Every feature of the table, in its order. */
import { authentication } from './features/authentication.js';
import { certificates } from './features/certificates.js';
import { clientHello, strange } from './features/client-hello.js';
import { data } from './features/data.js';
import { earlyData } from './features/early-data.js';
import type { Feature } from './features/feature.js';
import { handshake } from './features/handshake.js';
import { rawPublicKeys } from './features/raw-public-keys.js';
import { sessions } from './features/sessions.js';

export type { Feature };

export const features: readonly Feature[] = [
  ...handshake,
  ...strange,
  ...authentication,
  ...certificates,
  ...rawPublicKeys,
  ...sessions,
  ...earlyData,
  ...clientHello,
  ...data,
];
