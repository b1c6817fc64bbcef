/**
 * What every kernel does that this package speaks to: run over the fake in the unit tests and over real kernels in
 * test/kernel, so that the fake cannot drift from them. The peer is the oracle of records.ts on a plain socket.
 */
import { randomBytes } from 'node:crypto';
import { closeSync, mkdtempSync, openSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { KtlsError } from '../src/errors.js';
import type { Kernel, KtlsSocket } from '../src/types.js';
import { readBytes, readToEnd, ready, writeAll } from './pairs.js';
import { applicationData, cipherKeyLengths, type Keys, openRecords, randomKeys, sealRecord } from './records.js';

export interface KernelUnderTest {
  readonly kernel: Kernel;
  /** Two connected sockets without keys. */
  pair(): readonly [KtlsSocket, KtlsSocket];
  /** Whether keys can be replaced. */
  readonly rekeys: boolean;
}

const buffer = new Uint8Array(65536);

export function describeKernel(name: string, { kernel, pair, rekeys }: KernelUnderTest): void {
  /** The KtlsError that the action throws. */
  const refusal = (action: () => unknown): KtlsError => {
    try {
      action();
    } catch (error) {
      if (error instanceof KtlsError) return error;
      throw error;
    }
    throw new Error('it did not throw');
  };
  const statistics = () => kernel.readTlsStat() ?? {};
  const risen = (before: Readonly<Record<string, number>>, counter: string) =>
    (statistics()[counter] ?? 0) - (before[counter] ?? 0);
  const sender = (keys: Keys) => {
    const [a, b] = pair();
    a.enable('send', keys);
    return [a, b] as const;
  };
  const receiver = (keys: Keys) => {
    const [a, b] = pair();
    a.enable('receive', keys);
    return [a, b] as const;
  };
  const nextRecord = async (socket: KtlsSocket) => {
    for (;;) {
      const found = socket.readRecord(buffer);
      if (found?.kind === 'record') {
        return { contentType: found.contentType, content: Buffer.from(buffer.subarray(0, found.length)) };
      }
      if (found?.kind === 'end') return 'end';
      if (!(await ready(socket, true, false, 2000))) return 'nothing';
    }
  };
  const sealed = (...[keys, number, type, content, padding]: Parameters<typeof sealRecord>) =>
    sealRecord(keys, number, type, content, padding);
  const close = (...sockets: KtlsSocket[]) => {
    for (const socket of sockets) socket.close();
  };

  describe(`${name}: ciphers`, () => {
    for (const [cipher] of cipherKeyLengths) {
      it(`${cipher}: what the kernel seals opens as TLS 1.3 records, from any sequence number`, async () => {
        for (const start of [0n, 1n, 7n, 255n, 2n ** 32n, 2n ** 63n + 5n]) {
          const keys = randomKeys(cipher, start);
          const before = statistics();
          const [a, b] = sender(keys);
          expect(risen(before, 'TlsTxSw')).toBe(1);
          expect(risen(before, 'TlsRxSw')).toBe(0);
          const message = randomBytes(40000);
          await writeAll(a, message);
          a.shutdown();
          const records = openRecords(keys, start, await readToEnd(b));
          expect(records.map(({ content }) => content.length)).toEqual([16384, 16384, 7232]);
          expect(applicationData(records).equals(message)).toBe(true);
          close(a, b);
        }
      });

      it(`${cipher}: the kernel opens TLS 1.3 records, padded or not, from any sequence number`, async () => {
        for (const start of [0n, 3n, 2n ** 40n]) {
          const keys = randomKeys(cipher, start);
          const before = statistics();
          const [a, b] = receiver(keys);
          expect(risen(before, 'TlsRxSw')).toBe(1);
          expect(risen(before, 'TlsTxSw')).toBe(0);
          const parts = [randomBytes(1), randomBytes(16384), randomBytes(500)];
          const wire = parts.map((part, i) => sealed(keys, start + BigInt(i), 23, part, i === 2 ? 300 : 0));
          await writeAll(b, Buffer.concat(wire));
          b.shutdown();
          const received: Buffer[] = [];
          for (;;) {
            const record = await nextRecord(a);
            if (record === 'end') break;
            if (record === 'nothing') throw new Error('nothing came');
            expect(record.contentType).toBe(23);
            received.push(record.content);
          }
          expect(Buffer.concat(received).equals(Buffer.concat(parts))).toBe(true);
          close(a, b);
        }
      });
    }

    it('one direction is the kernel’s, the other is not', async () => {
      const keys = randomKeys();
      const [a, b] = sender(keys);
      expect(a.enabled('send')).toBe(true);
      expect(a.enabled('receive')).toBe(false);
      b.write([Buffer.from('in clear')]);
      expect((await readBytes(a, 8)).toString()).toBe('in clear');
      close(a, b);
    });

    it('the two directions cannot have different ciphers', () => {
      const [a, b] = sender(randomKeys('aes-128-gcm'));
      const error = refusal(() => a.enable('receive', randomKeys('aes-256-gcm')));
      expect(error).toMatchObject({ code: 'ERR_KTLS_CIPHER', step: 'crypto', errno: 'EINVAL' });
      expect(a.enabled('receive')).toBe(false);
      close(a, b);
    });

    it('what is peeked at stays, and a low-water mark says from when on it is worth a look', async () => {
      const [a, b] = pair();
      await writeAll(b, Buffer.from('first'));
      expect(await ready(a, true, false, 2000)).toBe(true);
      for (const size of [3, 100]) {
        const into = new Uint8Array(size);
        expect(a.peek(into)).toBe(Math.min(size, 5));
        expect(Buffer.from(into).toString('latin1')).toMatch(/^fir/);
      }
      a.setReceiveLowWater(8);
      expect(await ready(a, true, false, 50)).toBe(false);
      await writeAll(b, Buffer.from('second'));
      expect(await ready(a, true, false, 2000)).toBe(true);
      a.setReceiveLowWater(1);
      expect((await readBytes(a, 11)).toString()).toBe('firstsecond');
      b.close();
      expect(await ready(a, true, false, 2000)).toBe(true);
      expect(a.peek(new Uint8Array(1))).toBe(0);
      a.close();
    });

    it('info names version, cipher and where the keys are', () => {
      const [a, b] = pair();
      expect(b.info()).toEqual({ version: undefined, cipher: undefined, send: 'none', receive: 'none' });
      a.enable('send', randomKeys('chacha20-poly1305'));
      expect(a.info()).toEqual({
        version: 'TLS 1.3',
        cipher: 'chacha20-poly1305',
        send: 'software',
        receive: 'none',
      });
      a.enable('receive', randomKeys('chacha20-poly1305'));
      expect(a.info()).toMatchObject({ send: 'software', receive: 'software' });
      close(a, b);
    });
  });

  describe(`${name}: records`, () => {
    it('pitfall 13: every write is a record, MSG_MORE makes one of several', async () => {
      const keys = randomKeys();
      const [a, b] = sender(keys);
      a.write([Buffer.from('one')]);
      a.write([Buffer.from('two')]);
      a.write([Buffer.from('thr')], true);
      a.write([Buffer.from('ee'), Buffer.from('.')], true);
      a.write([Buffer.from(' four')]);
      a.shutdown();
      const records = openRecords(keys, 0n, await readToEnd(b));
      expect(records.map(({ content }) => content.toString())).toEqual(['one', 'two', 'three. four']);
      close(a, b);
    });

    it('control records of every type go out whole and between the data', async () => {
      const keys = randomKeys('aes-256-gcm', 11n);
      const [a, b] = sender(keys);
      a.write([Buffer.from('before')], true);
      expect(a.sendRecord(22, randomBytes(5000))).toBe(true);
      expect(a.sendRecord(21, Uint8Array.of(1, 0))).toBe(true);
      expect(a.sendRecord(99, randomBytes(16384))).toBe(true);
      a.write([Buffer.from('after')]);
      a.shutdown();
      const records = openRecords(keys, 11n, await readToEnd(b));
      expect(records.map(({ contentType, content }) => [contentType, content.length])).toEqual([
        [23, 6],
        [22, 5000],
        [21, 2],
        [99, 16384],
        [23, 5],
      ]);
      close(a, b);
    });

    it('control records of every type come in one by one, application data together', async () => {
      const keys = randomKeys('chacha20-poly1305');
      const [a, b] = receiver(keys);
      const sent: Array<readonly [number, Buffer]> = [
        [23, Buffer.from('da')],
        [23, Buffer.from('ta')],
        [22, Buffer.from([4, 0, 0, 3, 1, 2, 3])],
        [22, randomBytes(16384).fill(4, 0, 1)],
        [23, Buffer.from('more')],
        [21, Buffer.from([1, 0])],
      ];
      await writeAll(b, Buffer.concat(sent.map(([type, content], i) => sealed(keys, BigInt(i), type, content))));
      b.shutdown();
      const received: Array<readonly [number, string]> = [];
      for (let last = 0; last !== 21; ) {
        const record = await nextRecord(a);
        if (typeof record === 'string') throw new Error(record);
        last = record.contentType;
        const previous = received.at(-1);
        const joined = last === 23 && previous?.[0] === 23;
        if (joined) received.pop();
        received.push([last, (joined ? previous[1] : '') + record.content.toString('hex')]);
      }
      expect(await nextRecord(a)).toBe('end');
      expect(received).toEqual([
        [23, Buffer.from('data').toString('hex')],
        ...sent.slice(2).map(([type, content]) => [type, content.toString('hex')]),
      ]);
      close(a, b);
    });

    it('pitfall 1: a plain read gives EIO on a record that is not application data, readRecord takes it', async () => {
      const keys = randomKeys();
      const [a, b] = receiver(keys);
      b.write([sealed(keys, 0n, 23, Buffer.from('data')), sealed(keys, 1n, 21, Buffer.from([1, 0]))]);
      expect(await ready(a, true, false)).toBe(true);
      expect(a.read(buffer)).toBe(4);
      const error = refusal(() => a.read(buffer));
      expect(error).toMatchObject({ code: 'ERR_KTLS_CONTROL_RECORD', step: 'read', errno: 'EIO' });
      expect(await nextRecord(a)).toEqual({ contentType: 21, content: Buffer.from([1, 0]) });
      close(a, b);
    });

    it('pitfall 8: the end of the stream with and without close_notify are told apart', async () => {
      const keys = randomKeys();
      const [a, b] = receiver(keys);
      b.write([sealed(keys, 0n, 21, Buffer.from([1, 0]))]);
      b.shutdown();
      expect(await nextRecord(a)).toEqual({ contentType: 21, content: Buffer.from([1, 0]) });
      expect(await nextRecord(a)).toBe('end');
      const [c, d] = receiver(keys);
      d.shutdown();
      expect(await nextRecord(c)).toBe('end');
      close(a, b, c, d);
    });

    it('pitfall 8: writing after shutdown is an error, not 0', () => {
      const [a, b] = sender(randomKeys());
      a.shutdown();
      expect(refusal(() => a.write([Buffer.from('x')]))).toMatchObject({ code: 'ERR_KTLS_IO', errno: 'EPIPE' });
      expect(refusal(() => a.sendRecord(21, Uint8Array.of(1, 0)))).toMatchObject({ errno: 'EPIPE', step: 'record' });
      close(a, b);
    });

    it('pitfall 6: whole records that came before the keys are opened, counted from rec_seq', async () => {
      const keys = randomKeys('aes-128-gcm', 2n);
      const [a, b] = pair();
      // Two records were read in user space; the third is in the socket, half of the fourth too.
      const fourth = sealed(keys, 3n, 23, Buffer.from('fourth'));
      b.write([sealed(keys, 2n, 23, Buffer.from('third')), fourth.subarray(0, 9)]);
      expect(await ready(a, true, false)).toBe(true);
      a.enable('receive', keys);
      expect(await nextRecord(a)).toEqual({ contentType: 23, content: Buffer.from('third') });
      expect(a.readRecord(buffer)).toBeUndefined();
      b.write([fourth.subarray(9)]);
      expect(await nextRecord(a)).toEqual({ contentType: 23, content: Buffer.from('fourth') });
      close(a, b);
    });

    it('a record that does not authenticate is ERR_KTLS_BAD_RECORD', async () => {
      const keys = randomKeys();
      const before = statistics();
      const [a, b] = receiver(keys);
      const wire = sealed(keys, 0n, 23, Buffer.from('data'));
      wire[7] = (wire[7] ?? 0) ^ 1;
      b.write([wire]);
      expect(await ready(a, true, false)).toBe(true);
      expect(refusal(() => a.readRecord(buffer))).toMatchObject({ code: 'ERR_KTLS_BAD_RECORD', errno: 'EBADMSG' });
      expect(risen(before, 'TlsDecryptError')).toBe(1);
      close(a, b);
    });

    it('a record that is too long is ERR_KTLS_RECORD_OVERFLOW, one of another version ERR_KTLS_BAD_HEADER', async () => {
      const [a, b] = receiver(randomKeys());
      b.write([Buffer.from([23, 3, 3, 0x60, 0]), randomBytes(600)]);
      expect(await ready(a, true, false)).toBe(true);
      expect(refusal(() => a.readRecord(buffer))).toMatchObject({
        code: 'ERR_KTLS_RECORD_OVERFLOW',
        errno: 'EMSGSIZE',
      });
      const [c, d] = receiver(randomKeys());
      d.write([Buffer.from([23, 2, 0, 1, 0]), randomBytes(256)]);
      expect(await ready(c, true, false)).toBe(true);
      expect(refusal(() => c.readRecord(buffer))).toMatchObject({ code: 'ERR_KTLS_BAD_HEADER', errno: 'EINVAL' });
      close(a, b, c, d);
    });
  });

  describe(`${name}: keys`, () => {
    const keyUpdate = Buffer.from([24, 0, 0, 1, 0]);

    it('pitfall 5: a second owner of the socket finds the ULP there (EEXIST)', () => {
      const [a, b] = pair();
      const other = kernel.open(a.fd);
      a.attach();
      a.attach();
      expect(refusal(() => other.attach())).toMatchObject({
        code: 'ERR_KTLS_ULP_EXISTS',
        step: 'ulp',
        errno: 'EEXIST',
      });
      expect(other.attached).toBe(false);
      close(a, b, other);
    });

    it('a socket that is handed over knows what the kernel has', async () => {
      const keys = randomKeys('aes-256-gcm');
      const [a, b] = sender(keys);
      const other = kernel.open(a.fd);
      a.close();
      expect([other.attached, other.enabled('send'), other.enabled('receive')]).toEqual([true, true, false]);
      expect(other.sendRecord(21, Uint8Array.of(1, 0))).toBe(true);
      other.close();
      expect(openRecords(keys, 0n, await readToEnd(b))).toEqual([{ contentType: 21, content: Buffer.from([1, 0]) }]);
      b.close();
    });

    if (rekeys) {
      it('pitfall 2: after a KeyUpdate reading gives EKEYEXPIRED and poll is silent until the new keys are set', async () => {
        const [old, next] = [randomKeys(), randomKeys()];
        const [a, b] = receiver(old);
        const before = statistics();
        b.write([sealed(old, 0n, 22, keyUpdate), sealed(next, 0n, 23, Buffer.from('under the next key'))]);
        expect(await nextRecord(a)).toEqual({ contentType: 22, content: keyUpdate });
        expect(refusal(() => a.readRecord(buffer))).toMatchObject({
          code: 'ERR_KTLS_KEY_EXPIRED',
          errno: 'EKEYEXPIRED',
        });
        expect(await ready(a, true, false, 50)).toBe(false);
        a.enable('receive', next);
        expect(await nextRecord(a)).toEqual({ contentType: 23, content: Buffer.from('under the next key') });
        expect(risen(before, 'TlsRxRekeyOk')).toBe(1);
        expect(risen(before, 'TlsRxRekeyReceived')).toBe(1);
        close(a, b);
      });

      it('pitfall 3: KeyUpdate goes out under the old key, all after it under the new', async () => {
        const [old, next] = [randomKeys('aes-128-ccm', 4n), randomKeys('aes-128-ccm')];
        const [a, b] = sender(old);
        const before = statistics();
        a.write([Buffer.from('old')]);
        expect(a.sendRecord(22, keyUpdate)).toBe(true);
        a.enable('send', next);
        a.write([Buffer.from('new')]);
        a.shutdown();
        const wire = await readToEnd(b);
        const split = 5 + 3 + 17 + (5 + 5 + 17);
        expect(openRecords(old, 4n, wire.subarray(0, split)).map(({ contentType }) => contentType)).toEqual([23, 22]);
        expect(applicationData(openRecords(next, 0n, wire.subarray(split))).toString()).toBe('new');
        expect(risen(before, 'TlsTxRekeyOk')).toBe(1);
        close(a, b);
      });

      it('new keys are for the cipher in use', () => {
        const [a, b] = sender(randomKeys());
        expect(() => a.enable('send', randomKeys('aes-256-gcm'))).toThrow(TypeError);
        close(a, b);
      });
    } else {
      it('pitfall 2: without rekey the second keys are EBUSY and the records of the next key fail', async () => {
        const [old, next] = [randomKeys(), randomKeys()];
        const [a, b] = receiver(old);
        b.write([sealed(old, 0n, 22, keyUpdate), sealed(next, 0n, 23, Buffer.from('under the next key'))]);
        expect(await nextRecord(a)).toEqual({ contentType: 22, content: keyUpdate });
        const error = refusal(() => a.enable('receive', next));
        expect(error).toMatchObject({ code: 'ERR_KTLS_REKEY_UNSUPPORTED', step: 'rekey', errno: 'EBUSY' });
        expect(a.enabled('receive')).toBe(true);
        await ready(a, true, false);
        expect(refusal(() => a.readRecord(buffer)).code).toBe('ERR_KTLS_BAD_RECORD');
        close(a, b);
      });

      it('pitfall 3: without rekey the old send keys stay in force', async () => {
        const keys = randomKeys();
        const [a, b] = sender(keys);
        a.write([Buffer.from('one')]);
        expect(refusal(() => a.enable('send', randomKeys()))).toMatchObject({
          code: 'ERR_KTLS_REKEY_UNSUPPORTED',
          errno: 'EBUSY',
        });
        a.write([Buffer.from('two')]);
        a.shutdown();
        expect(applicationData(openRecords(keys, 0n, await readToEnd(b))).toString()).toBe('onetwo');
        close(a, b);
      });
    }
  });

  describe(`${name}: files`, () => {
    const folder = mkdtempSync(join(tmpdir(), 'ktls-'));
    const path = join(folder, 'file');
    const content = randomBytes(5 * 1024 * 1024 + 77777);
    let file = -1;
    beforeAll(() => {
      writeFileSync(path, content);
      file = openSync(path, 'r');
    });
    afterAll(() => {
      closeSync(file);
      rmSync(folder, { recursive: true });
    });

    const sendAll = async (a: KtlsSocket, offset: number, length: number) => {
      let sent = 0;
      while (sent < length) {
        const progress = a.sendFile(file, offset + sent, length - sent);
        expect(progress.endOfFile).toBe(false);
        expect(progress.bytes).toBeLessThanOrEqual(1 << 20);
        sent += progress.bytes;
        if (progress.blocked && !(await ready(a, false, true))) throw new Error('the socket stayed full');
      }
    };

    for (const [offset, length] of [
      [0, 0],
      [0, 1],
      [5, 16383],
      [16384, 16384],
      [1, 16385],
      [77777, 5 * 1024 * 1024],
    ] as const) {
      it(`sends ${length} bytes from ${offset}`, async () => {
        const keys = randomKeys();
        const [a, b] = sender(keys);
        const received = readToEnd(b);
        await sendAll(a, offset, length);
        a.shutdown();
        const records = openRecords(keys, 0n, await received);
        expect(applicationData(records).equals(content.subarray(offset, offset + length))).toBe(true);
        close(a, b);
      });
    }

    it('files, writes and control records mix in order', async () => {
      const keys = randomKeys();
      const [a, b] = sender(keys);
      const received = readToEnd(b);
      a.write([Buffer.from('head ')], true);
      await sendAll(a, 100, 20000);
      a.sendRecord(22, Buffer.from([4, 0, 0, 0]));
      a.write([Buffer.from(' tail')]);
      a.shutdown();
      const records = openRecords(keys, 0n, await received);
      const control = records.findIndex(({ contentType }) => contentType === 22);
      const expected = [Buffer.from('head '), content.subarray(100, 20100)];
      expect(applicationData(records.slice(0, control)).equals(Buffer.concat(expected))).toBe(true);
      expect(applicationData(records.slice(control + 1)).toString()).toBe(' tail');
      close(a, b);
    });

    it('pitfall 9: a truncated file ends the transfer instead of looping, and what was sent opens', async () => {
      const keys = randomKeys();
      const [a, b] = sender(keys);
      const short = join(folder, 'short');
      writeFileSync(short, content.subarray(0, 50000));
      const fd = openSync(short, 'r');
      const received = readToEnd(b);
      expect(a.sendFile(fd, 0, 30000)).toEqual({ bytes: 30000, blocked: false, endOfFile: false });
      truncateSync(short, 40000);
      let total = 30000;
      for (let ended = false; !ended; ) {
        const { bytes, blocked, endOfFile } = a.sendFile(fd, total, 50000 - total);
        expect(blocked).toBe(false);
        total += bytes;
        ended = endOfFile;
      }
      expect(total).toBe(40000);
      closeSync(fd);
      // The record that was open for the bytes that never came is closed by the alert.
      expect(a.sendRecord(21, Uint8Array.of(2, 80))).toBe(true);
      a.shutdown();
      const records = openRecords(keys, 0n, await received);
      expect(records.pop()).toEqual({ contentType: 21, content: Buffer.from([2, 80]) });
      expect(applicationData(records).equals(content.subarray(0, 40000))).toBe(true);
      close(a, b);
    });
  });
}
