/** Protected records: what is changed on the way does not open, and what was sealed comes out as it went in. */
import * as fc from 'fast-check';
import { concat } from '../../packages/tls13-core/src/bytes.js';
import type { RecordProtection } from '../../packages/tls13-core/src/crypto/provider.js';
import { cipherSuite } from '../../packages/tls13-core/src/crypto/suites.js';
import { portableRecordProtection, recordProtection } from '../../packages/tls13-core/src/record/protection.js';
import { type CipherSuiteName, cipherSuites } from '../../packages/tls13-core/src/registry.js';
import { createTicketKeys } from '../../packages/tls13-core/src/ticket-keys.js';
import { bytes, connectedPair } from '../../packages/tls13-core/test/engine/support/pair.js';
import { octets } from '../support/arbitraries.js';
import { property } from '../support/property.js';
import { fastProvider, providers } from '../support/providers.js';

const suiteNames = Object.keys(cipherSuites) as CipherSuiteName[];
const suite = fc.constantFrom(...suiteNames);

const protections: Readonly<Record<string, RecordProtection>> = {
  native: recordProtection(fastProvider),
  'portable over native': portableRecordProtection(fastProvider),
  'portable over noble': portableRecordProtection(providers.noble),
};
const protection = fc.constantFrom(...Object.keys(protections));

function protectionOf(name: string): RecordProtection {
  const found = protections[name];
  if (found === undefined) throw new Error(`there is no protection ${name}`);
  return found;
}

function keysOf(name: CipherSuiteName, sequenceNumber: number, fill: number) {
  const { aead, keyLength } = cipherSuite(name);
  return {
    aead,
    key: new Uint8Array(keyLength).fill(fill),
    iv: new Uint8Array(12).fill(fill + 1),
    sequenceNumber: BigInt(sequenceNumber),
  };
}

const sequenceNumber = fc.oneof(fc.nat({ max: 300 }), fc.integer({ min: 0, max: 2 ** 48 }));

export const recordProperties = [
  property(
    'one bit of a protected record changed is a bad_record_mac, of its version a protocol_version, and delivers nothing',
    150,
    fc.record({
      suite,
      size: fc.oneof(fc.nat({ max: 40 }), fc.nat({ max: 40_000 })),
      record: fc.nat(),
      bit: fc.nat(),
    }),
    ({ suite: name, size, record, bit }) => {
      const config = { cipherSuites: [name] } as const;
      const { client, server } = connectedPair(fastProvider, { client: config, server: config });
      client.take(client.engine.send(bytes(size + 1)));
      const wire = Buffer.concat(client.outgoing);
      const starts = startsOf(wire);
      const index = record % starts.length;
      const start = starts[index] ?? 0;
      const end = starts[index + 1] ?? wire.length;
      // Content type and length are read before anything is opened: the header's other part is legacy_record_version.
      const places = [start + 1, start + 2, ...Array.from({ length: end - start - 5 }, (_, at) => start + 5 + at)];
      const place = places[Math.floor(bit / 8) % places.length] ?? start + 5;
      wire[place] = (wire[place] ?? 0) ^ (1 << (bit & 7));
      server.take(server.engine.receive(wire));
      const wanted = place < start + 3 ? 'protocol_version' : 'bad_record_mac';
      if (server.engine.error?.alert !== wanted) throw new Error(`it is ${server.engine.error?.alert}`);
      if (server.data.length !== index * 16_384) throw new Error(`${server.data.length} bytes were delivered`);
    },
  ),
  property(
    'one bit of a protected record’s header changed delivers nothing of it',
    100,
    fc.record({ size: fc.nat({ max: 2_000 }), bit: fc.nat({ max: 39 }) }),
    ({ size, bit }) => {
      const { client, server } = connectedPair(fastProvider);
      client.take(client.engine.send(bytes(size + 1)));
      client.take(client.engine.send(bytes(20_000)));
      const wire = Buffer.concat(client.outgoing);
      const place = bit >> 3;
      wire[place] = (wire[place] ?? 0) ^ (1 << (bit & 7));
      server.take(server.engine.receive(wire));
      const alert = server.engine.error?.alert;
      if (!['bad_record_mac', 'unexpected_message', 'record_overflow', 'protocol_version'].includes(alert ?? '')) {
        throw new Error(`it is ${alert}`);
      }
      if (server.data.length > 0) throw new Error(`${server.data.length} bytes were delivered`);
    },
  ),
  property(
    'what one protection seals every protection opens',
    150,
    fc.record({
      suite,
      sealer: protection,
      opener: protection,
      sequenceNumber,
      fill: fc.nat({ max: 254 }),
      contents: fc.array(
        fc.record({
          type: fc.constantFrom(23, 23, 22, 21),
          content: fc.oneof(
            octets(1, 50),
            fc.nat({ max: 40_000 }).map((size) => bytes(size + 1)),
          ),
          fragment: fc.integer({ min: 1, max: 16_384 }),
        }),
        { minLength: 1, maxLength: 4 },
      ),
    }),
    (given) => {
      const keys = keysOf(given.suite, given.sequenceNumber, given.fill);
      const sealer = protectionOf(given.sealer).sealer(keys);
      const opener = protectionOf(given.opener).opener(keys);
      // Fragments of a byte make tens of thousands of records: a few are enough.
      const contents = given.contents.map(({ type, content, fragment }) => ({
        type,
        content,
        fragment: Math.max(fragment, Math.ceil(content.length / 40)),
      }));
      let rest: Uint8Array = concat(
        ...contents.map(({ type, content, fragment }) => sealer.seal(type, content, fragment)),
      );
      const opened: { type: number; content: Uint8Array }[] = [];
      while (rest.length > 0) {
        const { fragments, consumed, failure } = opener.open(rest);
        if (failure !== undefined || consumed === 0) throw new Error(`it does not open: ${failure}`);
        opened.push(...fragments.map(({ contentType: type, content }) => ({ type, content })));
        rest = rest.subarray(consumed);
      }
      if (sealer.sequenceNumber !== opener.sequenceNumber) throw new Error('they count differently');
      if (joined(opened) !== joined(contents)) throw new Error('something else came out');
    },
  ),
  property(
    'a ticket with one bit changed is none',
    300,
    fc.tuple(octets(0, 100), fc.nat(), fc.constantFrom('native' as const, 'noble' as const)),
    ([state, bit, name]) => {
      const keys = createTicketKeys(providers[name]);
      const sealed = keys.protect(state);
      if (Buffer.compare(keys.unprotect(sealed) ?? Buffer.of(1), state) !== 0) throw new Error('it does not open');
      const place = Math.floor(bit / 8) % sealed.length;
      sealed[place] = (sealed[place] ?? 0) ^ (1 << (bit & 7));
      if (keys.unprotect(sealed) !== undefined) throw new Error('it opens');
    },
  ),
];

function startsOf(wire: Uint8Array): number[] {
  const starts: number[] = [];
  for (let at = 0; at < wire.length; at += 5 + (((wire[at + 3] ?? 0) << 8) | (wire[at + 4] ?? 0))) starts.push(at);
  return starts;
}

/** Neighbouring content of one type as one: an opener may put it together. */
function joined(contents: readonly { readonly type: number; readonly content: Uint8Array }[]): string {
  const all: { type: number; parts: Uint8Array[] }[] = [];
  for (const { type, content } of contents) {
    const last = all.at(-1);
    if (last?.type === type) last.parts.push(content);
    else all.push({ type, parts: [content] });
  }
  return all.map(({ type, parts }) => `${type}:${Buffer.concat(parts).toString('base64')}`).join(' ');
}
