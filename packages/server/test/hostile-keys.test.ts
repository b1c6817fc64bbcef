/** A peer that asks for new keys and reads none of the answers (unbounded queues, CWE-770), hand-made over a kernel in memory. */
import { createFakeKernel } from 'ktls-bind/fake';
import { cipherSuite, createClientEngine, createServerEngine, type RecordSealer, type TlsEvent } from 'tls13-core';
import { createProvider, credential } from 'tls13-node-crypto';
import { describe, expect, it } from 'vitest';
import { asSecret, nextTrafficSecret, type Secret } from '../../tls13-core/src/keys/schedule.js';
import { trafficKeys } from '../../tls13-core/src/keys/traffic.js';
import { portableRecordProtection } from '../../tls13-core/src/record/protection.js';
import { TlsConnection } from '../src/connection.js';
import { Telemetry } from '../src/diagnostics.js';
import type { OffloadPolicy } from '../src/offload.js';
import { NativeTransport } from '../src/transport/native.js';
import { cleanUp, eventually, serverCredentials } from './support.js';

const provider = createProvider();
const suite = cipherSuite('TLS_AES_128_GCM_SHA256');
const hash = provider.hash(suite.hash);

/** A server, and a client whose records are ours to make once it is connected. */
async function attacked(policy: OffloadPolicy) {
  const kernel = createFakeKernel();
  const support = kernel.probe();
  const [serverEnd, clientEnd] = kernel.connect();
  const errors: Error[] = [];
  let answers = 0;
  const server = new TlsConnection({
    driver: { policy, offloadOptions: {}, tolerateTruncation: false, maxSendFragment: 16_384 },
    allowHalfOpen: true,
    telemetry: new Telemetry(),
    check: undefined,
    host: {
      secured: () => undefined,
      handshakeFailed: () => false,
      closed: () => undefined,
      keyLogged: () => undefined,
    },
  });
  server.on('error', (error) => errors.push(error));
  server.on('keyUpdate', ({ direction }) => {
    if (direction === 'send') answers += 1;
  });
  server.resume();
  server.start(
    createServerEngine({ provider, credentials: [credential(serverCredentials())] }),
    new NativeTransport(kernel.open(serverEnd.fd), support),
  );
  cleanUp(() => server.destroy());
  const socket = kernel.open(clientEnd.fd);
  const engine = createClientEngine({
    provider,
    cipherSuites: [suite.name],
    verifyPeer: () => undefined,
    keyLog: true,
  });
  let secret: Secret | undefined;
  const carryOut = (events: readonly TlsEvent[]) => {
    for (const event of events) {
      if (event.type === 'transmit') socket.write([event.data]);
      if (event.type === 'secret' && event.label === 'CLIENT_TRAFFIC_SECRET_0') secret = asSecret(event.secret);
    }
  };
  carryOut(engine.start());
  const buffer = new Uint8Array(65_536);
  await eventually(() => {
    const length = socket.read(buffer) ?? 0;
    if (length > 0) carryOut(engine.receive(buffer.slice(0, length)));
    return engine.state === 'connected' && server.getProtocol() !== null;
  }, 'the handshake');
  let sealer: RecordSealer | undefined;
  /** A byte of data, then a KeyUpdate that asks for one: no flood by the count of what comes in a row. */
  const askForKeys = () => {
    if (secret === undefined) throw new Error('the engine logged no secret');
    sealer ??= portableRecordProtection(provider).sealer(trafficKeys(suite, hash, secret));
    socket.write([sealer.seal(23, Uint8Array.of(1), 16_384), sealer.seal(22, Uint8Array.of(24, 0, 0, 1, 1), 16_384)]);
    secret = nextTrafficSecret(hash, secret);
    sealer = undefined;
  };
  return { server, serverEnd, socket, buffer, errors, askForKeys, answers: () => answers };
}

describe('KeyUpdates asked for where the kernel seals, which does not say when it sends,', () => {
  it('by a peer that reads nothing end the connection before they pile up', async () => {
    const { serverEnd, errors, askForKeys, answers } = await attacked('both');
    serverEnd.sendBuffer = 0;
    for (let count = 0; count < 100; count += 1) {
      askForKeys();
      // Those that come in one read are answered by one.
      await new Promise((resolve) => setImmediate(resolve));
    }
    await eventually(() => errors.length > 0, 'the server gave up');
    expect(errors).toEqual([expect.objectContaining({ alert: 'unexpected_message', received: false })]);
    expect(answers()).toBeLessThan(40);
  });

  it('by one that reads are answered for ever', async () => {
    const { socket, buffer, errors, askForKeys, answers } = await attacked('both');
    for (let count = 1; count <= 100; count += 1) {
      askForKeys();
      await eventually(() => answers() === count, 'the answer');
      socket.read(buffer);
    }
    expect(errors).toEqual([]);
  });
});

describe('KeyUpdates asked for where this process seals', () => {
  it('wait for the next data, so that none pile up, and one answers all (§4.7.3)', async () => {
    const { server, errors, askForKeys, answers } = await attacked('off');
    for (let count = 0; count < 100; count += 1) {
      askForKeys();
      await new Promise((resolve) => setImmediate(resolve));
    }
    expect(answers()).toBe(0);
    server.write('data');
    await eventually(() => answers() === 1, 'the answer');
    expect(errors).toEqual([]);
  });
});
