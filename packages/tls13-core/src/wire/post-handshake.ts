/** EndOfEarlyData (§4.6), NewSessionTicket (§4.7.1) and KeyUpdate (§4.7.3). */
import { keyUpdateRequests } from '../registry.js';
import { type Decoded, type Encodable, enumerated, opaque, struct, uint8, uint32 } from './codec.js';
import { newSessionTicketExtensions } from './extensions.js';

/** §4.6 */
export const endOfEarlyData = struct({});
export type EndOfEarlyData = Decoded<typeof endOfEarlyData>;

/** §4.7.1: `ticketLifetime` in seconds, `ticketAgeAdd` in milliseconds. */
export const newSessionTicket = struct({
  ticketLifetime: uint32,
  ticketAgeAdd: uint32,
  ticketNonce: opaque(0, 255),
  ticket: opaque(1, 2 ** 16 - 1),
  extensions: newSessionTicketExtensions,
});
export type NewSessionTicket = Decoded<typeof newSessionTicket>;
export type NewSessionTicketToSend = Encodable<typeof newSessionTicket>;

/** §4.7.3 */
export const keyUpdate = struct({ requestUpdate: enumerated(uint8, keyUpdateRequests) });
export type KeyUpdate = Decoded<typeof keyUpdate>;
