/**
 * The one seam of these tests: some messages of RFC 8448's implementation hold extensions that this library never
 * sends, or hold them in another order. Such a message is put in place of ours where ours is encoded; everything
 * around it (transcript, keys, the other messages, records) is ours. What ours would have been is kept, to compare.
 */
import type * as wire from '../../src/wire/index.js';

export interface Replaced {
  readonly type: wire.HandshakeMessageType;
  readonly ours: Uint8Array;
  readonly theirs: Uint8Array;
}

const waiting = new Map<wire.HandshakeMessageType, Uint8Array[]>();
let replaced: Replaced[] = [];

/** From here on, the next messages of these types are the given ones, in turn. */
export function setScript(script: Partial<Record<wire.HandshakeMessageType, readonly Uint8Array[]>>): void {
  waiting.clear();
  replaced = [];
  for (const type of messageTypes) waiting.set(type, [...(script[type] ?? [])]);
}

/** What was replaced since `setScript`. */
export function replacedMessages(): readonly Replaced[] {
  return replaced;
}

/** The module `wire`, encoding by the script: for `vi.mock`. */
export function scriptedWire(original: typeof wire): typeof wire {
  return {
    ...original,
    encodeMessage(type, body) {
      const ours = original.encodeMessage(type, body);
      const theirs = waiting.get(type)?.shift();
      if (theirs === undefined) return ours;
      replaced.push({ type, ours, theirs });
      return theirs.slice();
    },
  };
}

const messageTypes = [
  'client_hello',
  'server_hello',
  'hello_retry_request',
  'encrypted_extensions',
  'certificate_request',
  'new_session_ticket',
] as const;
