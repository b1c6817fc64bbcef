import { Duplex } from 'node:stream';
import { connect as connectTls } from 'node:tls';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { clientHelloInfo, readClientHello } from '../src/client-hello-reader.js';
import type { ClientHelloInfo } from '../src/config/index.js';
import { nobleProvider } from '../src/crypto/noble.js';
import { createClientEngine } from '../src/engine/index.js';
import { ja4 } from '../src/ja4.js';
import { plaintextRecords } from '../src/record/header.js';

const provider = nobleProvider;

/** The first flight of a client of ours. */
function ours(): Uint8Array {
  const engine = createClientEngine({
    provider,
    serverName: 'example.test',
    alpnProtocols: ['h2', 'http/1.1'],
    groups: ['x25519', 'secp256r1'],
    verifyPeer: () => {},
  });
  const [flight] = engine.start();
  if (flight?.type !== 'transmit') throw new Error('a client begins with a ClientHello');
  return flight.data;
}

/** The first bytes of a client of OpenSSL's. */
function opensslHello(maxVersion: 'TLSv1.2' | 'TLSv1.3'): Promise<Uint8Array> {
  return new Promise((resolve) => {
    const stream = new Duplex({
      read() {},
      write(chunk: Buffer, _encoding, done) {
        resolve(Uint8Array.from(chunk));
        done();
      },
    });
    connectTls({ socket: stream, servername: 'old.test', maxVersion, ALPNProtocols: ['http/1.1'] }).on(
      'error',
      () => {},
    );
  });
}

const hello = (bytes: Uint8Array): ClientHelloInfo => {
  const read = readClientHello(bytes);
  if (!('hello' in read)) throw new Error(`${read.wanted} bytes are wanted`);
  return read.hello;
};

describe('readClientHello', () => {
  it('tells what a client of ours asks for', () => {
    const flight = ours();
    expect(hello(flight)).toMatchObject({
      legacyVersion: 0x0303,
      versions: [0x0304],
      serverName: 'example.test',
      alpnProtocols: ['h2', 'http/1.1'],
      groups: [0x001d, 0x0017],
    });
    expect(hello(flight).bytes).toEqual(flight.slice(5));
  });

  it('reads a client that knows nothing of TLS 1.3', async () => {
    const read = hello(await opensslHello('TLSv1.2'));
    expect(read).toMatchObject({ legacyVersion: 0x0303, versions: [], serverName: 'old.test' });
    expect(read.cipherSuites.length).toBeGreaterThan(5);
  });

  it('says how much is wanted, never too much, wherever the bytes are cut', () => {
    const flight = ours();
    for (let length = 0; length < flight.length; length += 1) {
      const read = readClientHello(flight.subarray(0, length));
      const wanted = 'wanted' in read ? read.wanted : 0;
      expect(wanted).toBeGreaterThan(length);
      expect(wanted).toBeLessThanOrEqual(flight.length);
    }
  });

  it('in as many records as it likes, with anything behind it', () => {
    const flight = ours();
    const message = flight.slice(5);
    for (const size of [1, 3, 4, 5, 100]) {
      const records = plaintextRecords(22, message, size);
      expect(hello(Uint8Array.from([...records, ...Buffer.from('and something else')])).bytes).toEqual(message);
      for (let length = 0; length < records.length; length += 7) {
        const read = readClientHello(records.subarray(0, length));
        const wanted = 'wanted' in read ? read.wanted : 0;
        expect(wanted).toBeGreaterThan(length);
        expect(wanted).toBeLessThanOrEqual(records.length);
      }
    }
  });

  it('reads malformed extensions as absent', () => {
    const body = [3, 3, ...new Uint8Array(32), 0, 0, 2, 0x13, 0x01, 1, 0];
    const extensions = [0, 0, 0, 1, 9, 0, 16, 0, 0, 0, 43, 0, 2, 9, 9];
    const message = Uint8Array.from([
      1,
      0,
      0,
      body.length + 2 + extensions.length,
      ...body,
      0,
      extensions.length,
      ...extensions,
    ]);
    const info = clientHelloInfo(message);
    expect(info).toMatchObject({ serverName: undefined, alpnProtocols: [], versions: [], extensionTypes: [0, 16, 43] });
  });

  it('reads one without any extensions', () => {
    const body = [3, 1, ...new Uint8Array(32), 0, 0, 2, 0, 0x2f, 1, 0];
    const info = clientHelloInfo(Uint8Array.from([1, 0, 0, body.length, ...body]));
    expect(info).toMatchObject({ legacyVersion: 0x0301, cipherSuites: [0x002f], extensionTypes: [] });
  });

  it.each([
    ['HTTP', Buffer.from('GET / HTTP/1.1\r\n'), 'unexpected_message'],
    ['SSH', Buffer.from('SSH-2.0-OpenSSH'), 'unexpected_message'],
    ['an alert', Uint8Array.of(21, 3, 1, 0, 2, 2, 40), 'unexpected_message'],
    ['another message', Uint8Array.of(22, 3, 1, 0, 4, 2, 0, 0, 0), 'unexpected_message'],
    ['an empty record', Uint8Array.of(22, 3, 1, 0, 0), 'unexpected_message'],
    ['a record too long', Uint8Array.of(22, 3, 1, 0x40, 1), 'record_overflow'],
    ['a message too long', Uint8Array.of(22, 3, 1, 0, 4, 1, 2, 0, 0), 'illegal_parameter'],
    ['a body cut short', Uint8Array.of(22, 3, 1, 0, 6, 1, 0, 0, 2, 3, 3), 'decode_error'],
  ])('refuses %s', (_what, bytes, alert) => {
    expect(() => readClientHello(bytes)).toThrow(expect.objectContaining({ alert }));
  });

  it('throws nothing but TlsError, whatever comes', () => {
    const beginnings = fc
      .uint8Array({ maxLength: 300 })
      .map((tail) => Uint8Array.from([22, 3, 1, 0, 200, 1, 0, 0, 190, ...tail]));
    fc.assert(
      fc.property(fc.oneof(beginnings, fc.uint8Array({ maxLength: 300 })), (bytes) => {
        try {
          const read = readClientHello(bytes);
          if ('wanted' in read) expect(read.wanted).toBeGreaterThan(bytes.length);
        } catch (error) {
          expect(error).toMatchObject({ name: 'TlsError' });
        }
      }),
    );
  });
});

describe('ja4', () => {
  const chrome: ClientHelloInfo = {
    legacyVersion: 0x0303,
    versions: [0xdada, 0x0304, 0x0303],
    serverName: 'example.test',
    certificateTypes: ['x509'],
    alpnProtocols: ['h2', 'http/1.1'],
    cipherSuites: [
      ...[0x1a1a, 0x1301, 0x1302, 0x1303, 0xc02b, 0xc02f, 0xc02c, 0xc030, 0xcca9, 0xcca8],
      ...[0xc013, 0xc014, 0x009c, 0x009d, 0x002f, 0x0035],
    ],
    groups: [],
    signatureSchemes: [0x0403, 0x0804, 0x0401, 0x0503, 0x0805, 0x0501, 0x0806, 0x0601],
    certificateSignatureSchemes: [],
    delegatedCredentialSchemes: [],
    certificateAuthorities: [],
    extensionTypes: [
      ...[0x2a2a, 0x001b, 0x0000, 0x0033, 0x0010, 0x4469, 0x0017, 0x002d, 0x000d],
      ...[0x0005, 0x0023, 0x0012, 0x002b, 0xff01, 0x000b, 0x000a, 0x0015],
    ],
    bytes: new Uint8Array(0),
  };

  it("is the one that JA4's authors print for a Chromium", () => {
    expect(ja4(chrome, provider)).toBe('t13d1516h2_8daaf6152771_e5627efa2ab1');
  });

  it('does not change with the order of suites and extensions, nor with other GREASE', () => {
    const other = {
      ...chrome,
      cipherSuites: [0x4a4a, ...chrome.cipherSuites.slice(1).toReversed()],
      extensionTypes: [0x8a8a, ...chrome.extensionTypes.slice(1).toReversed()],
    };
    expect(ja4(other, provider)).toBe(ja4(chrome, provider));
  });

  it('says what is missing', () => {
    const bare = {
      ...chrome,
      versions: [],
      alpnProtocols: [],
      cipherSuites: [],
      extensionTypes: [],
      signatureSchemes: [],
    };
    expect(ja4(bare, provider)).toBe('t12i000000_000000000000_000000000000');
  });

  it('writes protocols that are no letters in hexadecimal', () => {
    expect(ja4({ ...chrome, alpnProtocols: ['\u00ab\u00cd'] }, provider)).toMatch(/^t13d1516ad_/);
  });

  it('of an OpenSSL client begins as it should', async () => {
    expect(ja4(hello(await opensslHello('TLSv1.3')), provider)).toMatch(/^t13d\d{4}h1_[0-9a-f]{12}_[0-9a-f]{12}$/);
  });
});
