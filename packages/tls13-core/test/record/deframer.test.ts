/** The deframer: any split of the stream gives the same records. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { TlsError } from '../../src/alert.js';
import { concat } from '../../src/bytes.js';
import { Deframer, type RecordRun } from '../../src/record/deframer.js';
import { encodeHeader, headerLength, longestRecord, parseHeader } from '../../src/record/header.js';
import { contentTypes } from '../../src/registry.js';

const { alert, application_data, change_cipher_spec, handshake } = contentTypes;

const anyRecord = fc
  .tuple(
    fc.constantFrom(change_cipher_spec, alert, handshake, application_data, application_data, application_data),
    fc.oneof(fc.uint8Array({ maxLength: 40 }), fc.constant(new Uint8Array(2 ** 14).fill(7))),
  )
  .map(([contentType, content]) => record(contentType, content));
const anyStream = fc.array(anyRecord, { maxLength: 12 });
const anySplits = fc.array(fc.nat(), { maxLength: 12 });

describe('Deframer', () => {
  it('gives the same records however the stream is cut', () => {
    fc.assert(
      fc.property(anyStream, anySplits, (records, splits) => {
        const deframer = new Deframer();
        const seen: Uint8Array[] = [];
        for (const chunk of cut(concat(...records), splits)) {
          deframer.push(chunk);
          for (const run of drain(deframer)) seen.push(...separate(run));
          // The chunk is the caller's again.
          chunk.fill(0xee);
        }
        expect(seen.map(hex)).toEqual(records.map(hex));
        expect([deframer.buffered, deframer.wanted]).toEqual([0, headerLength]);
      }),
    );
  });

  it('joins a record that began earlier in the room in front of the next chunk', () => {
    fc.assert(
      fc.property(anyStream, anySplits, fc.nat(), (records, splits, room) => {
        const deframer = new Deframer();
        const headroom = room % (longestRecord + 1);
        const memory = new Uint8Array(headroom + records.reduce((sum, { length }) => sum + length, 0));
        const seen: Uint8Array[] = [];
        for (const chunk of cut(concat(...records), splits)) {
          const bytes = memory.subarray(headroom, headroom + chunk.length);
          bytes.set(chunk);
          deframer.push(bytes, headroom);
          for (const run of drain(deframer)) seen.push(...separate(run));
          memory.fill(0xee);
        }
        expect(seen.map(hex)).toEqual(records.map(hex));
        expect([deframer.buffered, deframer.wanted]).toEqual([0, headerLength]);
      }),
    );
  });

  it('keeps chunks that were pushed before the others were taken', () => {
    fc.assert(
      fc.property(anyStream, anySplits, fc.nat(5), (records, splits, every) => {
        const deframer = new Deframer();
        const seen: Uint8Array[] = [];
        for (const [index, chunk] of cut(concat(...records), splits).entries()) {
          deframer.push(chunk);
          if (index % (every + 1) === every) for (const run of drain(deframer)) seen.push(...separate(run));
        }
        for (const run of drain(deframer)) seen.push(...separate(run));
        expect(seen.map(hex)).toEqual(records.map(hex));
      }),
    );
  });

  it('never wants more bytes than the record in hand', () => {
    fc.assert(
      fc.property(anyStream, fc.nat(), fc.boolean(), (records, at, drained) => {
        const stream = concat(...records);
        const end = at % (stream.length + 1);
        const deframer = new Deframer();
        deframer.push(stream.slice(0, end));
        if (drained) for (const run of drain(deframer)) expect(run.count).toBeGreaterThan(0);
        let boundary = 0;
        let inHand: Uint8Array | undefined;
        for (const each of records) {
          inHand = each;
          if (boundary + each.length > end) break;
          boundary += each.length;
          inHand = undefined;
        }
        const held = end - boundary;
        const total = held < headerLength ? headerLength : (inHand?.length ?? 0);
        expect(deframer.wanted).toBe(total - held);
        if (drained) expect(deframer.buffered).toBe(held);
      }),
    );
  });

  it('read by what it wants, ends at each record', () => {
    const stream = concat(record(handshake, new Uint8Array(300)), record(application_data, new Uint8Array(0)));
    const deframer = new Deframer();
    const counts: number[] = [];
    let offset = 0;
    while (offset < stream.length) {
      const { wanted } = deframer;
      deframer.push(stream.subarray(offset, offset + wanted));
      offset += wanted;
      const runs = drain(deframer);
      if (runs.length > 0) expect(deframer.buffered).toBe(0);
      counts.push(runs.length);
    }
    expect(counts).toEqual([0, 1, 1]);
  });

  it('hands out neighbouring application data as one view, without copying', () => {
    const first = record(handshake, Uint8Array.of(1));
    const run = concat(...[2, 3, 4].map((byte) => record(application_data, Uint8Array.of(byte))));
    const stream = concat(first, run, record(alert, Uint8Array.of(1, 0)), run.subarray(0, 4));
    const deframer = new Deframer();
    deframer.push(stream);
    const runs = drain(deframer);
    expect(runs.map(({ contentType, count }) => [contentType, count])).toEqual([
      [handshake, 1],
      [application_data, 3],
      [alert, 1],
    ]);
    expect(runs.every(({ records }) => records.buffer === stream.buffer)).toBe(true);
    expect(deframer.buffered).toBe(4);
  });

  it('takes back what was not opened', () => {
    fc.assert(
      fc.property(anyStream, anySplits, fc.infiniteStream(fc.nat(3)), (records, splits, choices) => {
        const deframer = new Deframer();
        const seen: Uint8Array[] = [];
        for (const chunk of cut(concat(...records), splits)) {
          deframer.push(chunk);
          for (let run = deframer.next(); run !== undefined; run = deframer.next()) {
            const parts = separate(run);
            // Sometimes nothing of a run is taken the first time it is seen.
            const taken = Math.min(Number(choices.next().value ?? 1), parts.length);
            seen.push(...parts.slice(0, taken));
            deframer.unread(concat(...parts.slice(taken)).length);
          }
        }
        expect(seen.map(hex)).toEqual(records.map(hex));
        expect(deframer.buffered).toBe(0);
      }),
    );
  });

  it('takes back no more than it handed out', () => {
    const deframer = new Deframer();
    expect(() => deframer.unread(1)).toThrow(RangeError);
    deframer.push(record(alert, Uint8Array.of(1, 0)));
    drain(deframer);
    deframer.push(record(alert, Uint8Array.of(1, 0)));
    expect(deframer.next()?.records).toHaveLength(7);
    expect(() => deframer.unread(8)).toThrow(RangeError);
    deframer.unread(7);
    expect(deframer.next()?.records).toHaveLength(7);
  });

  it.each([
    ['HTTP instead of TLS', new TextEncoder().encode('GET / HTTP/1.1\r\n\r\n'), 'unexpected_message'],
    ['content type 24', encodeHeader(24, 5), 'unexpected_message'],
    ['content type 0', encodeHeader(0, 5), 'unexpected_message'],
    ['a plain record over 2^14 bytes', encodeHeader(handshake, 2 ** 14 + 1), 'record_overflow'],
    ['a protected record over 2^14 + 256 bytes', encodeHeader(application_data, 2 ** 14 + 257), 'record_overflow'],
  ])('refuses %s as soon as the header is there, in whatever pieces', (_, bytes, expected) => {
    const before = record(application_data, Uint8Array.of(1, 2, 3));
    for (let at = 1; at <= headerLength; at++) {
      const deframer = new Deframer();
      deframer.push(concat(before, bytes.subarray(0, at)));
      expect(deframer.next()?.records).toEqual(before);
      if (at < headerLength) expect(deframer.next()).toBeUndefined();
      deframer.push(bytes.subarray(at));
      expect(alertOf(() => deframer.next())).toBe(expected);
      // It stays so: nothing behind it is ever handed out.
      expect(alertOf(() => deframer.next())).toBe(expected);
    }
  });

  it('ignores the version of unprotected records, and takes the largest records', () => {
    for (const [contentType, length] of [
      [handshake, 2 ** 14],
      [application_data, 2 ** 14 + 256],
    ] as const) {
      const header = encodeHeader(contentType, length);
      if (contentType === handshake) header.set([0xfe, 0xdc], 1);
      expect(parseHeader(header)).toEqual({ contentType, length });
      const deframer = new Deframer();
      deframer.push(concat(header, new Uint8Array(length)));
      expect(deframer.next()).toMatchObject({ contentType, count: 1 });
    }
  });

  it('§5.2 has records of another version than 0x0303 begin a run', () => {
    const right = record(application_data, new Uint8Array(20));
    for (const version of [
      [3, 1],
      [3, 4],
      [2, 3],
      [0xfe, 0xff],
    ]) {
      const wrong = right.slice();
      wrong.set(version, 1);
      const deframer = new Deframer();
      deframer.push(concat(right, right, wrong, right));
      expect(deframer.next()).toMatchObject({ contentType: application_data, count: 2 });
      const rest = deframer.next();
      expect(rest?.records.subarray(0, wrong.length)).toEqual(wrong);
    }
  });
});

function record(contentType: number, content: Uint8Array): Uint8Array {
  return concat(encodeHeader(contentType, content.length), content);
}

function cut(stream: Uint8Array, splits: readonly number[]): Uint8Array[] {
  const at = splits.map((split) => split % (stream.length + 1)).sort((a, b) => a - b);
  return [...at, stream.length].map((end, index) => stream.slice(index === 0 ? 0 : at[index - 1], end));
}

/** What there is, copied where the test changes the chunks later. */
function drain(deframer: Deframer): RecordRun[] {
  const runs: RecordRun[] = [];
  for (let run = deframer.next(); run !== undefined; run = deframer.next()) runs.push(run);
  return runs;
}

/** The single records of a run. */
function separate({ contentType, records, count }: RecordRun): Uint8Array[] {
  const list: Uint8Array[] = [];
  for (let offset = 0; offset < records.length; ) {
    const header = parseHeader(records, offset);
    expect(header.contentType).toBe(contentType);
    list.push(records.slice(offset, offset + headerLength + header.length));
    offset += headerLength + header.length;
  }
  expect(list).toHaveLength(count);
  if (contentType !== application_data) expect(count).toBe(1);
  return list;
}

function alertOf(work: () => unknown): string {
  try {
    work();
  } catch (error) {
    return error instanceof TlsError ? error.alert : String(error);
  }
  return 'no error';
}

function hex(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('hex');
}
