/** Attacks on who is at the other end: proofs left out, moved, or made with keys that prove nothing. */
import { describe, expect, it } from 'vitest';
import { nobleProvider } from '../../packages/tls13-core/src/crypto/noble.js';
import { createTicketKeys } from '../../packages/tls13-core/src/ticket-keys.js';
import { HandClient } from '../../packages/tls13-core/test/engine/support/hand-client.js';
import { HandServer } from '../../packages/tls13-core/test/engine/support/hand-server.js';
import { connectedPair, sessionOf } from '../../packages/tls13-core/test/engine/support/pair.js';

const provider = nobleProvider;
const mutual = { clientAuthentication: 'require' } as const;

describe('messages left out or moved (A Messy State of the Union, Beurdouche et al. 2015; §4, §A)', () => {
  it('SKIP: Finished right behind EncryptedExtensions, without any certificate', () => {
    new HandServer(provider).through('encrypted_extensions').finished().expectRefusal('unexpected_message');
  });

  it('SKIP: Finished behind Certificate, without CertificateVerify', () => {
    new HandServer(provider).through('certificate').finished().expectRefusal('unexpected_message');
  });

  it('CertificateVerify ahead of Certificate', () => {
    new HandServer(provider).through('encrypted_extensions').certificateVerify().expectRefusal('unexpected_message');
  });

  it('Certificate twice, the second from somebody else', () => {
    new HandServer(provider).through('certificate').certificate().expectRefusal('unexpected_message');
  });

  it('CertificateVerify twice', () => {
    new HandServer(provider).through('certificate_verify').certificateVerify().expectRefusal('unexpected_message');
  });

  it('EncryptedExtensions twice', () => {
    new HandServer(provider).through('encrypted_extensions').encryptedExtensions().expectRefusal('unexpected_message');
  });

  it("the server's Finished ahead of EncryptedExtensions", () => {
    new HandServer(provider).serverHello().finished().expectRefusal('unexpected_message');
  });

  it('data where the Finished is due, as if the handshake were over (early Finished, CVE-2014-0224 in spirit)', () => {
    const server = new HandServer(provider).through('certificate_verify');
    server.wire.send(23, Uint8Array.of(1, 2, 3));
    server.expectRefusal('unexpected_message');
  });

  it('a client that skips its Certificate where one is required', () => {
    new HandClient(provider, mutual).clientHello().finished().expectRefusal('unexpected_message');
  });

  it('a client that skips its CertificateVerify', () => {
    new HandClient(provider, mutual).clientHello().certificate().finished().expectRefusal('unexpected_message');
  });

  it('a client that shows no certificate where one is required', () => {
    new HandClient(provider, mutual)
      .clientHello()
      .certificate((right) => ({ ...right, certificateList: [] }))
      .expectRefusal('certificate_required');
  });

  it('a client that sends data in place of its Finished', () => {
    const client = new HandClient(provider).clientHello();
    client.wire.send(23, Uint8Array.of(1, 2, 3));
    client.expectRefusal('unexpected_message');
  });
});

describe('proofs from elsewhere (§4.5.2, §4.5.3)', () => {
  it("the server's own CertificateVerify sent back as the client's", () => {
    const client = new HandClient(provider, { ...mutual }).clientHello();
    const own = client.wire.messages.find(({ type }) => type === 'certificate_verify');
    if (own?.type !== 'certificate_verify') throw new Error('the server proved nothing');
    client
      .certificate()
      .certificateVerify(() => own.body)
      .expectRefusal('decrypt_error');
  });

  it("the server's own Finished sent back as the client's", () => {
    const client = new HandClient(provider).clientHello();
    const own = client.wire.messages.find(({ type }) => type === 'finished');
    if (own?.type !== 'finished') throw new Error('the server has not finished');
    client.finished(() => own.body).expectRefusal('decrypt_error');
  });

  it('a signature of another handshake', () => {
    let taken: { algorithm: number; signature: Uint8Array } | undefined;
    new HandServer(provider).through('certificate').certificateVerify((right) => {
      taken = right;
      return right;
    });
    const { algorithm, signature } = taken ?? { algorithm: 0, signature: new Uint8Array(0) };
    new HandServer(provider)
      .through('certificate')
      .certificateVerify(() => ({ algorithm, signature }))
      .expectRefusal('decrypt_error');
  });
});

describe('one session, two peers (Triple Handshakes, Bhargavan et al. 2014; §7.5, §E.1.4)', () => {
  const exported = (end: { engine: { exportKeyingMaterial(length: number, label: string): Uint8Array } }) =>
    Buffer.from(end.engine.exportKeyingMaterial(32, 'EXPORTER-Channel-Binding')).toString('hex');

  it('exporters are equal at the two ends of a connection', () => {
    const { client, server } = connectedPair(provider);
    expect(exported(client)).toBe(exported(server));
  });

  it('and differ at the two connections of somebody in the middle, who feeds one into the other', () => {
    const toClient = connectedPair(provider);
    const toServer = connectedPair(provider);
    expect(exported(toClient.client)).not.toBe(exported(toServer.server));
  });

  it('also where both connections resume with the same PSK', () => {
    const server = { tickets: { protector: createTicketKeys(provider) } };
    const session = sessionOf(provider, { server });
    const [one, two] = [0, 1].map(() => connectedPair(provider, { client: { session }, server }));
    if (one === undefined || two === undefined) throw new Error('two connections are needed');
    expect(one.client.engine.info?.resumed && two.client.engine.info?.resumed).toBe(true);
    expect(exported(one.client)).not.toBe(exported(two.server));
  });
});

describe('renegotiation (Ray and Dispensa 2009, CVE-2009-3555; §4.2.2, §4.2.3)', () => {
  it('a ClientHello on an open connection: unexpected_message', () => {
    const client = new HandClient(provider).clientHello().finished();
    client.clientHello();
    client.expectEnd('unexpected_message');
  });

  it('a HelloRequest (0) of older versions: unexpected_message', () => {
    const server = new HandServer(provider).through('finished');
    server.wire.sendMessages(Uint8Array.of(0, 0, 0, 0));
    server.expectEnd('unexpected_message');
  });

  it('a ServerHello on an open connection: unexpected_message', () => {
    const server = new HandServer(provider).through('finished');
    const { legacySessionId: legacySessionIdEcho } = server.hello;
    const cipherSuite = server.suite.code;
    const hello = { legacyVersion: 0x0303, random: provider.random(32), legacySessionIdEcho, cipherSuite };
    const extensions = { supportedVersions: 0x0304 };
    server.sayAfterwards('server_hello', { ...hello, legacyCompressionMethod: 0, extensions });
    server.expectEnd('unexpected_message');
  });
});
