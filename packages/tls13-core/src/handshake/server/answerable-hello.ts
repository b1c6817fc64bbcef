/** A ClientHello that can be answered, and what its transcript stands on. */
import type { CryptoProvider } from '../../crypto/provider.js';
import type { CipherSuite } from '../../crypto/suites.js';
import { Transcript } from '../../keys/transcript.js';
import type { ChosenShare } from '../negotiate.js';
import type { Offer } from './client-hello.js';

/** A ClientHello that needs no further round trip. */
export interface AnswerableHello {
  readonly offer: Offer;
  /** That both sides have, in the server's order; after a HelloRetryRequest the one it named. */
  readonly suites: readonly [CipherSuite, ...CipherSuite[]];
  /** `undefined` when a PSK alone is to make the keys (psk_ke, §4.3.9). */
  readonly share: ChosenShare | undefined;
  /** Of message_hash and HelloRetryRequest; `undefined` when this is the first ClientHello. */
  readonly retried: Transcript | undefined;
}

/** The transcript that this ClientHello is appended to. */
export function transcriptBefore(hello: AnswerableHello, suite: CipherSuite, provider: CryptoProvider): Transcript {
  return hello.retried ?? Transcript.start(provider.hash(suite.hash));
}
