/**
 * A client whose bytes are in the test's hands: the engine of tls13-core on a plain TCP socket. It can hold its flight
 * back, cut it, corrupt it, and sees the records that the server makes.
 */
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { type ClientConfig, createClientEngine, type TlsEngine, type TlsError, type TlsEvent } from 'tls13-core';
import { createProvider } from 'tls13-node-crypto';
import { onTestFinished } from 'vitest';
import { until } from './kernel.js';
import { type RecordHeader, recordLength } from './wire.js';

const provider = createProvider();

export class HandMadeClient {
  readonly engine: TlsEngine;
  readonly socket: Socket;
  /** What the engine wanted to send while `holding`. */
  readonly held: Uint8Array[] = [];
  holding = false;
  /** The server's records, in order. */
  readonly records: RecordHeader[] = [];
  /** How many records the server has protected under each key since the handshake; the last key is in use. */
  readonly recordsPerKey = [0];
  readonly #data: Buffer[] = [];
  #pending: Buffer = Buffer.alloc(0);
  connected = false;
  /** The server's close_notify came. */
  closed = false;
  /** Why the engine gave up. */
  error: TlsError | undefined;
  /** The socket is gone. */
  over = false;
  tickets = 0;

  constructor(port: number, config: Partial<ClientConfig> = {}) {
    this.engine = createClientEngine({ provider, serverName: 'localhost', verifyPeer: () => undefined, ...config });
    this.socket = connect({ port, host: '127.0.0.1', allowHalfOpen: true, noDelay: true });
    this.socket.on('data', (bytes: Buffer) => this.#received(bytes));
    this.socket.on('end', () => this.perform(this.engine.receiveEnd()));
    this.socket.on('error', () => undefined);
    this.socket.on('close', () => {
      this.over = true;
    });
  }

  /** Connected to TCP; says nothing yet. Ended with the test. */
  static async dial(port: number, config: Partial<ClientConfig> = {}): Promise<HandMadeClient> {
    const client = new HandMadeClient(port, config);
    onTestFinished(() => void client.socket.destroy());
    await once(client.socket, 'connect');
    return client;
  }

  /** The handshake is complete, and the server's end is told so. */
  static async connect(port: number, config: Partial<ClientConfig> = {}): Promise<HandMadeClient> {
    const client = await HandMadeClient.dial(port, config);
    client.start();
    await until(() => client.connected, 'the handshake of the hand-made client');
    return client;
  }

  /** The handshake is complete here, and the second flight, with Finished, is held back. */
  static async beforeFinished(port: number, config: Partial<ClientConfig> = {}): Promise<HandMadeClient> {
    const client = await HandMadeClient.dial(port, config);
    client.start();
    client.holding = true;
    await until(() => client.connected, 'the handshake of the hand-made client');
    return client;
  }

  start(): void {
    this.perform(this.engine.start());
  }

  get data(): Buffer {
    return Buffer.concat(this.#data);
  }

  get received(): number {
    return this.#data.reduce((total, { length }) => total + length, 0);
  }

  /** What is held back, taken out. */
  take(): Buffer {
    return Buffer.concat(this.held.splice(0));
  }

  /** Carries events out; what they transmit is written at once, in one call. */
  perform(events: readonly TlsEvent[]): void {
    const bytes: Uint8Array[] = [];
    for (const event of events) {
      if (event.type === 'transmit') bytes.push(event.data);
      else if (event.type === 'data') this.#data.push(Buffer.from(event.data));
      else if (event.type === 'ticket') this.tickets += 1;
      else if (event.type === 'closed') this.closed = true;
      else if (event.type === 'failed') this.error = event.error;
      else if (event.type === 'connected') this.connected = true;
      else if (event.type === 'key_update' && event.direction === 'receive') this.recordsPerKey.push(0);
    }
    if (this.holding) this.held.push(...bytes);
    else if (bytes.length > 0 && this.socket.writable) this.socket.write(Buffer.concat(bytes));
  }

  /** One record at a time, so that each can be counted to its key. */
  #received(bytes: Buffer): void {
    this.#pending = this.#pending.length === 0 ? bytes : Buffer.concat([this.#pending, bytes]);
    for (;;) {
      const length = recordLength(this.#pending);
      if (length === undefined || this.#pending.length < length) return;
      const record = this.#pending.subarray(0, length);
      this.#pending = this.#pending.subarray(length);
      this.records.push({ contentType: record[0] ?? 0, length: length - 5 });
      if (this.connected) {
        const last = this.recordsPerKey.length - 1;
        this.recordsPerKey[last] = (this.recordsPerKey[last] ?? 0) + 1;
      }
      this.perform(this.engine.receive(record));
    }
  }
}
