/** Traffic keys from a traffic secret (§7.3). */
import { hkdfExpandLabel } from '../crypto/hkdf.js';
import type { Hash, TrafficKeys } from '../crypto/provider.js';
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

const noBytes = new Uint8Array(0);
