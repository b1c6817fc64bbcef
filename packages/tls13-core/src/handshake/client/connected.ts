/** What comes after the handshake (§4.7): NewSessionTicket and KeyUpdate. */
import { TlsError } from '../../alert.js';
import { resumptionPsk } from '../../keys/schedule.js';
import { tlsFlags } from '../../registry.js';
import type { Session } from '../../session.js';
import type { MessageOf, Step } from '../step.js';
import { maximumTicketLifetime } from './psk.js';
import type { ClientContext, Connected } from './states.js';

export function receiveNewSessionTicket(
  state: Connected,
  { body }: MessageOf<'new_session_ticket'>,
  { settings }: ClientContext,
): Step<Connected> {
  const limit = settings.limits.tickets;
  if (state.tickets >= limit) {
    throw new TlsError('unexpected_message', `more than ${limit} NewSessionTickets on one connection (limits.tickets)`);
  }
  const next: Connected = { ...state, tickets: state.tickets + 1 };
  // §4.7.1: a lifetime of zero is a ticket to be discarded at once.
  if (body.ticketLifetime === 0) return { next, effects: [] };
  const acrossNames = body.extensions.flags?.includes(tlsFlags.resumption_across_names) === true;
  const session: Session = {
    cipherSuite: state.suite.name,
    ticket: body.ticket.slice(),
    psk: resumptionPsk(settings.provider.hash(state.suite.hash), state.resumptionSecret, body.ticketNonce),
    lifetime: Math.min(body.ticketLifetime, maximumTicketLifetime),
    ageAdd: body.ticketAgeAdd,
    receivedAt: settings.now(),
    serverName: settings.serverName,
    ...state.identities,
    maxEarlyData: body.extensions.earlyData ?? 0,
    ...(acrossNames ? { resumableAcrossNames: true } : {}),
  };
  return { next, effects: [{ type: 'ticket', session }] };
}

/** §4.7.3; the codec has refused every other value. */
export function receiveKeyUpdate(state: Connected, { body }: MessageOf<'key_update'>): Step<Connected> {
  return {
    next: state,
    effects: [{ type: 'key_update', updateRequested: body.requestUpdate === 'update_requested' }],
  };
}
