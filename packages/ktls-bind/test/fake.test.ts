// The kernel in memory: that it does what kernels do (the contract), and what only a fake can be told to do.
import { openSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { createFakeKernel, type FakeKernel } from '../src/fake.js';
import { summarizeDirections } from '../src/probe.js';
import type { KtlsSocket } from '../src/types.js';
import { describeKernel } from './contract.js';
import { readToEnd, ready } from './pairs.js';
import { applicationData, openRecords, randomKeys } from './records.js';

const open = (kernel: FakeKernel) => {
  const [first, second] = kernel.connect();
  return [kernel.open(first.fd, { adopt: true }), kernel.open(second.fd, { adopt: true }), first, second] as const;
};

for (const rekeys of [true, false]) {
  const kernel = createFakeKernel({ rekey: { send: rekeys, receive: rekeys } });
  describeKernel(`fake kernel ${rekeys ? 'with' : 'without'} rekey`, {
    kernel,
    rekeys,
    pair: (): readonly [KtlsSocket, KtlsSocket] => {
      const [a, b] = open(kernel);
      return [a, b];
    },
  });
}

describe('probing a fake kernel', () => {
  it('finds everything', () => {
    expect(createFakeKernel().probe()).toMatchObject({
      available: true,
      summary: 'kernel: send+receive, AES-GCM/CCM/ChaCha20, rekey',
      rekey: { send: true, receive: true },
      zeroCopy: true,
      expectNoPad: true,
      maxPayload: true,
    });
  });

  it('finds what is missing, and leaves no descriptor', () => {
    const kernel = createFakeKernel({
      refuse: (cipher, direction) => {
        if (cipher === 'aes-256-gcm') return 'ENOENT';
        return direction === 'receive' ? 'ENOPROTOOPT' : undefined;
      },
      rekey: { send: false, receive: true },
      maxPayload: false,
    });
    const support = kernel.probe();
    expect(support.summary).toBe('kernel: send, AES-128-GCM/AES-CCM/ChaCha20, no rekey');
    expect(support.ciphers['aes-256-gcm'].send).toMatchObject({
      supported: false,
      error: { code: 'ERR_KTLS_CIPHER', step: 'crypto', errno: 'ENOENT' },
    });
    expect(support.ciphers['aes-128-gcm'].send).toEqual({ supported: true });
    expect(support.ciphers['aes-128-gcm'].receive.supported).toBe(false);
    expect(support.maxPayload).toBe(false);
    expect(kernel.openDescriptors).toBe(0);
  });

  it('sums up some directions alone', () => {
    const support = createFakeKernel({ rekey: { send: false, receive: true } }).probe();
    expect(summarizeDirections(support, ['send'])).toBe('kernel: send, AES-GCM/CCM/ChaCha20, no rekey');
    expect(summarizeDirections(support, ['receive'])).toBe('kernel: receive, AES-GCM/CCM/ChaCha20, rekey');
    const opening = createFakeKernel({
      refuse: (_cipher, direction) => (direction === 'send' ? 'ENOPROTOOPT' : undefined),
    });
    expect(summarizeDirections(opening.probe(), ['send'])).toBe('user space: this kernel takes no keys to send with');
    const absent = createFakeKernel({ ulp: false }).probe();
    expect(summarizeDirections(absent, ['send'])).toBe(absent.summary);
  });

  it('finds nothing without ULP or without ciphers', () => {
    expect(createFakeKernel({ ulp: false }).probe()).toMatchObject({
      available: false,
      summary: 'user space: this kernel has no tls ULP (ENOENT)',
      error: { code: 'ERR_KTLS_NO_ULP', step: 'ulp', errno: 'ENOENT' },
    });
    expect(createFakeKernel({ refuse: () => 'EINVAL' }).probe()).toMatchObject({
      available: false,
      summary: "user space: this kernel's tls ULP takes none of the ciphers (EINVAL)",
    });
  });
});

describe('a fake kernel in trouble', () => {
  it('pitfall 4: after refused keys the ULP is attached and nothing goes out in clear', () => {
    const kernel = createFakeKernel({ refuse: () => 'ENOENT' });
    const [a, , end] = open(kernel);
    expect(() => a.enable('send', randomKeys())).toThrow(/lacks this cipher/);
    expect(a.attached).toBe(true);
    expect(() => a.write([Buffer.from('secret')])).toThrow(/in clear/);
    expect(() => a.sendFile(openSync('/dev/null', 'r'), 0, 1)).toThrow(/in clear/);
    expect(() => a.sendRecord(21, Uint8Array.of(1, 0))).toThrow(/in clear/);
    a.close();
    expect(end.transmitted.length).toBe(0);
  });

  it('writes short, blocks, and goes on when the peer has read', async () => {
    const kernel = createFakeKernel();
    const keys = randomKeys();
    const [a, b, end] = open(kernel);
    a.enable('send', keys);
    end.bytesPerCall = 3;
    expect(a.write([Buffer.from('ab'), Buffer.from('cdef')])).toBe(3);
    end.bytesPerCall = Number.POSITIVE_INFINITY;
    end.sendBuffer = 60;
    // The record of the first three bytes is under way, with header, content type and tag.
    expect(a.write([Buffer.alloc(100)])).toBe(60 - (5 + 3 + 1 + 16));
    expect(a.write([Buffer.alloc(1)])).toBe(0);
    expect(a.sendRecord(21, Uint8Array.of(1, 0))).toBe(false);
    expect(await ready(a, false, true, 20)).toBe(false);
    expect(b.read(new Uint8Array(1000))).toBe(end.transmitted.length);
    expect(await ready(a, false, true)).toBe(true);
    expect(a.sendRecord(21, Uint8Array.of(1, 0))).toBe(true);
    const records = openRecords(keys, 0n, end.transmitted);
    expect(applicationData(records.slice(0, 2)).subarray(0, 3).toString()).toBe('abc');
    expect(records.at(-1)?.contentType).toBe(21);
    a.close();
    b.close();
    expect(kernel.openDescriptors).toBe(0);
  });

  it('fails when told, once per telling', () => {
    const kernel = createFakeKernel();
    const [a, b, end] = open(kernel);
    end.failNext('ulp', 'ENOTCONN');
    expect(() => a.enable('send', randomKeys())).toThrow(/not connected/);
    end.failNext('crypto', 'EBUSY');
    expect(() => a.enable('send', randomKeys())).toThrow(/set by somebody else/);
    a.enable('send', randomKeys());
    end.failNext('write', 'EAGAIN');
    expect(a.write([Buffer.from('x')])).toBe(0);
    expect(a.write([Buffer.from('x')])).toBe(1);
    end.failNext('record', 'ECONNRESET');
    expect(() => a.sendRecord(21, Uint8Array.of(1, 0))).toThrow(/reset the connection/);
    end.failNext('file', 'EIO');
    expect(() => a.sendFile(0, 0, 1)).toThrow(/input or output/);
    end.failNext('crypto', 'EAGAIN');
    expect(() => a.enable('send', randomKeys())).toThrow(expect.objectContaining({ code: 'ERR_KTLS_REKEY_AGAIN' }));
    end.failNext('read', 'ETIMEDOUT');
    expect(() => a.read(new Uint8Array(1))).toThrow(/did not answer/);
    a.close();
    b.close();
  });

  it('resets', async () => {
    const kernel = createFakeKernel();
    const [a, b] = open(kernel);
    b.reset();
    expect(await ready(a, true, false)).toBe(true);
    expect(() => a.read(new Uint8Array(1))).toThrow(/reset/);
    a.close();
  });

  it('honours the payload limit', async () => {
    const kernel = createFakeKernel();
    const keys = randomKeys();
    const [a, b] = open(kernel);
    a.enable('send', keys, { maxPayload: 100 });
    a.write([Buffer.alloc(250)]);
    a.close();
    const records = openRecords(keys, 0n, await readToEnd(b));
    expect(records.map(({ content }) => content.length)).toEqual([100, 100, 50]);
    b.close();
    const old = createFakeKernel({ maxPayload: false });
    const [c] = open(old);
    expect(() => c.enable('send', keys, { maxPayload: 100 })).toThrow(
      expect.objectContaining({ code: 'ERR_KTLS_OPTION', errno: 'ENOPROTOOPT' }),
    );
  });

  it('takes bytes that nobody sent', async () => {
    const [a, , end] = open(createFakeKernel());
    end.inject(Buffer.from('forged'));
    const into = new Uint8Array(10);
    expect(a.read(into)).toBe(6);
    expect(Buffer.from(into.subarray(0, 6)).toString()).toBe('forged');
    a.close();
  });
});
