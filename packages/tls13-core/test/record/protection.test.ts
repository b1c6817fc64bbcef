/** The portable record protection itself; test/vectors/record-suite.ts says what all of them must do. */
import { expect, it } from 'vitest';
import { recordProtectionSuite } from '../../../../test/vectors/record-suite.js';
import { nobleProvider } from '../../src/crypto/noble.js';
import type { RecordProtection } from '../../src/crypto/provider.js';
import { portableRecordProtection, recordProtection } from '../../src/record/protection.js';

recordProtectionSuite('portable', portableRecordProtection(nobleProvider), ['aes-128-gcm', 'aes-128-ccm-8']);

it("takes the provider's own protection where it has one", () => {
  const own: RecordProtection = portableRecordProtection(nobleProvider);
  expect(recordProtection({ ...nobleProvider, recordProtection: own })).toBe(own);
  expect(recordProtection(nobleProvider)).not.toBe(own);
});
