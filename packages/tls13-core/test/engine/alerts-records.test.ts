/** Alert table, records and alerts: §5, §5.1, §5.2, §5.4, §6. */
import { describe, expect, it } from 'vitest';
import { concat } from '../../src/bytes.js';
import { nobleProvider as provider } from '../../src/crypto/noble.js';
import { encodeHeader } from '../../src/record/header.js';
import { contentTypes } from '../../src/registry.js';
import { encodeHandshake } from '../../src/wire/index.js';
import { encoded, type HandPeer } from './support/hand.js';
import { HandClient } from './support/hand-client.js';
import { HandServer } from './support/hand-server.js';
import { bytes } from './support/pair.js';
import { places } from './support/places.js';

const { alert, application_data, change_cipher_spec, handshake } = contentTypes;

/** One state of each kind, for either role: what the record layer checks depends on nothing else. */
const chosen = ['WAIT_SH', 'START', 'START after HelloRetryRequest', 'WAIT_EE', 'WAIT_FINISHED', 'CONNECTED'];
const all = places(provider).filter(({ state }) => chosen.includes(state));
const clearPlaces = all.filter(({ phase }) => phase === 'clear');
const keyedPlaces = all.filter(({ phase }) => phase === 'keyed');
const connectedPlaces = all.filter(({ phase }) => phase === 'connected');
const protectedPlaces = [...keyedPlaces, ...connectedPlaces];

describe('§5 record types', () => {
  describe.each(all)('to a $role in $state', ({ reach }) => {
    it.each([0, 1, 19, 24, 25, 128, 255])('a record of type %i: unexpected_message', (type) => {
      const peer = reach();
      peer.wire.sendInClear(type, bytes(4));
      peer.expectEnd('unexpected_message');
    });
  });

  describe.each(protectedPlaces)('inside of a protected record, to a $role in $state', ({ reach }) => {
    it.each([1, 19, 20, 24, 255])('content of type %i: unexpected_message', (type) => {
      const peer = reach();
      peer.wire.send(type, Uint8Array.of(1));
      peer.expectEnd('unexpected_message');
    });
  });

  it.each(clearPlaces)(
    '§5.1 application_data before any key, to a $role in $state: unexpected_message',
    ({ reach }) => {
      // Its type is what is wrong with it: the version of a record that nothing protects is ignored (§5.1).
      for (const version of [0x0303, 0x0301, 0xfefd]) {
        const peer = reach();
        const record = concat(encodeHeader(application_data, 40), bytes(40));
        record.set([version >> 8, version & 0xff], 1);
        peer.wire.sendBytes(record);
        peer.expectEnd('unexpected_message');
      }
    },
  );

  it.each(keyedPlaces)(
    '§5.1 application data before Finished, to a $role in $state: unexpected_message',
    ({ reach }) => {
      const peer = reach();
      peer.wire.send(application_data, bytes(4));
      peer.expectRefusal('unexpected_message');
    },
  );

  it.each(protectedPlaces)(
    '§5.2 a handshake record in clear where keys are in force, to a $role in $state: unexpected_message',
    ({ reach }) => {
      const peer = reach();
      peer.wire.sendInClear(handshake, encoded('key_update', { requestUpdate: 'update_not_requested' }));
      peer.expectEnd('unexpected_message');
    },
  );

  it.each(connectedPlaces)('§6 an alert in clear to a $role in $state: unexpected_message', ({ reach }) => {
    const peer = reach();
    peer.wire.sendInClear(alert, Uint8Array.of(1, 0));
    peer.expectEnd('unexpected_message');
  });
});

describe('§5 change_cipher_spec', () => {
  describe.each(all)('to a $role in $state', ({ reach }) => {
    it.each([[[]], [[0]], [[2]], [[1, 1]], [[1, 0]]])('of %j: unexpected_message', (content) => {
      const peer = reach();
      peer.wire.sendInClear(change_cipher_spec, Uint8Array.from(content));
      peer.expectEnd('unexpected_message');
    });
  });

  it.each(protectedPlaces)('protected, to a $role in $state: unexpected_message', ({ reach }) => {
    const peer = reach();
    peer.wire.send(change_cipher_spec, Uint8Array.of(1));
    peer.expectEnd('unexpected_message');
  });

  it('before the first ClientHello: unexpected_message', () => {
    const client = new HandClient(provider);
    client.wire.sendInClear(change_cipher_spec, Uint8Array.of(1));
    client.expectRefusal('unexpected_message');
  });

  it.each(connectedPlaces)("behind the peer's Finished, to a $role in $state: unexpected_message", ({ reach }) => {
    const peer = reach();
    peer.wire.sendInClear(change_cipher_spec, Uint8Array.of(1));
    peer.expectEnd('unexpected_message');
  });

  it('between the two parts of a message: unexpected_message', () => {
    const server = new HandServer(provider);
    server.wire.sendInClear(handshake, Uint8Array.of(2, 0, 0));
    server.wire.sendInClear(change_cipher_spec, Uint8Array.of(1));
    server.expectRefusal('unexpected_message');
  });

  const spec = (peer: HandPeer) => peer.wire.sendInClear(change_cipher_spec, Uint8Array.of(1));

  it('anywhere else it is dropped, at a client', () => {
    const server = new HandServer(provider);
    spec(server);
    server.serverHello();
    spec(server);
    server.encryptedExtensions();
    spec(server);
    server.certificate().certificateVerify();
    spec(server);
    server.finished();
    expect(server.end.engine.state).toBe('connected');
  });

  it('anywhere else it is dropped, at a server', () => {
    const client = new HandClient(provider, { groups: ['secp256r1'] }).clientHello();
    spec(client);
    client.clientHello();
    spec(client);
    client.finished();
    expect(client.end.engine.state).toBe('connected');
  });

  it.each(keyedPlaces)('a flood of them to a $role in $state: unexpected_message', ({ reach }) => {
    const peer = reach({ emptyRecords: 4 });
    for (let count = 0; count < 4; count++) spec(peer);
    expect(peer.end.engine.state).toBe('handshake');
    spec(peer);
    peer.expectRefusal('unexpected_message');
  });
});

describe('§5.1 lengths', () => {
  it.each(clearPlaces)('a plaintext record of 2^14 + 1 bytes to a $role in $state: record_overflow', ({ reach }) => {
    const peer = reach();
    peer.wire.sendBytes(encodeHeader(handshake, 2 ** 14 + 1));
    peer.expectRefusal('record_overflow');
  });

  it.each(all)('§5.2 a ciphertext of 2^14 + 257 bytes to a $role in $state: record_overflow', ({ reach }) => {
    const peer = reach();
    peer.wire.sendBytes(encodeHeader(application_data, 2 ** 14 + 257));
    peer.expectEnd('record_overflow');
  });

  it.each(connectedPlaces)(
    '§5.4 a TLSInnerPlaintext of 2^14 + 2 bytes to a $role in $state: record_overflow',
    ({ reach }) => {
      for (const inner of [
        concat(bytes(2 ** 14 + 1), Uint8Array.of(application_data)),
        concat(bytes(1), Uint8Array.of(application_data), new Uint8Array(2 ** 14)),
      ]) {
        const peer = reach();
        peer.wire.sendBytes(peer.wire.sealed(inner));
        peer.expectEnd('record_overflow');
      }
    },
  );

  it.each(connectedPlaces)('a TLSInnerPlaintext of 2^14 + 1 bytes to a $role in $state is taken', ({ reach }) => {
    const peer = reach();
    peer.wire.sendBytes(peer.wire.sealed(concat(bytes(2 ** 14), Uint8Array.of(application_data))));
    peer.wire.sendBytes(peer.wire.sealed(concat(Uint8Array.of(1, application_data), new Uint8Array(2 ** 14 - 1))));
    expect(peer.end.data).toHaveLength(2 ** 14 + 1);
  });
});

describe('§5.1, §5.4 empty content', () => {
  it.each(clearPlaces)(
    'a handshake or alert record of no bytes in clear to a $role in $state: unexpected_message',
    ({ reach }) => {
      for (const type of [handshake, alert]) {
        const peer = reach();
        peer.wire.sendInClear(type, new Uint8Array(0));
        peer.expectRefusal('unexpected_message');
      }
    },
  );

  it.each(protectedPlaces)(
    'a protected handshake or alert record of no content to a $role in $state: unexpected_message',
    ({ reach }) => {
      for (const inner of [Uint8Array.of(handshake), Uint8Array.of(alert), Uint8Array.of(handshake, 0, 0, 0)]) {
        const peer = reach();
        peer.wire.sendBytes(peer.wire.sealed(inner));
        peer.expectEnd('unexpected_message');
      }
    },
  );

  it.each(protectedPlaces)(
    '§5.4 a TLSInnerPlaintext of zeros only to a $role in $state: unexpected_message',
    ({ reach }) => {
      for (const length of [0, 1, 200]) {
        const peer = reach();
        peer.wire.sendBytes(peer.wire.sealed(new Uint8Array(length)));
        peer.expectEnd('unexpected_message');
      }
    },
  );

  it.each(connectedPlaces)(
    'a flood of empty application data to a $role in $state: unexpected_message',
    ({ reach }) => {
      const peer = reach({ emptyRecords: 4 });
      const empty = () => peer.wire.sendBytes(peer.wire.sealed(Uint8Array.of(application_data)));
      for (let count = 0; count < 4; count++) empty();
      peer.wire.send(application_data, bytes(1));
      for (let count = 0; count < 4; count++) empty();
      expect(peer.end.engine.state).toBe('connected');
      empty();
      peer.expectEnd('unexpected_message');
    },
  );
});

describe('§5.1 messages and records', () => {
  it.each(clearPlaces)(
    'an alert between the parts of a message to a $role in $state: unexpected_message',
    ({ reach }) => {
      const peer = reach();
      peer.wire.sendInClear(handshake, Uint8Array.of(1, 0));
      peer.wire.sendInClear(alert, Uint8Array.of(1, 90));
      peer.expectRefusal('unexpected_message');
    },
  );

  it.each(connectedPlaces)(
    'application data between the parts of a message to a $role in $state: unexpected_message',
    ({ reach }) => {
      const peer = reach();
      peer.wire.send(handshake, Uint8Array.of(24, 0, 0));
      peer.wire.send(application_data, bytes(1));
      peer.expectEnd('unexpected_message');
    },
  );

  it('a ServerHello that does not end its record: unexpected_message', () => {
    const server = new HandServer(provider);
    let hello: Uint8Array | undefined;
    const wire = server.wire.sendMessages.bind(server.wire);
    server.wire.sendMessages = (message) => {
      hello = message;
      wire(message ?? bytes(0), Uint8Array.of(8));
    };
    server.serverHello();
    expect(hello?.[0]).toBe(2);
    server.expectRefusal('unexpected_message');
  });

  it('a ClientHello that does not end its record: unexpected_message', () => {
    const client = new HandClient(provider);
    const wire = client.wire.sendMessages.bind(client.wire);
    client.wire.sendMessages = (message) => wire(message ?? bytes(0), Uint8Array.of(20));
    client.clientHello().expectRefusal('unexpected_message');
  });

  it("a server's Finished that does not end its record: unexpected_message", () => {
    const server = new HandServer(provider).through('certificate_verify');
    const wire = server.wire.sendMessages.bind(server.wire);
    server.wire.sendMessages = (message) => wire(message ?? bytes(0), Uint8Array.of(4, 0));
    server.finished();
    expect(server.end.engine.error?.alert).toBe('unexpected_message');
  });

  it("a client's Finished that does not end its record: unexpected_message", () => {
    const client = new HandClient(provider).clientHello();
    const wire = client.wire.sendMessages.bind(client.wire);
    client.wire.sendMessages = (message) => wire(message ?? bytes(0), Uint8Array.of(24));
    client.finished().expectRefusal('unexpected_message');
  });

  it.each(connectedPlaces)(
    'a KeyUpdate that does not end its record to a $role in $state: unexpected_message',
    ({ reach }) => {
      const peer = reach();
      const update = encoded('key_update', { requestUpdate: 'update_not_requested' });
      peer.wire.sendMessages(update, update);
      peer.expectEnd('unexpected_message');
    },
  );

  it.each(all)(
    'a message longer than limits.handshakeMessage to a $role in $state is refused by its header',
    ({ reach }) => {
      const peer = reach({ handshakeMessage: 1_000 });
      peer.wire.sendMessages(Uint8Array.of(1, 0, 4, 0));
      peer.expectEnd('illegal_parameter');
    },
  );
});

describe('§5.2 protection', () => {
  it.each(protectedPlaces)('a record of another version to a $role in $state: protocol_version', ({ reach }) => {
    for (const version of [0x0301, 0x0304, 0x0203, 0xfeff]) {
      const peer = reach();
      const record = peer.wire.sealed(Uint8Array.of(1, 90, alert));
      record.set([version >> 8, version & 0xff], 1);
      peer.wire.sendBytes(record);
      peer.expectEnd('protocol_version');
    }
  });

  it.each(connectedPlaces)('what comes before a record of another version to a $role is delivered', ({ reach }) => {
    const peer = reach();
    const [first, second] = [7, 8].map((byte) => peer.wire.sealed(Uint8Array.of(byte, application_data)));
    second?.set([3, 1], 1);
    peer.wire.sendBytes(concat(first ?? bytes(0), second ?? bytes(0)));
    peer.expectEnd('protocol_version');
    expect(peer.end.data).toEqual(Buffer.of(7));
  });

  it.each(protectedPlaces)('a record that does not authenticate, to a $role in $state: bad_record_mac', ({ reach }) => {
    const peer = reach();
    const record = peer.wire.sealed(Uint8Array.of(1, 0, alert));
    record.set([(record.at(-1) ?? 0) ^ 1], record.length - 1);
    peer.wire.sendBytes(record);
    peer.expectEnd('bad_record_mac');
  });

  it.each(protectedPlaces)('a record too short for its tag, to a $role in $state: bad_record_mac', ({ reach }) => {
    for (const length of [0, 1, 15, 16]) {
      const peer = reach();
      peer.wire.sendInClear(application_data, bytes(length));
      peer.expectEnd('bad_record_mac');
    }
  });

  it.each(connectedPlaces)('a record twice, to a $role in $state: bad_record_mac', ({ reach }) => {
    const peer = reach();
    const record = peer.wire.sealed(Uint8Array.of(7, application_data));
    peer.wire.sendBytes(concat(record, record));
    peer.expectEnd('bad_record_mac');
    expect(peer.end.data).toEqual(Buffer.of(7));
  });

  it.each(connectedPlaces)('a record left out, to a $role in $state: bad_record_mac', ({ reach }) => {
    const peer = reach();
    peer.wire.sealed(Uint8Array.of(7, application_data));
    peer.wire.send(application_data, bytes(1));
    peer.expectEnd('bad_record_mac');
  });

  it.each(connectedPlaces)(
    '§4.7.3 a record under the old key behind a KeyUpdate, to a $role in $state: bad_record_mac',
    ({ reach }) => {
      const peer = reach();
      peer.sayAfterwards('key_update', { requestUpdate: 'update_not_requested' });
      peer.wire.send(application_data, bytes(1));
      peer.expectEnd('bad_record_mac');
    },
  );
});

describe('§6 alerts that come', () => {
  it.each(all)('an alert of one byte to a $role in $state: decode_error', ({ reach }) => {
    const peer = reach();
    peer.wire.send(alert, Uint8Array.of(2));
    peer.expectEnd('decode_error');
  });

  it.each(all)('§5.1 two alerts in a record to a $role in $state: decode_error', ({ reach }) => {
    const peer = reach();
    peer.wire.send(alert, Uint8Array.of(2, 40, 2, 40));
    peer.expectEnd('decode_error');
  });

  const errors = [
    [2, 40, 'handshake_failure'],
    [1, 40, 'handshake_failure'],
    [1, 80, 'internal_error'],
    [0, 46, 'certificate_unknown'],
    [2, 199, 'general_error'],
    [1, 255, 'general_error'],
  ] as const;

  describe.each(all)('to a $role in $state', ({ reach }) => {
    it.each(errors)('level %i, description %i ends the connection, and nothing is answered', (level, code, name) => {
      const peer = reach();
      peer.wire.sendAlert(level, code);
      expect(peer.end.engine.error).toMatchObject({ alert: name, received: true });
      expect(peer.wire.alerts).toEqual([]);
      expect(peer.end.types.at(-1)).toBe('failed');
    });
  });

  it.each(connectedPlaces)('§6.1 user_canceled to a $role in $state is not an end, a flood of it is', ({ reach }) => {
    const peer = reach({ emptyRecords: 4 });
    for (let count = 0; count < 4; count++) peer.wire.sendAlert(1, 90);
    expect(peer.end.engine.state).toBe('connected');
    peer.wire.sendAlert(1, 90);
    peer.expectEnd('unexpected_message');
  });

  it.each([...clearPlaces, ...keyedPlaces])(
    '§6.1 close_notify in the handshake ends it, to a $role in $state',
    ({ reach }) => {
      const peer = reach();
      peer.wire.sendAlert(1, 0);
      expect(peer.end.engine.error).toMatchObject({ alert: 'close_notify', received: true });
      expect(peer.end.of('connected')).toEqual([]);
    },
  );

  it('§6.2 the alert for a message that cannot be parsed is protected once there are keys', () => {
    const client = new HandClient(provider, { clientAuthentication: 'request' }).clientHello();
    client.wire.sendMessages(encodeHandshake(11, bytes(7)));
    client.expectRefusal('decode_error');
  });
});
