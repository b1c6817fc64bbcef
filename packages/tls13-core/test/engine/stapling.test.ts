/** What is stapled to a leaf: OCSP responses (§4.5.1.1) and SCTs (RFC 6962 §3.3), shown by both roles to whoever asks. */
import { describe, expect, it } from 'vitest';
import { TlsError } from '../../src/alert.js';
import type { Credential, PeerIdentity, ServerConfig } from '../../src/config/index.js';
import { nobleProvider as provider } from '../../src/crypto/noble.js';
import { createServerEngine } from '../../src/engine/index.js';
import { createTicketKeys } from '../../src/ticket-keys.js';
import { credential } from './support/certificates.js';
import { HandClient } from './support/hand-client.js';
import { HandServer } from './support/hand-server.js';
import { connectedPair, pair, serverConfig, sessionOf } from './support/pair.js';

const response = Uint8Array.of(0x30, 3, 10, 1, 6);
const timestamps = [Uint8Array.of(0, 1, 2), Uint8Array.of(0)];

function stapled(more: Partial<Credential> = {}): Credential {
  const shown = { ocspResponse: response, signedCertificateTimestamps: timestamps };
  return { ...credential(provider, 'ed25519'), ...shown, ...more };
}

function serving(more?: Partial<Credential>): Partial<ServerConfig> {
  return { credentials: [stapled(more)] };
}

const nothing = { ocspResponse: undefined, signedCertificateTimestamps: [] };
const everything = { ocspResponse: response, signedCertificateTimestamps: timestamps };

describe('a server shows', () => {
  it('its response to a client that asks, as clients do, and its SCTs to none that does not', () => {
    const asked: PeerIdentity[] = [];
    const { client, server } = connectedPair(provider, {
      client: { verifyPeer: (peer) => void asked.push(peer) },
      server: serving(),
    });
    expect(client.engine.info).toMatchObject({ ...nothing, ocspResponse: response });
    expect(asked).toEqual([expect.objectContaining({ ...nothing, ocspResponse: response })]);
    expect(server.engine.info).toMatchObject(nothing);
  });

  it('both to a client that asks for both, and nothing to one that asks for neither', () => {
    const both = connectedPair(provider, { client: { signedCertificateTimestamps: true }, server: serving() });
    expect(both.client.engine.info).toMatchObject(everything);
    const neither = connectedPair(provider, { client: { ocspStapling: false }, server: serving() });
    expect(neither.client.engine.info).toMatchObject(nothing);
  });

  it('what a function has at the time, or nothing where it has none', async () => {
    const answers = [response, undefined];
    for (const answer of answers) {
      const ocspResponse = () => Promise.resolve(answer);
      const { client } = await pair(provider, { server: serving({ ocspResponse }) }).handshakeLater();
      expect(client.engine.state).toBe('connected');
      expect(client.engine.info?.ocspResponse).toEqual(answer);
    }
    const { client } = connectedPair(provider, { server: serving({ ocspResponse: () => response }) });
    expect(client.engine.info?.ocspResponse).toEqual(response);
  });

  it('no certificate when the function fails', () => {
    const ocspResponse = () => {
      throw new TlsError('internal_error', 'the responder is down');
    };
    const { client, server } = pair(provider, { server: serving({ ocspResponse }) }).handshake();
    expect(server.engine.error).toMatchObject({ alert: 'internal_error', message: expect.stringMatching(/responder/) });
    expect(client.engine.state).toBe('failed');
  });
});

describe('a client shows', () => {
  const asking = { clientAuthentication: 'require' } as const;

  it('both to a server that asks for both', () => {
    const asked: PeerIdentity[] = [];
    const { server } = connectedPair(provider, {
      client: { credential: stapled() },
      server: {
        ...asking,
        ocspStapling: true,
        signedCertificateTimestamps: true,
        verifyPeer: (peer) => void asked.push(peer),
      },
    });
    expect(server.engine.info).toMatchObject(everything);
    expect(asked).toEqual([expect.objectContaining(everything)]);
  });

  it('nothing to a server that does not ask', () => {
    const { server } = connectedPair(provider, { client: { credential: stapled() }, server: asking });
    expect(server.engine.info).toMatchObject(nothing);
  });
});

describe('a session keeps what came with the certificate', () => {
  const tickets = { protector: createTicketKeys(provider) };

  it('and its resumption shows it again', () => {
    const options = {
      client: { signedCertificateTimestamps: true },
      server: { ...serving(), tickets },
    };
    const session = sessionOf(provider, options);
    expect(session).toMatchObject(everything);
    const asked: PeerIdentity[] = [];
    const { client } = connectedPair(provider, {
      ...options,
      client: { session, verifyPeer: (peer) => void asked.push(peer) },
    });
    expect(client.engine.info).toMatchObject({ ...everything, resumed: true });
    expect(asked).toEqual([expect.objectContaining({ ...everything, resumed: true })]);
  });
});

describe('what a peer gets wrong', () => {
  const refused = [
    ['an empty list of SCTs', 'decode_error', [18, [0, 0]]],
    ['an empty SCT', 'decode_error', [18, [0, 3, 0, 1, 7, 0, 0]]],
    ['an empty response', 'decode_error', [5, [1, 0, 0, 0]]],
    ['a response of another kind', 'bad_certificate_status_response', [5, [2, 0, 0, 1, 0]]],
  ] as const;

  it.each(refused)('a server: %s is %s', (_what, alert, [type, data]) => {
    const extensions = { extra: [{ type, data: Uint8Array.from(data) }] };
    new HandServer(provider, { serverName: 'example.test', signedCertificateTimestamps: true })
      .serverHello()
      .encryptedExtensions()
      .certificate((right) => ({
        ...right,
        certificateList: right.certificateList.map((entry) => ({ ...entry, extensions })),
      }))
      .expectRefusal(alert);
  });

  it.each(refused)('a client: %s is %s', (_what, alert, [type, data]) => {
    const extensions = { extra: [{ type, data: Uint8Array.from(data) }] };
    const asking = {
      clientAuthentication: 'require',
      ocspStapling: true,
      signedCertificateTimestamps: true,
      verifyPeer: () => {},
    } as const;
    new HandClient(provider, asking)
      .clientHello()
      .certificate((right) => ({
        ...right,
        certificateList: right.certificateList.map((entry) => ({ ...entry, extensions })),
      }))
      .expectRefusal(alert);
  });

  it('a ClientHello whose signed_certificate_timestamp says something is a decode_error (RFC 6962 §3.3.1)', () => {
    const extra = [{ type: 18, data: Uint8Array.of(0) }];
    new HandClient(provider)
      .clientHello((right) => ({ ...right, extensions: { ...right.extensions, extra } }))
      .expectRefusal('decode_error');
  });
});

describe('what a credential cannot show is the caller’s mistake', () => {
  it.each([
    ['an empty ocspResponse', { ocspResponse: new Uint8Array(0) }, /ocspResponse is empty/],
    ['an empty list of SCTs', { signedCertificateTimestamps: [] }, /signedCertificateTimestamps is empty/],
    ['an empty SCT', { signedCertificateTimestamps: [new Uint8Array(0)] }, /or holds one that is/],
    ['too many SCTs', { signedCertificateTimestamps: [new Uint8Array(65_534)] }, /take 65536 bytes/],
  ])('%s', (_what, shown, message) => {
    expect(() => createServerEngine(serverConfig(provider, serving(shown)))).toThrow(message);
  });
});
