// What must never get out: plaintext when the kernel refuses, and descriptors of connections that are dropped anywhere.
import { setTimeout as delay } from 'node:timers/promises';
import type { TlsConnection } from 'tls13-server';
import { describe, expect, it } from 'vitest';
import { connected, dial, failure, readAll, readBytes, startServer } from './support/connections.js';
import { bytesOf, fileOf, mebibytes } from './support/files.js';
import { HandMadeClient } from './support/hand-made.js';
import { countTlsStat, descriptors, until, within } from './support/kernel.js';
import { refusingKernel } from './support/refusing.js';
import { recordedWire, recordsOf } from './support/wire.js';

/** Recognisable anywhere in a capture. */
const secret = Buffer.from('-- the secret of the application --'.repeat(3));
const piece = secret.subarray(0, 16);
const secretFile = fileOf(secret, 'secret');
const inKernel = { where: 'kernel', device: 'software' };

/** Whatever an application might still try with a connection. */
async function tryToSend(connection: TlsConnection): Promise<void> {
  connection.on('error', () => undefined);
  connection.write(secret);
  connection.end(secret);
  await connection.sendFile(secretFile).catch(() => undefined);
}

describe('pitfall 4: attached and keys refused: not one plaintext byte on the wire', () => {
  const directions = ['send', 'receive'] as const;

  it.each(directions)('our server, keys of %s', async (refusedDirection) => {
    const refusing = refusingKernel(refusedDirection);
    const listener = await startServer({ offload: 'both', kernel: refusing, maxHandshakes: 5 });
    const wire = await recordedWire(listener.port);
    const failed = new Promise<Error>((resolve) => {
      listener.server.on('tlsClientError', (error, connection) => {
        void tryToSend(connection);
        resolve(error);
      });
    });
    const client = dial(wire.port, { offload: 'off' });
    client.on('error', () => undefined).resume();
    expect(await within(failed, 'the refusal')).toMatchObject({ code: 'ERR_TLS_OFFLOAD_FAILED' });
    expect(refusing.refusals()).toBe(1);
    await within(wire.ended, 'the end of the connection');
    expect(wire.down().includes(piece)).toBe(false);
    // Handshake records, and an alert where the kernel could seal one: nothing else, and nothing that is no record.
    expect(recordsOf(wire.down()).length).toBeGreaterThan(2);
    expect(listener.server.counters.offload[refusedDirection]).toEqual({ 'enable-failed': 1 });
    expect(listener.server.counters.connections.open).toBe(0);
  });

  it.each(directions)(
    'our client, keys of %s, with a write that waited for the handshake',
    async (refusedDirection) => {
      const refusing = refusingKernel(refusedDirection);
      const listener = await startServer({ offload: 'off' });
      listener.server.on('secureConnection', (connection) => connection.on('error', () => undefined).resume());
      const wire = await recordedWire(listener.port);
      const client = dial(wire.port, { offload: 'both', kernel: refusing });
      const failed = failure(client);
      client.write(secret);
      const file = expect(client.sendFile(secretFile)).rejects.toThrow();
      expect(await failed).toMatchObject({ code: 'ERR_TLS_OFFLOAD_FAILED' });
      await file;
      await tryToSend(client);
      expect(refusing.refusals()).toBe(1);
      await within(wire.ended, 'the end of the connection');
      expect(wire.up().includes(piece)).toBe(false);
      expect(recordsOf(wire.up()).length).toBeGreaterThan(2);
    },
  );

  it('the recording would show it: without TLS the bytes are there', async () => {
    const listener = await startServer();
    const wire = await recordedWire(listener.port);
    const raw = new HandMadeClient(wire.port);
    raw.socket.end(secret);
    await within(wire.ended, 'the end of the connection');
    expect(wire.up().includes(piece)).toBe(true);
    expect(() => recordsOf(wire.up())).toThrow('no TLS record');
  });

  it('where the record layer cannot be attached, user space goes on sealing', async () => {
    const refusing = refusingKernel('attach');
    const listener = await startServer({ offload: 'both', kernel: refusing });
    const risen = countTlsStat();
    const wire = await recordedWire(listener.port);
    const client = await connected(wire.port, { offload: 'off' });
    const server = await listener.next();
    const refused = expect.objectContaining({ where: 'user', reason: 'attach-failed' });
    expect(server.offload).toEqual({ send: refused, receive: refused });
    server.write(secret);
    const [sent] = await Promise.all([server.sendFile(secretFile), readBytes(client, 2 * secret.length)]);
    expect(sent).toBe(secret.length);
    client.end(secret);
    expect((await readAll(server)).equals(secret)).toBe(true);
    await within(wire.ended, 'the end of the connection');
    expect([wire.down().includes(piece), wire.up().includes(piece)]).toEqual([false, false]);
    expect([recordsOf(wire.down()).length > 2, risen('TlsTxSw')]).toEqual([true, 0]);
  });

  it('where nothing refuses, both directions are ciphertext from the first byte to the last', async () => {
    const listener = await startServer({ offload: 'both' });
    const wire = await recordedWire(listener.port);
    const client = dial(wire.port, { offload: 'both' });
    client.write(secret);
    const server = await listener.next();
    const sending = server.sendFile(secretFile);
    server.end(secret);
    expect((await readBytes(client, 2 * secret.length)).includes(secret)).toBe(true);
    expect((await readBytes(server, secret.length)).equals(secret)).toBe(true);
    expect([await sending, server.offload.send]).toEqual([secret.length, inKernel]);
    client.end();
    await within(wire.ended, 'the end of the connection');
    expect([wire.down().includes(piece), wire.up().includes(piece)]).toEqual([false, false]);
    for (const records of [recordsOf(wire.down()), recordsOf(wire.up())]) expect(records.length).toBeGreaterThan(2);
  });
});

/** How far a client goes before it is dropped. */
const steps: ReadonlyArray<readonly [string, (port: number) => Promise<HandMadeClient>]> = [
  ['after accept', (port) => HandMadeClient.dial(port)],
  [
    'in the middle of its ClientHello',
    async (port) => {
      const client = await HandMadeClient.dial(port);
      client.holding = true;
      client.start();
      client.socket.write(client.take().subarray(0, 50));
      return client;
    },
  ],
  [
    'after ServerHello',
    async (port) => {
      const client = await HandMadeClient.dial(port);
      client.socket.once('data', () => client.socket.pause());
      client.start();
      await until(() => client.records.length > 0, 'ServerHello');
      return client;
    },
  ],
  ['before its Finished', (port) => HandMadeClient.beforeFinished(port)],
  [
    'in the middle of its Finished',
    async (port) => {
      const client = await HandMadeClient.beforeFinished(port);
      client.socket.write(client.take().subarray(0, -5));
      return client;
    },
  ],
  ['after Finished', (port) => HandMadeClient.connect(port)],
  [
    'with a part of a record behind Finished',
    async (port) => {
      const client = await HandMadeClient.beforeFinished(port);
      client.perform(client.engine.send(Buffer.from('never complete')));
      client.socket.write(client.take().subarray(0, -5));
      return client;
    },
  ],
  [
    'in the middle of a file',
    async (port) => {
      const client = await HandMadeClient.dial(port);
      client.start();
      await until(() => client.received > 0, 'the file');
      client.socket.pause();
      return client;
    },
  ],
  [
    'after its close_notify',
    async (port) => {
      const client = await HandMadeClient.connect(port);
      client.perform(client.engine.close());
      return client;
    },
  ],
  [
    'after its alert',
    async (port) => {
      const client = await HandMadeClient.connect(port);
      client.socket.write(Buffer.from('1703030001ff', 'hex'));
      return client;
    },
  ],
];

describe.each(['send', 'both', 'off'] as const)('offload %s: connections dropped at every step', (offload) => {
  it('200 of them leave no descriptor, and no session in the kernel', async () => {
    const path = fileOf(bytesOf(mebibytes(5)));
    const listener = await startServer({ offload, allowHalfOpen: true });
    const { server } = listener;
    server.on('tlsClientError', () => undefined);
    let sendFiles = false;
    server.on('secureConnection', (connection) => {
      connection.on('error', () => undefined).resume();
      if (sendFiles) connection.sendFile(path).catch(() => undefined);
    });
    // What is opened once for all is open now.
    await HandMadeClient.connect(listener.port).then((client) => client.socket.destroy());
    await until(() => server.counters.connections.open === 0, 'the first connection closed');
    const risen = countTlsStat();
    await delay(50);
    const before = descriptors();
    for (const [name, open] of steps) {
      sendFiles = name === 'in the middle of a file';
      for (let round = 0; round < 4; round += 1) {
        const clients = await Promise.all(Array.from({ length: 5 }, () => open(listener.port)));
        for (const [index, { socket }] of clients.entries()) {
          // By reset, by FIN, and some are left to the server.
          if (index < 2) socket.resetAndDestroy();
          else if (index < 4) socket.destroy();
        }
        server.closeAllConnections();
        for (const { socket } of clients) socket.destroy();
      }
      await until(() => server.counters.connections.open === 0 && descriptors() <= before, `${name}: all closed`);
      expect(descriptors(), name).toBe(before);
    }
    expect(server.counters.connections.accepted).toBe(201);
    await until(() => risen('TlsCurrTxSw') === 0 && risen('TlsCurrRxSw') === 0, 'the sessions of the kernel');
    expect(risen('TlsTxSw') > 0).toBe(offload !== 'off');
    expect(risen('TlsRxSw') > 0).toBe(offload === 'both');
  });
});
