/**
 * Two ends with any features between them, their stream cut anywhere, and perhaps spoiled on its way: they agree, or fail
 * with an alert that fits; and what one reads the other has sent.
 */
import * as fc from 'fast-check';
import type { Session } from '../../packages/tls13-core/src/session.js';
import { type End, type Pair, pair, type Role } from '../../packages/tls13-core/test/engine/support/pair.js';
import { expectAgreement } from '../support/agreement.js';
import { cut, cuts, type Edit, edited, edits } from '../support/arbitraries.js';
import { clientFeatures, type Features, features, type Keeping, keeping, serverFeatures } from '../support/features.js';
import { property } from '../support/property.js';
import { fastProvider as provider } from '../support/providers.js';
import { expectClean } from '../support/verdict.js';

/** A piece of what one side sends that is changed on its way. */
interface Spoiled {
  readonly from: Role;
  readonly index: number;
  readonly changes: readonly Edit[];
}

interface Case {
  readonly features: Features;
  readonly sizes: readonly number[];
  readonly early: number;
  readonly data: readonly { readonly from: Role; readonly size: number; readonly update: boolean }[];
  readonly spoiled: Spoiled | undefined;
}

const role = fc.constantFrom('client' as const, 'server' as const);
const spoiled = fc.record({ from: role, index: fc.nat({ max: 8 }), changes: edits });
const sent = fc.record({ from: role, size: fc.nat({ max: 20_000 }), update: fc.boolean() });
const cases = (spoiling: fc.Arbitrary<Spoiled | undefined>): fc.Arbitrary<Case> =>
  fc.record({
    features,
    sizes: cuts,
    early: fc.nat({ max: 5_000 }),
    data: fc.array(sent, { maxLength: 4 }),
    spoiled: spoiling,
  });

/** Everything that was sent by each side, early data apart. */
interface Said {
  readonly client: Uint8Array[];
  readonly server: Uint8Array[];
  early: Uint8Array;
}

async function settle(joined: Pair): Promise<void> {
  joined.exchange();
  for (;;) {
    const waiting = [joined.client, joined.server].filter(({ settled }) => settled !== undefined);
    if (waiting.length === 0) return;
    for (const end of waiting) {
      await end.settled;
      end.settled = undefined;
      end.take(end.engine.resume());
    }
    joined.exchange();
  }
}

/** Letters that tell where in a stream they stand. */
let next = 0;
function letters(size: number): Uint8Array {
  return Uint8Array.from({ length: size }, () => (next = (next + 1) % 251));
}

async function converse(given: Case, kept: Keeping, session: Session | undefined): Promise<{ ends: Pair; said: Said }> {
  const { sizes, data, early, spoiled: spoil } = given;
  const counts = { client: 0, server: 0 };
  const ends = pair(provider, {
    client: { ...clientFeatures(given.features), ...(session === undefined ? {} : { session }) },
    server: serverFeatures(given.features, kept),
    wire(from, bytes) {
      const index = counts[from]++;
      return cut(spoil?.from === from && spoil.index === index ? edited(bytes, spoil.changes) : bytes, sizes);
    },
  });
  const said: Said = { client: [], server: [], early: new Uint8Array(0) };
  ends.server.take(ends.server.engine.start());
  ends.client.take(ends.client.engine.start());
  if (ends.client.settled !== undefined) {
    await ends.client.settled;
    ends.client.settled = undefined;
    ends.client.take(ends.client.engine.resume());
  }
  const left = Math.min(early, ends.client.engine.earlyDataLeft);
  if (left > 0) {
    said.early = letters(left);
    ends.client.take(ends.client.engine.sendEarly(said.early));
  }
  await settle(ends);
  const { state, info } = ends.server.engine;
  if (state === 'connected' && info?.postHandshakeAuthentication === true) {
    ends.server.take(ends.server.engine.requestCertificate());
    await settle(ends);
  }
  for (const { from, size, update } of data) {
    const { engine } = ends[from];
    if (engine.state !== 'connected') continue;
    if (update) ends[from].take(engine.updateKeys(size % 2 === 0));
    const bytes = letters(size);
    said[from].push(bytes);
    ends[from].take(engine.send(bytes));
    await settle(ends);
  }
  return { ends, said };
}

function expectPart(read: Uint8Array, sentBytes: Uint8Array, what: string): void {
  if (read.length > sentBytes.length || Buffer.compare(read, sentBytes.subarray(0, read.length)) !== 0) {
    throw new Error(`${what}: ${read.length} bytes were read that are not the first of the ${sentBytes.length} sent`);
  }
}

function earlyDataOf(end: End): Uint8Array {
  return Buffer.concat(end.of('early_data').map(({ data }) => data));
}

/** What neither spoiling nor cutting changes. */
function expectHonest({ client, server }: Pair, said: Said, isSpoiled = false): void {
  expectClean(client.engine);
  expectClean(server.engine);
  expectPart(server.data, Buffer.concat(said.client), 'the client’s data');
  expectPart(client.data, Buffer.concat(said.server), 'the server’s data');
  expectPart(earlyDataOf(server), said.early, 'early data');
  if (client.engine.info !== undefined && server.engine.info !== undefined) {
    expectAgreement(client.engine.info, server.engine.info, isSpoiled);
  }
}

/** A session of the same configurations, where they bring one about. */
async function firstSession(given: Case, kept: Keeping): Promise<Session | undefined> {
  const first = { ...given, sizes: [100_000], data: [], spoiled: undefined };
  const { ends, said } = await converse(first, kept, undefined);
  expectHonest(ends, said);
  return ends.client.of('ticket')[0]?.session;
}

export const featureProperties = [
  property(
    'two ends with any features agree, or refuse each other for a reason',
    120,
    cases(fc.constant(undefined)),
    async (given) => {
      const kept = keeping(given.features);
      const session = given.features.session === 'none' ? undefined : await firstSession(given, kept);
      const { ends, said } = await converse(given, kept, session);
      expectHonest(ends, said);
      const { client, server } = ends;
      if (client.engine.state === 'connected' && server.engine.state === 'connected') {
        if (server.data.length !== Buffer.concat(said.client).length) throw new Error('data of the client is lost');
        if (client.data.length !== Buffer.concat(said.server).length) throw new Error('data of the server is lost');
        const accepted = server.engine.info?.earlyData === 'accepted';
        if (accepted && earlyDataOf(server).length !== said.early.length) throw new Error('early data is lost');
        return;
      }
      const errors = [client.engine.error, server.engine.error].filter((error) => error !== undefined);
      if (errors.length < 2) throw new Error('one end does not know of the failure');
      if (errors.every(({ received }) => received)) throw new Error('nobody has refused the other');
      const error = errors.find(({ alert }) => !reasons(given.features).includes(alert));
      if (error !== undefined) {
        throw new Error(`there is no reason for ${error.alert}: ${errors.map(({ message }) => message).join('; ')}`);
      }
    },
  ),
  property(
    'two ends with any features read nothing that was not sent, whatever happens on the way',
    120,
    cases(spoiled),
    async (given) => {
      const kept = keeping(given.features);
      const session = given.features.session === 'none' ? undefined : await firstSession(given, kept);
      const { ends, said } = await converse(given, kept, session);
      expectHonest(ends, said, true);
    },
  ),
];

/** Alerts that these features may end in by themselves. */
function reasons(given: Features): readonly string[] {
  const { ech, echServer, clientAuthentication, clientShows, rawClient, oidFilter, clientPsk, serverPsk } = given;
  return [
    ...((ech === 'offered' && !echServer) || ech === 'stale' ? ['ech_required'] : []),
    ...(clientAuthentication === 'require' && (!clientShows || oidFilter || ech !== 'none')
      ? ['certificate_required']
      : []),
    ...(rawClient !== 'no' ? ['unsupported_certificate', 'certificate_required'] : []),
    // The same identity, of another kind.
    ...(clientPsk !== serverPsk && clientPsk !== 'none' && serverPsk !== 'none' ? ['decrypt_error'] : []),
  ];
}
