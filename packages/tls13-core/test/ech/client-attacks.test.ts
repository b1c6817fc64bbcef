// What somebody between a client with ECH and its server can do, and what it gains: nothing (RFC 9849 §6.1, §10.12).
import { describe, expect, it } from 'vitest';
import { concat } from '../../src/bytes.js';
import { EchRejectedError } from '../../src/ech/rejected.js';
import { extensionTypes } from '../../src/registry.js';
import { createTicketKeys } from '../../src/ticket-keys.js';
import { decodeHandshake, downgradeSentinels, encodeMessage, helloRetryRequestRandom } from '../../src/wire/index.js';
import { type PairOptions, pair, sessionOf } from '../engine/support/pair.js';
import { changedHello, keys, meddling, named, newKey, provider, publicName } from './support.js';

const key = newKey();
const hidden = { serverName: 'secret.example', ech: { configs: key.configList } };
const withKeys = { ech: { keys: keys(key) } };
const retries = { client: { groups: ['x25519', 'secp256r1'] }, server: { groups: ['secp256r1'] } } as const;

/** The client's end when the server's hellos are changed on the way. */
function client(change: (message: Uint8Array, count: number) => Uint8Array, more: PairOptions = {}) {
  return pair(provider, {
    client: { ...hidden, ...more.client },
    server: { ...withKeys, ...more.server },
    wire: meddling('server', 'server_hello', change),
  }).handshake().client;
}

/** Behind the header and legacy_version. */
const endOfRandom = 4 + 2 + 32;

describe('the confirmation', () => {
  it.each([1, 4, 8])(
    'spoilt in byte %i from its end, the connection fails, and nothing is taken for a rejection',
    (place) => {
      const { engine } = client((message) => flipped(message, endOfRandom - place));
      expect(engine.error).toMatchObject({ alert: 'bad_record_mac' });
      expect(engine.error).not.toBeInstanceOf(EchRejectedError);
    },
  );

  it('in another part of the random, the same', () => {
    const { engine } = client((message) => flipped(message, 8));
    expect(engine.error?.alert).toBe('bad_record_mac');
  });

  it('replaced by the sentinel of a downgrade is no downgrade', () => {
    for (const sentinel of Object.values(downgradeSentinels)) {
      const { engine } = client((message) => {
        const changed = message.slice();
        changed.set(sentinel, endOfRandom - 8);
        return changed;
      });
      expect(engine.error?.alert).toBe('bad_record_mac');
    }
  });

  it('missing in the ServerHello behind a HelloRetryRequest that had it, the server contradicts itself (§6.1.5)', () => {
    const { engine } = client((message, count) => (count === 2 ? flipped(message, endOfRandom - 1) : message), retries);
    expect(engine.error).toMatchObject({ alert: 'illegal_parameter' });
    expect(engine.error?.message).toMatch(/confirms the encrypted ClientHello, the ServerHello does not/);
  });

  it('taken out of a HelloRetryRequest, the outer ClientHello goes on: the server sees that it was changed', () => {
    const joined = pair(provider, {
      client: { ...hidden, ...retries.client },
      server: { ...withKeys, ...retries.server },
      wire: meddling('server', 'server_hello', withoutEch),
    }).handshake();
    expect(joined.client.engine.info).toBeUndefined();
    expect(joined.server.engine.error?.alert).toBe('illegal_parameter');
    expect(joined.client.engine.error).not.toBeInstanceOf(EchRejectedError);
  });

  it('of a wrong length in a HelloRetryRequest is malformed (§6.1.4)', () => {
    const { engine } = client(
      (message) => changedRetry(message, (data) => (data === undefined ? undefined : data.subarray(1))),
      retries,
    );
    expect(engine.error?.alert).toBe('decode_error');
  });

  it('in a HelloRetryRequest to who did not offer ECH is refused, to a dummy passed over', () => {
    const forged = (message: Uint8Array) => changedRetry(message, () => new Uint8Array(8).fill(5));
    const plain = { ...retries.client, ech: {} };
    expect(client(forged, { client: plain, server: retries.server }).engine.error?.alert).toBe('unsupported_extension');
    const dummy = { ...retries.client, ech: { grease: true } };
    // The server's own transcript is without the forgery, so no handshake comes of it either.
    expect(client(forged, { client: dummy, server: retries.server }).engine.error?.alert).toBe('bad_record_mac');
  });

  it('guessed in a HelloRetryRequest is a rejection, and a rejection needs the public name', () => {
    const { engine } = client((message) => changedRetry(message, (data) => data && new Uint8Array(8).fill(5)), retries);
    expect(engine.error).not.toBeInstanceOf(EchRejectedError);
    expect(engine.info).toBeUndefined();
  });
});

describe('rejection', () => {
  const other = newKey(8);

  it('cannot be forged by who has no certificate of the public name', () => {
    const joined = pair(provider, {
      client: {
        ...hidden,
        verifyPeer: ({ serverName, echPublicName }) => {
          // The attacker has one of its own name.
          if (serverName === publicName || echPublicName !== undefined) throw new Error('not the public name');
        },
      },
      server: { ech: { keys: keys(other) } },
    }).handshake();
    expect(joined.client.engine.error).not.toBeInstanceOf(EchRejectedError);
    expect(joined.client.engine.error?.message).toBe('not the public name');
  });

  it('comes after the server is believed, never before its Finished', () => {
    let order = '';
    const joined = pair(provider, {
      client: {
        ...hidden,
        verifyPeer: () => {
          order += 'verified ';
        },
      },
      server: { ech: { keys: keys(other) } },
      wire: (from, bytes) => {
        order += `${from} `;
        return [bytes];
      },
    }).handshake();
    expect(joined.client.engine.error).toBeInstanceOf(EchRejectedError);
    expect(order.indexOf('verified')).toBeGreaterThan(order.indexOf('server'));
    expect(joined.client.of('connected')).toEqual([]);
  });

  it('no dummy PSK is ever taken (§6.1.2)', () => {
    const tickets = { protector: createTicketKeys(provider) };
    const session = sessionOf(provider, { client: hidden, server: { ...withKeys, tickets } });
    const { engine } = client(
      (message) => {
        const decoded = decodeHandshake(message);
        if (decoded.type !== 'server_hello') return message;
        const { body } = decoded;
        const { supportedVersions, keyShare } = body.extensions;
        return encodeMessage('server_hello', { ...body, extensions: { supportedVersions, keyShare, preSharedKey: 0 } });
      },
      { client: { session }, server: { ech: { keys: keys(other) }, tickets } },
    );
    expect(engine.error).toMatchObject({ alert: 'illegal_parameter' });
    expect(engine.error?.message).toMatch(/selects PSK 0; offered were 0/);
  });

  it('retry configs that are malformed are malformed EncryptedExtensions (§6.1.6)', () => {
    const bytes = Uint8Array.of(0xfe, 0x0d, 0, 4, 0xba, 0xdd, 0xec, 0xcc);
    const message = concat(Uint8Array.of(8, 0, 0, bytes.length + 2, 0, bytes.length), bytes);
    expect(() => decodeHandshake(message)).toThrow(/ECHConfigList/);
  });
});

describe('a name in clear', () => {
  it('does not take the place of the hidden one: a changed public name is noticed', () => {
    const joined = pair(provider, {
      client: hidden,
      server: withKeys,
      wire: meddling('client', 'client_hello', (message) =>
        changedHello(message, (hello) => ({
          ...hello,
          extensions: hello.extensions.map((one) =>
            one.type === extensionTypes.server_name ? named('attacker.example') : one,
          ),
        })),
      ),
    }).handshake();
    // It does not open any more; and the transcript of the outer ClientHello is another one.
    expect(joined.client.engine.info).toBeUndefined();
    expect(joined.client.engine.error).not.toBeInstanceOf(EchRejectedError);
    expect(joined.server.engine.info).toBeUndefined();
  });

  it('taking the extension out is noticed too', () => {
    const joined = pair(provider, {
      client: hidden,
      server: withKeys,
      wire: meddling('client', 'client_hello', (message) =>
        changedHello(message, (hello) => ({
          ...hello,
          extensions: hello.extensions.filter(({ type }) => type !== extensionTypes.encrypted_client_hello),
        })),
      ),
    }).handshake();
    expect(joined.client.engine.info).toBeUndefined();
    expect(joined.client.engine.error).not.toBeInstanceOf(EchRejectedError);
  });
});

function flipped(message: Uint8Array, index: number): Uint8Array {
  const changed = message.slice();
  changed[index] = (changed[index] ?? 0) ^ 1;
  return changed;
}

function withoutEch(message: Uint8Array): Uint8Array {
  return changedRetry(message, () => undefined);
}

/** A HelloRetryRequest with another body of the extension, or without it; any other message as it is. */
function changedRetry(
  message: Uint8Array,
  change: (data: Uint8Array | undefined) => Uint8Array | undefined,
): Uint8Array {
  const decoded = decodeHandshake(message);
  if (decoded.type !== 'hello_retry_request') return message;
  expect(decoded.body.random).toEqual(helloRetryRequestRandom);
  const { encryptedClientHello: before, supportedVersions, keyShare, cookie } = decoded.body.extensions;
  const data = change(before?.slice());
  const made = encodeMessage('hello_retry_request', {
    ...decoded.body,
    extensions: { supportedVersions, keyShare, cookie },
  });
  if (data === undefined) return made;
  const { encrypted_client_hello: type } = extensionTypes;
  const extension = concat(Uint8Array.of(type >> 8, type & 0xff, 0, data.length), data);
  const whole = concat(made, extension);
  // The lengths of the message and of its extensions, which end it.
  const view = new DataView(whole.buffer);
  view.setUint16(2, view.getUint16(2) + extension.length);
  const place = 4 + 2 + 32 + 1 + decoded.body.legacySessionIdEcho.length + 2 + 1;
  view.setUint16(place, view.getUint16(place) + extension.length);
  return whole;
}
