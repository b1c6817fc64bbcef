/**
 * Alert table, the order of messages: §4, §4.2.2, §4.2.4, §4.6, §4.7.2, §4.7.3, in every state of both roles.
 *
 * The table is `alerts-*.test.ts`: each MUST-abort of §4 to §6 that concerns what this library speaks, under its section
 * and with its alert. Not in it, because there is nothing here to refuse them, or because it stands elsewhere:
 * - §4.2.2 (decode_error for what follows a ClientHello of an older version) and §4.2.3 (a TLS 1.3 ServerHello in a
 *   renegotiation): no older version is spoken; such a hello is a protocol_version before that.
 * - §4.3.5 OID filters, §4.7.2 authentication after the handshake: post-handshake.test.ts; unasked answers are here.
 * - §4.3.8.1, §7.4.1 finite field groups: not offered.
 * - §4.3.10 early data that was offered: alerts-early-data.test.ts; as an unasked answer it is an unsupported_extension.
 * - §4.5.1 raw public keys: raw-public-keys.test.ts.
 * - §4.5.1.3 MD5 and SHA-1 in a chain (bad_certificate): chains are judged by `verifyPeer`, whose alert is passed on.
 */
import { describe, expect, it } from 'vitest';
import { nobleProvider as provider } from '../../src/crypto/noble.js';
import { handshakeTypes } from '../../src/registry.js';
import { encodeHandshake } from '../../src/wire/index.js';
import { HandClient } from './support/hand-client.js';
import { HandServer } from './support/hand-server.js';
import { places } from './support/places.js';

/** Every message type there is, one that TLS 1.2 had (server_key_exchange), and one that nobody has. */
const allTypes: Readonly<Record<string, number>> = {
  ...handshakeTypes,
  hello_request: 0,
  server_key_exchange: 12,
  unknown: 0xf0,
};

describe.each(places(provider))('§4: a $role in $state refuses any other message', ({ reach, expected, phase }) => {
  const unexpected = Object.entries(allTypes).filter(([name]) => !expected.includes(name));
  it.each(unexpected)('%s: unexpected_message', (_name, code) => {
    const peer = reach();
    peer.wire.sendMessages(encodeHandshake(code, new Uint8Array(36)));
    if (phase === 'connected') peer.expectEnd('unexpected_message');
    else peer.expectRefusal('unexpected_message');
  });
});

const authenticating = { clientAuthentication: 'require' } as const;

describe('§4: the order, with everything else right', () => {
  it('§4.5.3 Finished right behind EncryptedExtensions, without a PSK: unexpected_message', () => {
    new HandServer(provider).through('encrypted_extensions').finished().expectRefusal('unexpected_message');
  });

  it('§4.5.2 Finished right behind Certificate, without proof of the key: unexpected_message', () => {
    new HandServer(provider).through('certificate').finished().expectRefusal('unexpected_message');
  });

  it("§4.5.2 the client's Finished right behind its Certificate: unexpected_message", () => {
    new HandClient(provider, authenticating).clientHello().certificate().finished().expectRefusal('unexpected_message');
  });

  it("§4.5.1 the client's Finished without the Certificate that was asked for: unexpected_message", () => {
    new HandClient(provider, authenticating).clientHello().finished().expectRefusal('unexpected_message');
  });

  it('§4.4.2 a client that shows a Certificate nobody asked for: unexpected_message', () => {
    new HandClient(provider).clientHello().certificate().expectRefusal('unexpected_message');
  });

  it('§4.2.4 a second HelloRetryRequest: unexpected_message', () => {
    new HandServer(provider).helloRetryRequest().helloRetryRequest().expectRefusal('unexpected_message');
  });

  it('§4.2.4 a HelloRetryRequest behind the ServerHello: unexpected_message', () => {
    const server = new HandServer(provider).serverHello();
    server.helloRetryRequest().expectRefusal('unexpected_message');
  });

  it('§4.2.2 a ClientHello on an established connection: unexpected_message', () => {
    const client = new HandClient(provider).clientHello().finished();
    client.clientHello().expectEnd('unexpected_message');
  });

  it('§4.6 EndOfEarlyData to a client: unexpected_message', () => {
    const server = new HandServer(provider).through('finished');
    server.sayAfterwards('end_of_early_data', {});
    server.expectEnd('unexpected_message');
  });

  it('§4.6 EndOfEarlyData to a server that accepted no early data: unexpected_message', () => {
    const client = new HandClient(provider).clientHello();
    client.sayAfterwards('end_of_early_data', {});
    client.expectRefusal('unexpected_message');
  });

  it('§4.7.1 NewSessionTicket to a server: unexpected_message', () => {
    const client = new HandClient(provider).clientHello().finished();
    client.sayAfterwards('new_session_ticket', {
      ticketLifetime: 1,
      ticketAgeAdd: 1,
      ticketNonce: Uint8Array.of(0),
      ticket: Uint8Array.of(1),
      extensions: {},
    });
    client.expectEnd('unexpected_message');
  });

  it('§4.7.2 CertificateRequest after the handshake, without post_handshake_auth: unexpected_message', () => {
    const server = new HandServer(provider).through('finished');
    server.certificateRequest().expectEnd('unexpected_message');
  });

  it('§4.7.3 KeyUpdate before Finished, to a client: unexpected_message', () => {
    const server = new HandServer(provider).through('certificate_verify');
    server.keyUpdate('update_not_requested');
    server.expectRefusal('unexpected_message');
  });

  it('§4.7.3 KeyUpdate before Finished, to a server: unexpected_message', () => {
    const client = new HandClient(provider).clientHello();
    client.keyUpdate('update_requested');
    client.expectRefusal('unexpected_message');
  });

  it('§4.7.3 a request_update of 2: illegal_parameter', () => {
    for (const peer of [
      new HandServer(provider).through('finished'),
      new HandClient(provider).clientHello().finished(),
    ]) {
      expect(peer.end.engine.state).toBe('connected');
      peer.sayAfterwards('key_update', Uint8Array.of(2));
      peer.expectEnd('illegal_parameter');
    }
  });
});
