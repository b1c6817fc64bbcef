/**
 * The option `onClientHello`: whoever runs the server sees the ClientHello, of whatever version, before anything is
 * answered, and decides what becomes of the connection. The bytes are looked at, not taken: a socket that is given back
 * is as it was.
 */
import type { Duplex } from 'node:stream';
import type { Kernel } from 'ktls-bind';
import {
  type AlertName,
  alertDescriptions,
  type ClientHelloInfo,
  type CryptoProvider,
  ja4,
  TlsError,
} from 'tls13-core';
import type { TlsServerOptions } from './options.js';
import type { Profile } from './profile.js';
import { createProfile } from './profile.js';
import type { TransportChoice } from './transport/open.js';
import { peekClientHello } from './transport/peek.js';

/** A ClientHello, and where it comes from. */
export interface ClientHello extends ClientHelloInfo {
  /** The fingerprint that tells kinds of clients apart, e.g. `t13d1516h2_8daaf6152771_e5627efa2ab1`. */
  readonly ja4: string;
  /** The connection itself: its addresses. Reading from it or writing to it is for `giveBack` only. */
  readonly socket: Duplex;
}

/** What becomes of a connection; nothing, or an empty object, goes on as the server's options say. */
export interface ClientHelloDecision {
  /** For this connection instead of the server's. Give the same object again where it is the same: it is read once. */
  readonly options?: ConnectionOptions;
  /** Refuse the connection, with this alert. */
  readonly alert?: AlertName;
  /** Take the connection back, not a byte of it read nor answered: for another TLS stack, a proxy, another process. */
  readonly giveBack?: (socket: Duplex) => void;
}

/** What can be chosen for one connection. */
export type ConnectionOptions = Omit<
  Partial<TlsServerOptions>,
  | 'onClientHello'
  | 'transport'
  | 'kernel'
  | 'ticketKeys'
  | 'handshakeTimeout'
  | 'maxConnections'
  | 'maxHandshakes'
  | 'idleTimeout'
  | 'allowHalfOpen'
  | 'noDelay'
  | 'keepAlive'
  | 'keepAliveInitialDelay'
>;

export type OnClientHello = (
  hello: ClientHello,
  // biome-ignore lint/suspicious/noConfusingVoidType: a callback that returns nothing at all is the usual one
) => ClientHelloDecision | undefined | void | Promise<ClientHelloDecision | undefined | void>;

/** What the server does next. */
export type Verdict =
  | { readonly kind: 'go on'; readonly profile: Profile }
  | { readonly kind: 'refuse'; readonly error: TlsError }
  /** The application has it. */
  | { readonly kind: 'given back' }
  | { readonly kind: 'gone' };

export interface Asking {
  readonly raw: Duplex;
  readonly kernel: Kernel;
  readonly choice: TransportChoice;
  readonly onClientHello: OnClientHello;
  /** Stops the wait: the connection is to be closed. */
  readonly signal: AbortSignal;
}

export class ClientHelloFirst {
  readonly #profiles = new WeakMap<ConnectionOptions, Profile>();

  /** Never rejects. */
  async ask(asking: Asking, profile: Profile): Promise<Verdict> {
    const { raw, onClientHello } = asking;
    try {
      const info = await peekClientHello(asking);
      if (info === 'gone') return { kind: 'gone' };
      // It is no ClientHello: what to answer to that, the engine knows.
      if (info === 'none') return { kind: 'go on', profile };
      const asked = onClientHello(this.#describe(info, raw, profile.protocol.provider));
      // Whoever never decides does not keep the connection: the signal comes with `handshakeTimeout`.
      const decision = (await Promise.race([asked, aborted(asking.signal)])) ?? {};
      if (raw.destroyed || asking.signal.aborted) return { kind: 'gone' };
      return this.#carryOut(decision, raw, profile);
    } catch (error) {
      return { kind: 'refuse', error: error instanceof TlsError ? error : broken(error) };
    }
  }

  #describe(info: ClientHelloInfo, socket: Duplex, provider: CryptoProvider): ClientHello {
    let fingerprint: string | undefined;
    return {
      ...info,
      socket,
      get ja4() {
        fingerprint ??= ja4(info, provider);
        return fingerprint;
      },
    };
  }

  #carryOut({ options, alert, giveBack }: ClientHelloDecision, raw: Duplex, profile: Profile): Verdict {
    if (giveBack !== undefined) {
      giveBack(raw);
      return { kind: 'given back' };
    }
    if (alert !== undefined) {
      if (!Object.hasOwn(alertDescriptions, alert)) throw new TypeError(`onClientHello: '${alert}' is not an alert`);
      return { kind: 'refuse', error: new TlsError(alert, 'onClientHello refused the connection') };
    }
    return { kind: 'go on', profile: options === undefined ? profile : this.#profileFor(options, profile) };
  }

  #profileFor(options: ConnectionOptions, { options: ofServer, ticketKeys }: Profile): Profile {
    const known = this.#profiles.get(options);
    if (known !== undefined) return known;
    const made = createProfile({ ...withoutCredentials(ofServer, options), ...options }, ticketKeys);
    this.#profiles.set(options, made);
    return made;
  }
}

function aborted(signal: AbortSignal): Promise<undefined> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve(undefined);
    else signal.addEventListener('abort', () => resolve(undefined), { once: true });
  });
}

/** Credentials of a connection's own come instead of the server's, not beside them. */
function withoutCredentials(ofServer: TlsServerOptions, options: ConnectionOptions): TlsServerOptions {
  const own = ['cert', 'key', 'signer', 'rawPublicKey', 'credentials', 'SNICallback'];
  if (!own.some((name) => Reflect.has(options, name))) return ofServer;
  const { cert, key, passphrase, signer, delegatedCredential, rawPublicKey, credentials, SNICallback, ...others } =
    ofServer;
  const { ocspResponse, signedCertificateTimestamps, ...rest } = others;
  return rest;
}

function broken(error: unknown): TlsError {
  return new TlsError(
    'internal_error',
    `onClientHello failed: ${error instanceof Error ? error.message : String(error)}`,
    {
      cause: error,
    },
  );
}
