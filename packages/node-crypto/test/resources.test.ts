// Memory and threads: nothing is kept that was let go, buffers are lent once, workers have their own addon.
import { fileURLToPath } from 'node:url';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { Worker } from 'node:worker_threads';
import { afterAll, describe, expect, it } from 'vitest';
import { nativeProvider, RootStore, releaseBuffer } from '../src/index.js';
import { aeads, pattern, splitRecords, trafficKeys } from './oracle.js';
import { authority, Pki, serverLeaf } from './pki.js';

const pki = new Pki();
afterAll(() => pki.remove());

const provider = nativeProvider();
const { sealer, opener } = provider.recordProtection ?? {};
if (sealer === undefined || opener === undefined) throw new Error('the native provider has no record protection');

setFlagsFromString('--expose-gc');
const collect: () => void = runInNewContext('gc');

/** `leak`: bytes that a round would lose on average if it lost anything; no object here is smaller than the default. */
describe('memory stays bounded over many', () => {
  const share = provider.generateKeyShare('secp256r1').keyExchange;
  const content = pattern(40_000);
  const keys = trafficKeys('aes-128-gcm');
  const manyKeys = aeads.map(({ aead }) => trafficKeys(aead));
  const records = sealer(keys).seal(23, content, 16_384);
  const bad = Uint8Array.from(splitRecords(records)[0] ?? []);
  bad[100] = (bad[100] ?? 0) ^ 1;
  const noPoint = new Uint8Array(65);
  const root = pki.issue({ name: 'root', extensions: authority });
  const leaf = pki.issue({ extensions: serverLeaf, issuer: root });
  const store = new RootStore({ roots: root.der });

  it.each([
    {
      what: 'keys, sealers and openers, destroyed or not',
      times: 10_000,
      work: (round: number) => {
        const some = manyKeys[round % manyKeys.length] ?? keys;
        const made = [sealer(some), opener(some), provider.aead(some.aead, some.key)];
        if (round % 2 === 0) for (const one of made) one.destroy();
      },
    },
    {
      what: 'records sealed and opened, released or not',
      times: 5_000,
      // A block of memory, every other round.
      leak: 20_000,
      work: (round: number) => {
        const sealed = sealer(keys).seal(23, content, 16_384);
        const [fragment] = opener(keys).open(round % 3 === 0 ? sealed : records).fragments;
        if (round % 2 === 0) releaseBuffer(sealed);
        if (round % 2 === 0 && fragment !== undefined) releaseBuffer(fragment.content);
      },
    },
    {
      what: 'hashes',
      times: 50_000,
      work: () => {
        const hash = provider.hash('sha256');
        hash.hmac(hash.digest(content.subarray(0, 50)), content.subarray(0, 60));
      },
    },
    { what: 'refused shares and records', times: 6_000, work: refused },
    { what: 'key exchanges', times: 4_000, work: () => void provider.encapsulate('secp256r1', share) },
    {
      what: 'verifications, good and bad',
      times: 1_500,
      // A decoded certificate.
      leak: 3_000,
      work: (round: number) => {
        const host = round % 2 === 0 ? 'host.example' : 'other.example';
        store.verify({ chain: [leaf.der, root.der], purpose: 'server', host });
      },
    },
  ])(
    '$what',
    async ({ times, work, leak = 1000 }) => {
      const run = async () => {
        for (let round = 0; round < times; round++) {
          work(round);
          // Finalizers run between tasks.
          if (round % 1000 === 999) await settle();
        }
        await settle();
        return process.memoryUsage().rss;
      };
      const before = await run();
      expect((await run()) - before).toBeLessThan(times * leak);
    },
    60_000,
  );

  function refused(): void {
    if (opener === undefined) return;
    const opened = opener(keys).open(bad);
    const curve = provider.encapsulate('secp256r1', noPoint);
    const montgomery = provider.encapsulate('x25519', noPoint.subarray(0, 32));
    if (opened.count > 0 || curve !== undefined || montgomery !== undefined) throw new Error('not refused');
  }
});

describe('buffers', () => {
  const keys = trafficKeys('aes-128-gcm');
  const content = pattern(100_000);
  const seal = () => sealer(keys).seal(23, content, 16_384);

  it('are each their own, small and large', () => {
    const lent = [...Array.from({ length: 200 }, () => sealer(keys).seal(23, pattern(500), 16_384)), seal(), seal()];
    const kept = lent.map((bytes) => Uint8Array.from(bytes));
    for (let round = 0; round < 200; round++) sealer(keys).seal(23, pattern(700, round), 16_384);
    expect(lent.every((bytes, index) => Buffer.compare(bytes, kept[index] ?? pattern(1)) === 0)).toBe(true);
  });

  it('are used again once they have been released, and only once', () => {
    const first = seal();
    releaseBuffer(first);
    releaseBuffer(first);
    const second = seal();
    const third = seal();
    expect(second.buffer).toBe(first.buffer);
    expect(third.buffer).not.toBe(first.buffer);
    // A stale release of the first view does not free what the second one lends.
    releaseBuffer(first);
    expect(seal().buffer).not.toBe(second.buffer);
  });

  it('ignores parts and strangers', () => {
    const bytes = seal();
    releaseBuffer(bytes.subarray(0, 10));
    releaseBuffer(new Uint8Array(bytes.buffer));
    releaseBuffer(Buffer.alloc(131_072));
    expect(seal().buffer).not.toBe(bytes.buffer);
  });

  it('are whose they are as long as he keeps what was opened', async () => {
    const kept: Uint8Array[] = [];
    // More than the pool has, part of it kept, the rest to be used again.
    for (let round = 0; round < 1500; round++) {
      const [fragment] = opener(keys).open(sealer(keys).seal(23, filled(round), 16_384)).fragments;
      if (fragment !== undefined && round % 10 === 0) kept.push(fragment.content);
      if (round % 100 === 99) await settle();
    }
    expect(kept).toHaveLength(150);
    expect(kept.every((bytes, index) => Buffer.compare(bytes, filled(index * 10)) === 0)).toBe(true);
  });

  it('show nothing of what was opened there before', () => {
    const [fragment] = opener(keys).open(seal()).fragments;
    const { content: opened } = fragment ?? { content: pattern(1) };
    expect(opened.length).toBe(content.length);
    const behind = new Uint8Array(opened.buffer, opened.byteOffset + opened.length);
    expect(behind.every((byte) => byte === 0)).toBe(true);
  });
});

describe('workers', () => {
  it('load the addon of their own, several at once, and end', async () => {
    const addon = fileURLToPath(new URL('../build/Release/tls13_node_crypto.node', import.meta.url));
    const program = `
      const { parentPort, workerData } = require('node:worker_threads');
      const addon = require(workerData);
      const key = new Uint8Array(16), iv = new Uint8Array(12), out = new Uint8Array(1022 * 8);
      for (let round = 0; round < 2000; round++) {
        const sealer = new addon.RecordSealer();
        sealer.start('aes-128-gcm', key, iv, 0n);
        sealer.seal(23, new Uint8Array(1000 * 8), 1000, out);
        new addon.EphemeralKey('x25519', new Uint8Array(32));
      }
      parentPort.postMessage(Buffer.from(out.subarray(0, 40)).toString('hex'));
    `;
    const key = { aead: 'aes-128-gcm', key: new Uint8Array(16), iv: new Uint8Array(12), sequenceNumber: 0n } as const;
    const expected = Buffer.from(sealer(key).seal(23, new Uint8Array(8000), 1000).subarray(0, 40)).toString('hex');
    const workers = Array.from({ length: 3 }, () => {
      const worker = new Worker(program, { eval: true, workerData: addon });
      return new Promise<[unknown, number]>((done, failed) => {
        let message: unknown;
        worker.on('message', (value) => (message = value));
        worker.on('error', failed);
        worker.on('exit', (code) => done([message, code]));
      });
    });
    expect(await Promise.all(workers)).toEqual(Array.from({ length: 3 }, () => [expected, 0]));
  });
});

function filled(round: number): Uint8Array {
  return Buffer.alloc(60_000, `round ${round}`);
}

async function settle(): Promise<void> {
  collect();
  await new Promise((done) => setImmediate(done));
}
