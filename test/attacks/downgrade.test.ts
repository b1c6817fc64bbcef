/** Attacks that make two ends agree on less than both can: the transcript and the sentinels are to give them away. */
import { describe, expect, it } from 'vitest';
import { nobleProvider } from '../../packages/tls13-core/src/crypto/noble.js';
import { plaintextRecords } from '../../packages/tls13-core/src/record/header.js';
import { cipherSuites, extensionTypes, namedGroups, signatureSchemes } from '../../packages/tls13-core/src/registry.js';
import { createTicketKeys } from '../../packages/tls13-core/src/ticket-keys.js';
import { encodeMessage, helloRetryRequestRandom } from '../../packages/tls13-core/src/wire/index.js';
import { without } from '../../packages/tls13-core/test/engine/support/hand.js';
import { HandServer } from '../../packages/tls13-core/test/engine/support/hand-server.js';
import { type PairOptions, sessionOf } from '../../packages/tls13-core/test/engine/support/pair.js';
import { attacked, clientHello, clientHelloExtensions, onMessage, rewriting, verdicts } from './man-in-the-middle.js';

const provider = nobleProvider;

describe('version downgrade (POODLE, Möller et al. 2014; §4.2.3, §E.1)', () => {
  it('by taking supported_versions away: the server speaks nothing older', () => {
    const wire = rewriting('client', clientHelloExtensions(without(extensionTypes.supported_versions)));
    expect(verdicts(attacked(provider, { wire }))).toEqual({
      client: 'received protocol_version',
      server: 'protocol_version',
    });
  });

  it.each([
    ['TLS 1.2', 0x01],
    ['TLS 1.1', 0x00],
  ])('a server that was talked into %s says so in its random: illegal_parameter', (_version, last) => {
    const sentinel = [0x44, 0x4f, 0x57, 0x4e, 0x47, 0x52, 0x44, last];
    new HandServer(provider)
      .serverHello((right) => ({
        ...right,
        random: Uint8Array.from([...right.random.subarray(0, 24), ...sentinel]),
        extensions: { ...right.extensions, supportedVersions: undefined },
      }))
      .expectRefusal('illegal_parameter');
  });

  it('a server that is older in earnest is refused too: protocol_version', () => {
    new HandServer(provider)
      .serverHello((right) => ({ ...right, extensions: { ...right.extensions, supportedVersions: undefined } }))
      .expectRefusal('protocol_version');
  });
});

describe('parameter downgrade: the two transcripts differ, so the keys do (Logjam, Adrian et al. 2015; §E.1)', () => {
  const strong: PairOptions = {
    client: { groups: ['x25519', 'secp256r1'], keyShares: ['x25519', 'secp256r1'] },
    server: { groups: ['x25519', 'secp256r1'] },
  };

  it('of the group: the strong one and its share taken away', () => {
    const weaker = clientHello((body) => ({
      ...body,
      extensions: {
        ...body.extensions,
        supportedGroups: [namedGroups.secp256r1],
        keyShare: body.extensions.keyShare?.filter(({ group }) => group === namedGroups.secp256r1),
      },
    }));
    const { client, server } = verdicts(attacked(provider, { ...strong, wire: rewriting('client', weaker) }));
    expect(client).toBe('bad_record_mac');
    expect(server).not.toBe('connected');
  });

  it('of the cipher suite: all but one taken away', () => {
    const weaker = clientHello((body) => ({ ...body, cipherSuites: [cipherSuites.TLS_AES_128_CCM_SHA256] }));
    const { client, server } = verdicts(attacked(provider, { ...strong, wire: rewriting('client', weaker) }));
    expect(client).toBe('bad_record_mac');
    expect(server).not.toBe('connected');
  });

  it('of the signature scheme (SLOTH, Bhargavan and Leurent 2016)', () => {
    const weaker = clientHello((body) => ({
      ...body,
      extensions: { ...body.extensions, signatureAlgorithms: [signatureSchemes.ed25519] },
    }));
    const { client, server } = verdicts(attacked(provider, { ...strong, wire: rewriting('client', weaker) }));
    expect(client).toBe('bad_record_mac');
    expect(server).not.toBe('connected');
  });

  it('of the protocol: ALPN taken away (ALPACA, Brinkmann et al. 2021)', () => {
    const wire = rewriting(
      'client',
      clientHelloExtensions(without(extensionTypes.application_layer_protocol_negotiation)),
    );
    const options = { client: { alpnProtocols: ['h2'] }, server: { alpnProtocols: ['h2'] }, wire };
    expect(verdicts(attacked(provider, options)).client).toBe('bad_record_mac');
  });

  it('of the selected suite, in the ServerHello', () => {
    const other = onMessage('server_hello', ({ body }) =>
      encodeMessage('server_hello', { ...body, cipherSuite: cipherSuites.TLS_CHACHA20_POLY1305_SHA256 }),
    );
    expect(verdicts(attacked(provider, { ...strong, wire: rewriting('server', other) })).client).toBe('bad_record_mac');
  });
});

describe('HelloRetryRequest as a tool of downgrade (§4.2.2, §4.2.4)', () => {
  const forged = (group: keyof typeof namedGroups, sessionId: Uint8Array) =>
    plaintextRecords(
      22,
      encodeMessage('hello_retry_request', {
        legacyVersion: 0x0303,
        random: helloRetryRequestRandom,
        legacySessionIdEcho: sessionId,
        cipherSuite: cipherSuites.TLS_AES_128_GCM_SHA256,
        legacyCompressionMethod: 0,
        extensions: { supportedVersions: 0x0304, keyShare: namedGroups[group] },
      }),
    );

  it('one that nobody sent asks for a weaker group: the transcripts differ', () => {
    const groups = ['x25519', 'secp256r1'] as const;
    let hellos = 0;
    // The forger answers the first ClientHello itself and lets the server see the second alone.
    const wire: PairOptions['wire'] = (from, bytes) => {
      if (from === 'server') return [bytes];
      hellos += 1;
      return hellos === 1 ? [] : [bytes[0] === 20 ? bytes.subarray(changeCipherSpecLength) : bytes];
    };
    const fresh = attacked(provider, { client: { groups }, server: { groups }, wire });
    const [hello] = fresh.client.of('transmit');
    fresh.client.take(fresh.client.engine.receive(forged('secp256r1', sessionIdOf(hello?.data))));
    fresh.exchange();
    expect(verdicts(fresh).client).toBe('bad_record_mac');
    expect(verdicts(fresh).server).not.toBe('connected');
  });

  it('a second one is an unexpected_message', () => {
    const server = new HandServer(provider).helloRetryRequest();
    server.helloRetryRequest().expectRefusal('unexpected_message');
  });

  it('one that changes nothing, so that a client asks for ever, is an illegal_parameter', () => {
    new HandServer(provider)
      .helloRetryRequest((right) => ({ ...right, extensions: { supportedVersions: 0x0304, keyShare: undefined } }))
      .expectRefusal('illegal_parameter');
  });
});

describe('binder stripping (§4.3.11.2, §E.1)', () => {
  const server = { tickets: { protector: createTicketKeys(provider) } };

  it('the PSK taken out of the offer: a full handshake begins that does not complete', () => {
    const session = sessionOf(provider, { server });
    const wire = rewriting('client', clientHelloExtensions(without(extensionTypes.pre_shared_key)));
    expect(verdicts(attacked(provider, { client: { session }, server, wire })).client).toBe('bad_record_mac');
  });

  it('anything else in the ClientHello changed under a PSK: the binder is wrong, decrypt_error', () => {
    const session = sessionOf(provider, { server });
    const wire = rewriting(
      'client',
      clientHello((body) => ({ ...body, random: new Uint8Array(32) })),
    );
    expect(verdicts(attacked(provider, { client: { session }, server, wire }))).toEqual({
      client: 'received decrypt_error',
      server: 'decrypt_error',
    });
  });

  it('psk_dhe_ke changed to psk_ke, so that there is no forward secrecy: decrypt_error or no resumption', () => {
    const session = sessionOf(provider, { server });
    const wire = rewriting(
      'client',
      clientHello((body) => ({ ...body, extensions: { ...body.extensions, pskKeyExchangeModes: [0] } })),
    );
    const { client, server: other } = verdicts(attacked(provider, { client: { session }, server, wire }));
    expect(client).toBe('bad_record_mac');
    expect(other).not.toBe('connected');
  });
});

const changeCipherSpecLength = 6;

/** legacy_session_id of a ClientHello in one record. */
function sessionIdOf(record: Uint8Array = new Uint8Array(0)): Uint8Array {
  const at = 5 + 4 + 2 + 32;
  return record.slice(at + 1, at + 1 + (record[at] ?? 0));
}
