/** Each of `deviations` beside what RFC 9846 wants of the same bytes. */
import { describe, expect, it } from 'vitest';
import type { AlertName } from '../../src/alert.js';
import type { Deviations } from '../../src/config/index.js';
import { nobleProvider as provider } from '../../src/crypto/noble.js';
import { contentTypes, extensionTypes } from '../../src/registry.js';
import { encodeHandshake } from '../../src/wire/index.js';
import { extra } from './support/hand.js';
import { HandClient } from './support/hand-client.js';
import { HandServer } from './support/hand-server.js';
import { changed, pskOf } from './support/hello-changes.js';

const client = (deviations: Partial<Deviations>) => new HandClient(provider, { deviations });
const server = (deviations: Partial<Deviations>) => new HandServer(provider, { deviations });
const changeCipherSpec = (version: number) => Uint8Array.of(contentTypes.change_cipher_spec, version, 0xff, 0, 1, 1);

describe('anyLegacyVersion', () => {
  it.each([0x0400, 0x1234])('a ClientHello of version %i is refused, or taken', (legacyVersion) => {
    const change = (right: Parameters<Parameters<HandClient['clientHello']>[0] & object>[0]) => ({
      ...right,
      legacyVersion,
    });
    client({}).clientHello(change).expectRefusal('protocol_version');
    const taken = client({ anyLegacyVersion: true }).clientHello(change).finished();
    expect(taken.end.engine.state).toBe('connected');
  });
});

describe('recordVersions', () => {
  it('an unprotected record of version 0xffff is taken, or refused', () => {
    const taken = server({});
    taken.wire.sendBytes(changeCipherSpec(0xff));
    expect(taken.through('finished').end.engine.state).toBe('connected');

    const refused = server({ recordVersions: true });
    refused.wire.sendBytes(changeCipherSpec(0xff));
    refused.expectRefusal('protocol_version');
  });

  it('0x03ff is taken, as clients of later versions may send it', () => {
    const taken = server({ recordVersions: true });
    taken.wire.sendBytes(changeCipherSpec(0x03));
    expect(taken.through('finished').end.engine.state).toBe('connected');
  });
});

describe('unprotectedRecords', () => {
  it.each<[Partial<Deviations>, AlertName]>([
    [{}, 'unexpected_message'],
    [{ unprotectedRecords: true }, 'bad_record_mac'],
  ])('EncryptedExtensions in clear: %o', (deviations, alert) => {
    const peer = server(deviations).serverHello();
    peer.wire.sendInClear(contentTypes.handshake, encodeHandshake(8, Uint8Array.of(0, 0)));
    peer.expectRefusal(alert);
  });
});

describe('alertLevels', () => {
  it.each<[number, number, AlertName]>([
    [1, 10, 'decode_error'],
    [1, 40, 'decode_error'],
    [42, 10, 'illegal_parameter'],
    [0, 0, 'illegal_parameter'],
  ])('level %i of alert %i is answered', (level, description, alert) => {
    const peer = server({ alertLevels: true }).through('finished');
    peer.wire.sendAlert(level, description);
    peer.expectEnd(alert);
  });

  it('those that go with their alert are what they are', () => {
    const peer = server({ alertLevels: true }).through('finished');
    peer.wire.sendAlert(1, 90);
    expect(peer.end.engine.state).toBe('connected');
    peer.wire.sendAlert(2, 40);
    expect(peer.end.engine.error).toMatchObject({ alert: 'handshake_failure', received: true });
    expect(peer.wire.alerts).toEqual([]);
  });
});

describe('misplacedExtensions', () => {
  it.each<[Partial<Deviations>, AlertName]>([
    [{}, 'illegal_parameter'],
    [{ misplacedExtensions: true }, 'unsupported_extension'],
  ])('key_share in EncryptedExtensions: %o', (deviations, alert) => {
    server(deviations)
      .serverHello()
      .encryptedExtensions(() => ({ extensions: extra(extensionTypes.key_share, 0, 29, 0, 1, 1) }))
      .expectRefusal(alert);
  });
});

describe('unofferedProtocols', () => {
  const answer = () => ({ extensions: { alpn: 'h3' } });

  it('a protocol that was not offered is refused, or taken', () => {
    const asking = { alpnProtocols: ['h2'] };
    new HandServer(provider, asking).serverHello().encryptedExtensions(answer).expectRefusal('illegal_parameter');
    const taken = new HandServer(provider, { ...asking, deviations: { unofferedProtocols: true } });
    taken.serverHello().encryptedExtensions(answer);
    expect(taken.end.engine.state).toBe('handshake');
  });
});

describe('shortBinders', () => {
  it('§4.3.11 a binder of 31 bytes is a decode_error, whatever the PSK', () => {
    client({})
      .clientHello(changed(() => ({ preSharedKey: pskOf(31) })))
      .expectRefusal('decode_error');
  });

  it('or one that does not verify, where the PSK is taken; others are passed over', () => {
    const peer = client({ shortBinders: true }).clientHello(changed(() => ({ preSharedKey: pskOf(31) })));
    expect(peer.finished().end.engine.state).toBe('connected');
  });
});
