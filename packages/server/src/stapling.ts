/**
 * What is shown beside a certificate: OCSP responses (§4.5.1.1), given or asked for by node:tls's event, and SCTs (RFC 6962).
 */
import type { EventEmitter } from 'node:events';
import { type ConnectionInfo, type Credential, type ServerConfig, whenKnown } from 'tls13-core';

/** What goes with one certificate. */
export interface StapledOptions {
  /**
   * A DER OCSP response for the certificate, shown to peers that ask for one; or how to get it, at each handshake
   * (`undefined` shows none).
   */
  readonly ocspResponse?: Uint8Array | (() => Uint8Array | undefined | Promise<Uint8Array | undefined>);
  /** SCTs for the certificate, each as its log made it (RFC 6962 §3.2), shown to peers that ask for them. */
  readonly signedCertificateTimestamps?: readonly Uint8Array[];
}

/** Throws TypeError when what is given cannot be told to one certificate, or is no response. */
export function stapled(credentials: readonly Credential[], options: StapledOptions): readonly Credential[] {
  const { ocspResponse, signedCertificateTimestamps } = options;
  if (ocspResponse === undefined && signedCertificateTimestamps === undefined) return credentials;
  const [credential, ...others] = credentials;
  if (credential === undefined || others.length > 0) {
    throw new TypeError(
      'ocspResponse and signedCertificateTimestamps are about one cert: give each certificate its own in credentials',
    );
  }
  if (ocspResponse instanceof Uint8Array && ocspResponse[0] !== sequence) {
    throw new TypeError('ocspResponse must be an OCSP response in DER, as `openssl ocsp -respout FILE` writes it');
  }
  return [
    {
      ...credential,
      ...(ocspResponse === undefined ? {} : { ocspResponse }),
      ...(signedCertificateTimestamps === undefined ? {} : { signedCertificateTimestamps }),
    },
  ];
}

/**
 * The event `OCSPRequest` of node:tls's servers: (certificate, issuer, callback), asked when a client wants a response.
 * Whoever listens answers instead of what was given as an option.
 */
export class OcspRequests {
  readonly #server: EventEmitter;
  /** The same one each time: what is compressed is kept by it. */
  readonly #asking = new WeakMap<Credential, Credential>();

  constructor(server: EventEmitter) {
    this.#server = server;
  }

  /** The credentials, with their responses asked for, where somebody listens. */
  asking(credentials: NonNullable<ServerConfig['credentials']>): Pick<ServerConfig, 'credentials'> | undefined {
    if (this.#server.listenerCount(event) === 0) return undefined;
    if (typeof credentials !== 'function') {
      return { credentials: credentials.map((credential) => this.#askingFor(credential)) };
    }
    return { credentials: (hello) => whenKnown(credentials(hello), (chosen) => chosen && this.#askingFor(chosen)) };
  }

  #askingFor(credential: Credential): Credential {
    if (credential.rawPublicKey !== undefined) return credential;
    const known = this.#asking.get(credential) ?? { ...credential, ocspResponse: () => this.#ask(credential) };
    this.#asking.set(credential, known);
    return known;
  }

  #ask({ certificateChain: [leaf, issuer] }: Credential): Promise<Uint8Array | undefined> {
    return new Promise((resolve, reject) => {
      const answer = (error: Error | null, response?: Uint8Array | null) => {
        if (error !== null && error !== undefined) reject(error);
        else resolve(response === null || response === undefined ? undefined : new Uint8Array(response));
      };
      this.#server.emit(event, bufferOf(leaf), issuer === undefined ? null : bufferOf(issuer), answer);
    });
  }
}

/** What the event `OCSPResponse` of node:tls's clients tells: the response that came, or null. */
export function stapledResponse({ ocspResponse }: ConnectionInfo): Buffer | null {
  return ocspResponse === undefined ? null : Buffer.from(ocspResponse);
}

const event = 'OCSPRequest';
/** What DER of a response begins with. */
const sequence = 0x30;

function bufferOf(der: Uint8Array | undefined): Buffer {
  return Buffer.from(der ?? []);
}
