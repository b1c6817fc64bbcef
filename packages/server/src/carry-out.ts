/** The part of an engine's events that leaves: bytes, records and keys, in their order. */
import type { TlsEngine, TlsEvent } from 'tls13-core';
import type { HandOver } from './hand-over.js';
import { largestFragment } from './offload.js';
import { type Control, isKernelSide, type Transport } from './transport/types.js';

/** @returns whether all that left is with TCP. */
export function carryOut(events: readonly TlsEvent[], transport: Transport, handOver: HandOver): boolean {
  // What most calls bring needs no lists.
  const [only] = events;
  if (only === undefined || (events.length === 1 && only.type === 'data')) return true;
  if (events.length === 1 && only.type === 'transmit') return transport.write([only.data]);
  const bytes: Uint8Array[] = [];
  const controls: Control[] = [];
  let served = false;
  let asked = false;
  for (const event of events) {
    if (event.type === 'transmit') bytes.push(event.data);
    else if (event.type === 'record') controls.push({ kind: 'record', ...event });
    else if (event.type === 'rekey') {
      if (event.direction === 'send') controls.push({ kind: 'keys', keys: event.keys });
      else handOver.replaceReceiveKeys(event.keys);
    } else if (event.type === 'connected') served = event.info.role === 'server';
    else if (event.type === 'data') asked = true;
  }
  // Tickets for a client that has asked for something already go with its answer.
  const answers = served && asked;
  if (answers) transport.moreFollows = true;
  const { kernel } = transport;
  const bytesFlushed = bytes.length === 0 || transport.write(bytes);
  if (answers) transport.moreFollows = false;
  const controlsFlushed = controls.length === 0 || !isKernelSide(kernel) || kernel.sendControl(controls);
  return bytesFlushed && controlsFlushed;
}

/** Application data in records of at most `size` bytes of content. */
export function sealInRecords(engine: TlsEngine, bytes: Uint8Array, size: number): readonly TlsEvent[] {
  if (size >= largestFragment) return engine.send(bytes);
  const events: TlsEvent[] = [];
  for (let start = 0; start < bytes.length; start += size) {
    events.push(...engine.send(bytes.subarray(start, start + size)));
  }
  return events;
}
