/**
 * Where a server's connections come from. node:net binds and listens, in all its ways; then, where it can be, ktls-bind
 * takes the connections from the descriptor instead: a net.Socket for each would cost as much as all of TCP.
 */
import cluster from 'node:cluster';
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net';
import type { Acceptor, Kernel, KtlsSocket } from 'ktls-bind';
import { descriptorOfHandle, type TransportChoice } from './transport/open.js';

export interface ListenerHost {
  listening(): void;
  /** A connection as net.Server hands it out with pauseOnConnect. */
  connection(raw: Socket): void;
  /** A connection that node:net has never seen. What this throws becomes an uncaught exception. */
  accepted(socket: KtlsSocket): void;
  failed(error: Error): void;
  /** Nothing listens any more. */
  closed(): void;
}

export interface ListenerOptions {
  readonly noDelay: boolean;
  readonly keepAlive: boolean;
  readonly keepAliveInitialDelay: number;
}

export class Listener {
  readonly #host: ListenerHost;
  readonly #options: ListenerOptions;
  readonly #net: Server;
  readonly #accept: Kernel['accept'];
  #parameters: readonly unknown[] = [];
  #referenced = true;
  #wantsSockets = false;
  #taken: { readonly acceptor: Acceptor; readonly address: AddressInfo | string | null } | undefined;
  /** What node:net is about to report, and is only the descriptor going from hand to hand. */
  readonly #noNews = new Set<'listening' | 'close'>();

  constructor(host: ListenerHost, options: ListenerOptions, kernel: Kernel, choice: TransportChoice) {
    this.#host = host;
    this.#options = options;
    this.#accept = choice === 'stream' ? undefined : kernel.accept;
    this.#net = createServer({ pauseOnConnect: true, allowHalfOpen: true, ...options });
    this.#net.on('connection', (raw) => host.connection(raw));
    this.#net.on('error', (error) => host.failed(error));
    this.#net.on('listening', () => {
      if (this.#noNews.delete('listening')) return;
      this.#take();
      host.listening();
    });
    this.#net.on('close', () => {
      if (!this.#noNews.delete('close')) host.closed();
    });
  }

  get listening(): boolean {
    return this.#taken !== undefined || this.#net.listening;
  }

  /** As of net.Server, but without a callback. */
  listen(parameters: readonly unknown[]): void {
    if (this.#taken !== undefined) {
      const error = new Error('Listen method has been called more than once without closing.');
      throw Object.assign(error, { code: 'ERR_SERVER_ALREADY_LISTEN' });
    }
    this.#parameters = parameters;
    Reflect.apply(this.#net.listen, this.#net, parameters);
  }

  address(): AddressInfo | string | null {
    return this.#taken === undefined ? this.#net.address() : this.#taken.address;
  }

  ref(): void {
    this.#referenced = true;
    this.#net.ref();
    this.#taken?.acceptor.ref();
  }

  unref(): void {
    this.#referenced = false;
    this.#net.unref();
    this.#taken?.acceptor.unref();
  }

  close(): void {
    if (this.#taken === undefined) {
      this.#net.close();
      return;
    }
    this.#taken.acceptor.close();
    this.#taken = undefined;
    process.nextTick(() => this.#host.closed());
  }

  /** From now on connections are net.Sockets. */
  wantSockets(): void {
    this.#wantsSockets = true;
    if (this.#taken === undefined) return;
    const fd = this.#taken.acceptor.handBack();
    this.#taken = undefined;
    this.#noNews.add('listening');
    this.#net.listen({ fd }, backlogOf(this.#parameters));
  }

  /** The kernel's listening socket stays the same one: nobody who connects meanwhile is lost. */
  #take(): void {
    const fd = descriptorOfHandle(this.#net);
    if (this.#accept === undefined || this.#wantsSockets || typeof fd !== 'number' || !isOurs(this.#parameters)) return;
    const accepted = (sockets: readonly KtlsSocket[]) => this.#onAccepted(sockets);
    try {
      this.#taken = { acceptor: this.#accept(fd, { ...this.#options, accepted }), address: this.#net.address() };
    } catch {
      // No descriptor left, say: node:net goes on.
      return;
    }
    if (!this.#referenced) this.#taken.acceptor.unref();
    this.#noNews.add('close');
    this.#net.close();
  }

  #onAccepted(sockets: readonly KtlsSocket[]): void {
    for (const socket of sockets) {
      try {
        this.#host.accepted(socket);
      } catch (error) {
        // The others of the burst are no worse for it.
        process.nextTick(() => {
          throw error;
        });
      }
    }
  }
}

/** Whether the listening socket is ours alone: one that was given, or that a cluster shares, is its owner's to close. */
function isOurs([first]: readonly unknown[]): boolean {
  if (cluster.isWorker) return false;
  if (typeof first !== 'object' || first === null) return true;
  // What a signal closes is node:net's server.
  return ['_handle', 'handle', 'fd', 'signal'].every((name) => Reflect.get(first, name) === undefined);
}

function backlogOf([first, ...others]: readonly unknown[]): number | undefined {
  const option: unknown = typeof first === 'object' && first !== null ? Reflect.get(first, 'backlog') : undefined;
  return [option, ...others].find((value) => typeof value === 'number');
}
