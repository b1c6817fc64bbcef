/** The end of a client's connection to a server that could not open its ClientHello (RFC 9849 §6.1.6). */
import { TlsError } from '../alert.js';

/**
 * The server, authenticated under the public name of the config, did not open the ClientHello. Nothing was sent to it but
 * the handshake. Try again on a new connection, once, with `retryConfigs` as `ech.configs`; if there are none, the server
 * has no ECH (any more), and the choice is to go without, the name in clear.
 */
export class EchRejectedError extends TlsError {
  override readonly name: string = 'EchRejectedError';
  /** An ECHConfigList; `undefined` when the server gave none. For the next connection, not for storing. */
  readonly retryConfigs: Uint8Array | undefined;
  readonly publicName: string;

  constructor(publicName: string, retryConfigs: Uint8Array | undefined) {
    const advice =
      retryConfigs === undefined
        ? 'it gives no other config: it has no ECH now'
        : 'it gives other configs to try again with';
    super('ech_required', `${publicName} does not open the encrypted ClientHello; ${advice} (RFC 9849 §6.1.6)`);
    this.retryConfigs = retryConfigs;
    this.publicName = publicName;
  }
}
