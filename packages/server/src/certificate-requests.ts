/** A server's CertificateRequests after the handshake (§4.7.2): who waits for which answer, and for how long. */
import { X509Certificate } from 'node:crypto';
import type { AuthenticationEvent } from './driver-owner.js';
import { ConnectionError } from './errors.js';
import { wholeNumber } from './options.js';

export interface RequestCertificateOptions {
  /** Whether a client that shows no certificate is refused, and its connection ended. Default false. */
  readonly required?: boolean;
  /** Milliseconds to wait for the answer, which a person may have to give. Default 120,000; 0 for ever. */
  readonly timeout?: number;
}

interface Waiting {
  readonly resolve: (certificate: X509Certificate | undefined) => void;
  readonly reject: (error: Error) => void;
  readonly timer: NodeJS.Timeout | undefined;
}

export class CertificateRequests {
  /** Asked for, and not sent yet: in the order in which they will be. */
  readonly #unsent: Waiting[] = [];
  /** By certificate_request_context: clients may answer in any order. */
  readonly #sent = new Map<string, Waiting>();

  /** `send` throws when the client cannot be asked. */
  ask(send: (required: boolean) => void, options: RequestCertificateOptions): Promise<X509Certificate | undefined> {
    const timeout = wholeNumber('timeout', options.timeout, 120_000, [0, 2 ** 31 - 1]);
    return new Promise((resolve, reject) => {
      const late = () => {
        const text = `the client has not answered the CertificateRequest in ${timeout} ms (timeout)`;
        reject(new ConnectionError('ERR_TLS_CERTIFICATE_TIMEOUT', text));
      };
      const timer = timeout === 0 ? undefined : setTimeout(late, timeout).unref();
      const waiting = { resolve, reject, timer };
      this.#unsent.push(waiting);
      try {
        send(options.required ?? false);
      } catch (error) {
        clearTimeout(timer);
        this.#unsent.splice(this.#unsent.indexOf(waiting), 1);
        reject(error);
      }
    });
  }

  take(event: AuthenticationEvent): void {
    const context = Buffer.from(event.context).toString('hex');
    if (event.type === 'certificate_requested') {
      const asked = this.#unsent.shift();
      if (asked !== undefined) this.#sent.set(context, asked);
      return;
    }
    const waiting = this.#sent.get(context);
    this.#sent.delete(context);
    clearTimeout(waiting?.timer);
    const [leaf] = event.certificates;
    waiting?.resolve(leaf === undefined ? undefined : new X509Certificate(leaf));
  }

  /** No answer will come. */
  fail(error: Error): void {
    for (const { reject, timer } of [...this.#unsent.splice(0), ...this.#sent.values()]) {
      clearTimeout(timer);
      reject(error);
    }
    this.#sent.clear();
  }
}
