// What KtlsSocket makes of the numbers that system calls return, on a native part that returns any number wanted.
import { describe, expect, it } from 'vitest';
import { errnoName, errnos } from '../src/errno.js';
import { KtlsError } from '../src/errors.js';
import { createKernel } from '../src/kernel.js';
import { type Native, type NativeSocket, native } from '../src/load.js';
import { parseTlsStat } from '../src/tls-stat.js';
import type { Kernel, KtlsSocket } from '../src/types.js';
import { randomKeys } from './records.js';

/** A kernel whose calls on sockets return 0 unless `answers` says otherwise. */
function stubKernel(answers: Partial<NativeSocket>, loopbackPair: Native['loopbackPair'] = () => [3, 4]): Kernel {
  class Stub implements NativeSocket {
    readonly error: number = answers.error ?? 0;
    fd = () => 3;
    read = answers.read ?? (() => 0);
    peek = answers.peek ?? (() => 0);
    readRecord = answers.readRecord ?? (() => 0);
    write = answers.write ?? (() => 0);
    writeRecord = answers.writeRecord ?? (() => 0);
    sendFile = answers.sendFile ?? (() => 0);
    ulpAttached = answers.ulpAttached ?? (() => 0);
    attachUlp = answers.attachUlp ?? (() => 0);
    cipherInUse = answers.cipherInUse ?? (() => 0);
    setKeys = answers.setKeys ?? (() => 0);
    setOption = answers.setOption ?? (() => 0);
    knowsOption = answers.knowsOption ?? (() => true);
    watch = answers.watch ?? (() => 0);
    ref = () => {};
    shutdown = answers.shutdown ?? (() => 0);
    close = () => 0;
    takeError = answers.takeError ?? (() => 0);
    unacknowledged = answers.unacknowledged ?? (() => 0);
    localAddress = answers.localAddress ?? (() => undefined);
    remoteAddress = answers.remoteAddress ?? (() => undefined);
    diagnose = answers.diagnose ?? (() => -errnos.EPERM);
  }
  return createKernel({ Socket: Stub, loopbackPair }, () => undefined);
}

const stub = (answers: Partial<NativeSocket>): KtlsSocket => stubKernel(answers).open(3);

const buffer = new Uint8Array(16384);
const coded = (code: string, step: string, errno?: string) => expect.objectContaining({ code, step, errno });

describe('errors of reading', () => {
  const reading = (result: number) => {
    const socket = stub({ readRecord: () => result, read: () => result });
    socket.enable('receive', randomKeys());
    return socket;
  };

  for (const [number, code, errno] of [
    [-errnos.EIO, 'ERR_KTLS_CONTROL_RECORD', 'EIO'],
    [-errnos.EKEYEXPIRED, 'ERR_KTLS_KEY_EXPIRED', 'EKEYEXPIRED'],
    [-errnos.EBADMSG, 'ERR_KTLS_BAD_RECORD', 'EBADMSG'],
    [-errnos.EMSGSIZE, 'ERR_KTLS_RECORD_OVERFLOW', 'EMSGSIZE'],
    [-errnos.EINVAL, 'ERR_KTLS_BAD_HEADER', 'EINVAL'],
    [-errnos.ECONNRESET, 'ERR_KTLS_IO', 'ECONNRESET'],
    [-4711, 'ERR_KTLS_IO', 'errno 4711'],
  ] as const) {
    it(`${errno} is ${code}`, () => {
      expect(() => reading(number).readRecord(buffer)).toThrow(coded(code, 'read', errno));
      expect(() => reading(number).read(buffer)).toThrow(coded(code, 'read', errno));
    });
  }

  for (const [number, code] of [
    [-10001, 'ERR_KTLS_CONTROL_TRUNCATED'],
    [-10002, 'ERR_KTLS_RECORD_TYPE_MISSING'],
    [-10003, 'ERR_KTLS_RECORD_INCOMPLETE'],
  ] as const) {
    it(`pitfall 17: ${code} is fatal and has no errno`, () => {
      expect(() => reading(number).readRecord(buffer)).toThrow(coded(code, 'read', undefined));
    });
  }

  it('tells content type, length, emptiness and the end apart', () => {
    expect(reading(21 * 2 ** 32 + 2).readRecord(buffer)).toEqual({ kind: 'record', contentType: 21, length: 2 });
    expect(reading(255 * 2 ** 32 + 16384).readRecord(buffer)).toEqual({
      kind: 'record',
      contentType: 255,
      length: 16384,
    });
    expect(reading(21 * 2 ** 32).readRecord(buffer)).toEqual({ kind: 'record', contentType: 21, length: 0 });
    expect(reading(0).readRecord(buffer)).toEqual({ kind: 'end' });
    expect(reading(-errnos.EAGAIN).readRecord(buffer)).toBeUndefined();
    expect(reading(-errnos.EAGAIN).read(buffer)).toBeUndefined();
  });
});

describe('errors of setting keys', () => {
  for (const [errno, code] of [
    ['ENOENT', 'ERR_KTLS_NO_ULP'],
    ['EPERM', 'ERR_KTLS_NO_ULP'],
    ['ENOPROTOOPT', 'ERR_KTLS_NO_ULP'],
    ['ENOTCONN', 'ERR_KTLS_NOT_CONNECTED'],
    ['EEXIST', 'ERR_KTLS_ULP_EXISTS'],
    ['ENOMEM', 'ERR_KTLS_IO'],
  ] as const) {
    it(`pitfall 5: ${errno} of the ULP is ${code}`, () => {
      const socket = stub({ attachUlp: () => -errnos[errno] });
      expect(() => socket.enable('send', randomKeys())).toThrow(coded(code, 'ulp', errno));
      expect(socket.attached).toBe(false);
      expect(() => socket.write([buffer])).toThrow(coded('ERR_KTLS_UNSEALED', 'write'));
    });
  }

  for (const [errno, first, again] of [
    ['ENOENT', 'ERR_KTLS_CIPHER', 'ERR_KTLS_REKEY_UNSUPPORTED'],
    ['EINVAL', 'ERR_KTLS_CIPHER', 'ERR_KTLS_REKEY_UNSUPPORTED'],
    ['ENOPROTOOPT', 'ERR_KTLS_CIPHER', 'ERR_KTLS_REKEY_UNSUPPORTED'],
    ['EBUSY', 'ERR_KTLS_ULP_EXISTS', 'ERR_KTLS_REKEY_UNSUPPORTED'],
    ['EOPNOTSUPP', 'ERR_KTLS_CIPHER', 'ERR_KTLS_REKEY_UNSUPPORTED'],
    ['EAGAIN', 'ERR_KTLS_CIPHER', 'ERR_KTLS_REKEY_AGAIN'],
  ] as const) {
    it(`${errno} is ${first} for first keys, ${again} for next ones`, () => {
      expect(() => stub({ setKeys: () => -errnos[errno] }).enable('send', randomKeys())).toThrow(
        coded(first, 'crypto', errno),
      );
      let calls = 0;
      const socket = stub({ setKeys: () => (calls++ === 0 ? 0 : -errnos[errno]) });
      socket.enable('send', randomKeys());
      expect(() => socket.enable('send', randomKeys())).toThrow(coded(again, 'rekey', errno));
      expect(socket.enabled('send')).toBe(true);
    });
  }

  it('a refused option leaves the direction without keys', () => {
    let keysSet = 0;
    const answers = { setOption: () => -errnos.ENOPROTOOPT, setKeys: () => keysSet++, knowsOption: () => false };
    const refused = coded('ERR_KTLS_OPTION', 'option', 'ENOPROTOOPT');
    expect(() => stub(answers).enable('send', randomKeys(), { zeroCopy: true })).toThrow(refused);
    expect(() => stub(answers).enable('send', randomKeys(), { maxPayload: 512 })).toThrow(refused);
    expect(() => stub(answers).enable('receive', randomKeys(), { expectNoPad: true })).toThrow(refused);
    expect(keysSet).toBe(0);
  });
});

describe('errors of sending', () => {
  it('a control record is all, nothing, or fatal', () => {
    for (const [result, expected] of [
      [2, true],
      [-errnos.EAGAIN, false],
    ] as const) {
      const socket = stub({ writeRecord: () => result });
      socket.enable('send', randomKeys());
      expect(socket.sendRecord(21, Uint8Array.of(1, 0))).toBe(expected);
    }
    const socket = stub({ writeRecord: () => 1 });
    socket.enable('send', randomKeys());
    expect(() => socket.sendRecord(21, Uint8Array.of(1, 0))).toThrow(coded('ERR_KTLS_RECORD_SHORT', 'record'));
  });

  it('the progress of a file is unpacked', () => {
    for (const [result, progress] of [
      [4 * 4096, { bytes: 4096, blocked: false, endOfFile: false }],
      [4 * 4096 + 1, { bytes: 4096, blocked: true, endOfFile: false }],
      [2, { bytes: 0, blocked: false, endOfFile: true }],
    ] as const) {
      const socket = stub({ sendFile: () => result });
      socket.enable('send', randomKeys());
      expect(socket.sendFile(5, 0, 1_000_000)).toEqual(progress);
    }
  });
});

describe('info', () => {
  it('without diagnostics is what the socket itself tells', () => {
    const socket = stub({ diagnose: () => -errnos.EPERM, cipherInUse: (direction) => (direction === 1 ? 54 : 0) });
    expect(socket.info()).toEqual({
      version: 'TLS 1.3',
      cipher: 'chacha20-poly1305',
      send: 'unknown',
      receive: 'none',
    });
  });

  it('tells software from device', () => {
    expect(stub({ diagnose: () => [0x0304, 52, 3, 2] }).info()).toEqual({
      version: 'TLS 1.3',
      cipher: 'aes-256-gcm',
      send: 'device',
      receive: 'software',
    });
    expect(stub({ diagnose: () => [0, 0, 1, 1] }).info()).toMatchObject({ version: undefined, send: 'none' });
  });
});

describe('absence', () => {
  const reason = new KtlsError('kernel TLS is Linux’s; this is plan9', { code: 'ERR_KTLS_UNAVAILABLE', step: 'load' });
  const kernel = createKernel(reason, () => undefined);

  it('is a value, with its reason', () => {
    expect(kernel.nativeAvailable).toBe(false);
    expect(kernel.probe()).toMatchObject({
      available: false,
      error: reason,
      summary: 'user space: kernel TLS is Linux’s; this is plan9',
    });
    expect(kernel.probe().ciphers['aes-128-gcm'].send).toEqual({ supported: false, error: reason });
    expect(() => kernel.open(3)).toThrow(reason);
  });

  it('of a loopback interface is a verdict, too', () => {
    expect(stubKernel({}, () => -errnos.ENETUNREACH).probe()).toMatchObject({
      available: false,
      error: { code: 'ERR_KTLS_IO', step: 'probe', errno: 'ENETUNREACH' },
    });
  });
});

describe('the native part itself', () => {
  it('pitfall 17: a record without its content type is not taken for data', () => {
    if (native instanceof KtlsError) throw native;
    const pair = native.loopbackPair();
    if (typeof pair === 'number') throw new Error(errnoName(pair));
    const [a, b] = [new native.Socket(pair[0], true), new native.Socket(pair[1], true)];
    expect(a.write([Buffer.from('plain bytes')], false)).toBe(11);
    expect(b.readRecord(buffer)).toBe(-10002);
    expect(a.close(false)).toBe(0);
    expect(b.readRecord(buffer)).toBe(0);
    b.close(false);
    expect(b.read(buffer)).toBe(-errnos.EBADF);
  });
});

describe('/proc/net/tls_stat', () => {
  it('is names and numbers', () => {
    expect(parseTlsStat('TlsCurrTxSw                     \t0\nTlsTxSw \t12\n\n')).toEqual({
      TlsCurrTxSw: 0,
      TlsTxSw: 12,
    });
  });
});
