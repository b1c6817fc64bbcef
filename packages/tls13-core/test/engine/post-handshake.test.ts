/** Certificate-based authentication after the handshake (§4.3.6, §4.7.2), between two engines and against wrong peers. */
import { describe, expect, it } from 'vitest';
import { TlsError } from '../../src/alert.js';
import type { CertificateRequestInfo } from '../../src/config/index.js';
import { nobleProvider } from '../../src/crypto/noble.js';
import { signatureSchemes } from '../../src/registry.js';
import { createTicketKeys } from '../../src/ticket-keys.js';
import { extendedKeyUsageFilter } from '../../src/x509/oid-filters.js';
import { credential } from './support/certificates.js';
import { delegatedCredential, delegatedScheme, now } from './support/delegation.js';
import { HandClient } from './support/hand-client.js';
import { HandServer } from './support/hand-server.js';
import { bytes, connectedPair, type Pair, type PairOptions, sessionOf } from './support/pair.js';

const provider = nobleProvider;
const own = credential(provider, 'p256');

function willing(options: PairOptions = {}): Pair {
  return connectedPair(provider, {
    ...options,
    client: { postHandshakeAuthentication: true, credential: own, ...options.client },
  });
}

/** Asks, and lets both ends talk until it is over. */
function ask(pair: Pair, options: { required?: boolean } = {}): Pair {
  pair.server.take(pair.server.engine.requestCertificate(options));
  return pair.exchange();
}

describe('a client that offers post_handshake_auth', () => {
  it('shows its certificate when it is asked, as often as it is', () => {
    const pair = willing();
    expect(pair.server.engine.info).toMatchObject({ postHandshakeAuthentication: true, peerCertificates: [] });
    for (let count = 1; count <= 3; count++) {
      ask(pair);
      const [asked] = pair.server.of('certificate_requested').slice(-1);
      const [answered] = pair.server.of('authenticated').slice(-1);
      expect(pair.server.of('authenticated')).toHaveLength(count);
      expect(answered).toMatchObject({ certificates: own.certificateChain, context: asked?.context });
      expect(pair.client.of('authenticated').at(-1)).toMatchObject({ context: asked?.context });
    }
    const shown = { clientSignatureScheme: 'ecdsa_secp256r1_sha256' };
    expect(pair.server.engine.info).toMatchObject({ ...shown, peerCertificates: own.certificateChain });
    expect(pair.client.engine.info).toMatchObject({ ...shown, localCertificates: own.certificateChain });
    expect(new Set(pair.server.of('certificate_requested').map(({ context }) => context.join())).size).toBe(3);
  });

  it('declines without a certificate that fits, and stays connected', () => {
    const pair = ask(willing({ server: { oidFilters: [extendedKeyUsageFilter('clientAuth')] } }));
    expect(pair.server.of('authenticated')).toMatchObject([{ certificates: [] }]);
    expect(pair.server.engine.info).toMatchObject({ peerCertificates: [], clientSignatureScheme: undefined });
    pair.client.take(pair.client.engine.send(bytes(10)));
    expect(pair.exchange().server.data).toHaveLength(10);
  });

  it('that declines is refused when a certificate is required: certificate_required', () => {
    const pair = ask(willing({ client: { credential: () => undefined } }), { required: true });
    expect(pair.server.engine.error).toMatchObject({ alert: 'certificate_required' });
    expect(pair.client.engine.error).toMatchObject({ alert: 'certificate_required', received: true });
  });

  it('is told what the server accepts, and may take its time', async () => {
    const asked: CertificateRequestInfo[] = [];
    const pair = willing({
      client: {
        credential: async (request) => {
          asked.push(request);
          return own;
        },
      },
      server: { verifyPeer: async () => {}, oidFilters: [{ oid: '1.2.3.4', values: Uint8Array.of(5, 0) }] },
    });
    ask(pair);
    expect(pair.server.of('authenticated')).toEqual([]);
    // Data of the server's waits at the client; the client's own goes.
    pair.server.take(pair.server.engine.send(bytes(5)));
    pair.exchange();
    pair.client.take(pair.client.engine.updateKeys());
    await settle(pair);
    expect(pair.client.data).toHaveLength(5);
    expect(pair.server.of('authenticated')).toMatchObject([{ certificates: own.certificateChain }]);
    expect(asked).toMatchObject([{ oidFilters: [{ oid: '1.2.3.4' }] }]);
  });

  it('answers under the keys that are in force', () => {
    const pair = willing();
    for (const end of [pair.client, pair.server]) {
      end.take(end.engine.updateKeys(true));
      pair.exchange();
    }
    ask(pair);
    expect(pair.server.of('authenticated')).toMatchObject([{ certificates: own.certificateChain }]);
  });

  it('may show a delegated credential', () => {
    const delegated = delegatedCredential({ role: 'client' });
    const server = { delegatedCredentialSchemes: [delegatedScheme], now: () => now };
    const pair = ask(willing({ client: { credential: delegated, now: () => now }, server }));
    expect(pair.server.engine.info).toMatchObject({
      peerDelegatedCredential: true,
      clientSignatureScheme: delegatedScheme,
    });
  });

  it('may be asked after a resumption, and the sessions and the exporter stay what they were', () => {
    const server = { tickets: { protector: createTicketKeys(provider) } };
    const first = willing({ server });
    const exported = () => [first.client, first.server].map(({ engine }) => engine.exportKeyingMaterial(32, 'label'));
    const before = exported();
    ask(first);
    expect(exported()).toEqual(before);
    const session = sessionOf(provider, { server });
    const resumed = willing({ server, client: { session } });
    expect(resumed.server.engine.info).toMatchObject({ resumed: true, peerCertificates: [] });
    expect(ask(resumed).server.of('authenticated')).toMatchObject([{ certificates: own.certificateChain }]);
  });

  it('is judged by verifyPeer', () => {
    const verifyPeer = () => {
      throw new TlsError('unknown_ca', 'nobody knows who signed this');
    };
    expect(ask(willing({ server: { verifyPeer } })).server.engine.error).toMatchObject({ alert: 'unknown_ca' });
  });
});

describe('requestCertificate()', () => {
  it('says so when the client did not offer it', () => {
    const { server } = connectedPair(provider);
    expect(server.engine.info?.postHandshakeAuthentication).toBe(false);
    expect(() => server.engine.requestCertificate()).toThrow(/did not offer post_handshake_auth/);
  });

  it('is not for clients, nor before the handshake or after close()', () => {
    const { client, server } = willing();
    expect(() => client.engine.requestCertificate()).toThrow(TypeError);
    server.take(server.engine.close());
    expect(() => server.engine.requestCertificate()).toThrow(TypeError);
  });

  it('has no more than limits.certificateRequests without an answer', () => {
    const { server } = willing({ server: { limits: { certificateRequests: 2 } } });
    server.engine.requestCertificate();
    server.engine.requestCertificate();
    expect(() => server.engine.requestCertificate()).toThrow(/limits.certificateRequests/);
  });
});

describe('a client refuses', () => {
  const request = (context: number[] = [1]) => ({
    certificateRequestContext: Uint8Array.from(context),
    extensions: { signatureAlgorithms: [signatureSchemes.ecdsa_secp256r1_sha256] },
  });
  const server = (config: ConstructorParameters<typeof HandServer>[1] = { postHandshakeAuthentication: true }) =>
    new HandServer(provider, config).through('finished');

  it('a CertificateRequest without having offered it: unexpected_message (§4.7.2)', () => {
    const peer = server({});
    peer.sayAfterwards('certificate_request', request());
    peer.expectEnd('unexpected_message');
  });

  it('a context that was used before: illegal_parameter (§4.4.2)', () => {
    const peer = server();
    peer.sayAfterwards('certificate_request', request());
    peer.sayAfterwards('certificate_request', request([2]));
    expect(peer.end.engine.state).toBe('connected');
    peer.sayAfterwards('certificate_request', request());
    peer.expectEnd('illegal_parameter');
  });

  it('a request without signature_algorithms: missing_extension (§4.4.2)', () => {
    const peer = server();
    peer.sayAfterwards('certificate_request', { certificateRequestContext: Uint8Array.of(1), extensions: {} });
    peer.expectEnd('missing_extension');
  });

  it('more than limits.certificateRequests: unexpected_message', () => {
    const peer = server({ postHandshakeAuthentication: true, limits: { certificateRequests: 2 } });
    for (const context of [1, 2, 3]) peer.sayAfterwards('certificate_request', request([context]));
    peer.expectEnd('unexpected_message');
  });
});

describe('a server refuses', () => {
  const nobody = (context: Uint8Array) => ({ certificateRequestContext: context, certificateList: [] });
  function asked(): { readonly client: HandClient; readonly context: Uint8Array } {
    const client = new HandClient(provider).clientHello((right) => ({
      ...right,
      extensions: { ...right.extensions, postHandshakeAuth: true },
    }));
    client.finished();
    client.end.take(client.end.engine.requestCertificate());
    const [request] = client.end.of('certificate_requested');
    if (request === undefined) throw new Error('nothing was asked');
    return { client, context: request.context };
  }

  it('a Certificate that nobody asked for: unexpected_message', () => {
    const client = new HandClient(provider).clientHello().finished();
    client.sayAfterwards('certificate', nobody(new Uint8Array(0)));
    client.expectEnd('unexpected_message');
  });

  it("another request's context: illegal_parameter (§4.5.1)", () => {
    const { client, context } = asked();
    client.sayAfterwards('certificate', nobody(context.map((byte) => byte ^ 1)));
    client.expectEnd('illegal_parameter');
  });

  it('a Finished that does not verify: decrypt_error (§4.5.3)', () => {
    const { client, context } = asked();
    client.sayAfterwards('certificate', nobody(context));
    client.sayAfterwards('finished', { verifyData: new Uint8Array(32) });
    client.expectEnd('decrypt_error');
    expect(client.end.of('authenticated')).toEqual([]);
  });

  it('the same answer twice', () => {
    const { client, context } = asked();
    client.sayAfterwards('certificate', nobody(context));
    client.sayAfterwards('certificate', nobody(context));
    client.expectEnd('unexpected_message');
  });

  it.each([
    [
      'a KeyUpdate',
      (client: HandClient) => client.sayAfterwards('key_update', { requestUpdate: 'update_not_requested' }),
    ],
    ['application data', (client: HandClient) => client.wire.send(23, bytes(3))],
    ['change_cipher_spec', (client: HandClient) => client.wire.send(20, Uint8Array.of(1))],
  ])('%s between the messages of an answer: unexpected_message (§4.7.2)', (_what, interrupt) => {
    const { client, context } = asked();
    client.sayAfterwards('certificate', nobody(context));
    interrupt(client);
    client.expectEnd('unexpected_message');
  });

  it('a CertificateVerify over another transcript: decrypt_error (§4.5.2)', () => {
    const { client, context } = asked();
    const certificateList = own.certificateChain.map((certData) => ({ certData, extensions: {} }));
    client.sayAfterwards('certificate', { certificateRequestContext: context, certificateList });
    const signature = own.signer.sign('ecdsa_secp256r1_sha256', bytes(40));
    if (signature instanceof Promise) throw new Error('the signer answers at once');
    client.sayAfterwards('certificate_verify', { algorithm: signatureSchemes.ecdsa_secp256r1_sha256, signature });
    client.expectEnd('decrypt_error');
  });
});

/** Waits for whatever either application was asked. */
async function settle(pair: Pair): Promise<void> {
  for (;;) {
    const waiting = [pair.client, pair.server].find((end) => end.settled !== undefined);
    if (waiting === undefined) return;
    await waiting.settled;
    waiting.settled = undefined;
    waiting.take(waiting.engine.resume());
    pair.exchange();
  }
}
