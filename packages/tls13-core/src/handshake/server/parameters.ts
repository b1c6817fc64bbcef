/** What has been agreed on when the server's flight begins. */
import type { CipherSuite } from '../../crypto/suites.js';
import type { ChosenCredential } from '../own-certificate.js';
import type { AnswerableHello } from './answerable-hello.js';
import type { EarlyDataVerdict } from './early-data.js';
import type { SelectedPsk } from './psk-candidate.js';

/** Everything that has been agreed on: the server is authenticated by a PSK or by a certificate, never by both (§4.2.1). */
export type Parameters = {
  readonly hello: AnswerableHello;
  readonly suite: CipherSuite;
  readonly alpnProtocol: string | undefined;
  readonly earlyData: EarlyDataVerdict;
} & (
  | { readonly psk: SelectedPsk; readonly chosen: undefined }
  | { readonly psk: undefined; readonly chosen: ChosenCredential }
);
