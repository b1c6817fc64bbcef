/** One good message of each type, as two engines and a peer by hand made them, to be damaged. */
import { createTicketKeys } from '../../packages/tls13-core/src/ticket-keys.js';
import { encodeMessage, type HandshakeMessage } from '../../packages/tls13-core/src/wire/index.js';
import { HandClient } from '../../packages/tls13-core/test/engine/support/hand-client.js';
import { HandServer } from '../../packages/tls13-core/test/engine/support/hand-server.js';
import { sessionOf } from '../../packages/tls13-core/test/engine/support/pair.js';
import { fastProvider as provider } from './providers.js';

export interface ValidMessage {
  readonly type: HandshakeMessage['type'];
  readonly bytes: Uint8Array;
}

export const validMessages: readonly ValidMessage[] = collect();

function collect(): readonly ValidMessage[] {
  const tickets = { protector: createTicketKeys(provider) };
  const session = sessionOf(provider, { server: { tickets } });
  const clientSide = { alpnProtocols: ['h2', 'http/1.1'], session } as const;
  const server = new HandServer(provider, clientSide).through('encrypted_extensions').certificateRequest();
  server.certificate().certificateVerify().finished();
  const retrying = {
    groups: ['secp256r1'],
    cookies: createTicketKeys(provider),
    clientAuthentication: 'request',
    tickets,
    alpnProtocols: ['h2'],
  } as const;
  const client = new HandClient(provider, retrying).clientHello().clientHello().certificate().certificateVerify();
  client.finished();
  const others = [
    { type: 'key_update', bytes: encodeMessage('key_update', { requestUpdate: 'update_requested' }) },
    { type: 'end_of_early_data', bytes: encodeMessage('end_of_early_data', {}) },
  ] as const;
  return [...server.wire.messages, ...client.wire.messages, ...others].map(({ type, bytes }) => ({ type, bytes }));
}
