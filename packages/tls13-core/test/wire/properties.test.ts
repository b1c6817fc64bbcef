/** Handshake messages of any content come back as they went, and no bytes whatever do harm. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { TlsError } from '../../src/alert.js';
import { encodeEchConfigList } from '../../src/wire/ech.js';
import {
  decodeAlert,
  decodeHandshake,
  encodeHandshake,
  encodeMessage,
  type HandshakeMessageType,
  helloRetryRequestRandom,
  type MessageBodiesToSend,
} from '../../src/wire/index.js';

const octets = (minLength: number, maxLength: number) => fc.uint8Array({ minLength, maxLength });
const code = fc.integer({ min: 0, max: 65_535 });
const codes = fc.array(code, { minLength: 1, maxLength: 8 });
const number32 = fc.integer({ min: 0, max: 2 ** 32 - 1 });
const name = fc.stringMatching(/^[!-~]{1,30}$/);
const keyShare = fc.record({ group: code, keyExchange: octets(1, 40) });
const byteCode = fc.integer({ min: 0, max: 255 });
/** A list of X.509 alone is to be left out. */
const bytesAsCodes = fc.array(fc.integer({ min: 1, max: 255 }), { minLength: 1, maxLength: 3 });
/** Of a version that nobody knows, whose contents are anything. */
const echConfig = (contents: Uint8Array) => Uint8Array.from([0xab, 0xcd, 0, contents.length, ...contents]);
const optional = { requiredKeys: [] };
const offeredPsks = fc
  .array(fc.record({ identity: octets(1, 30), obfuscatedTicketAge: number32, binder: octets(32, 64) }), {
    minLength: 1,
    maxLength: 3,
  })
  .map((offers) => ({
    identities: offers.map(({ identity, obfuscatedTicketAge }) => ({ identity, obfuscatedTicketAge })),
    binders: offers.map(({ binder }) => binder),
  }));

const bodies: { readonly [Type in HandshakeMessageType]: fc.Arbitrary<MessageBodiesToSend[Type]> } = {
  client_hello: fc.record({
    legacyVersion: code,
    random: octets(32, 32),
    legacySessionId: octets(0, 32),
    cipherSuites: codes,
    legacyCompressionMethods: octets(1, 3),
    extensions: fc.record(
      {
        supportedVersions: codes,
        serverName: name,
        supportedGroups: codes,
        signatureAlgorithms: codes,
        signatureAlgorithmsCert: codes,
        alpn: fc.array(name, { minLength: 1, maxLength: 3 }),
        statusRequest: octets(0, 9),
        signedCertificateTimestamp: fc.constant(true as const),
        recordSizeLimit: fc.integer({ min: 64, max: 65_535 }),
        certificateAuthorities: fc.array(octets(1, 20), { minLength: 1, maxLength: 3 }),
        postHandshakeAuth: fc.constant(true as const),
        clientCertificateTypes: bytesAsCodes,
        serverCertificateTypes: bytesAsCodes,
        delegatedCredential: codes,
        compressCertificate: fc.uniqueArray(code, { minLength: 1, maxLength: 9 }),
        ticketRequest: fc.record({ newSessionCount: byteCode, resumptionCount: byteCode }),
        encryptedClientHello: fc.oneof(
          fc.constant({ type: 'inner' as const }),
          fc.record({
            type: fc.constant('outer' as const),
            suite: fc.record({ kdf: code, aead: code }),
            configId: byteCode,
            enc: octets(0, 40),
            payload: octets(1, 60),
          }),
        ),
        cookie: octets(1, 50),
        keyShare: fc.array(keyShare, { maxLength: 3 }),
        pskKeyExchangeModes: fc.array(fc.integer({ min: 0, max: 255 }), { minLength: 1, maxLength: 3 }),
        earlyData: fc.constant(true as const),
        preSharedKey: offeredPsks,
      },
      { requiredKeys: ['supportedVersions'] },
    ),
  }),
  server_hello: fc.record({
    legacyVersion: code,
    random: octets(32, 32),
    legacySessionIdEcho: octets(0, 32),
    cipherSuite: code,
    legacyCompressionMethod: fc.integer({ min: 0, max: 255 }),
    extensions: fc.record(
      { supportedVersions: code, keyShare, preSharedKey: code },
      { requiredKeys: ['supportedVersions'] },
    ),
  }),
  hello_retry_request: fc.record({
    legacyVersion: code,
    random: fc.constant(helloRetryRequestRandom),
    legacySessionIdEcho: octets(0, 32),
    cipherSuite: code,
    legacyCompressionMethod: fc.integer({ min: 0, max: 255 }),
    extensions: fc.record(
      { supportedVersions: code, keyShare: code, cookie: octets(1, 50), encryptedClientHello: octets(8, 8) },
      { requiredKeys: ['supportedVersions'] },
    ),
  }),
  new_session_ticket: fc.record({
    ticketLifetime: number32,
    ticketAgeAdd: number32,
    ticketNonce: octets(0, 20),
    ticket: octets(1, 100),
    extensions: fc.record({ earlyData: number32, flags: fc.constantFrom([8], [0, 9], [15, 200]) }, optional),
  }),
  end_of_early_data: fc.constant({}),
  encrypted_extensions: fc.record({
    extensions: fc.record(
      {
        serverName: fc.constant(true as const),
        supportedGroups: codes,
        alpn: name,
        recordSizeLimit: fc.integer({ min: 64, max: 65_535 }),
        earlyData: fc.constant(true as const),
        clientCertificateType: byteCode,
        serverCertificateType: byteCode,
        expectedTickets: byteCode,
        echRetryConfigs: octets(0, 20).map((contents) => encodeEchConfigList([echConfig(contents)])),
      },
      optional,
    ),
  }),
  certificate: fc.record({
    certificateRequestContext: octets(0, 9),
    certificateList: fc.array(
      fc.record({
        certData: octets(1, 100),
        extensions: fc.record(
          {
            statusRequest: octets(0, 9),
            signedCertificateTimestamp: fc.array(octets(1, 9), { minLength: 1, maxLength: 3 }),
            delegatedCredential: octets(0, 40),
          },
          optional,
        ),
      }),
      { maxLength: 3 },
    ),
  }),
  compressed_certificate: fc.record({
    algorithm: code,
    uncompressedLength: fc.nat(2 ** 24 - 1),
    compressedCertificateMessage: octets(1, 100),
  }),
  certificate_request: fc.record({
    certificateRequestContext: octets(0, 9),
    extensions: fc.record(
      {
        signatureAlgorithms: codes,
        signatureAlgorithmsCert: codes,
        statusRequest: octets(0, 9),
        signedCertificateTimestamp: fc.constant(true as const),
        compressCertificate: fc.uniqueArray(code, { minLength: 1, maxLength: 9 }),
        delegatedCredential: codes,
        certificateAuthorities: fc.array(octets(1, 20), { minLength: 1, maxLength: 3 }),
        oidFilters: fc.array(
          fc.record({ certificateExtensionOid: octets(1, 9), certificateExtensionValues: octets(0, 9) }),
          { maxLength: 3 },
        ),
      },
      optional,
    ),
  }),
  certificate_verify: fc.record({ algorithm: code, signature: octets(0, 100) }),
  finished: fc.record({ verifyData: octets(32, 48) }),
  key_update: fc.record({
    requestUpdate: fc.constantFrom('update_requested' as const, 'update_not_requested' as const),
  }),
};
const types = [
  'client_hello',
  'server_hello',
  'hello_retry_request',
  'new_session_ticket',
  'end_of_early_data',
  'encrypted_extensions',
  'certificate',
  'compressed_certificate',
  'certificate_request',
  'certificate_verify',
  'finished',
  'key_update',
] as const satisfies readonly HandshakeMessageType[];

/** The messages of one type, encoded, beside what they were encoded from. */
function encoded<Type extends HandshakeMessageType>(type: Type): fc.Arbitrary<{ body: unknown; message: Uint8Array }> {
  return bodies[type].map((body) => ({ body, message: encodeMessage(type, body) }));
}

/** A body without what only reading adds: `types` and `raw`, wherever a block of extensions is. */
function asSent(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(asSent);
  if (typeof value !== 'object' || value === null || value instanceof Uint8Array) return value;
  return Object.fromEntries(
    Object.entries(value)
      .filter(([key]) => key !== 'types' && key !== 'raw')
      .map(([key, inner]) => [key, asSent(inner)]),
  );
}

describe('properties', () => {
  it.each(types)('%s: what is written is read', (type) => {
    fc.assert(
      fc.property(encoded(type), ({ body, message }) => {
        const read = decodeHandshake(message);
        expect(read.type).toBe(type);
        expect(asSent(read.body)).toEqual(asSent(body));
      }),
    );
  });

  it.each(types)('%s: damaged anywhere, it is a value or an error of the peer', (type) => {
    const edit = fc.record({
      at: fc.nat(),
      byte: fc.integer({ min: 0, max: 255 }),
      kind: fc.constantFrom('set', 'cut', 'add'),
    });
    fc.assert(
      fc.property(encoded(type), fc.array(edit, { minLength: 1, maxLength: 4 }), ({ message }, edits) => {
        const body = [...message.subarray(4)];
        for (const { at, byte, kind } of edits) {
          body.splice(at % (body.length + 1), kind === 'add' ? 0 : 1, ...(kind === 'cut' ? [] : [byte]));
        }
        expectHarmless(encodeHandshake(message[0] ?? 0, Uint8Array.from(body)));
      }),
      { numRuns: 300 },
    );
  });

  it('any bytes under any type are a value or an error of the peer', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 255 }), octets(0, 80), (type, body) =>
        expectHarmless(encodeHandshake(type, body)),
      ),
      { numRuns: 2_000 },
    );
    fc.assert(fc.property(octets(0, 80), expectHarmless), { numRuns: 1_000 });
    fc.assert(fc.property(octets(0, 4), (received) => harmless(() => decodeAlert(received))));
  });
});

function expectHarmless(received: Uint8Array): void {
  const before = received.slice();
  harmless(() => decodeHandshake(received));
  expect(received).toEqual(before);
}

function harmless(run: () => unknown): void {
  try {
    run();
  } catch (error) {
    expect(error).toBeInstanceOf(TlsError);
    if (error instanceof TlsError) {
      expect(['decode_error', 'illegal_parameter', 'unexpected_message']).toContain(error.alert);
    }
  }
}
