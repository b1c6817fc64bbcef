/** Encrypted Client Hello (RFC 9849): the name a client asks for, and all else of its ClientHello, hidden from the network. */
import type { Awaitable } from '../awaitable.js';
import type { EchKeys } from '../ech/keys.js';
import type { ClientHelloInfo } from './server.js';

export interface EchClientConfig {
  /**
   * An ECHConfigList, from the HTTPS record of the server's name (RFC 9848) or from an `EchRejectedError`. Its first usable
   * config is taken. Throws TypeError for anything else.
   */
  readonly configs?: Uint8Array;
  /** Send a dummy extension where there is no usable config, so that using ECH does not stick out (§6.2). Default false. */
  readonly grease?: boolean;
  /** Throw rather than connect with the name in clear when no config can be used. Default false. */
  readonly required?: boolean;
}

export interface EchServerConfig {
  /** From `createEchKeys`. */
  readonly keys: EchKeys;
  /**
   * Asked about an inner ClientHello that was opened. `false` goes on with the outer one as a server without ECH does,
   * after which the client may come back with its name in clear. Default: every one is answered.
   */
  readonly accept?: (inner: ClientHelloInfo) => Awaitable<boolean>;
}
