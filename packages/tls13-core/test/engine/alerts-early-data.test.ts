/** What a peer may do wrong with early data (§4.3.10, §4.6, §4.7.1), and the alert that answers it. */
import { describe, expect, it } from 'vitest';
import type { ServerConfig } from '../../src/config/index.js';
import { nobleProvider as provider } from '../../src/crypto/noble.js';
import { contentTypes } from '../../src/registry.js';
import { createReplayCache } from '../../src/replay-cache.js';
import type { Session } from '../../src/session.js';
import { createTicketKeys } from '../../src/ticket-keys.js';
import { HandClient } from './support/hand-client.js';
import { HandServer } from './support/hand-server.js';
import { bytes, sessionOf } from './support/pair.js';

describe('a client', () => {
  /** The server has accepted the early data of this client, which seals with the early key. */
  function accepted(maxSize = 100): HandClient {
    const client = offering({ earlyData: { maxSize, replayCache: createReplayCache() } }).sealEarly();
    expect(client.end.of('early_data_accepted')).toHaveLength(1);
    return client;
  }

  /** The server has seen a ClientHello with early data. */
  function offering(config: Partial<ServerConfig>, accepting = config): HandClient {
    const server = { tickets: { protector: createTicketKeys(provider) } };
    const session = sessionOf(provider, { server: { ...server, ...config } });
    const client = new HandClient(provider, { ...server, ...accepting }, { session });
    return client.clientHello((right) => ({ ...right, extensions: { ...right.extensions, earlyData: true } }));
  }

  const data = (client: HandClient, content: Uint8Array) => client.wire.send(contentTypes.application_data, content);

  it('does it right: the server reads to the end, and is connected', () => {
    const client = accepted();
    data(client, bytes(60));
    data(client, bytes(40));
    client.endOfEarlyData().finished();
    expect(client.end.engine.info?.earlyData).toBe('accepted');
    expect(Buffer.concat(client.end.of('early_data').map((event) => event.data))).toHaveLength(100);
  });

  it('sends more than its ticket permits', () => {
    const client = accepted();
    data(client, bytes(60));
    data(client, bytes(41));
    client.expectRefusal('unexpected_message');
    expect(client.end.of('early_data')).toHaveLength(1);
  });

  it('pads: what does not count does not exceed the limit', () => {
    const client = accepted();
    client.wire.sendBytes(
      client.wire.sealed(Uint8Array.of(...bytes(100), contentTypes.application_data, ...bytes(500, 0))),
    );
    client.endOfEarlyData().finished();
    expect(client.end.engine.state).toBe('connected');
  });

  it('sends empty records without end', () => {
    const client = accepted();
    for (let count = 0; count < 33; count++) client.wire.sendBytes(client.wire.sealed(Uint8Array.of(23)));
    client.expectRefusal('unexpected_message');
  });

  it('leaves out EndOfEarlyData: nothing opens any more', () => {
    accepted().sealHandshake().finished().expectRefusal('bad_record_mac');
  });

  it('sends Finished under the early key', () => {
    accepted().finished().expectRefusal('unexpected_message');
  });

  it('sends KeyUpdate under the early key', () => {
    const client = accepted();
    client.sayAfterwards('key_update', { requestUpdate: 'update_not_requested' });
    client.expectRefusal('unexpected_message');
  });

  it('sends EndOfEarlyData with a body', () => {
    accepted()
      .endOfEarlyData(() => Uint8Array.of(0))
      .expectRefusal('decode_error');
  });

  it('sends EndOfEarlyData in the record of what follows', () => {
    const client = accepted();
    client.wire.send(contentTypes.handshake, Uint8Array.of(5, 0, 0, 0, 20, 0, 0, 32));
    client.expectRefusal('unexpected_message');
  });

  it('sends data between EndOfEarlyData and Finished', () => {
    const client = accepted().endOfEarlyData();
    data(client, bytes(1));
    client.expectRefusal('unexpected_message');
  });

  it('sends data within a handshake message', () => {
    const client = accepted();
    client.wire.send(contentTypes.handshake, Uint8Array.of(5, 0));
    data(client, bytes(1));
    client.expectRefusal('unexpected_message');
  });

  it('sends a record that the early key does not open', () => {
    const client = accepted();
    const record = client.wire.sealed(Uint8Array.of(1, contentTypes.application_data));
    record[record.length - 1] = (record.at(-1) ?? 0) ^ 1;
    client.wire.sendBytes(record);
    client.expectRefusal('bad_record_mac');
  });

  it('ends early data by closing: the handshake was never complete', () => {
    const client = accepted();
    data(client, bytes(10));
    client.end.take(client.end.engine.receiveEnd());
    expect(client.end.engine.error).toMatchObject({ code: 'ERR_TLS_TRUNCATED' });
    expect(client.end.of('connected')).toEqual([]);
  });

  it('sends EndOfEarlyData although its early data was rejected', () => {
    const client = offering({});
    client.endOfEarlyData().expectRefusal('unexpected_message');
  });

  it('sends more rejected early data than the server skips', () => {
    const client = offering(
      { earlyData: { maxSize: 100, replayCache: createReplayCache() } },
      { limits: { skippedEarlyData: 200 } },
    ).sealEarly();
    data(client, bytes(100));
    expect(client.end.engine.error).toBeUndefined();
    data(client, bytes(100));
    client.expectRefusal('unexpected_message');
  });

  it('offers early data again after a HelloRetryRequest: it is not read', () => {
    const protector = createTicketKeys(provider);
    const earlyData = { maxSize: 100, replayCache: createReplayCache() };
    const server: Partial<ServerConfig> = { tickets: { protector }, earlyData, groups: ['secp256r1'] };
    const session = sessionOf(provider, { server, client: { groups: ['secp256r1'] } });
    const client = new HandClient(provider, server, { session, keyShares: ['x25519'] });
    client.clientHello().clientHello((right) => ({ ...right, extensions: { ...right.extensions, earlyData: true } }));
    client.finished();
    expect(client.end.engine.info).toMatchObject({ earlyData: 'rejected', earlyDataReason: 'hello_retry_request' });
  });
});

describe('a server', () => {
  const psk = bytes(32, 7);
  const session: Session = {
    cipherSuite: 'TLS_AES_128_GCM_SHA256',
    ticket: bytes(40),
    psk,
    lifetime: 7_200,
    ageAdd: 5,
    receivedAt: Date.now(),
    serverName: 'example.test',
    alpnProtocol: 'h2',
    peerCertificates: [bytes(3)],
    maxEarlyData: 100,
    pskIdentity: undefined,
    localCertificate: undefined,
    peerRawPublicKey: undefined,
    ocspResponse: undefined,
    signedCertificateTimestamps: [],
  };
  const offering = { session, earlyData: true, alpnProtocols: ['h2', 'http/1.1'] };
  const early = { earlyData: true, alpn: 'h2' } as const;

  it('does it right: the client ends its early data before its Finished', () => {
    const server = new HandServer(provider, offering, { psk, earlyPsk: psk });
    server.end.take(server.end.engine.sendEarly(bytes(10)));
    server.serverHello().encryptedExtensions(() => ({ extensions: early }));
    server.end.take(server.end.engine.sendEarly(bytes(20)));
    server.wire.read();
    expect(server.wire.data.map(({ length }) => length)).toEqual([10, 20]);
  });

  it('accepts early data that was not offered', () => {
    new HandServer(provider, { ...offering, earlyData: false }, { psk })
      .serverHello()
      .encryptedExtensions(() => ({ extensions: early }))
      .expectRefusal('unsupported_extension');
  });

  it('accepts it without the PSK', () => {
    new HandServer(provider, offering, {})
      .serverHello()
      .encryptedExtensions(() => ({ extensions: early }))
      .expectRefusal('illegal_parameter');
  });

  it('accepts it after a HelloRetryRequest', () => {
    new HandServer(provider, offering, { psk, group: 'secp256r1' })
      .helloRetryRequest()
      .serverHello()
      .encryptedExtensions(() => ({ extensions: early }))
      .expectRefusal('unsupported_extension');
  });

  it('accepts it with another protocol than the session’s', () => {
    for (const alpn of ['http/1.1', undefined]) {
      new HandServer(provider, offering, { psk, earlyPsk: psk })
        .serverHello()
        .encryptedExtensions(() => ({ extensions: { earlyData: true, alpn } }))
        .expectRefusal('illegal_parameter');
    }
  });

  it('accepts it with another suite than the session’s', () => {
    new HandServer(provider, offering, { psk, earlyPsk: psk, suite: 'TLS_CHACHA20_POLY1305_SHA256' })
      .serverHello()
      .encryptedExtensions(() => ({ extensions: early }))
      .expectRefusal('illegal_parameter');
  });
});
