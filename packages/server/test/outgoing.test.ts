/** What leaves by a native socket: memory of sealed records is used again once all of it is with TCP, and not before. */
import { createFakeKernel } from 'ktls-bind/fake';
import { nativeProvider } from 'tls13-node-crypto';
import { expect, it } from 'vitest';
import { Outgoing } from '../src/transport/outgoing.js';
import { pattern } from './support.js';

const { recordProtection } = nativeProvider();
if (recordProtection === undefined) throw new Error('the native provider has no record protection');
const sealer = recordProtection.sealer({
  aead: 'aes-128-gcm',
  key: pattern(16),
  iv: pattern(12),
  sequenceNumber: 0n,
});
const seal = () => sealer.seal(23, pattern(100_000), 16_384);

it('gives memory back when it has left in several steps, with what came behind it', () => {
  const kernel = createFakeKernel();
  const [end, peer] = kernel.connect();
  end.sendBuffer = 50_000;
  const socket = kernel.open(end.fd);
  const reader = kernel.open(peer.fd);
  const into = new Uint8Array(1_000_000);
  const outgoing = new Outgoing(socket, () => undefined);

  const [first, second] = [seal(), seal()];
  const expected = Buffer.concat([first, pattern(10), second]);
  const received: Uint8Array[] = [];
  outgoing.push({ kind: 'bytes', chunks: [first] });
  const lent: ArrayBufferLike[] = [];
  while (!outgoing.flush()) {
    if (received.length === 0) outgoing.push({ kind: 'bytes', chunks: [pattern(10), second] });
    received.push(into.slice(0, reader.read(into)));
    // Nobody else's while part of it waits.
    lent.push(seal().buffer);
  }
  received.push(into.slice(0, reader.read(into)));
  expect(received.length).toBeGreaterThan(3);
  expect(Buffer.concat(received).equals(expected)).toBe(true);
  expect(lent).not.toContain(first.buffer);
  expect(lent).not.toContain(second.buffer);
  const again = [seal().buffer, seal().buffer];
  expect(again).toContain(first.buffer);
  expect(again).toContain(second.buffer);
  socket.close();
  reader.close();
});
