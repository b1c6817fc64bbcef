/** What the engine must do over any provider: the same tests run over each. */
import { describe } from 'vitest';
import type { CryptoProvider } from '../../../src/crypto/provider.js';
import { closingTests } from './closing.js';
import { detachedTests } from './detached.js';
import { earlyDataTests } from './early-data.js';
import { earlyDataPskTests } from './early-data-psk.js';
import { externalPskTests } from './external-psk.js';
import { keyUpdateTests } from './key-updates.js';
import { negotiationTests } from './negotiation.js';
import { pendingTests } from './pending.js';
import { recordTests } from './records.js';
import { resumptionTests } from './resumption.js';
import { sessionTests } from './sessions.js';

export function engineSuite(name: string, provider: CryptoProvider): void {
  describe(`the engine over ${name}: negotiation`, () => negotiationTests(provider));
  describe(`the engine over ${name}: resumption`, () => resumptionTests(provider));
  describe(`the engine over ${name}: external PSKs`, () => externalPskTests(provider));
  describe(`the engine over ${name}: early data`, () => earlyDataTests(provider));
  describe(`the engine over ${name}: early data under external PSKs`, () => earlyDataPskTests(provider));
  describe(`the engine over ${name}: sessions`, () => sessionTests(provider));
  describe(`the engine over ${name}: key updates`, () => keyUpdateTests(provider));
  describe(`the engine over ${name}: closing`, () => closingTests(provider));
  describe(`the engine over ${name}: waiting for the application`, () => pendingTests(provider));
  describe(`the engine over ${name}: records`, () => recordTests(provider));
  describe(`the engine over ${name}: detached directions`, () => detachedTests(provider));
}
