/** The client's Finished (§4.5.3), which completes the handshake, and the tickets that follow it (§4.7.1). */
import { TlsError } from '../../alert.js';
import { verifyFinished } from '../../keys/finished.js';
import type { Transcript } from '../../keys/transcript.js';
import { type MessageOf, type Transition, whenReady } from '../step.js';
import type { Connected, ServerContext, WaitFinished } from './states.js';
import { type TicketSource, ticketsFor } from './ticket.js';

export function receiveFinished(
  state: WaitFinished,
  { body, bytes }: MessageOf<'finished'>,
  context: ServerContext,
): Transition<Connected> {
  checkFinished(state, body.verifyData, context);
  const { suite, secrets, info } = state;
  const throughFinished = state.transcript.append(bytes);
  const source = ticketSource(state, throughFinished);
  const made = source === undefined ? { messages: [], tickets: undefined } : ticketsFor(source, context);
  return whenReady(made, ({ messages, tickets }) => {
    secrets.clientHandshakeTraffic.fill(0);
    secrets.main.destroy();
    // Later tickets are only for clients that may show who they are later.
    const asks = info.postHandshakeAuthentication;
    if (!asks) tickets?.secret.fill(0);
    const { clientCertificateType: certificateType } = state;
    const postHandshake = asks ? { transcript: throughFinished, outstanding: [], certificateType, tickets } : undefined;
    return {
      next: { name: 'CONNECTED', postHandshake },
      effects: [
        { type: 'K_recv', epoch: 'application', suite, secret: secrets.clientApplicationTraffic },
        // Before the application hears of the connection: it may hand the sending direction over at once.
        ...messages.map((message) => ({ type: 'send', message }) as const),
        {
          type: 'connected',
          info,
          exporterSecret: secrets.exporter,
          resumptionSecret: postHandshake?.tickets?.secret,
        },
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

function ticketSource(
  { tickets: terms, secrets, info }: WaitFinished,
  throughFinished: Transcript,
): TicketSource | undefined {
  if (terms === undefined) return undefined;
  return { secret: secrets.main.resumption(throughFinished.digest()), terms, info, sent: 0 };
}
