/** Traffic keys from a traffic secret (§7.3). */
import { hkdfExpandLabel } from '../crypto/hkdf.js';
import type { Hash, RecordOpener, RecordProtection, RecordSealer, TrafficKeys } from '../crypto/provider.js';
import { type CipherSuite, ivLength } from '../crypto/suites.js';
import type { Secret } from './schedule.js';

/** The keys of a direction's first record under `secret`. */
export function trafficKeys(suite: CipherSuite, hash: Hash, secret: Secret): TrafficKeys {
  return {
    aead: suite.aead,
    key: hkdfExpandLabel(hash, secret, 'key', noBytes, suite.keyLength),
    iv: hkdfExpandLabel(hash, secret, 'iv', noBytes, ivLength),
    sequenceNumber: 0n,
  };
}

/** What seals may lack the other half, and the way from a secret. */
export type SealingProtection = Pick<RecordProtection, 'sealer'> & {
  readonly ofSecret?: Pick<NonNullable<RecordProtection['ofSecret']>, 'sealer'>;
};

/** Seals from the first record under `secret` on. */
export function sealerUnder(
  protection: SealingProtection,
  suite: CipherSuite,
  hash: Hash,
  secret: Secret,
): RecordSealer {
  return (
    protection.ofSecret?.sealer(suite.aead, suite.hash, secret) ?? protection.sealer(trafficKeys(suite, hash, secret))
  );
}

/** Opens from the first record under `secret` on. */
export function openerUnder(
  protection: RecordProtection,
  suite: CipherSuite,
  hash: Hash,
  secret: Secret,
): RecordOpener {
  return (
    protection.ofSecret?.opener(suite.aead, suite.hash, secret) ?? protection.opener(trafficKeys(suite, hash, secret))
  );
}

const noBytes = new Uint8Array(0);
