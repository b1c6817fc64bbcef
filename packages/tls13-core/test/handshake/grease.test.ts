/** GREASE (RFC 8701) and the order of a ClientHello's extensions, both roles. */
import { describe, expect, it } from 'vitest';
import { nobleProvider } from '../../src/crypto/noble.js';
import { chooseGrease } from '../../src/handshake/grease.js';
import { extensionTypes, isGrease, namedGroups } from '../../src/registry.js';
import { createTicketKeys } from '../../src/ticket-keys.js';
import { decodeHandshake } from '../../src/wire/index.js';
import { credential } from '../engine/support/certificates.js';
import { pair, sessionOf } from '../engine/support/pair.js';
import { raw, serverIdentity, TestClient, untilServerHello } from './client-support.js';

describe('GREASE values', () => {
  it('are those of RFC 8701 §2, two different ones for extensions', () => {
    const modes = [0x0b, 0x2a, 0x49, 0x68, 0x87, 0xa6, 0xc5, 0xe4];
    const seen = new Set<number>();
    for (let round = 0; round < 200; round++) {
      const grease = chooseGrease(nobleProvider);
      const { cipherSuite, group, version, signatureScheme, firstExtension, lastExtension } = grease;
      const codes = [cipherSuite, group, version, signatureScheme, firstExtension, lastExtension];
      expect(codes.every(isGrease), codes.join()).toBe(true);
      expect(firstExtension).not.toBe(lastExtension);
      expect(modes).toContain(grease.pskKeyExchangeMode);
      const [one = 0, other] = Array.from(grease.alpnProtocol, (character) => character.charCodeAt(0));
      expect([one & 0x0f, other, grease.alpnProtocol.length]).toEqual([0x0a, one, 2]);
      for (const code of codes) seen.add(code);
    }
    expect(seen.size).toBe(16);
    expect([0x0a0a, 0xfafa, 0x0a1a, 0x1301, 0x0a0b].map(isGrease)).toEqual([true, true, false, false, false]);
  });
});

describe('a ClientHello with GREASE', () => {
  it('has a value in every list, and an extension at either end', () => {
    const { hello } = new TestClient({ grease: true, alpnProtocols: ['h2'] });
    const { extensions } = hello;
    expect(hello.cipherSuites.map(isGrease)).toEqual([true, false, false, false, false]);
    expect(extensions.supportedGroups?.map(isGrease)).toEqual([true, false, false]);
    expect(extensions.supportedVersions?.map(isGrease)).toEqual([true, false]);
    expect(extensions.signatureAlgorithms?.filter(isGrease)).toHaveLength(1);
    expect(extensions.keyShare?.map(({ group }) => isGrease(group))).toEqual([true, false]);
    expect(extensions.keyShare?.[0]?.group).toBe(extensions.supportedGroups?.[0]);
    expect(extensions.keyShare?.[0]?.keyExchange).toHaveLength(1);
    expect(extensions.pskKeyExchangeModes).toHaveLength(2);
    expect(extensions.alpn).toHaveLength(2);
    const [first = 0] = extensions.types;
    const last = extensions.types.at(-1) ?? 0;
    expect([isGrease(first), isGrease(last)]).toEqual([true, true]);
    expect(extensions.types.filter(isGrease)).toHaveLength(2);
    expect(extensions.raw.get(first)).toHaveLength(0);
    expect(extensions.raw.get(last)).toHaveLength(1);
  });

  it('has none unless it was asked for', () => {
    const { hello } = new TestClient({});
    expect([...hello.cipherSuites, ...hello.extensions.types].some(isGrease)).toBe(false);
  });
});

describe('extensions in an order of their own', () => {
  const orders = (config: object) =>
    Array.from({ length: 6 }, () => new TestClient({ alpnProtocols: ['h2'], ...config }).hello.extensions.types.join());

  it('differ from one connection to the next, and hold the same', () => {
    const seen = orders({ permuteExtensions: true });
    expect(new Set(seen).size).toBeGreaterThan(1);
    expect(new Set(seen.map((order) => order.split(',').sort().join())).size).toBe(1);
    expect(new Set(orders({})).size).toBe(1);
  });
});

describe('a whole handshake with GREASE and permuted extensions', () => {
  const client = { grease: true, permuteExtensions: true, alpnProtocols: ['h2'] } as const;

  it('works between two ends that send it, resumption included, and client certificates', () => {
    const protector = createTicketKeys(nobleProvider);
    const server = {
      grease: true,
      alpnProtocols: ['h2'],
      clientAuthentication: 'require',
      tickets: { protector },
    } as const;
    const own = { ...client, credential: credential(nobleProvider, 'p256') };
    const session = sessionOf(nobleProvider, { client: own, server });
    const second = pair(nobleProvider, { client: { ...own, session }, server }).handshake();
    expect(second.client.engine.info).toMatchObject({ alpnProtocol: 'h2', resumed: true });
    expect(second.server.engine.info?.resumed).toBe(true);
  });

  it('keeps values and order in the second ClientHello, but for the share (§4.2.2)', () => {
    const hellos: Uint8Array[] = [];
    const connected = pair(nobleProvider, {
      client: { ...client, groups: ['x25519', 'secp256r1'], keyShares: ['x25519'] },
      server: { groups: ['secp256r1'], alpnProtocols: ['h2'] },
      wire(from, bytes) {
        // The second stands behind a change_cipher_spec record of six bytes.
        const record = bytes[0] === 20 ? bytes.subarray(6) : bytes;
        if (from === 'client' && record[0] === 22) hellos.push(record.slice(5));
        return [bytes];
      },
    }).handshake();
    expect(connected.client.engine.info).toMatchObject({ helloRetryRequest: true, group: 'secp256r1' });
    const [first, second] = hellos.map((bytes) => {
      const message = decodeHandshake(bytes);
      if (message.type !== 'client_hello') throw new Error(`${message.type} instead of a ClientHello`);
      return message.body;
    });
    expect(second?.cipherSuites).toEqual(first?.cipherSuites);
    expect(second?.extensions.types).toEqual(first?.extensions.types);
    expect(second?.extensions.keyShare?.map(({ group }) => group)).toEqual([namedGroups.secp256r1]);
    const without = (hello: typeof first) =>
      [...(hello?.extensions.raw ?? [])].filter(([type]) => type !== extensionTypes.key_share);
    expect(without(second)).toEqual(without(first));
  });
});

describe('a server that takes a GREASE value for one that means something (RFC 8701 §3.1)', () => {
  const greased = { grease: true, alpnProtocols: ['h2'] } as const;

  it('is refused when it answers the extension', () => {
    const { client, server } = untilServerHello(greased);
    const [type = 0] = client.hello.extensions.types;
    client.receive(server.serverHello());
    expect(client.alertFor(server.encryptedExtensions(raw(type)))).toBe('unsupported_extension');
  });

  it('is refused when its certificate answers the extension', () => {
    const { client, server } = untilServerHello(greased);
    const [type = 0] = client.hello.extensions.types;
    client.receive(server.serverHello()).receive(server.encryptedExtensions());
    const entry = { certData: serverIdentity.certificate, extensions: raw(type) };
    expect(client.alertFor(server.certificate({ certificateList: [entry] }))).toBe('unsupported_extension');
  });

  it('is refused when it selects the protocol', () => {
    const { client, server } = untilServerHello(greased);
    const [, protocol = ''] = client.hello.extensions.alpn ?? [];
    client.receive(server.serverHello());
    expect(client.alertFor(server.encryptedExtensions({ alpn: protocol }))).toBe('illegal_parameter');
  });
});
