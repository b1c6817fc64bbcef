/** Handshakes that somebody tampers with: on the wire, or as a peer that lies. None of them ends in CONNECTED. */
import * as fc from 'fast-check';
import { handshakeTypes } from '../../packages/tls13-core/src/registry.js';
import { encodeHandshake } from '../../packages/tls13-core/src/wire/index.js';
import type { HandPeer } from '../../packages/tls13-core/test/engine/support/hand.js';
import { HandClient } from '../../packages/tls13-core/test/engine/support/hand-client.js';
import { HandServer } from '../../packages/tls13-core/test/engine/support/hand-server.js';
import { pair } from '../../packages/tls13-core/test/engine/support/pair.js';
import { type Edit, edited, edits, octets, oneByte } from '../support/arbitraries.js';
import { property } from '../support/property.js';
import { anyProvider, type ProviderName, providers } from '../support/providers.js';
import { expectClean, expectNotConnected } from '../support/verdict.js';

const serverSteps = ['serverHello', 'encryptedExtensions', 'certificate', 'certificateVerify', 'finished'] as const;
const authenticated = ['serverHello', 'encryptedExtensions', 'certificateRequest', ...serverSteps.slice(2)] as const;
const clientSteps = ['clientHello', 'finished'] as const;
const clientCertificateSteps = ['clientHello', 'certificate', 'certificateVerify', 'finished'] as const;

type ServerStep = (typeof authenticated)[number];
type ClientStep = (typeof clientCertificateSteps)[number];

/** What is done to the sequence of messages. */
interface Disorder {
  readonly kind: 'drop' | 'repeat' | 'swap' | 'move' | 'insert';
  readonly from: number;
  readonly to: number;
  readonly type: number;
  readonly body: Uint8Array;
}

const disorder: fc.Arbitrary<Disorder> = fc.record({
  kind: fc.constantFrom('drop', 'repeat', 'swap', 'move', 'insert'),
  from: fc.nat({ max: 5 }),
  to: fc.nat({ max: 5 }),
  type: fc.oneof(fc.constantFrom(...Object.values(handshakeTypes)), fc.nat({ max: 255 })),
  body: fc.oneof(fc.constant(new Uint8Array(0)), fc.constant(Uint8Array.of(0, 0)), octets(0, 40)),
});

type Forged = { readonly type: number; readonly body: Uint8Array };

function disordered<Step extends string>(
  right: readonly Step[],
  { omitted, changes }: Lie,
): readonly (Step | Forged)[] {
  const steps: (Step | Forged)[] = right.filter((_, index) => !omitted.includes(index));
  for (const { kind, from: start, to: end, type, body } of changes) {
    const from = start % Math.max(1, steps.length);
    const to = end % Math.max(1, steps.length);
    const one = steps[from];
    const other = steps[to];
    if (kind === 'insert') steps.splice(from, 0, { type, body });
    else if (one === undefined || other === undefined) continue;
    else if (kind === 'drop') steps.splice(from, 1);
    else if (kind === 'repeat') steps.splice(to, 0, one);
    else if (kind === 'swap') [steps[from], steps[to]] = [other, one];
    else steps.splice(to, 0, ...steps.splice(from, 1));
  }
  return steps;
}

/** What was really said. Every message goes into the transcript as it was sent: only the order can give the liar away. */
function play<Step extends string>(
  peer: HandPeer & Record<Step, () => unknown>,
  steps: readonly (Step | Forged)[],
): readonly (Step | Forged)[] {
  const said: (Step | Forged)[] = [];
  for (const step of steps) {
    const before = peer.end.events.length;
    try {
      if (typeof step === 'string') peer[step]();
      else forged(peer, step);
      said.push(step);
    } catch (error) {
      if (!(error instanceof Error)) throw error;
      // The liar itself has no keys or no transcript for this step yet: then it is not said.
      const mute = /there are no keys|has (said|answered) nothing/.test(error.message);
      // Nor can it open what the engine answers under keys that the lie has made different.
      const deaf = 'alert' in error && peer.end.events.length > before;
      if (deaf) said.push(step);
      else if (!mute) throw error;
    }
    if (peer.end.engine.state === 'failed') break;
  }
  return said;
}

function forged(peer: HandPeer, { type, body }: Forged): void {
  const message = encodeHandshake(type, body);
  try {
    peer.note(message);
  } catch {
    // There is no transcript yet that could hold it.
  }
  peer.wire.sendMessages(message);
}

/** Whether all of `right` was said, in order and with nothing before it or between; what is behind it comes connected. */
function begins(said: readonly unknown[], right: readonly unknown[]): boolean {
  return right.every((step, index) => said[index] === step);
}

interface Lie {
  readonly provider: ProviderName;
  readonly certificates: boolean;
  /** Which of the right messages are left out before anything else. */
  readonly omitted: readonly number[];
  readonly changes: readonly Disorder[];
}

const whose = { provider: anyProvider, certificates: fc.boolean() };

const lie: fc.Arbitrary<Lie> = fc.oneof(
  fc.record({ ...whose, omitted: fc.subarray([0, 1, 2, 3, 4, 5], { minLength: 1 }), changes: fc.constant([]) }),
  fc.record({ ...whose, omitted: fc.constant([]), changes: fc.array(disorder, { minLength: 1, maxLength: 3 }) }),
);

/** The message of this index is sent damaged, while the transcript holds it as it should be. */
interface Forgery {
  readonly provider: ProviderName;
  readonly index: number;
  readonly changes: readonly Edit[];
}

const forgery: fc.Arbitrary<Forgery> = fc.record({
  provider: anyProvider,
  index: fc.nat({ max: 19 }),
  changes: fc.oneof(oneByte, edits),
});

/** Damages one message on its way; whether it did. */
function forge(peer: HandPeer, { index, changes }: Forgery): () => boolean {
  const send = peer.wire.sendMessages.bind(peer.wire);
  let count = 0;
  let damaged = false;
  peer.wire.sendMessages = (...messages) => {
    const message = Buffer.concat(messages);
    count += 1;
    if (count !== index + 1) return send(message);
    const forged = edited(message, changes);
    damaged = Buffer.compare(forged, message) !== 0;
    if (forged.length > 0) send(forged);
  };
  return () => damaged;
}

export const tamperingProperties = [
  property('a server that changes the order of its messages is not believed', 150, lie, (given) => {
    const server = new HandServer(providers[given.provider]);
    const said = play<ServerStep>(server, disordered(given.certificates ? authenticated : serverSteps, given));
    // Whether it asks for a certificate is a server's own affair.
    if (begins(said, serverSteps) || begins(said, authenticated)) expectClean(server.end.engine);
    else expectNotConnected(server.end.engine);
  }),
  property('a client that changes the order of its messages is not believed', 150, lie, (given) => {
    const right: readonly ClientStep[] = given.certificates ? clientCertificateSteps : clientSteps;
    const clientAuthentication = given.certificates ? 'require' : 'none';
    const client = new HandClient(providers[given.provider], { clientAuthentication });
    const said = play<ClientStep>(client, disordered(right, given));
    if (begins(said, right)) expectClean(client.end.engine);
    else expectNotConnected(client.end.engine);
  }),
  property('a message forged on its way from a server is not believed', 150, forgery, (given) => {
    const server = new HandServer(providers[given.provider]);
    const damaged = forge(server, { ...given, index: given.index % serverSteps.length });
    play<ServerStep>(server, serverSteps);
    if (damaged()) expectNotConnected(server.end.engine);
  }),
  property('a message forged on its way from a client is not believed', 150, forgery, (given) => {
    const client = new HandClient(providers[given.provider], { clientAuthentication: 'require' });
    const damaged = forge(client, { ...given, index: given.index % clientCertificateSteps.length });
    play<ClientStep>(client, clientCertificateSteps);
    if (damaged()) expectNotConnected(client.end.engine);
  }),
  property(
    'a hello changed between two engines connects neither of them',
    150,
    fc.record({ provider: anyProvider, retry: fc.boolean(), index: fc.nat({ max: 3 }), changes: edits }),
    ({ provider, retry, index, changes }) => {
      let count = 0;
      let damaged = false;
      const wire = (_from: string, bytes: Uint8Array): readonly Uint8Array[] => {
        // The first record of each of these is a hello in clear; its header's version is nobody's concern.
        if (bytes[0] !== 22 || count++ !== index) return [bytes];
        const end = 5 + (((bytes[3] ?? 0) << 8) | (bytes[4] ?? 0));
        const message = bytes.subarray(5, end);
        const changed = edited(message, changes);
        damaged = Buffer.compare(changed, message) !== 0;
        const header = Uint8Array.of(22, 3, 3, changed.length >> 8, changed.length & 255);
        return [header, changed, bytes.subarray(end)].filter(({ length }) => length > 0);
      };
      const ends = pair(providers[provider], {
        client: { groups: ['x25519', 'secp256r1'] },
        server: { groups: retry ? ['secp256r1'] : ['x25519', 'secp256r1'] },
        wire,
      }).handshake();
      for (const { engine } of [ends.client, ends.server]) {
        if (damaged) expectNotConnected(engine);
        else expectClean(engine);
      }
    },
  ),
];
