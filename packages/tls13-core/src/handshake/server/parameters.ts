/** What is known on the way from a ClientHello to the server's flight. */
import type { CryptoProvider } from '../../crypto/provider.js';
import type { CipherSuite } from '../../crypto/suites.js';
import { Transcript } from '../../keys/transcript.js';
import type { ChosenShare } from '../negotiate.js';
import type { Offer } from './client-hello.js';
import type { ChosenCredential } from './credential.js';
import type { Resumption } from './resumption.js';

/** A ClientHello that needs no further round trip. */
export interface AnswerableHello {
  readonly offer: Offer;
  /** That both sides have, in the server's order; after a HelloRetryRequest the one it named. */
  readonly suites: readonly [CipherSuite, ...CipherSuite[]];
  readonly share: ChosenShare;
  /** Of message_hash and HelloRetryRequest; `undefined` when this is the first ClientHello. */
  readonly retried: Transcript | undefined;
}

/** Everything that has been agreed on: the server is authenticated by a PSK or by a certificate, never by both (§4.2.1). */
export type Parameters = {
  readonly hello: AnswerableHello;
  readonly suite: CipherSuite;
  readonly alpnProtocol: string | undefined;
} & (
  | { readonly resumption: Resumption; readonly chosen: undefined }
  | { readonly resumption: undefined; readonly chosen: ChosenCredential }
);

/** The transcript that this ClientHello is appended to. */
export function transcriptBefore(hello: AnswerableHello, suite: CipherSuite, provider: CryptoProvider): Transcript {
  return hello.retried ?? Transcript.start(provider.hash(suite.hash));
}
