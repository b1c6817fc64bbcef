// ktls-bind on a real kernel: what every kernel does (the contract), what this one can, and what only a real one shows.
import { spawnSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { closeSync, mkdtempSync, openSync, readdirSync, rmSync, writeSync } from 'node:fs';
import { createServer } from 'node:net';
import { constants, release, tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, describe, expect, it } from 'vitest';
import { kernel } from '../../packages/ktls-bind/src/index.js';
import type { KtlsSocket } from '../../packages/ktls-bind/src/types.js';
import { describeKernel } from '../../packages/ktls-bind/test/contract.js';
import { readToEnd, ready, socketPair, writeAll } from '../../packages/ktls-bind/test/pairs.js';
import {
  applicationData,
  cipherKeyLengths,
  openRecords,
  randomKeys,
  sealRecord,
} from '../../packages/ktls-bind/test/records.js';

const [major = 0, minor = 0] = release().split('.').map(Number);
const atLeast = (wantedMajor: number, wantedMinor: number) =>
  major > wantedMajor || (major === wantedMajor && minor >= wantedMinor);
const rekeys = atLeast(6, 14);
const descriptors = () => readdirSync('/proc/self/fd').length;
const opened: KtlsSocket[] = [];
const pair = (): readonly [KtlsSocket, KtlsSocket] => {
  const both = socketPair();
  opened.push(...both);
  return both;
};

afterEach(() => {
  for (const socket of opened.splice(0)) socket.close();
});

describeKernel(`Linux ${release()}`, { kernel, pair, rekeys });

describe('what this kernel can do', () => {
  it('is what its version promises', () => {
    const support = kernel.probe({ fresh: true });
    expect(support).toMatchObject({
      available: true,
      error: undefined,
      rekey: { send: rekeys, receive: rekeys },
      zeroCopy: atLeast(5, 19),
      expectNoPad: atLeast(6, 0),
      maxPayload: atLeast(6, 19),
    });
    for (const [cipher] of cipherKeyLengths) {
      expect(support.ciphers[cipher]).toEqual({ send: { supported: true }, receive: { supported: true } });
    }
    expect(support.summary).toBe(`kernel: send+receive, AES-GCM/CCM/ChaCha20, ${rekeys ? 'rekey' : 'no rekey'}`);
  });

  it('is found with keys that are gone afterwards', () => {
    const before = kernel.readTlsStat();
    kernel.probe({ fresh: true });
    const after = kernel.readTlsStat();
    expect(after?.TlsTxSw).toBeGreaterThan(before?.TlsTxSw ?? 0);
    expect(after?.TlsCurrTxSw).toBe(before?.TlsCurrTxSw);
    expect(after?.TlsCurrRxSw).toBe(before?.TlsCurrRxSw);
  });
});

describe('refusals of a real kernel', () => {
  const code = (name: string, errno?: string) =>
    expect.objectContaining(errno === undefined ? { code: name } : { code: name, errno });

  it('pitfall 5: a socket that is not connected gets no ULP (ENOTCONN)', async () => {
    const server = createServer();
    await new Promise<void>((resolve) => {
      server.listen(0, '127.0.0.1', resolve);
    });
    const handle: unknown = Reflect.get(server, '_handle');
    if (typeof handle !== 'object' || handle === null || !('fd' in handle)) throw new Error('no handle');
    const socket = kernel.open(Number(handle.fd));
    expect(() => socket.enable('send', randomKeys())).toThrow(code('ERR_KTLS_NOT_CONNECTED', 'ENOTCONN'));
    expect(socket.attached).toBe(false);
    socket.close();
    server.close();
    // Neither does one whose peer has sent its FIN.
    const [a, b] = pair();
    b.shutdown();
    await ready(a, true, false);
    expect(() => a.enable('send', randomKeys())).toThrow(code('ERR_KTLS_NOT_CONNECTED', 'ENOTCONN'));
  });

  it('pitfall 5: keys of another owner are not replaced by accident (EEXIST)', () => {
    const [a] = pair();
    const other = kernel.open(a.fd);
    opened.push(other);
    a.enable('send', randomKeys());
    expect(() => other.enable('send', randomKeys())).toThrow(code('ERR_KTLS_ULP_EXISTS', 'EEXIST'));
  });

  it('pitfall 4: after the ULP was attached and keys refused, not one plaintext byte is on the wire', async () => {
    // Receive keys of one cipher make the kernel refuse send keys of another: attached, and no way to seal.
    const [a, b] = pair();
    a.enable('receive', randomKeys('aes-128-gcm'));
    expect(() => a.enable('send', randomKeys('aes-256-gcm'))).toThrow(code('ERR_KTLS_CIPHER', 'EINVAL'));
    expect(a.attached).toBe(true);
    expect(a.enabled('send')).toBe(false);
    const file = openSync(fileURLToPath(import.meta.url), 'r');
    expect(() => a.write([Buffer.from('secret')])).toThrow(code('ERR_KTLS_UNSEALED'));
    expect(() => a.sendRecord(22, Buffer.from('secret'))).toThrow(code('ERR_KTLS_UNSEALED'));
    expect(() => a.sendFile(file, 0, 100)).toThrow(code('ERR_KTLS_UNSEALED'));
    closeSync(file);
    a.shutdown();
    expect((await readToEnd(b)).length).toBe(0);
  });

  it('pitfall 19: nobody takes the connection apart under the keys (connect to AF_UNSPEC)', async () => {
    const [a, b] = pair();
    const keys = randomKeys();
    a.enable('send', keys);
    // A system call that Node has not: `struct sockaddr` of family 0.
    const disconnect =
      'import ctypes; libc = ctypes.CDLL(None, use_errno=True);' +
      'print(libc.connect(3, bytes(16), 16), ctypes.get_errno())';
    const { stdout, stderr } = spawnSync('python3', ['-c', disconnect], { stdio: ['ignore', 'pipe', 'pipe', a.fd] });
    expect(stderr.toString()).toBe('');
    expect(stdout.toString().trim()).toBe(`-1 ${constants.errno.EOPNOTSUPP}`);
    await writeAll(a, Buffer.from('still sealed'));
    a.shutdown();
    const opened = openRecords(keys, 0n, await readToEnd(b));
    expect(Buffer.concat(opened.map(({ content }) => content)).toString()).toBe('still sealed');
  });

  it('pitfall 4: what the caller seals himself goes through an attached socket unchanged', async () => {
    const [a, b] = pair();
    a.attach();
    a.continueInUserSpace();
    await writeAll(a, Buffer.from('sealed by the caller'));
    a.shutdown();
    expect((await readToEnd(b)).toString()).toBe('sealed by the caller');
  });

  if (!atLeast(6, 19)) {
    it('pitfall 12: a payload limit is refused before any key is set', () => {
      const [a] = pair();
      expect(() => a.enable('send', randomKeys(), { maxPayload: 512 })).toThrow(code('ERR_KTLS_OPTION', 'ENOPROTOOPT'));
      expect(a.enabled('send')).toBe(false);
      expect(() => a.write([Buffer.from('x')])).toThrow(code('ERR_KTLS_UNSEALED'));
    });
  }
});

describe('options', () => {
  if (atLeast(6, 19)) {
    it('pitfall 12: maxPayload bounds the content of every record', async () => {
      for (const maxPayload of [63, 512, 16384]) {
        const keys = randomKeys();
        const [a, b] = pair();
        a.enable('send', keys, { maxPayload });
        const message = randomBytes(20000);
        const received = readToEnd(b);
        await writeAll(a, message);
        a.shutdown();
        const records = openRecords(keys, 0n, await received);
        expect(Math.max(...records.map(({ content }) => content.length))).toBe(maxPayload);
        expect(applicationData(records).equals(message)).toBe(true);
      }
    });
  }

  it('pitfall 11: with expectNoPad padded records still open, and are counted', async () => {
    const keys = randomKeys();
    const [a, b] = pair();
    a.enable('receive', keys, { expectNoPad: true });
    const before = kernel.readTlsStat();
    const wire = [sealRecord(keys, 0n, 23, Buffer.from('plain ')), sealRecord(keys, 1n, 23, Buffer.from('padded'), 64)];
    await writeAll(b, Buffer.concat(wire));
    b.shutdown();
    let text = '';
    const into = new Uint8Array(32768);
    while (text.length < 12 && (await ready(a, true, false))) {
      const record = a.readRecord(into);
      if (record?.kind === 'record') text += Buffer.from(into.subarray(0, record.length)).toString();
    }
    expect(text).toBe('plain padded');
    const after = kernel.readTlsStat();
    expect((after?.TlsRxNoPadViolation ?? 0) - (before?.TlsRxNoPadViolation ?? 0)).toBe(1);
    expect((after?.TlsDecryptRetry ?? 0) - (before?.TlsDecryptRetry ?? 0)).toBe(1);
  });

  it('zeroCopy sends the same records in software', async () => {
    const keys = randomKeys();
    const [a, b] = pair();
    a.enable('send', keys, { zeroCopy: true });
    const path = fileURLToPath(import.meta.url);
    const file = openSync(path, 'r');
    expect(a.sendFile(file, 3, 700)).toEqual({ bytes: 700, blocked: false, endOfFile: false });
    closeSync(file);
    a.shutdown();
    expect(applicationData(openRecords(keys, 0n, await readToEnd(b))).length).toBe(700);
  });
});

describe('a full send buffer', () => {
  it('pitfall 8: close_notify survives EAGAIN and comes last', async () => {
    const keys = randomKeys();
    const [a, b] = pair();
    a.enable('send', keys);
    const chunk = randomBytes(100_000);
    let total = 0;
    for (let count = 1; count > 0; total += count) count = a.write([chunk]);
    let blocked = 0;
    let peer: Promise<Buffer> | undefined;
    while (!a.sendRecord(21, Uint8Array.of(1, 0))) {
      blocked++;
      peer ??= readToEnd(b);
      expect(await ready(a, false, true)).toBe(true);
    }
    expect(blocked).toBeGreaterThan(0);
    a.shutdown();
    const records = openRecords(keys, 0n, await (peer ?? readToEnd(b)));
    expect(records.pop()).toEqual({ contentType: 21, content: Buffer.from([1, 0]) });
    expect(applicationData(records).length).toBe(total);
  });

  it('pitfall 9: short writes lose and repeat nothing', async () => {
    const keys = randomKeys('chacha20-poly1305');
    const [a, b] = pair();
    a.enable('send', keys);
    const message = randomBytes(3_000_000);
    const received = readToEnd(b);
    let short = 0;
    for (let at = 0; at < message.length; ) {
      const chunks = [message.subarray(at, at + 777), message.subarray(at + 777, at + 700_000)];
      const count = a.write(chunks);
      if (count < 700_000 && at + count < message.length) short++;
      at += count;
      if (count === 0) expect(await ready(a, false, true)).toBe(true);
    }
    expect(short).toBeGreaterThan(0);
    a.shutdown();
    expect(applicationData(openRecords(keys, 0n, await received)).equals(message)).toBe(true);
  });
});

describe('a peer that goes', () => {
  it('resets: sending a file ends with an errno', async () => {
    const [a, b] = pair();
    a.enable('send', randomKeys());
    const folder = mkdtempSync(join(tmpdir(), 'ktls-'));
    const file = openSync(join(folder, 'file'), 'w+');
    writeSync(file, randomBytes(8_000_000));
    expect(a.sendFile(file, 0, 8_000_000).bytes).toBeGreaterThan(0);
    b.reset();
    const send = async () => {
      for (;;) {
        a.sendFile(file, 0, 8_000_000);
        await ready(a, false, true);
      }
    };
    await expect(send()).rejects.toMatchObject({ code: 'ERR_KTLS_IO', step: 'file' });
    closeSync(file);
    rmSync(folder, { recursive: true });
  });

  it('pitfall 10: sendfile does not kill a process that does not ignore SIGPIPE', () => {
    const program = fileURLToPath(new URL('./sigpipe.mjs', import.meta.url));
    const { status, signal, stdout, stderr } = spawnSync(process.execPath, [program], { encoding: 'utf8' });
    expect({ signal, stderr }).toEqual({ signal: null, stderr: '' });
    expect(stdout.trim()).toBe('EPIPE');
    expect(status).toBe(0);
  });
});

describe('large files', () => {
  it('pitfall 9: offsets beyond 2 GiB and 4 GiB reach the right bytes', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'ktls-'));
    const file = openSync(join(folder, 'sparse'), 'w+');
    for (const offset of [2 ** 31 - 3, 2 ** 32 - 3, 2 ** 32 + 5, 2 ** 40]) {
      const mark = randomBytes(10);
      writeSync(file, mark, 0, 10, offset);
      const keys = randomKeys();
      const [a, b] = pair();
      a.enable('send', keys);
      expect(a.sendFile(file, offset, 10)).toEqual({ bytes: 10, blocked: false, endOfFile: false });
      a.shutdown();
      expect(applicationData(openRecords(keys, 0n, await readToEnd(b))).equals(mark)).toBe(true);
    }
    const [a] = pair();
    a.enable('send', randomKeys());
    expect(a.sendFile(file, 2 ** 41, 10)).toEqual({ bytes: 0, blocked: false, endOfFile: true });
    closeSync(file);
    rmSync(folder, { recursive: true });
  });
});

describe('descriptors', () => {
  const steps: ReadonlyArray<readonly [string, (a: KtlsSocket, b: KtlsSocket) => void]> = [
    ['opened', () => {}],
    ['watched', (a) => a.watch(true, true)],
    ['attached', (a) => a.attach()],
    ['keys refused', (a) => expect(() => a.enable('send', { ...randomKeys(), aead: 'none' })).toThrow()],
    ['sending', (a) => a.enable('send', randomKeys())],
    ['receiving', (a) => a.enable('receive', randomKeys())],
    [
      'both, with data under way',
      (a, b) => {
        const keys = randomKeys();
        a.enable('send', keys);
        a.enable('receive', keys);
        a.write([randomBytes(1000)]);
        b.write([sealRecord(keys, 0n, 23, Buffer.from('unread'))]);
        a.watch(true, false);
      },
    ],
    ['asked for info', (a) => void a.info()],
  ];

  it('200 sockets opened and dropped at every step leave none, and no session in the kernel', async () => {
    kernel.probe();
    await new Promise((resolve) => setImmediate(resolve));
    const before = descriptors();
    for (const [name, step] of steps) {
      for (let i = 0; i < 25; i++) {
        const [a, b] = socketPair();
        step(a, b);
        if (i % 2 === 0) a.reset();
        else a.close();
        b.close();
      }
      expect(descriptors(), name).toBe(before);
    }
    for (let i = 0; i < 100 && kernel.readTlsStat()?.TlsCurrTxSw !== 0; i++) {
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
    expect(kernel.readTlsStat()).toMatchObject({ TlsCurrTxSw: 0, TlsCurrRxSw: 0 });
  });
});

describe('two kernel ends', () => {
  it('pitfall 17: records of all types keep their type and their edges over a stream read in bursts', async () => {
    const [up, down] = [randomKeys('aes-256-gcm', 9n), randomKeys('aes-256-gcm', 1n)];
    const [a, b] = pair();
    const before = kernel.readTlsStat();
    a.enable('send', up);
    a.enable('receive', down);
    b.enable('send', down);
    b.enable('receive', up);
    const after = kernel.readTlsStat();
    expect((after?.TlsTxSw ?? 0) - (before?.TlsTxSw ?? 0)).toBe(2);
    expect((after?.TlsRxSw ?? 0) - (before?.TlsRxSw ?? 0)).toBe(2);
    const sent: Array<readonly [number, Buffer]> = Array.from({ length: 300 }, (_, i) => [
      [23, 22, 21, 23, 24, 23][i % 6] ?? 23,
      // No handshake message among them is a KeyUpdate (24), which the kernel would act upon.
      randomBytes(1 + ((i * 7919) % 3000)).fill(4, 0, 1),
    ]);
    for (const [type, content] of sent) {
      if (type === 23) await writeAll(a, content);
      else expect(a.sendRecord(type, content)).toBe(true);
    }
    a.shutdown();
    const into = new Uint8Array(16384);
    const received: Array<[number, Buffer]> = [];
    for (;;) {
      const record = b.readRecord(into);
      if (record === undefined) {
        expect(await ready(b, true, false)).toBe(true);
        continue;
      }
      if (record.kind === 'end') break;
      received.push([record.contentType, Buffer.from(into.subarray(0, record.length))]);
    }
    const joined = (list: ReadonlyArray<readonly [number, Buffer]>) =>
      list.reduce<Array<[number, string]>>((all, [type, content]) => {
        const last = all.at(-1);
        if (type === 23 && last?.[0] === 23) last[1] += content.toString('hex');
        else all.push([type, content.toString('hex')]);
        return all;
      }, []);
    expect(joined(received)).toEqual(joined(sent));
    expect(a.info()).toEqual({ version: 'TLS 1.3', cipher: 'aes-256-gcm', send: 'software', receive: 'software' });
  });
});
