/** The providers that properties run over: mostly the native one, which is fast, and sometimes the portable one. */
import * as fc from 'fast-check';
import { nativeProvider } from 'tls13-node-crypto';
import { type AlertName, TlsError } from '../../packages/tls13-core/src/alert.js';
import { nobleProvider } from '../../packages/tls13-core/src/crypto/noble.js';
import type { CryptoProvider } from '../../packages/tls13-core/src/crypto/provider.js';

/** The built package throws the TlsError of the built core, which is another class than that of the sources. */
const built = nativeProvider();
export const fastProvider: CryptoProvider = {
  ...built,
  certificateKey: (certificate) => translated(() => built.certificateKey(certificate)),
  publicKey: (subjectPublicKeyInfo) => translated(() => built.publicKey(subjectPublicKeyInfo)),
};

/** By name, so that a case prints well. */
export type ProviderName = 'native' | 'noble';

export const providers: Readonly<Record<ProviderName, CryptoProvider>> = { native: fastProvider, noble: nobleProvider };

export const anyProvider: fc.Arbitrary<ProviderName> = fc.oneof(
  { weight: 15, arbitrary: fc.constant('native' as const) },
  { weight: 1, arbitrary: fc.constant('noble' as const) },
);

function translated<T>(call: () => T): T {
  try {
    return call();
  } catch (error) {
    if (error instanceof Error && 'alert' in error) throw new TlsError(error.alert as AlertName, error.message);
    throw error;
  }
}
