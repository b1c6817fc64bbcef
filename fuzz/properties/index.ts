/** Every property there is. */
import type { FuzzProperty } from '../support/property.js';
import { decoderProperties } from './decoders.js';
import { engineProperties } from './engines.js';
import { streamProperties } from './streams.js';

export const properties: readonly FuzzProperty[] = [...decoderProperties, ...engineProperties, ...streamProperties];
