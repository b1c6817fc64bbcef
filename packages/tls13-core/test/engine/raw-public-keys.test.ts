/** Raw public keys (RFC 7250), both roles: asked for or refused, never instead of a certificate that was demanded. */
import { createPublicKey } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { TlsError } from '../../src/alert.js';
import type { Credential, PeerIdentity } from '../../src/config/index.js';
import { nobleProvider as provider } from '../../src/crypto/noble.js';
import { createServerEngine } from '../../src/engine/index.js';
import { createTicketKeys } from '../../src/ticket-keys.js';
import { credential, identity, type KeyKind } from './support/certificates.js';
import { HandClient } from './support/hand-client.js';
import { HandServer } from './support/hand-server.js';
import { connectedPair, pair, serverConfig, sessionOf } from './support/pair.js';

function publicKeyInfo(kind: KeyKind): Uint8Array {
  return new Uint8Array(createPublicKey(identity(kind).privateKey).export({ format: 'der', type: 'spki' }));
}

function raw(kind: KeyKind): Credential {
  return { certificateChain: [], rawPublicKey: publicKeyInfo(kind), signer: credential(provider, kind).signer };
}

const wanting = { serverCertificateTypes: ['rawPublicKey'] } as const;
const asking = { clientAuthentication: 'require', clientCertificateTypes: ['rawPublicKey'] } as const;

describe('who asks for raw public keys', () => {
  it('gets the server’s, and both sides say so', () => {
    const asked: PeerIdentity[] = [];
    const { client, server } = connectedPair(provider, {
      client: { ...wanting, verifyPeer: (peer) => void asked.push(peer) },
      server: { credentials: [credential(provider, 'p256'), raw('ed25519')] },
    });
    const publicKey = publicKeyInfo('ed25519');
    expect(asked).toEqual([
      { certificateType: 'rawPublicKey', publicKey, role: 'server', serverName: 'example.test', resumed: false },
    ]);
    expect(client.engine.info).toMatchObject({ peerRawPublicKey: publicKey, peerCertificates: [] });
    expect(server.engine.info).toMatchObject({ localRawPublicKey: publicKey, localCertificates: [] });
  });

  it('gets the client’s', () => {
    const asked: PeerIdentity[] = [];
    const { client, server } = connectedPair(provider, {
      client: { credential: raw('p256') },
      server: { ...asking, verifyPeer: (peer) => void asked.push(peer) },
    });
    const publicKey = publicKeyInfo('p256');
    expect(asked).toEqual([expect.objectContaining({ certificateType: 'rawPublicKey', publicKey, role: 'client' })]);
    expect(server.engine.info).toMatchObject({ peerRawPublicKey: publicKey, peerCertificates: [] });
    expect(client.engine.info).toMatchObject({ localRawPublicKey: publicKey, localCertificates: [] });
  });

  it('may take certificates as well: the server’s order of credentials decides', () => {
    const client = { serverCertificateTypes: ['rawPublicKey', 'x509'] } as const;
    const both = [credential(provider, 'p256'), raw('ed25519')];
    const first = connectedPair(provider, { client, server: { credentials: both } });
    expect(first.client.engine.info?.peerRawPublicKey).toBeUndefined();
    const second = connectedPair(provider, { client, server: { credentials: [...both].reverse() } });
    expect(second.client.engine.info?.peerRawPublicKey).toEqual(publicKeyInfo('ed25519'));
  });

  it('is asked about it again when the session is resumed, both ways', () => {
    const tickets = { protector: createTicketKeys(provider) };
    const server = { credentials: [raw('ed25519')], ...asking, tickets };
    const client = { ...wanting, credential: raw('p256') };
    const session = sessionOf(provider, { client, server });
    const asked: PeerIdentity[] = [];
    const verifyPeer = (peer: PeerIdentity) => void asked.push(peer);
    const again = connectedPair(provider, {
      client: { ...client, session, verifyPeer },
      server: { ...server, verifyPeer },
    });
    expect(again.server.engine.info).toMatchObject({ resumed: true, peerRawPublicKey: publicKeyInfo('p256') });
    expect(again.client.engine.info).toMatchObject({ resumed: true, peerRawPublicKey: publicKeyInfo('ed25519') });
    expect(asked.map((peer) => [peer.role, peer.certificateType, peer.resumed])).toEqual([
      ['client', 'rawPublicKey', true],
      ['server', 'rawPublicKey', true],
    ]);
    const certified = { ...client, session, serverCertificateTypes: ['x509'] } as const;
    const full = pair(provider, {
      client: certified,
      server: { ...server, credentials: [credential(provider, 'p256')] },
    });
    expect(full.handshake().client.engine.info).toMatchObject({ resumed: false, peerRawPublicKey: undefined });
  });

  it('may refuse it', () => {
    const verifyPeer = () => {
      throw new TlsError('certificate_unknown', 'nobody knows this key');
    };
    const { client } = pair(provider, {
      client: { ...wanting, verifyPeer },
      server: { credentials: [raw('ed25519')] },
    }).handshake();
    expect(client.engine.error).toMatchObject({ alert: 'certificate_unknown' });
  });
});

describe('who does not ask for raw public keys', () => {
  it('is shown none: unsupported_certificate where there is nothing else', () => {
    const { server, client } = pair(provider, { server: { credentials: [raw('ed25519')] } }).handshake();
    expect(server.engine.error).toMatchObject({ alert: 'unsupported_certificate' });
    expect(client.engine.state).toBe('failed');
    const other = pair(provider, { client: wanting, server: { credentials: [credential(provider, 'p256')] } });
    expect(other.handshake().server.engine.error).toMatchObject({ alert: 'unsupported_certificate' });
  });

  it('as a server asks for a certificate, and the client shows nothing else', () => {
    const server = { clientAuthentication: 'request' } as const;
    const both = { credential: raw('p256'), clientCertificateTypes: ['rawPublicKey', 'x509'] } as const;
    const joined = connectedPair(provider, { client: both, server });
    expect(joined.server.engine.info).toMatchObject({ peerCertificates: [], peerRawPublicKey: undefined });
    const refused = pair(provider, { client: { credential: raw('p256') }, server }).handshake();
    expect(refused.server.engine.error).toMatchObject({ alert: 'unsupported_certificate' });
    const uncertified = pair(provider, { client: { credential: credential(provider, 'p256') }, server: asking });
    expect(uncertified.handshake().server.engine.error).toMatchObject({ alert: 'unsupported_certificate' });
  });
});

describe('what a server must not do', () => {
  const settled = { serverCertificateType: 2 };

  it.each([
    ['a certificate where a key was agreed on', 'decode_error', [identity('ed25519').certificate]],
    ['two keys', 'illegal_parameter', [publicKeyInfo('ed25519'), publicKeyInfo('p256')]],
    ['a key of rubbish', 'bad_certificate', [Uint8Array.of(0x30, 7, 0x30, 2, 5, 0, 3, 1, 0)]],
  ] as const)('%s is %s', (_what, alert, shown) => {
    new HandServer(provider, { serverName: 'example.test', ...wanting })
      .serverHello()
      .encryptedExtensions(() => ({ extensions: settled }))
      .certificate((right) => ({ ...right, certificateList: shown.map((certData) => ({ certData, extensions: {} })) }))
      .expectRefusal(alert);
  });

  it('a key where a certificate is due is decode_error', () => {
    new HandServer(provider, { serverName: 'example.test' })
      .serverHello()
      .encryptedExtensions()
      .certificate((right) => ({
        ...right,
        certificateList: [{ certData: publicKeyInfo('ed25519'), extensions: {} }],
      }))
      .expectRefusal('decode_error');
  });

  it('selecting what was not offered is unsupported_certificate, or unsupported_extension without an offer', () => {
    const hello = () => new HandServer(provider, { serverName: 'example.test', ...wanting }).serverHello();
    hello()
      .encryptedExtensions(() => ({ extensions: {} }))
      .expectRefusal('unsupported_certificate');
    hello()
      .encryptedExtensions(() => ({ extensions: { serverCertificateType: 0 } }))
      .expectRefusal('unsupported_certificate');
    new HandServer(provider, { serverName: 'example.test' })
      .serverHello()
      .encryptedExtensions(() => ({ extensions: settled }))
      .expectRefusal('unsupported_extension');
  });
});

describe('what a client must not do', () => {
  it.each([
    [[], 'illegal_parameter'],
    [[0], 'illegal_parameter'],
    [[7], 'unsupported_certificate'],
  ] as const)('offering the types %j is %s', (list, alert) => {
    new HandClient(provider, { clientAuthentication: 'request', clientCertificateTypes: ['x509', 'rawPublicKey'] })
      .clientHello((hello) => ({
        ...hello,
        extensions: { ...hello.extensions, extra: [{ type: 19, data: Uint8Array.of(list.length, ...list) }] },
      }))
      .expectRefusal(alert);
  });
});

it('a credential is a chain or a key, not both', () => {
  const credentials = [{ ...credential(provider, 'p256'), rawPublicKey: publicKeyInfo('p256') }];
  expect(() => createServerEngine(serverConfig(provider, { credentials }))).toThrow(/two credentials/);
  // @ts-expect-error: no such type
  const config = serverConfig(provider, { clientCertificateTypes: ['openpgp'] });
  expect(() => createServerEngine(config)).toThrow(/'openpgp' is none of them/);
});
