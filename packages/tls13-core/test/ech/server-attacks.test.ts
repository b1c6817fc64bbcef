// What a hostile client, or somebody on the way, does to a server with ECH keys (RFC 9849 §5.1, §7, §10.12).
import { describe, expect, it } from 'vitest';
import { concat } from '../../src/bytes.js';
import { createServerEngine } from '../../src/engine/index.js';
import { serverHelloConfirmation } from '../../src/handshake/ech/confirmation.js';
import { Transcript } from '../../src/keys/transcript.js';
import { extensionTypes } from '../../src/registry.js';
import { createTicketKeys } from '../../src/ticket-keys.js';
import { decodeHandshake } from '../../src/wire/index.js';
import { encodeRawClientHello } from '../../src/wire/raw-client-hello.js';
import { End, pair, serverConfig } from '../engine/support/pair.js';
import {
  type Crafted,
  changedHello,
  crafted,
  keys,
  marker,
  meddling,
  messagesOf,
  named,
  newKey,
  plainHello,
  provider,
  publicName,
  record,
  references,
} from './support.js';

const key = newKey();
const { supported_groups, key_share, signature_algorithms, server_name, supported_versions } = extensionTypes;

/** What the server makes of a first flight. */
function answerTo(bytes: Uint8Array, withKeys = true) {
  const names: (string | undefined)[] = [];
  const config = serverConfig(provider, withKeys ? { ech: { keys: keys(key) } } : {});
  const { credentials } = config;
  const server = new End(
    createServerEngine({
      ...config,
      credentials: (hello) => {
        names.push(hello.serverName);
        return typeof credentials === 'function' ? credentials(hello) : credentials?.[0];
      },
    }),
  );
  server.take(server.engine.start());
  server.take(server.engine.receive(bytes));
  return { server, alert: server.engine.error?.alert, message: server.engine.error?.message ?? '', names };
}

const secretName = named('secret.example');

describe('an inner ClientHello', () => {
  it('is what is answered, and the outer one is not', () => {
    const { alert, names } = answerTo(crafted(key));
    expect(alert).toBeUndefined();
    expect(names).toEqual(['secret.example']);
  });

  it('may refer to any extensions of the outer one, between others too', () => {
    const { alert, names } = answerTo(
      crafted(key, {
        inner: ({ extensions }) => {
          const own = extensions.filter(({ type }) => type !== supported_groups && type !== key_share);
          return { extensions: [secretName, references(supported_groups, key_share), marker, ...own.slice(1)] };
        },
      }),
    );
    expect(alert).toBeUndefined();
    expect(names).toEqual(['secret.example']);
  });

  const broken: readonly (readonly [string, Crafted, RegExp])[] = [
    ['padding that is not zero', { padding: Uint8Array.of(0, 0, 1, 0) }, /padding that is not zero/],
    [
      'a reference to what is not there',
      inner(references(0x4242)),
      /refers to 0x4242, which the outer ClientHello does not hold/,
    ],
    [
      'the same reference twice',
      inner(references(supported_groups, supported_groups)),
      /refers to supported_groups, which the outer/,
    ],
    [
      'references in another order',
      inner(references(key_share, supported_groups)),
      /refers to supported_groups, which/,
    ],
    [
      'a reference to ECH itself',
      inner(references(extensionTypes.encrypted_client_hello)),
      /refers to encrypted_client_hello, which may not/,
    ],
    [
      'two lists of references',
      inner(references(supported_groups), references(key_share)),
      /ech_outer_extensions does not belong|two ech_outer_extensions/,
    ],
    ['no encrypted_client_hello', { inner: ({ extensions }) => ({ extensions }) }, /has no encrypted_client_hello/],
    [
      'an encrypted_client_hello of type outer',
      inner({
        type: extensionTypes.encrypted_client_hello,
        data: Uint8Array.of(0, 0, 1, 0, 1, 7, 0, 1, 1, 0, 1, 1),
      }),
      /has no encrypted_client_hello of type inner/,
    ],
    [
      'TLS 1.2 among its versions',
      { inner: ({ extensions }) => ({ extensions: [...withVersions(extensions, [0x0304, 0x0303]), marker] }) },
      /offers tls12; wanted is TLS 1\.3 alone/,
    ],
    [
      'no supported_versions',
      {
        inner: ({ extensions }) => ({
          extensions: [...extensions.filter(({ type }) => type !== supported_versions), marker],
        }),
      },
      /has no supported_versions/,
    ],
    [
      'a legacy_session_id of its own',
      { inner: ({ extensions }) => ({ extensions: [...extensions, marker], legacySessionId: new Uint8Array(32) }) },
      /legacy_session_id of its own/,
    ],
  ];

  /** After the client's own extensions, without those that the references stand for. */
  function inner(...more: readonly { readonly type: number; readonly data: Uint8Array }[]): Crafted {
    return {
      inner: ({ extensions }) => {
        const own = extensions.filter(({ type }) => type !== supported_groups && type !== key_share);
        const marked = more.some(({ type }) => type === marker.type) ? [] : [marker];
        return { extensions: [...own, ...marked, ...more] };
      },
    };
  }

  it.each(broken)('with %s is refused', (_name, what, text) => {
    const { alert, message, names } = answerTo(crafted(key, what));
    expect(message).toMatch(text);
    expect(alert).toBe('illegal_parameter');
    expect(names).toEqual([]);
  });

  it.each([
    ['cut off', new Uint8Array(40)],
    ['empty', new Uint8Array(0)],
  ])('that is %s is malformed', (_name, extensions) => {
    const cut: Crafted = {
      inner: () => ({ cipherSuites: Uint8Array.of(0x13, 0x01), extensions: [{ type: 0x1234, data: extensions }] }),
    };
    const { alert } = answerTo(crafted(key, cut));
    expect(['illegal_parameter', 'decode_error']).toContain(alert);
  });

  it('with a list of references that is malformed is malformed', () => {
    for (const data of [Uint8Array.of(0), Uint8Array.of(1, 0), Uint8Array.of(2, 0), Uint8Array.of(3, 0, 10, 0)]) {
      const { alert } = answerTo(crafted(key, inner({ type: extensionTypes.ech_outer_extensions, data })));
      expect(alert).toBe('decode_error');
    }
  });

  it('does not grow beyond what was sent: each extension is copied once at most (§10.12.4)', () => {
    const many = Array.from({ length: 100 }, () => signature_algorithms);
    expect(answerTo(crafted(key, inner(references(...many)))).alert).toBe('illegal_parameter');
  });
});

function withVersions(
  extensions: readonly { readonly type: number; readonly data: Uint8Array }[],
  versions: readonly number[],
) {
  const data = Uint8Array.of(2 * versions.length, ...versions.flatMap((version) => [version >> 8, version & 0xff]));
  return extensions.map((one) => (one.type === supported_versions ? { ...one, data } : one));
}

describe('SNI and ECH do not mix', () => {
  it('a changed outer ClientHello does not open: nobody learns what the inner one says (§10.12.3)', () => {
    const hello = crafted(key);
    const decoy = changedHello(hello.slice(5), (outer) => ({
      ...outer,
      extensions: outer.extensions.map((one) => (one.type === server_name ? named('test.example') : one)),
    }));
    const { names, server } = answerTo(record(decoy));
    expect(names).toEqual(['test.example']);
    expect(server.engine.error).toBeUndefined();
  });

  it.each(['random', 'legacySessionId', 'cipherSuites', 'extensions'] as const)(
    'the %s of the outer ClientHello is bound too',
    (field) => {
      const message = changedHello(crafted(key).slice(5), (outer) => ({
        ...outer,
        ...(field === 'extensions'
          ? { extensions: outer.extensions.toReversed() }
          : { [field]: outer[field].map((byte) => byte ^ 1) }),
      }));
      expect(answerTo(record(message)).names).not.toContain('secret.example');
    },
  );

  it('neither a config_id nor a suite of somebody else opens it', () => {
    for (const extension of [
      { configId: 8 },
      { suite: { kdf: 1, aead: 2 } },
      { suite: { kdf: 2, aead: 1 } },
      { suite: { kdf: 0x7777, aead: 1 } },
      { enc: new Uint8Array(32) },
      { enc: new Uint8Array(31).fill(1) },
      { enc: new Uint8Array(0) },
    ]) {
      const { names, alert } = answerTo(crafted(key, { extension }));
      expect(names).toEqual([publicName]);
      expect(alert).toBeUndefined();
    }
  });

  it('what stands only outside is not negotiated', () => {
    const { names, alert } = answerTo(
      crafted(key, {
        outer: ({ extensions }) => ({ extensions: [named(publicName), ...extensions.slice(1)] }),
        inner: ({ extensions }) => ({
          extensions: [...extensions.filter(({ type }) => type !== server_name), marker],
        }),
      }),
    );
    expect(alert).toBeUndefined();
    expect(names).toEqual([undefined]);
  });

  it('an inner ClientHello in clear is refused by who opens them (§7)', () => {
    const plain = plainHello();
    const bytes = record(encodeRawClientHello({ ...plain, extensions: [...plain.extensions, marker] }));
    expect(answerTo(bytes)).toMatchObject({ alert: 'illegal_parameter', names: [] });
  });

  it('a server without keys takes it from the one in front, and confirms it (§7.2)', () => {
    const plain = plainHello();
    const hello = encodeRawClientHello({ ...plain, extensions: [...plain.extensions, marker] });
    const { server, alert, names } = answerTo(record(hello), false);
    expect(alert).toBeUndefined();
    expect(names).toEqual(['secret.example']);
    const [message = new Uint8Array(0)] = messagesOf(concat(...server.of('transmit').map(({ data }) => data)));
    const decoded = decodeHandshake(message);
    if (decoded.type !== 'server_hello') throw new Error('no ServerHello');
    const transcript = Transcript.start(provider.hash('sha256')).append(hello);
    const confirmation = serverHelloConfirmation({ innerRandom: plain.random, transcript, message });
    expect(decoded.body.random.slice(-8)).toEqual(confirmation);
  });

  it('references stand inside alone', () => {
    const plain = plainHello();
    const extensions = [...plain.extensions, references(key_share)];
    expect(answerTo(record(encodeRawClientHello({ ...plain, extensions }))).alert).toBe('illegal_parameter');
    const outside = crafted(key, { outer: ({ extensions: own }) => ({ extensions: [...own, references(key_share)] }) });
    expect(answerTo(outside).alert).toBe('illegal_parameter');
  });

  it('a type that does not exist is refused', () => {
    const plain = plainHello();
    const data = Uint8Array.of(2);
    const bytes = encodeRawClientHello({ ...plain, extensions: [...plain.extensions, { type: marker.type, data }] });
    expect(answerTo(record(bytes)).alert).toBe('illegal_parameter');
  });

  it('a dummy of another key is answered with configs, the outer name stands', () => {
    const { names, alert, server } = answerTo(crafted(newKey(7)));
    expect(alert).toBeUndefined();
    expect(names).toEqual([publicName]);
    expect(server.engine.error).toBeUndefined();
  });
});

describe('a second ClientHello (§7.1.1)', () => {
  const hidden = { serverName: 'secret.example', ech: { configs: key.configList } };
  const groups = { client: ['x25519', 'secp256r1'], server: ['secp256r1'] } as const;

  /** The alert of a server that has asked for another group, when the second ClientHello is changed on the way. */
  function second(change: (extension: Uint8Array) => Uint8Array | undefined) {
    const { server } = pair(provider, {
      client: { ...hidden, groups: groups.client },
      server: { groups: groups.server, ech: { keys: keys(key) } },
      wire: meddling('client', 'client_hello', (message, count) => {
        if (count === 1) return message;
        return changedHello(message, (hello) => ({
          ...hello,
          extensions: hello.extensions.flatMap((one) => {
            if (one.type !== marker.type) return [one];
            const data = change(one.data.slice());
            return data === undefined ? [] : [{ ...one, data }];
          }),
        }));
      }),
    }).handshake();
    return server.engine.error;
  }

  it('must open in the context of the first: no other client can take its place (§10.12.2)', () => {
    expect(second((data) => flipped(data, data.length - 1))).toMatchObject({ alert: 'decrypt_error' });
  });

  it('must hold the extension', () => {
    expect(second(() => undefined)).toMatchObject({ alert: 'missing_extension' });
  });

  it.each([
    ['another config_id', (data: Uint8Array) => flipped(data, 5)],
    ['another AEAD', (data: Uint8Array) => flipped(data, 4)],
    ['another KDF', (data: Uint8Array) => flipped(data, 2)],
    ['an enc', (data: Uint8Array) => concat(data.subarray(0, 6), Uint8Array.of(0, 1, 9), data.subarray(8))],
    ['type inner', () => Uint8Array.of(1)],
  ])('must not have %s', (_name, change) => {
    expect(second(change)).toMatchObject({ alert: 'illegal_parameter' });
  });

  it('with the inner ClientHello of another handshake does not open', () => {
    const recorded: Uint8Array[] = [];
    const options = (replace: boolean) => ({
      client: { ...hidden, groups: groups.client },
      server: { groups: groups.server, ech: { keys: keys(key) } },
      wire: meddling('client', 'client_hello', (message: Uint8Array, count: number) => {
        if (count === 2 && !replace) recorded.push(message);
        return count === 2 && replace ? (recorded[0] ?? message) : message;
      }),
    });
    pair(provider, options(false)).handshake();
    const { server } = pair(provider, options(true)).handshake();
    expect(server.engine.error).toMatchObject({ alert: 'decrypt_error' });
  });

  it('is refused by another connection of a server whose state is in a cookie', () => {
    const cookies = createTicketKeys(provider);
    const config = { groups: groups.server, cookies, ech: { keys: keys(key) } };
    let second: Uint8Array | undefined;
    pair(provider, {
      client: { ...hidden, groups: groups.client },
      server: config,
      wire: meddling('client', 'client_hello', (message, count) => {
        if (count === 2) second = message;
        return message;
      }),
    }).handshake();
    const other = new End(createServerEngine(serverConfig(provider, config)));
    other.take(other.engine.start());
    other.take(other.engine.receive(record(second ?? new Uint8Array(0))));
    expect(other.engine.error).toMatchObject({ alert: 'illegal_parameter' });
  });
});

function flipped(data: Uint8Array, index: number): Uint8Array {
  const changed = data.slice();
  changed[index] = (changed[index] ?? 0) ^ 0x40;
  return changed;
}
