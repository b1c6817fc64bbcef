/** A wire that remembers: a TCP relay before a server that keeps every byte of both directions; and the records in them. */
import { once } from 'node:events';
import { connect, createServer, type Socket } from 'node:net';
import { onTestFinished } from 'vitest';
import { portOf } from './connections.js';

export interface Wire {
  readonly port: number;
  /** From the client to the server. */
  up(): Buffer;
  down(): Buffer;
  /** Both ends have closed. */
  readonly ended: Promise<void>;
}

/** For one connection to `port`. */
export async function recordedWire(port: number): Promise<Wire> {
  const up: Buffer[] = [];
  const down: Buffer[] = [];
  const listener = createServer({ allowHalfOpen: true }).listen(0, '127.0.0.1');
  await once(listener, 'listening');
  const ended = once(listener, 'connection').then(async ([client]: Socket[]) => {
    if (client === undefined) return;
    listener.close();
    const server = connect({ port, host: '127.0.0.1', allowHalfOpen: true });
    relay(client, server, up);
    relay(server, client, down);
    onTestFinished(() => {
      client.destroy();
      server.destroy();
    });
    await Promise.all([client, server].map((socket) => new Promise((resolve) => socket.on('close', resolve))));
  });
  onTestFinished(() => void listener.close());
  return { port: portOf(listener), up: () => Buffer.concat(up), down: () => Buffer.concat(down), ended };
}

function relay(from: Socket, to: Socket, record: Buffer[]): void {
  from.on('data', (chunk: Buffer) => {
    record.push(chunk);
    to.write(chunk);
  });
  from.on('end', () => to.end());
  from.on('error', () => to.destroy());
}

export interface RecordHeader {
  readonly contentType: number;
  /** Of the fragment. */
  readonly length: number;
}

/** With its header; undefined while that is not there. */
export function recordLength(bytes: Buffer): number | undefined {
  return bytes.length < 5 ? undefined : 5 + bytes.readUInt16BE(3);
}

/** Throws when the bytes are anything but a row of whole TLS records. */
export function recordsOf(bytes: Buffer): RecordHeader[] {
  const records: RecordHeader[] = [];
  for (let at = 0; at < bytes.length; ) {
    const rest = bytes.subarray(at);
    const length = recordLength(rest);
    const contentType = rest[0] ?? 0;
    const wellFormed = contentType >= 20 && contentType <= 23 && rest[1] === 3;
    if (length === undefined || length > rest.length || !wellFormed) {
      throw new Error(`no TLS record at byte ${at}: ${rest.subarray(0, 16).toString('hex')}`);
    }
    records.push({ contentType, length: length - 5 });
    at += length;
  }
  return records;
}
