/** Every property there is. */
import type { FuzzProperty } from '../support/property.js';
import { answerProperties } from './answers.js';
import { configurationProperties } from './configurations.js';
import { decoderProperties } from './decoders.js';
import { engineProperties } from './engines.js';
import { featureProperties } from './features.js';
import { helloProperties } from './hellos.js';
import { recordProperties } from './records.js';
import { streamProperties } from './streams.js';
import { tamperingProperties } from './tampering.js';

export const properties: readonly FuzzProperty[] = [
  ...decoderProperties,
  ...engineProperties,
  ...streamProperties,
  ...recordProperties,
  ...tamperingProperties,
  ...helloProperties,
  ...configurationProperties,
  ...featureProperties,
  ...answerProperties,
];
