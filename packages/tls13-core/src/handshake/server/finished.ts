/** The client's Finished (§4.5.3), which completes the handshake, and the tickets that follow it (§4.7.1). */
import { TlsError } from '../../alert.js';
import type { Awaitable } from '../../awaitable.js';
import { verifyFinished } from '../../keys/finished.js';
import { type MessageOf, type Transition, whenReady } from '../step.js';
import type { Connected, ServerContext, WaitFinished } from './states.js';
import { newSessionTickets } from './ticket.js';

export function receiveFinished(
  state: WaitFinished,
  { body, bytes }: MessageOf<'finished'>,
  context: ServerContext,
): Transition<Connected> {
  checkFinished(state, body.verifyData, context);
  const { suite, secrets, info } = state;
  const asks = info.postHandshakeAuthentication;
  const postHandshake = asks ? { transcript: state.transcript.append(bytes), outstanding: [] } : undefined;
  return whenReady(ticketMessages(state, bytes, context), (tickets) => {
    secrets.clientHandshakeTraffic.fill(0);
    secrets.main.destroy();
    return {
      next: { name: 'CONNECTED', postHandshake },
      effects: [
        { type: 'K_recv', epoch: 'application', suite, secret: secrets.clientApplicationTraffic },
        // Before the application hears of the connection: it may hand the sending direction over at once.
        ...tickets.map((message) => ({ type: 'send', message }) as const),
        { type: 'connected', info, exporterSecret: secrets.exporter },
      ],
    };
  });
}

function checkFinished(
  { suite, secrets, transcript }: WaitFinished,
  verifyData: Uint8Array,
  context: ServerContext,
): void {
  const hash = context.settings.provider.hash(suite.hash);
  if (verifyData.length !== hash.length) {
    throw new TlsError(
      'decrypt_error',
      `Finished of ${verifyData.length} bytes where the hash has ${hash.length} (§4.5.3)`,
    );
  }
  if (!verifyFinished(hash, secrets.clientHandshakeTraffic, transcript.digest(), verifyData)) {
    throw new TlsError('decrypt_error', "the client's Finished does not verify (§4.5.3)");
  }
}

function ticketMessages(
  state: WaitFinished,
  finished: Uint8Array,
  context: ServerContext,
): Awaitable<readonly Uint8Array[]> {
  const { tickets, secrets, transcript, info } = state;
  if (tickets === undefined) return [];
  const resumptionSecret = secrets.main.resumption(transcript.append(finished).digest());
  const messages = newSessionTickets(resumptionSecret, tickets, info, context);
  resumptionSecret.fill(0);
  return messages;
}
