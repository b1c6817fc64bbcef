/** A server's ticket keys (§4.7.1) as node:tls's options and methods name them. */
import { type CryptoProvider, createTicketKeys, type TicketConfig } from 'tls13-core';
import { type TlsServerOptions, wholeNumber } from './options.js';

export type TicketKeys = ReturnType<typeof createTicketKeys>;

/** Always there, so that keys can be read and set; used when tickets are. */
export function ticketKeys(provider: CryptoProvider, { ticketKeys }: TlsServerOptions): TicketKeys {
  return createTicketKeys(provider, ticketKeys === undefined ? {} : { keys: keyList(ticketKeys) });
}

/** Undefined when no session is to be resumed. */
export function ticketConfig(keys: TicketKeys, options: TlsServerOptions): TicketConfig | undefined {
  const count = wholeNumber('ticketCount', options.ticketCount, 2, [0, 16]);
  const lifetime = wholeNumber('sessionTimeout', options.sessionTimeout, 7_200, [1, 604_800]);
  if (count === 0) return undefined;
  const { sessionStore: store } = options;
  return { ...(store === undefined ? { protector: keys } : { store }), count, lifetime };
}

export function keyList(keys: Uint8Array | readonly Uint8Array[]): readonly Uint8Array[] {
  return keys instanceof Uint8Array ? [keys] : keys;
}
