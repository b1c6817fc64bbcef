// The binding on a kernel without the tls ULP (or with it): probing, errors, and KtlsSocket as a plain TCP socket.
import { once } from 'node:events';
import { closeSync, openSync, readdirSync } from 'node:fs';
import { createServer, connect as dial, type Socket } from 'node:net';
import { Worker } from 'node:worker_threads';
import { describe, expect, it } from 'vitest';
import { KtlsError } from '../src/errors.js';
import { kernel } from '../src/index.js';
import { readBytes, readToEnd, ready, socketPair, writeAll } from './pairs.js';
import { randomKeys } from './records.js';

const code = (action: () => unknown): string | undefined => {
  try {
    action();
  } catch (error) {
    if (error instanceof KtlsError) return error.code;
    throw error;
  }
  return undefined;
};

describe('the native part', () => {
  it('is loaded where the tests run', () => {
    expect(kernel.nativeAvailable).toBe(true);
  });

  it('says what the kernel can do in one line, and remembers it', () => {
    const support = kernel.probe();
    if (support.available) {
      expect(support.summary).toMatch(/^kernel: (send|receive|send\+receive), .+, (no )?rekey/);
      expect(support.error).toBeUndefined();
    } else {
      expect(support.summary).toMatch(/^user space: this kernel/);
      expect(support.error?.code).toMatch(/^ERR_KTLS_(NO_ULP|CIPHER)$/);
      expect(support.error?.step).toMatch(/^(ulp|crypto)$/);
      expect(support.summary).toContain(`(${support.error?.errno})`);
      expect(support.rekey).toEqual({ send: false, receive: false });
    }
    expect(kernel.probe()).toBe(support);
    expect(kernel.probe({ fresh: true })).not.toBe(support);
    expect(kernel.probe().summary).toBe(support.summary);
  });

  it('leaves no descriptor behind when it probes', () => {
    kernel.probe({ fresh: true });
    const before = readdirSync('/proc/self/fd').length;
    for (let i = 0; i < 20; i++) kernel.probe({ fresh: true });
    expect(readdirSync('/proc/self/fd').length).toBe(before);
  });
});

describe('KtlsSocket over plain TCP', () => {
  it('reads and writes bytes, vectored, and tells the end of the stream', async () => {
    const [a, b] = socketPair();
    expect(b.read(new Uint8Array(10))).toBeUndefined();
    const chunks = Array.from({ length: 3000 }, (_, i) => Uint8Array.of(i & 255, i >> 8));
    expect(a.write([...chunks, new Uint8Array(0)])).toBe(6000);
    expect(await readBytes(b, 6000)).toEqual(Buffer.concat(chunks));
    expect(a.write([])).toBe(0);
    a.shutdown();
    expect(await ready(b, true, false)).toBe(true);
    expect(b.read(new Uint8Array(10))).toBe(0);
    // The other direction stays open.
    expect(b.write([Buffer.from('still here')])).toBe(10);
    expect(await readBytes(a, 10)).toEqual(Buffer.from('still here'));
    a.close();
    b.close();
  });

  it('blocks when the send buffer is full, and is writable again when the peer has read', async () => {
    const [a, b] = socketPair();
    const chunk = new Uint8Array(262144).fill(7);
    let total = 0;
    for (let count = 1; count > 0; total += count) count = a.write([chunk]);
    expect(await ready(a, false, true, 50)).toBe(false);
    expect(a.unacknowledged()).toBeGreaterThan(0);
    const [, received] = await Promise.all([ready(a, false, true), readBytes(b, total)]);
    expect(received.every((byte) => byte === 7)).toBe(true);
    a.close();
    b.close();
  });

  it('keeps its own descriptor: the other owner may go', async () => {
    const server = createServer({ pauseOnConnect: true }).listen(0, '127.0.0.1');
    await once(server, 'listening');
    const address = server.address();
    if (address === null || typeof address === 'string') throw new Error('no port');
    const client = dial(address.port, '127.0.0.1');
    const [accepted]: Socket[] = await once(server, 'connection');
    const handle: unknown = accepted === undefined ? undefined : Reflect.get(accepted, '_handle');
    if (typeof handle !== 'object' || handle === null || !('fd' in handle)) throw new Error('no handle');
    const socket = kernel.open(Number(handle.fd));
    expect(socket.fd).not.toBe(handle.fd);
    accepted?.destroy();
    client.write('hello');
    expect((await readBytes(socket, 5)).toString()).toBe('hello');
    expect(socket.remoteAddress()).toEqual({ address: '127.0.0.1', port: client.localPort, family: 'IPv4' });
    expect(socket.localAddress()?.port).toBe(address.port);
    const echoed = once(client, 'data');
    socket.write([Buffer.from('world')]);
    expect(String((await echoed)[0])).toBe('world');
    socket.close();
    await once(client, 'close');
    server.close();
  });

  it('reports a reset as readable and writable, and the errno when reading', async () => {
    const [a, b] = socketPair();
    b.reset();
    expect(await ready(a, true, false)).toBe(true);
    expect(code(() => a.read(new Uint8Array(1)))).toBe('ERR_KTLS_IO');
    expect(code(() => a.write([Uint8Array.of(1)]))).toBe('ERR_KTLS_IO');
    a.close();
    const [c, d] = socketPair();
    d.reset();
    expect(c.takeError()).toMatchObject({ code: 'ERR_KTLS_IO', errno: 'ECONNRESET', step: 'socket' });
    expect(c.takeError()).toBeUndefined();
    c.close();
  });

  it('calls nobody after close, which may come in the callback and twice', async () => {
    const [a, b] = socketPair();
    let calls = 0;
    a.onReady(() => {
      calls++;
      a.close();
      a.close();
    });
    a.watch(true, true);
    await new Promise((resolve) => setTimeout(resolve, 20));
    expect(calls).toBe(1);
    expect(a.closed).toBe(true);
    expect(a.fd).toBe(-1);
    a.watch(false, false);
    a.ref();
    a.unref();
    a.reset();
    for (const call of [
      () => a.read(new Uint8Array(1)),
      () => a.write([]),
      () => a.watch(true, false),
      () => a.shutdown(),
      () => a.info(),
      () => a.enable('send', randomKeys()),
    ]) {
      expect(code(call)).toBe('ERR_KTLS_CLOSED');
    }
    b.close();
  });

  it('takes the options of TCP', () => {
    const [a, b] = socketPair();
    a.setNoDelay(true);
    a.setKeepAlive(true, 400);
    a.setKeepAlive(true);
    a.setKeepAlive(false, 60_000);
    expect(() => a.setKeepAlive(true, -1)).toThrow(RangeError);
    expect(() => a.setKeepAlive(true, 40_000_000)).toThrow(/0 to 32767000/);
    a.close();
    b.close();
    expect(code(() => a.setNoDelay(true))).toBe('ERR_KTLS_CLOSED');
  });

  it('is level-triggered, and silent when stopped', async () => {
    const [a, b] = socketPair();
    b.write([Buffer.from('xyz')]);
    let calls = 0;
    a.onReady((readable, writable) => {
      expect([readable, writable]).toEqual([true, false]);
      if (++calls === 5) a.watch(false, false);
    });
    a.watch(true, false);
    a.watch(true, false);
    await new Promise((resolve) => setTimeout(resolve, 30));
    expect(calls).toBe(5);
    a.close();
    b.close();
  });

  it('takes a descriptor that is not a socket, or not open, for an error', () => {
    const file = openSync('/dev/null', 'r');
    const before = readdirSync('/proc/self/fd').length;
    expect(code(() => kernel.open(file))).toBe('ERR_KTLS_IO');
    expect(code(() => kernel.open(4000))).toBe('ERR_KTLS_IO');
    expect(() => kernel.open(-1)).toThrow(TypeError);
    expect(readdirSync('/proc/self/fd').length).toBe(before);
    closeSync(file);
  });

  it('leaves no descriptor when 200 sockets are opened, watched and dropped', async () => {
    const before = readdirSync('/proc/self/fd').length;
    for (let i = 0; i < 100; i++) {
      const [a, b] = socketPair();
      a.watch(true, i % 2 === 0);
      if (i % 3 === 0) await writeAll(b, Buffer.from('x'));
      if (i % 2 === 0) a.reset();
      else a.close();
      b.close();
    }
    expect(readdirSync('/proc/self/fd').length).toBe(before);
  });

  it('does not crash workers that end while they watch, read and write', async () => {
    const program = new URL('./watching-worker.mjs', import.meta.url);
    for (let i = 0; i < 20; i++) {
      const worker = new Worker(program, { workerData: 'stay' });
      const [message] = await once(worker, 'message');
      expect(message).toBe('watching');
      // At any moment of its callbacks.
      await new Promise((resolve) => setTimeout(resolve, i % 4));
      expect(await worker.terminate()).toBe(1);
    }
    const leaving = new Worker(program, { workerData: 'leave' });
    const [exitCode] = await once(leaving, 'exit');
    expect(exitCode).toBe(0);
  });
});

describe('misuse', () => {
  it('is a TypeError or RangeError that says what to do', async () => {
    const [a, b] = socketPair();
    expect(() => a.read(new Uint8Array(0))).toThrow(RangeError);
    expect(() => a.readRecord(new Uint8Array(100))).toThrow(/at least 16384/);
    expect(() => a.readRecord(new Uint8Array(16384))).toThrow(/enable\('receive'/);
    expect(() => a.sendRecord(0, Uint8Array.of(1))).toThrow(RangeError);
    expect(() => a.sendRecord(21, new Uint8Array(0))).toThrow(RangeError);
    expect(() => a.sendFile(-1, 0, 1)).toThrow(TypeError);
    expect(() => a.sendFile(1, -1, 1)).toThrow(RangeError);
    expect(() => a.sendFile(1, 0, 2 ** 53)).toThrow(RangeError);
    expect(() => a.enable('receive', { ...randomKeys(), key: new Uint8Array(15) })).toThrow(/16 bytes/);
    expect(() => a.enable('receive', { ...randomKeys(), iv: new Uint8Array(8) })).toThrow(/12 bytes/);
    expect(() => a.enable('receive', { ...randomKeys(), sequenceNumber: -1n })).toThrow(RangeError);
    expect(() => a.enable('receive', { ...randomKeys(), sequenceNumber: 2n ** 64n })).toThrow(RangeError);
    expect(() => a.enable('receive', randomKeys(), { zeroCopy: true })).toThrow(TypeError);
    expect(() => a.enable('send', randomKeys(), { expectNoPad: true })).toThrow(TypeError);
    expect(() => a.enable('send', randomKeys(), { maxPayload: 62 })).toThrow(RangeError);
    a.close();
    b.close();
  });

  it('an AEAD that the kernel does not have is a coded error', () => {
    const [a, b] = socketPair();
    expect(code(() => a.enable('receive', { ...randomKeys(), aead: 'aes-128-ccm-8' }))).toBe('ERR_KTLS_CIPHER');
    expect(a.attached).toBe(false);
    a.close();
    b.close();
  });

  it('what would go out in clear is refused: sendRecord, sendFile, and write after refused send keys', async () => {
    const [a, b] = socketPair();
    const file = openSync('/proc/self/exe', 'r');
    expect(code(() => a.sendRecord(21, Uint8Array.of(1, 0)))).toBe('ERR_KTLS_UNSEALED');
    expect(code(() => a.sendFile(file, 0, 10))).toBe('ERR_KTLS_UNSEALED');
    closeSync(file);
    expect(code(() => a.enable('send', { ...randomKeys(), aead: 'camellia' }))).toBe('ERR_KTLS_CIPHER');
    expect(code(() => a.write([Buffer.from('secret')]))).toBe('ERR_KTLS_UNSEALED');
    a.continueInUserSpace();
    expect(a.write([Buffer.from('sealed elsewhere')])).toBe(16);
    a.close();
    expect((await readToEnd(b)).toString()).toBe('sealed elsewhere');
    b.close();
  });
});
