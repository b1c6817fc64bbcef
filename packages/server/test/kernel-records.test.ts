/** Connections whose records are the (fake) kernel's: key updates, limits, bad records, short and blocked writes, ends. */
import { describe, expect, it } from 'vitest';
import type { TlsConnection } from '../src/index.js';
import { type FakePair, fakePair, type SideOptions, secured } from './fake-pair.js';
import { eventually, pattern, readAll, readBytes } from './support.js';

const both: SideOptions = { offload: 'both', allowHalfOpen: true };

async function exchange(from: TlsConnection, to: TlsConnection, length = 40_000): Promise<void> {
  const data = pattern(length);
  from.write(data);
  expect((await readBytes(to, data.length)).equals(data)).toBe(true);
}

function errorOf(connection: TlsConnection): Promise<Error & { code?: string }> {
  return new Promise((resolve) => connection.once('error', resolve));
}

async function closed({ kernel }: FakePair): Promise<void> {
  await eventually(() => kernel.openDescriptors === 0, 'every descriptor closed');
}

describe('KeyUpdate', () => {
  it('replaces keys both ways in the kernel', async () => {
    const { server, client } = await secured({ server: both, client: both });
    const updates: unknown[] = [];
    server.on('keyUpdate', (update) => updates.push(update));
    for (let round = 0; round < 3; round += 1) {
      server.updateKeys({ requestPeer: true });
      await exchange(server, client);
      await exchange(client, server);
    }
    expect(updates).toContainEqual({ direction: 'send', requested: false });
    expect(updates).toContainEqual({ direction: 'receive', requested: true });
  });

  it('that is asked for together with the Finished is answered before the kernel takes over', async () => {
    const { server, client, secure } = fakePair({ server: both, client: { offload: 'off', allowHalfOpen: true } });
    client.once('secureConnect', () => client.updateKeys({ requestPeer: true }));
    await secure;
    expect(server.offload.send).toEqual({ where: 'kernel', device: 'software' });
    await exchange(server, client);
    await exchange(client, server);
  });

  it('goes between the parts of a write that blocks', async () => {
    const pair = await secured({ server: both, client: both });
    pair.serverEnd.bytesPerCall = 3000;
    const data = pattern(100_000);
    pair.server.write(data);
    pair.server.updateKeys();
    pair.client.updateKeys({ requestPeer: true });
    expect((await readBytes(pair.client, data.length)).equals(data)).toBe(true);
    await exchange(pair.client, pair.server);
    await exchange(pair.server, pair.client);
  });

  it('is refused with a code where the kernel cannot replace the sending key', async () => {
    const { server, client } = await secured({ abilities: { rekey: { send: false, receive: false } }, server: both });
    expect(() => server.updateKeys()).toThrow(expect.objectContaining({ code: 'ERR_TLS_REKEY_UNSUPPORTED' }));
    await exchange(server, client);
  });

  it("ends the connection in order where the kernel cannot follow the peer's", async () => {
    const pair = await secured({
      abilities: { rekey: { send: false, receive: false } },
      server: both,
      client: { offload: 'off' },
    });
    const error = errorOf(pair.server);
    pair.client.updateKeys();
    expect(await error).toMatchObject({ code: 'ERR_TLS_KEY_EXHAUSTED' });
    expect((await readAll(pair.client)).length).toBe(0);
    await closed(pair);
  });
});

describe('the limit of a key (§5.5)', () => {
  it('is kept by a KeyUpdate in time', async () => {
    const { server, client } = await secured({ server: { ...both, limits: { recordsPerKey: 20 } }, client: both });
    let updates = 0;
    server.on('keyUpdate', () => {
      updates += 1;
    });
    for (let round = 0; round < 10; round += 1) await exchange(server, client, 100_000);
    expect(updates).toBeGreaterThanOrEqual(4);
  });

  it('ends the connection before it is reached where keys cannot be replaced', async () => {
    const pair = await secured({
      abilities: { rekey: { send: false, receive: false } },
      server: { ...both, limits: { recordsPerKey: 20 } },
    });
    const error = errorOf(pair.server);
    pair.client.resume();
    const feed = () => {
      if (pair.server.writable) pair.server.write(pattern(16_384), feed);
    };
    feed();
    expect(await error).toMatchObject({ code: 'ERR_TLS_KEY_EXHAUSTED' });
    await closed(pair);
  });
});

describe('records', () => {
  it('that are forged are answered with bad_record_mac', async () => {
    const pair = await secured({ server: both, client: { offload: 'off' } });
    const failed = [errorOf(pair.server), errorOf(pair.client)];
    pair.serverEnd.inject(Uint8Array.of(23, 3, 3, 0, 32, ...new Uint8Array(32)));
    expect(await Promise.all(failed)).toMatchObject([
      { alert: 'bad_record_mac', received: false },
      { alert: 'bad_record_mac', received: true },
    ]);
    expect(pair.telemetry.alerts).toEqual({ sent: { bad_record_mac: 1 }, received: { bad_record_mac: 1 } });
    await closed(pair);
  });

  it('that came early, and one that came in part, do not stop receiving from going over', async () => {
    const pair = fakePair({ server: both, client: { offload: 'off', allowHalfOpen: true } });
    const data = pattern(30_000);
    pair.clientEnd.bytesPerCall = 10_007;
    pair.client.write(data);
    await pair.secure;
    expect((await readBytes(pair.server, data.length)).equals(data)).toBe(true);
    await exchange(pair.client, pair.server, 50_000);
    expect(pair.server.offload.receive).toEqual({ where: 'kernel', device: 'software' });
    await exchange(pair.server, pair.client);
  });
});

describe('writing', () => {
  it('goes on when the socket blocks at any byte', async () => {
    for (const bytesPerCall of [1, 5, 999]) {
      const pair = await secured({ server: both, client: both });
      pair.serverEnd.bytesPerCall = bytesPerCall;
      await exchange(pair.server, pair.client, bytesPerCall * 50);
      pair.server.destroy();
      pair.client.destroy();
      await closed(pair);
    }
  });

  it('holds the writer back while the peer does not read', async () => {
    const pair = await secured({ server: both, client: both });
    pair.serverEnd.sendBuffer = 50_000;
    pair.client.pause();
    const data = pattern(1_000_000);
    let sent = false;
    pair.server.write(data, () => {
      sent = true;
    });
    await new Promise((resolve) => setTimeout(resolve, 50));
    expect(sent).toBe(false);
    expect((await readBytes(pair.client, data.length)).equals(data)).toBe(true);
    await eventually(() => sent, 'the write is done');
  });

  it('makes one record of what is written in one turn', async () => {
    const { server, client, serverEnd } = await secured({ server: both });
    const before = serverEnd.transmitted.length;
    server.cork();
    for (let part = 0; part < 10; part += 1) server.write('part ');
    server.uncork();
    await readBytes(client, 50);
    expect(serverEnd.transmitted.length - before).toBe(5 + 50 + 1 + 16);
  });

  it('fails as a socket does when the peer has reset the connection', async () => {
    for (const server of [both, { ...both, offload: 'off' } as const]) {
      const pair = await secured({ server });
      const error = errorOf(pair.server);
      pair.serverEnd.failNext('write', 'EPIPE');
      const written = new Promise((resolve) => pair.server.write('into the void', resolve));
      expect(await error).toMatchObject({ code: 'EPIPE', syscall: 'write' });
      expect(await written).toBeInstanceOf(Error);
      pair.client.destroy();
      pair.client.on('error', () => undefined);
      await closed(pair);
    }
  });

  it('tells the alert, not the broken pipe behind it', async () => {
    const pair = await secured({ server: both, client: both });
    const error = errorOf(pair.server);
    pair.server.pause();
    pair.client.on('error', () => undefined);
    pair.clientEnd.inject(Uint8Array.of(23, 3, 3, 0, 32, ...new Uint8Array(32)));
    await eventually(() => pair.client.destroyed, 'the client gave up');
    pair.serverEnd.failNext('write', 'EPIPE');
    pair.server.write('late');
    expect(await error).toMatchObject({ alert: 'bad_record_mac', received: true });
    await closed(pair);
  });
});

describe('the end', () => {
  it('comes with close_notify behind everything that was written', async () => {
    const pair = await secured({ server: { offload: 'both' }, client: { offload: 'both' } });
    pair.serverEnd.bytesPerCall = 1000;
    const data = pattern(30_000);
    pair.server.end(data);
    expect((await readAll(pair.client)).equals(data)).toBe(true);
    await closed(pair);
  });

  it('without close_notify is an error', async () => {
    const pair = await secured({ server: both, client: both });
    const error = errorOf(pair.client);
    pair.server.write('not all');
    pair.client.resume();
    pair.server.on('error', () => undefined);
    pair.server.destroy(new Error('gone'));
    expect(await error).toMatchObject({ code: 'ERR_TLS_TRUNCATED' });
    await closed(pair);
  });

  it('is a reset when it is meant as one', async () => {
    const pair = await secured({ server: both, client: both });
    const error = errorOf(pair.client);
    pair.client.resume();
    pair.server.resetAndDestroy();
    expect(await error).toMatchObject({ code: 'ECONNRESET' });
    await closed(pair);
  });

  it('comes without close_notify when something that was written is lost', async () => {
    const pair = await secured({ server: both, client: both });
    const error = errorOf(pair.client);
    pair.serverEnd.sendBuffer = 20_000;
    pair.server.write(pattern(100_000));
    pair.server.destroy();
    pair.client.resume();
    expect(await error).toMatchObject({ code: 'ERR_TLS_TRUNCATED' });
    await closed(pair);
  });

  it('leaves no descriptor, at whatever step it comes', async () => {
    for (let step = 0; step < 12; step += 1) {
      for (const who of ['server', 'client'] as const) {
        const pair = fakePair({ server: { offload: 'both' }, client: { offload: 'both' } });
        pair.client.on('error', () => undefined);
        pair.server.on('error', () => undefined);
        pair.client.resume();
        pair.server.resume();
        for (let turn = 0; turn < step; turn += 1) await new Promise((resolve) => setImmediate(resolve));
        pair[who].destroy();
        await closed(pair);
      }
    }
  });
});
