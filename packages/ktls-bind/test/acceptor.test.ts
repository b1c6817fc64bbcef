// Connections taken from a listening descriptor, on the running kernel; and what is done when it gives none.
import { once } from 'node:events';
import { readdirSync, readFileSync } from 'node:fs';
import { createServer, connect as dial, Socket } from 'node:net';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { openAcceptor } from '../src/acceptor.js';
import { errnos } from '../src/errno.js';
import { KtlsError } from '../src/errors.js';
import { kernel } from '../src/index.js';
import type { NativeAcceptor, NativeSocket } from '../src/load.js';
import type { AcceptOptions, Acceptor, KtlsSocket } from '../src/types.js';
import { readBytes, socketPair } from './pairs.js';

const cleanups: (() => void)[] = [];
afterEach(() => {
  for (const clean of cleanups.splice(0).reverse()) clean();
});

const descriptors = () => readdirSync('/proc/self/fd').length;

function descriptorOf(owner: object): number {
  const handle: unknown = Reflect.get(owner, '_handle');
  if (typeof handle !== 'object' || handle === null || !('fd' in handle)) throw new Error('no handle');
  return Number(handle.fd);
}

/** An acceptor whose listening socket nobody else accepts from. */
async function accepting(options: Partial<AcceptOptions> = {}) {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  if (address === null || typeof address === 'string' || kernel.accept === undefined) throw new Error('no acceptor');
  const bursts: (readonly KtlsSocket[])[] = [];
  const accepted = (sockets: readonly KtlsSocket[]) => bursts.push(sockets);
  const acceptor = kernel.accept(descriptorOf(server), { accepted, ...options });
  server.close();
  cleanups.push(() => {
    acceptor.close();
    for (const socket of bursts.flat()) socket.close();
  });
  return { acceptor, bursts, port: address.port };
}

function client(port: number): Socket {
  const socket = dial(port, '127.0.0.1').on('error', () => undefined);
  cleanups.push(() => socket.destroy());
  return socket;
}

async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await new Promise((resolve) => setTimeout(resolve, 2));
}

describe('an acceptor', () => {
  it('hands out sockets that know their addresses, read and write', async () => {
    const { bursts, port } = await accepting();
    const near = client(port);
    await until(() => bursts.length > 0);
    const [far] = bursts.flat();
    if (far === undefined) throw new Error('nothing was accepted');
    expect(far.remoteAddress()).toEqual({ address: '127.0.0.1', port: near.localPort, family: 'IPv4' });
    expect(far.localAddress()?.port).toBe(port);
    expect(far.attached).toBe(false);
    expect(far.read(new Uint8Array(1))).toBeUndefined();
    near.write('ping');
    expect(String(await readBytes(far, 4))).toBe('ping');
    const answer = once(near, 'data');
    far.write([Buffer.from('pong')]);
    expect(String((await answer)[0])).toBe('pong');
  });

  it('takes those that wait together, in their order, and a bounded number in a turn', async () => {
    const { acceptor, bursts, port } = await accepting();
    const ports: (number | undefined)[] = [];
    // The event loop is held up meanwhile for the acceptor: these connect before it looks.
    const clients = Array.from({ length: 80 }, () => client(port));
    await Promise.all(clients.map((each) => once(each, 'connect')));
    await until(() => bursts.flat().length === 80);
    for (const burst of bursts) expect(burst.length).toBeLessThanOrEqual(32);
    expect(bursts.length).toBeLessThan(80);
    for (const socket of bursts.flat()) ports.push(socket.remoteAddress()?.port);
    expect(new Set(ports)).toEqual(new Set(clients.map(({ localPort }) => localPort)));
    expect(acceptor.closed).toBe(false);
  });

  it('gives every connection the options of the listening socket', async () => {
    const { bursts, port } = await accepting({ keepAlive: true, keepAliveInitialDelay: 7000, noDelay: true });
    client(port);
    await until(() => bursts.length > 0);
    // The timer that is set (column tr) is the one of keep-alive, in hundredths of a second.
    const hex = port.toString(16).toUpperCase().padStart(4, '0');
    const lines = readFileSync('/proc/net/tcp', 'latin1').split('\n');
    const line = lines.find((each) => new RegExp(`^ *\\d+: 0100007F:${hex} 0100007F:\\w+ 01 `).test(each));
    const [kind, hundredths] = line?.trim().split(/ +/)[5]?.split(':') ?? [];
    expect(kind).toBe('02');
    expect(Number.parseInt(hundredths ?? '', 16)).toBeLessThanOrEqual(700);
  });

  it('gives its descriptor back, which listens on', async () => {
    const before = descriptors();
    const { acceptor, bursts, port } = await accepting();
    const fd = acceptor.handBack();
    expect(acceptor.closed).toBe(true);
    const near = client(port);
    await once(near, 'connect');
    const server = createServer().listen({ fd });
    const [far]: Socket[] = await once(server, 'connection');
    expect(far).toBeInstanceOf(Socket);
    expect(bursts).toEqual([]);
    far?.destroy();
    near.destroy();
    await new Promise((resolve) => server.close(resolve));
    await until(() => descriptors() <= before);
  });

  it('leaves no descriptor behind, and resets who waits', async () => {
    const before = descriptors();
    const { acceptor, port } = await accepting();
    acceptor.close();
    acceptor.close();
    const [error] = await once(client(port), 'error');
    expect(error.code).toBe('ECONNREFUSED');
    await until(() => descriptors() <= before);
  });

  it('refuses what does not listen', () => {
    const before = descriptors();
    const [a, b] = socketPair();
    const refused = (fd: number) => {
      try {
        kernel.accept?.(fd, { accepted: () => undefined });
      } catch (error) {
        return error instanceof KtlsError ? error.errno : error;
      }
      return undefined;
    };
    expect(refused(a.fd)).toBe('EINVAL');
    const { fd } = b;
    b.close();
    expect(refused(fd)).toBe('EBADF');
    expect(() => kernel.accept?.(-1, { accepted: () => undefined })).toThrow(TypeError);
    a.close();
    expect(descriptors()).toBeLessThanOrEqual(before);
  });
});

describe('without descriptors or memory', () => {
  /** A native part that does as it is told. */
  class Told implements NativeAcceptor {
    static last: Told | undefined;
    readonly error = 0;
    readonly calls: string[] = [];
    onAccepted?: ((error: number, sockets: readonly NativeSocket[]) => void) | undefined;

    constructor() {
      Told.last = this;
    }
    setOption(): number {
      return 0;
    }
    watch(on: boolean): number {
      this.calls.push(`watch ${on}`);
      return 0;
    }
    ref(): void {}
    handBack(): number {
      return 3;
    }
    close(): void {
      this.calls.push('close');
    }
  }

  afterEach(() => vi.useRealTimers());

  function told(): { readonly native: Told; readonly acceptor: Acceptor; readonly accepted: () => number } {
    vi.useFakeTimers();
    let bursts = 0;
    const accepted = () => {
      bursts += 1;
    };
    const acceptor = openAcceptor(Told, 3, { accepted });
    if (Told.last === undefined) throw new Error('nothing was made');
    return { native: Told.last, acceptor, accepted: () => bursts };
  }

  it('an acceptor pauses, and tries again after a while', () => {
    const { native, acceptor, accepted } = told();
    native.onAccepted?.(-errnos.EMFILE, []);
    expect(native.calls).toEqual(['watch true', 'watch false']);
    vi.advanceTimersByTime(99);
    expect(native.calls.length).toBe(2);
    vi.advanceTimersByTime(1);
    expect(native.calls).toEqual(['watch true', 'watch false', 'watch true']);
    expect(accepted()).toBe(0);
    acceptor.close();
  });

  it('a paused acceptor that is closed stays so', () => {
    const { native, acceptor } = told();
    native.onAccepted?.(-errnos.EMFILE, []);
    acceptor.close();
    vi.advanceTimersByTime(1000);
    expect(native.calls).toEqual(['watch true', 'watch false', 'close']);
    expect(vi.getTimerCount()).toBe(0);
  });
});
