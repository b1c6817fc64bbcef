/** What only ends with features expect (compressed certificates, requests, tickets, configs), damaged, at every step. */
import * as fc from 'fast-check';
import type { HandPeer } from '../../packages/tls13-core/test/engine/support/hand.js';
import { HandClient } from '../../packages/tls13-core/test/engine/support/hand-client.js';
import { HandServer } from '../../packages/tls13-core/test/engine/support/hand-server.js';
import { changed } from '../../packages/tls13-core/test/engine/support/hello-changes.js';
import { type Edit, edited, edits } from '../support/arbitraries.js';
import { clientFeatures, type Features, keeping, serverFeatures } from '../support/features.js';
import { property } from '../support/property.js';
import { fastProvider as provider } from '../support/providers.js';
import { type ValidMessage, validMessages } from '../support/valid-messages.js';
import { expectClean } from '../support/verdict.js';

const all: Features = {
  later: false,
  retry: false,
  cookie: false,
  grease: true,
  permute: true,
  ech: 'dummy',
  echServer: true,
  clientCompression: 'both',
  serverCompression: 'both',
  delegatedServer: false,
  delegatedAccepted: true,
  rawServer: 'offered',
  rawClient: 'offered',
  stapling: true,
  timestamps: true,
  clientAuthentication: 'request',
  clientShows: true,
  oidFilter: true,
  postHandshake: true,
  session: 'tickets',
  earlyData: true,
  ticketRequest: { newSession: 2, resumption: 2 },
  clientPsk: 'imported',
  serverPsk: 'imported',
  pskAlone: true,
  clientRecordSize: 512,
  serverRecordSize: 512,
  padding: 'random',
  alpn: false,
};

type Damaged = readonly [ValidMessage, readonly Edit[]];

const messages = (types: readonly ValidMessage['type'][]): fc.Arbitrary<readonly Damaged[]> => {
  const message = fc.constantFrom(...validMessages.filter(({ type }) => types.includes(type)));
  const changes: fc.Arbitrary<readonly Edit[]> = fc.oneof(fc.constant([]), edits, edits);
  return fc.array(fc.tuple(message, changes), { minLength: 1, maxLength: 4 });
};

function give(peer: HandPeer, given: readonly Damaged[]): void {
  for (const [{ bytes }, changes] of given) {
    peer.wire.sendMessages(edited(bytes, changes));
    expectClean(peer.end.engine);
  }
}

const serverSteps = ['server_hello', 'encrypted_extensions', 'certificate', 'certificate_verify', 'finished'] as const;
const clientSteps = ['clientHello', 'certificate', 'certificateVerify', 'finished'] as const;

export const answerProperties = [
  property(
    'a client with every feature takes any answer',
    150,
    fc.tuple(
      fc.constantFrom(...serverSteps),
      messages([
        'encrypted_extensions',
        'certificate_request',
        'certificate',
        'compressed_certificate',
        'new_session_ticket',
        'finished',
      ]),
    ),
    ([step, given]) => give(new HandServer(provider, clientFeatures(all), { group: 'x25519' }).through(step), given),
  ),
  property(
    'a server with every feature takes any answer',
    150,
    fc.tuple(
      fc.nat({ max: 3 }),
      messages(['certificate', 'compressed_certificate', 'certificate_verify', 'end_of_early_data', 'finished']),
    ),
    ([steps, given]) => {
      const client = new HandClient(provider, serverFeatures(all, keeping(all)));
      client.clientHello(changed(() => ({ postHandshakeAuth: true, compressCertificate: [1, 2] })));
      for (const step of clientSteps.slice(1, steps + 1)) client[step]();
      if (client.end.engine.state === 'connected') client.end.take(client.end.engine.requestCertificate());
      give(client, given);
    },
  ),
];
