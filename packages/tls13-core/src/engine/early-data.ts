/** Early data (§2.3) in the engine: how much of it may go or come, and when; what is exported beside it (§7.5). */
import { TlsError } from '../alert.js';
import type { CryptoProvider } from '../crypto/provider.js';
import type { EarlyKeys } from '../handshake/effects.js';
import { exportKeyingMaterial } from '../keys/schedule.js';
import { contentTypes } from '../registry.js';
import type { EarlyProgress, Parts } from './parts.js';

/** Client: the ClientHello offers it. */
export function offer(keys: EarlyKeys, early: EarlyProgress): void {
  early.keys = keys;
  early.sendable = keys.limit;
}

/** Server: it is read from now on. */
export function accept(keys: EarlyKeys, early: EarlyProgress): void {
  early.keys = keys;
  early.readable = keys.limit;
  early.answerable = true;
}

/** The early key for sending is no longer in force. */
export function endSending(early: EarlyProgress): void {
  early.sendable = 0;
}

/** The early key for receiving is no longer in force. */
export function endReading(early: EarlyProgress): void {
  early.readable = undefined;
}

/** Nothing more is exported. */
export function wipe(early: EarlyProgress): void {
  early.keys?.exporterSecret.fill(0);
  early.keys = undefined;
  early.sendable = 0;
  early.readable = undefined;
}

export function sendEarlyData(plaintext: Uint8Array, { sending, outbox, progress }: Parts): void {
  if (plaintext.length === 0) return;
  progress.early.sendable -= plaintext.length;
  outbox.put(sending.write(contentTypes.application_data, plaintext));
}

/** §4.7.1: more than the ticket permits ends the connection. Padding and content type are not counted. */
export function takeEarlyData(data: Uint8Array, readable: number, { progress, floodGuard, outbox }: Parts): void {
  if (data.length > readable) {
    const limit = progress.early.keys?.limit ?? 0;
    throw new TlsError(
      'unexpected_message',
      `more than ${limit} bytes of early data, which the ticket permits (§4.7.1)`,
    );
  }
  if (data.length === 0) return floodGuard.emptyRecord();
  progress.early.readable = readable - data.length;
  floodGuard.data();
  outbox.put({ type: 'early_data', data });
}

/** Throws TypeError where there is no early exporter secret. */
export function exportEarly(
  { progress, settings }: { readonly progress: Parts['progress']; readonly settings: { provider: CryptoProvider } },
  length: number,
  label: string,
  context: Uint8Array,
): Uint8Array {
  const { keys } = progress.early;
  if (keys === undefined) {
    throw new TypeError(
      'exportEarlyKeyingMaterial() needs early data: offered by this client, or accepted by this server',
    );
  }
  const hash = settings.provider.hash(keys.suite.hash);
  return exportKeyingMaterial(hash, keys.exporterSecret, label, context, length);
}
