/** The portable record protection itself; test/vectors/record-suite.ts says what all of them must do. */
import { expect, it } from 'vitest';
import { recordProtectionSuite } from '../../../../test/vectors/record-suite.js';
import { nobleProvider } from '../../src/crypto/noble.js';
import type { RecordProtection } from '../../src/crypto/provider.js';
import { paddingProtection, portableRecordProtection, recordProtection } from '../../src/record/protection.js';

recordProtectionSuite('portable', portableRecordProtection(nobleProvider), ['aes-128-gcm', 'aes-128-ccm-8']);

it("takes the provider's own protection where it has one", () => {
  const own: RecordProtection = portableRecordProtection(nobleProvider);
  expect(recordProtection({ ...nobleProvider, recordProtection: own })).toBe(own);
  expect(recordProtection(nobleProvider)).not.toBe(own);
});

it.each(['aes-128-gcm', 'chacha20-poly1305'] as const)(
  'leaves nothing of one record in the padding of the next: %s',
  (aead) => {
    const keys = {
      aead,
      key: new Uint8Array(aead === 'aes-128-gcm' ? 16 : 32),
      iv: new Uint8Array(12),
      sequenceNumber: 0n,
    };
    const sealer = paddingProtection(nobleProvider, { multiple: 64 }, () => 16_385).sealer(keys);
    const opener = portableRecordProtection(nobleProvider).opener(keys);
    for (const length of [300, 5, 16_384, 0, 40]) {
      const content = new Uint8Array(length).fill(0xaa);
      const { fragments, failure } = opener.open(sealer.seal(23, content, 16_384));
      expect(failure).toBeUndefined();
      expect(fragments).toEqual([{ contentType: 23, content }]);
    }
  },
);
