/** Arbitrary input to both engines in every state: they go on or answer with an alert; they never hold more than they must. */
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import * as fc from 'fast-check';
import { concat } from '../../packages/tls13-core/src/bytes.js';
import type { TlsEngine } from '../../packages/tls13-core/src/engine/types.js';
import type { HandPeer } from '../../packages/tls13-core/test/engine/support/hand.js';
import { type Place, places } from '../../packages/tls13-core/test/engine/support/places.js';
import { edited, edits, messageLike, octets, recordLike } from '../support/arbitraries.js';
import { property } from '../support/property.js';
import { anyProvider, type ProviderName, providers } from '../support/providers.js';
import { validMessages } from '../support/valid-messages.js';
import { expectClean, expectNotConnected } from '../support/verdict.js';

const table = { native: places(providers.native), noble: places(providers.noble) } as const;

/** A state by provider and name, e.g. `native client WAIT_EE`. */
interface Where {
  readonly provider: ProviderName;
  readonly state: string;
}

const nameOf = ({ role, state }: Place) => `${role} ${state}`;

const where: fc.Arbitrary<Where> = fc.record({
  provider: anyProvider,
  state: fc.constantFrom(...table.native.map(nameOf)),
});

function placeOf({ provider, state }: Where): Place {
  const place = table[provider].find((candidate) => nameOf(candidate) === state);
  if (place === undefined) throw new Error(`there is no state ${state}`);
  return place;
}

/** One thing a peer may do: bytes on the wire, or content that it seals first. */
type Input =
  | { readonly kind: 'bytes'; readonly bytes: Uint8Array }
  | { readonly kind: 'content'; readonly type: number; readonly content: Uint8Array }
  | { readonly kind: 'inner'; readonly inner: Uint8Array };

const inputs: fc.Arbitrary<readonly Input[]> = fc.array(
  fc.oneof(
    { weight: 2, arbitrary: octets(0, 60).map((bytes) => ({ kind: 'bytes', bytes }) as const) },
    { weight: 3, arbitrary: recordLike.map((bytes) => ({ kind: 'bytes', bytes }) as const) },
    {
      weight: 4,
      arbitrary: fc
        .tuple(fc.constantFrom(22, 22, 22, 21, 23, 20, 24), fc.oneof(messageLike, octets(1, 40)))
        .map(([type, content]) => ({ kind: 'content', type, content }) as const),
    },
    {
      weight: 4,
      arbitrary: fc
        .tuple(fc.constantFrom(...validMessages), fc.option(edits))
        .map(([{ bytes }, changes]) => ({ kind: 'content', type: 22, content: edited(bytes, changes ?? []) }) as const),
    },
    { weight: 1, arbitrary: octets(0, 40).map((inner) => ({ kind: 'inner', inner }) as const) },
  ),
  { minLength: 1, maxLength: 6 },
);

/** Straight to the engine: what it answers is its own affair, as long as it is an alert. */
function give(peer: HandPeer, phase: Place['phase'], input: Input): void {
  const { end, wire } = peer;
  let bytes: Uint8Array;
  if (input.kind === 'bytes') bytes = input.bytes;
  else if (phase === 'clear') {
    const content = input.kind === 'inner' ? input.inner : input.content;
    const type = input.kind === 'inner' ? 22 : input.type;
    bytes = Uint8Array.from([type, 3, 3, content.length >> 8, content.length & 255, ...content]);
  } else {
    bytes = wire.sealed(input.kind === 'inner' ? input.inner : concat(input.content, Uint8Array.of(input.type)));
  }
  end.take(end.engine.receive(bytes));
}

/** Calls of the application, in any state: a result, or a TypeError about the call. */
const calls: Readonly<Record<string, (engine: TlsEngine) => unknown>> = {
  start: (engine) => engine.start(),
  send: (engine) => engine.send(Uint8Array.of(1)),
  close: (engine) => engine.close(),
  updateKeys: (engine) => engine.updateKeys(true),
  resume: (engine) => engine.resume(),
  receiveEnd: (engine) => engine.receiveEnd(),
  receiveRecord: (engine) => engine.receiveRecord(22, Uint8Array.of(24, 0, 0, 1, 0)),
  countSent: (engine) => engine.countSent(100),
  countReceived: (engine) => engine.countReceived(100),
  exportKeyingMaterial: (engine) => engine.exportKeyingMaterial(32, 'EXPERIMENTAL fuzz'),
  detachSend: (engine) => engine.detach('send'),
  detachReceive: (engine) => engine.detach('receive', { rekey: false }),
  look: (engine) => [engine.wanted, engine.info, engine.canDetach('send'), engine.canDetach('receive')],
};

setFlagsFromString('--expose-gc');
const collectGarbage: () => void = runInNewContext('gc');

/** Bytes behind all buffers, garbage aside. */
function held(): number {
  collectGarbage();
  return process.memoryUsage().arrayBuffers;
}

const floods: Readonly<Record<string, (wire: HandPeer['wire'], phase: Place['phase']) => Uint8Array>> = {
  'pieces of a message that never ends': (wire, phase) => record(wire, phase, 22, new Uint8Array(1_000).fill(1)),
  'a message of the greatest length': (wire, phase) =>
    record(
      wire,
      phase,
      22,
      Uint8Array.from([phase === 'connected' ? 4 : 11, 0xff, 0xff, 0xff, ...new Uint8Array(1_000)]),
    ),
  'headers of records that do not come': () => Uint8Array.of(23, 3, 3, 0x40, 0x10),
  change_cipher_spec: () => Uint8Array.of(20, 3, 3, 0, 1, 1),
  warnings: (wire, phase) => record(wire, phase, 21, Uint8Array.of(1, 90)),
  'empty application data': (wire, phase) =>
    phase === 'clear' ? Uint8Array.of(23, 3, 3, 0, 0) : wire.sealed(Uint8Array.of(23)),
};

function record(wire: HandPeer['wire'], phase: Place['phase'], type: number, content: Uint8Array): Uint8Array {
  if (phase !== 'clear') return wire.sealed(concat(content, Uint8Array.of(type)));
  return concat(Uint8Array.of(type, 3, 3, content.length >> 8, content.length & 255), content);
}

export const engineProperties = [
  property('an engine in any state takes anything', 200, fc.tuple(where, inputs), ([at, all]) => {
    const { reach, phase } = placeOf(at);
    const peer = reach();
    for (const input of all) {
      give(peer, phase, input);
      expectClean(peer.end.engine);
    }
    const failures = peer.end.of('failed').length;
    if (failures !== (peer.end.engine.state === 'failed' ? 1 : 0)) throw new Error(`${failures} failed events`);
    // Ciphertext that came never turns into more data than it was.
    if (peer.end.data.length > 100_000) throw new Error('data came from nowhere');
  }),
  property(
    'rubbish in clear never connects an engine',
    150,
    fc.tuple(where, fc.array(fc.oneof(recordLike, octets(0, 100)), { minLength: 1, maxLength: 5 })),
    ([at, all]) => {
      const { reach, phase } = placeOf(at);
      if (phase === 'connected') return;
      const { end } = reach();
      for (const bytes of all) end.take(end.engine.receive(bytes));
      expectNotConnected(end.engine);
    },
  ),
  property(
    'calls in any state and order give a result or a TypeError',
    150,
    fc.tuple(where, fc.array(fc.oneof(fc.constantFrom(...Object.keys(calls)), inputs), { minLength: 1, maxLength: 6 })),
    ([at, steps]) => {
      const { reach, phase } = placeOf(at);
      const peer = reach();
      for (const step of steps) {
        try {
          if (typeof step === 'string') calls[step]?.(peer.end.engine);
          else for (const input of step) give(peer, phase, input);
        } catch (error) {
          if (!(error instanceof TypeError)) throw error;
        }
      }
      const { error } = peer.end.engine;
      if (error?.alert === 'internal_error') throw error;
    },
  ),
  property(
    'a flood is refused, or costs no memory',
    6,
    fc.tuple(where, fc.constantFrom(...Object.keys(floods)), fc.constantFrom(50, 700, 20_000)),
    ([at, name, size]) => {
      const { reach, phase } = placeOf({ ...at, provider: 'native' });
      const flood = floods[name];
      if (flood === undefined) throw new Error(`there is no flood of ${name}`);
      const { end, wire } = reach();
      const before = held();
      for (let sent = 0; sent < 2_000_000 && end.engine.state !== 'failed'; ) {
        const bytes = flood(wire, phase);
        for (let at = 0; at < bytes.length; at += size) end.engine.receive(bytes.subarray(at, at + size));
        sent += Math.max(bytes.length, 500);
      }
      const cost = held() - before;
      if (cost > 600_000) throw new Error(`${cost} bytes are held`);
    },
  ),
];
