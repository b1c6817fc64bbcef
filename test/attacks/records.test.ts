/** Attacks through the record layer: keys that change within a record, records that cost more than they carry, floods. */
import { describe, expect, it } from 'vitest';
import { concat } from '../../packages/tls13-core/src/bytes.js';
import { readClientHello } from '../../packages/tls13-core/src/client-hello-reader.js';
import { nobleProvider } from '../../packages/tls13-core/src/crypto/noble.js';
import { encodeHeader } from '../../packages/tls13-core/src/record/header.js';
import { encodeMessage } from '../../packages/tls13-core/src/wire/index.js';
import { HandClient } from '../../packages/tls13-core/test/engine/support/hand-client.js';
import { HandServer } from '../../packages/tls13-core/test/engine/support/hand-server.js';

const provider = nobleProvider;
const openedServer = (limits = {}) => new HandClient(provider, { limits }).clientHello().finished();
const openedClient = (limits = {}) => new HandServer(provider, { limits }).through('finished');
const keyUpdate = encodeMessage('key_update', { requestUpdate: 'update_not_requested' });
const requests = encodeMessage('key_update', { requestUpdate: 'update_requested' });

describe('a key change within a record (§5.1; CVE-2020-13777 and BoringSSL 2017 in spirit)', () => {
  it('ServerHello with another message behind it in the same record', () => {
    const extensions = encodeMessage('encrypted_extensions', { extensions: {} });
    const server = new HandServer(provider);
    server.serverHello((right) => concat(encodeMessage('server_hello', right).subarray(4), extensions));
    expect(server.end.engine.error?.alert).toMatch(/decode_error|unexpected_message/);
  });

  it('KeyUpdate with a message behind it in the same record, which would be under the old key', () => {
    for (const peer of [openedServer(), openedClient()]) {
      peer.wire.sendMessages(keyUpdate, keyUpdate);
      peer.expectEnd('unexpected_message');
    }
  });

  it('Finished with a message behind it in the same record', () => {
    const client = new HandClient(provider).clientHello();
    client.finished((right) => concat(right.verifyData, keyUpdate));
    expect(client.end.engine.error?.alert).toMatch(/decrypt_error|unexpected_message/);
  });

  it('half of a message, then data, then the other half', () => {
    const client = openedServer();
    client.wire.send(22, keyUpdate.subarray(0, 3));
    client.wire.send(23, Uint8Array.of(1));
    client.expectEnd('unexpected_message');
  });

  it('half of a message before a change_cipher_spec, the other half behind it', () => {
    const client = new HandClient(provider).clientHello();
    client.wire.send(22, Uint8Array.of(20, 0));
    client.wire.sendInClear(20, Uint8Array.of(1));
    client.expectRefusal('unexpected_message');
  });
});

describe('records without content (§5.1, §5.4)', () => {
  it('an empty handshake record in clear', () => {
    const client = new HandClient(provider);
    client.wire.sendInClear(22, new Uint8Array(0));
    client.expectRefusal('unexpected_message');
  });

  it('a protected record of nothing but padding', () => {
    for (const peer of [openedServer(), openedClient()]) {
      peer.wire.sendBytes(peer.wire.sealed(new Uint8Array(1000)));
      peer.expectEnd('unexpected_message');
    }
  });

  it('a protected handshake record of no bytes', () => {
    const client = openedServer();
    client.wire.send(22, new Uint8Array(0));
    client.expectEnd('unexpected_message');
  });

  it('a record of length zero under keys', () => {
    const client = openedServer();
    client.wire.sendBytes(encodeHeader(23, 0));
    expect(client.end.engine.error?.alert).toMatch(/bad_record_mac|decode_error/);
  });

  it('a flood of empty data, which is legal one by one (CVE-2011-4576 in spirit; limits.emptyRecords)', () => {
    const client = openedServer({ emptyRecords: 8 });
    for (let count = 0; count < 8; count += 1) client.wire.send(23, new Uint8Array(0));
    expect(client.end.engine.state).toBe('connected');
    client.wire.send(23, new Uint8Array(0));
    client.expectEnd('unexpected_message');
  });
});

describe('floods (CVE-2016-8610 SSL Death Alert; §4.7.3, §6)', () => {
  it('of warning alerts', () => {
    for (const peer of [openedServer(), openedClient()]) {
      for (let count = 0; count < 1000 && peer.end.engine.error === undefined; count += 1) peer.wire.sendAlert(1, 90);
      peer.expectEnd('unexpected_message');
    }
  });

  it('of KeyUpdates (limits.keyUpdates)', () => {
    for (const peer of [openedServer({ keyUpdates: 4 }), openedClient({ keyUpdates: 4 })]) {
      for (let count = 0; count < 4; count += 1) peer.keyUpdate('update_not_requested');
      expect(peer.end.engine.state).toBe('connected');
      peer.keyUpdate('update_not_requested');
      peer.expectEnd('unexpected_message');
    }
  });

  it('of requests for KeyUpdates is answered by one, not by as many', () => {
    const client = openedServer();
    for (let count = 0; count < 20; count += 1) {
      client.wire.sendMessages(requests);
      client.wire.updateSealing();
    }
    client.end.take(client.end.engine.send(Uint8Array.of(1)));
    const answers = client.end.of('key_update').filter(({ direction }) => direction === 'send');
    expect(answers).toHaveLength(1);
  });

  it('of change_cipher_spec during the handshake', () => {
    const client = new HandClient(provider, { limits: { emptyRecords: 8 } }).clientHello();
    for (let count = 0; count < 9; count += 1) client.wire.sendInClear(20, Uint8Array.of(1));
    client.expectRefusal('unexpected_message');
  });
});

describe('handshakes too large or in too many pieces (limits.handshakeMessage; CWE-400)', () => {
  const header = (type: number, length: number) =>
    Uint8Array.of(type, (length >> 16) & 0xff, (length >> 8) & 0xff, length & 0xff);

  it('a length of 2^24 - 1 is refused when its header is read, before anything is stored', () => {
    const client = new HandClient(provider);
    client.wire.send(22, header(1, 2 ** 24 - 1));
    expect(client.end.engine.error?.message).toMatch(/131072|131,072/);
    expect(client.end.engine.state).toBe('failed');
  });

  it('a Certificate over the limit is refused at its header', () => {
    const server = new HandServer(provider, { limits: { handshakeMessage: 4096 } }).through('encrypted_extensions');
    server.wire.send(22, header(11, 4097));
    expect(server.end.engine.state).toBe('failed');
  });

  it('one byte a record, as many as a message may have, is borne; the handshake completes', () => {
    const client = new HandClient(provider);
    const hello = encodeMessage('client_hello', client.rightHello());
    client.note(hello);
    for (const byte of hello) client.wire.sendInClear(22, Uint8Array.of(byte));
    client.finished();
    expect(client.end.engine.state).toBe('connected');
  });

  it('a ClientHello in records of one byte costs who looks at it first no more than its bytes (CWE-407)', () => {
    const hello = new Uint8Array(131_072).fill(0x0a);
    hello.set([1, 1, 0xff, 0xfc, 3, 3]);
    const wire = new Uint8Array(6 * hello.length);
    for (const [index, byte] of hello.entries()) wire.set([22, 3, 1, 0, 1, byte], 6 * index);
    const begin = performance.now();
    // Not all of it, and then all: which is no ClientHello.
    expect(readClientHello(wire.subarray(0, -6))).toEqual({ wanted: wire.length - 1 });
    expect(() => readClientHello(wire)).toThrow(/client_hello/);
    // Copying what has come for each byte of it would be seventeen thousand million bytes.
    expect(performance.now() - begin).toBeLessThan(3_000);
  });

  it('ciphertext that comes while the application decides is bounded (limits.pendingInput)', () => {
    const never = new Promise<undefined>(() => {});
    const client = new HandClient(provider, { credentials: () => never, limits: { pendingInput: 1000 } }).clientHello();
    client.wire.sendBytes(new Uint8Array(600));
    expect(client.end.engine.state).toBe('handshake');
    client.wire.sendBytes(new Uint8Array(600));
    expect(client.end.engine.state).toBe('failed');
  });
});

describe('forgeries in clear', () => {
  it('a close_notify that nobody sealed does not end a connection as if it were whole (truncation; §6.1)', () => {
    for (const peer of [openedServer(), openedClient()]) {
      peer.wire.sendInClear(21, Uint8Array.of(1, 0));
      peer.expectEnd('unexpected_message');
      expect(peer.end.of('closed')).toEqual([]);
    }
  });

  it('the end of the stream without close_notify is an error (§6.1)', () => {
    const client = openedServer();
    client.end.take(client.end.engine.receiveEnd());
    expect(client.end.engine.error?.code).toBe('ERR_TLS_TRUNCATED');
  });
});
