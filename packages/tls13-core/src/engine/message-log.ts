/** The handshake in clear for who asked to see it. */
import type { Direction, MessageKind } from '../events.js';
import type { Parts } from './parts.js';

export function logMessage(
  direction: Direction,
  kind: MessageKind,
  message: Uint8Array,
  { settings, outbox }: Pick<Parts, 'settings' | 'outbox'>,
): void {
  if (settings.messageLog) outbox.put({ type: 'message', direction, kind, message: message.slice() });
}
