// The count of what passed by in sealed records, on which the rounds of `npm run bench:kernel` end.
import { describe, expect, it } from 'vitest';
import { contentsOfRecords } from '../harness/records.mjs';

describe('the count of what records hold', () => {
  const contents = [16_384, 1, 0, 300];
  const stream = Buffer.concat(contents.map(record));
  const total = 16_685;

  it.each([1, 4, 5, 6, 1000, stream.length])('is the same in pieces of %i bytes', (length) => {
    const count = contentsOfRecords();
    let counted = 0;
    for (let offset = 0; offset < stream.length; offset += length) {
      expect(counted).toBeLessThan(total);
      counted += count(stream.subarray(offset, offset + length));
    }
    expect(counted).toBe(total);
  });

  it('leaves out a record that is not whole', () => {
    const count = contentsOfRecords();
    expect(count(stream.subarray(0, 16_384 + 5 + 17 - 1))).toBe(0);
    expect(count(stream.subarray(16_384 + 5 + 17 - 1, 16_384 + 5 + 17))).toBe(16_384);
  });
});

/** As it comes over the wire: the content type and the tag are among what is sealed. */
function record(content: number): Buffer {
  const sealed = Buffer.alloc(content + 1 + 16, 0xaa);
  return Buffer.concat([Buffer.from([23, 3, 3, sealed.length >> 8, sealed.length & 0xff]), sealed]);
}
