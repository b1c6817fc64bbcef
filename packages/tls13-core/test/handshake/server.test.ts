import { describe, expect, it } from 'vitest';
import { namedGroups } from '../../src/registry.js';
import { encodeMessage } from '../../src/wire/index.js';
import { clientIdentity, credentialOf, identity, TestClient, TestServer } from './server-support.js';

/** A server and a client that are about to exchange the client's second flight. */
function untilClientFlight(
  config: ConstructorParameters<typeof TestServer>[0] = {},
  options: ConstructorParameters<typeof TestClient>[0] = {},
) {
  const server = new TestServer(config);
  const client = new TestClient(options);
  server.receive(client.hello());
  client.takeFlight(server);
  return { server, client };
}

function untilConnected(config: ConstructorParameters<typeof TestServer>[0] = {}) {
  const { server, client } = untilClientFlight(config);
  server.receive(client.finished());
  return { server, client };
}

function connection(server: TestServer) {
  const effect = server.effects.find(({ type }) => type === 'connected');
  if (effect?.type !== 'connected') throw new Error('not connected');
  return effect;
}

describe('a full handshake', () => {
  it('sends its flight in the order of §A.2, with the keys and the log between', () => {
    const { server } = untilClientFlight();
    expect(server.summary).toEqual([
      'send server_hello',
      'change_cipher_spec',
      'K_send handshake',
      'K_recv handshake',
      'key_log CLIENT_HANDSHAKE_TRAFFIC_SECRET',
      'key_log SERVER_HANDSHAKE_TRAFFIC_SECRET',
      'send encrypted_extensions',
      'send certificate',
      'send certificate_verify',
      'send finished',
      'key_log CLIENT_TRAFFIC_SECRET_0',
      'key_log SERVER_TRAFFIC_SECRET_0',
      'key_log EXPORTER_SECRET',
      'K_send application',
    ]);
    expect(server.state.name).toBe('WAIT_FINISHED');
  });

  it('agrees with the client on every secret', () => {
    const { server, client } = untilClientFlight();
    const logged = new Map(
      server.effects.flatMap((effect) => (effect.type === 'key_log' ? [[effect.label, effect.secret]] : [])),
    );
    const digest = client.transcript.digest();
    expect(logged.get('CLIENT_HANDSHAKE_TRAFFIC_SECRET')).toEqual(client.secrets.client);
    expect(logged.get('SERVER_HANDSHAKE_TRAFFIC_SECRET')).toEqual(client.secrets.server);
    expect(logged.get('CLIENT_TRAFFIC_SECRET_0')).toEqual(client.secrets.main.clientTraffic(digest));
    expect(logged.get('SERVER_TRAFFIC_SECRET_0')).toEqual(client.secrets.main.serverTraffic(digest));
    expect(logged.get('EXPORTER_SECRET')).toEqual(client.secrets.main.exporter(digest));
  });

  it('is connected once the client has finished, and says what was agreed', () => {
    const { server, client } = untilConnected({ alpnProtocols: ['h2'] });
    expect(server.summary).toEqual(['K_recv application', 'connected']);
    expect(connection(server).info).toEqual({
      role: 'server',
      protocol: 'TLSv1.3',
      cipherSuite: 'TLS_AES_128_GCM_SHA256',
      group: 'x25519',
      signatureScheme: 'ed25519',
      clientSignatureScheme: undefined,
      serverName: undefined,
      alpnProtocol: undefined,
      resumed: false,
      authentication: 'certificate',
      pskIdentity: undefined,
      helloRetryRequest: false,
      echAccepted: false,
      peerDelegatedCredential: false,
      localDelegatedCredential: false,
      earlyData: 'none',
      earlyDataReason: 'disabled',
      postHandshakeAuthentication: false,
      peerCertificates: [],
      peerRawPublicKey: undefined,
      ocspResponse: undefined,
      signedCertificateTimestamps: [],
      localCertificates: [identity.certificate],
      clientRandom: client.random,
      serverRandom: expect.objectContaining({ length: 32 }),
    });
  });

  it('sends the compatibility record also to who does not ask for it, where that is wanted (§E.4)', () => {
    const { server } = untilClientFlight(
      { middleboxCompatibility: true },
      { changes: { legacySessionId: new Uint8Array(0) } },
    );
    expect(server.summary).toContain('change_cipher_spec');
  });

  it('echoes legacy_session_id, and leaves the compatibility record out when it is empty (§E.4)', () => {
    const empty = { changes: { legacySessionId: new Uint8Array(0) } };
    expect(untilClientFlight({}, empty).server.summary).not.toContain('change_cipher_spec');
    const { server } = untilClientFlight();
    expect(server.sent('server_hello').body.legacySessionIdEcho).toEqual(new Uint8Array(32).fill(0x53));
  });

  it('acknowledges server_name and the protocol in EncryptedExtensions', () => {
    const extensions = { serverName: 'example.com', alpn: ['x', 'http/1.1', 'h2'] };
    const { server } = untilClientFlight({ alpnProtocols: ['h2', 'http/1.1'] }, { extensions });
    expect(server.sent('encrypted_extensions').body.extensions).toMatchObject({ serverName: true, alpn: 'h2' });
  });

  it('tells the client of a group it likes better than the ones it has a share for (§4.3.7)', () => {
    const { server } = untilClientFlight({}, { shares: ['secp256r1'] });
    expect(server.sent('encrypted_extensions').body.extensions.supportedGroups).toEqual([
      namedGroups.x25519,
      namedGroups.secp256r1,
    ]);
    expect(untilClientFlight().server.sent('encrypted_extensions').body.extensions.types).toEqual([]);
  });

  it('offers no early data and skips what comes of it (§4.3.10)', () => {
    const { server } = untilClientFlight(
      {},
      {
        tickets: [{ ticket: Uint8Array.of(1), psk: new Uint8Array(32), suite: 'TLS_AES_128_GCM_SHA256', ageAdd: 0 }],
        extensions: { earlyData: true },
      },
    );
    expect(server.sent('encrypted_extensions').body.extensions.earlyData).toBeUndefined();
    expect(server.effects).toContainEqual({ type: 'skip_early_data', until: 'first_opened_record' });
  });

  it('waits for a credential and a signature that come later', async () => {
    const { signer, certificateChain } = credentialOf(identity);
    const later = {
      certificateChain,
      signer: {
        schemes: signer.schemes,
        sign: async (...given: Parameters<typeof signer.sign>) => signer.sign(...given),
      },
    };
    const server = new TestServer({ credentials: async () => later });
    const client = new TestClient();
    await server.receiveLater(client.hello());
    client.takeFlight(server);
    server.receive(client.finished());
    expect(server.state.name).toBe('CONNECTED');
  });
});

describe('the credential', () => {
  it('is chosen by the application from the ClientHello', () => {
    const seen: unknown[] = [];
    untilClientFlight(
      {
        credentials: (hello) => {
          seen.push(hello);
          return credentialOf(identity);
        },
      },
      { extensions: { serverName: 'example.com', alpn: ['h2'], certificateAuthorities: [Uint8Array.of(0x30, 0)] } },
    );
    expect(seen).toMatchObject([
      {
        serverName: 'example.com',
        alpnProtocols: ['h2'],
        cipherSuites: [0x1301],
        groups: [0x1d, 0x17],
        signatureSchemes: [0x0807, 0x0403],
        certificateAuthorities: [Uint8Array.of(0x30, 0)],
      },
    ]);
  });

  it.each([
    [
      'unrecognized_name when there is none for the name asked for (RFC 6066 §3)',
      'unrecognized_name',
      { serverName: 'a.test' },
    ],
    ['handshake_failure when there is none and no name was asked for', 'handshake_failure', {}],
  ])('is refused with %s', (_what, alert, extensions) => {
    const server = new TestServer({ credentials: () => undefined });
    expect(server.alertFor(new TestClient({ extensions }).hello())).toBe(alert);
  });

  it('is the first one that signs with a scheme of the client, in the order of the signer', () => {
    const { certificateChain, signer } = credentialOf(identity);
    const other = { certificateChain, signer: { ...signer, schemes: ['ecdsa_secp384r1_sha384' as const] } };
    const { server } = untilClientFlight({ credentials: [other, credentialOf(identity)] });
    expect(server.sent('certificate_verify').body.algorithm).toBe(0x0807);
  });

  it('that shares no scheme with the client ends in handshake_failure (§4.2.1)', () => {
    const hello = new TestClient({ extensions: { signatureAlgorithms: [0x0804] } }).hello();
    expect(new TestServer().alertFor(hello)).toBe('handshake_failure');
  });
});

describe("the client's certificate", () => {
  const asked = { clientAuthentication: 'request', verifyPeer: () => {} } as const;

  it('is requested, judged and reported', () => {
    const judged: unknown[] = [];
    const authority = Uint8Array.of(0x30, 0);
    const { server, client } = untilClientFlight({
      clientAuthentication: 'require',
      certificateAuthorities: [authority],
      verifyPeer: (peer) => {
        judged.push(peer);
      },
    });
    const request = server.sent('certificate_request').body;
    expect(request.certificateRequestContext).toHaveLength(0);
    expect(request.extensions.signatureAlgorithms).toContain(0x0807);
    expect(request.extensions.certificateAuthorities).toEqual([authority]);
    expect(server.state.name).toBe('WAIT_CERT');
    server.receive(client.certificate());
    expect(server.state.name).toBe('WAIT_CV');
    server.receive(client.certificateVerify()).receive(client.finished());
    const certificates = [clientIdentity.certificate];
    expect(judged).toEqual([
      {
        role: 'client',
        certificateType: 'x509',
        certificates,
        serverName: undefined,
        ocspResponse: undefined,
        signedCertificateTimestamps: [],
        resumed: false,
      },
    ]);
    expect(connection(server).info).toMatchObject({
      peerCertificates: certificates,
      clientSignatureScheme: 'ed25519',
      signatureScheme: 'ed25519',
    });
  });

  it('may be judged later', async () => {
    const { server, client } = untilClientFlight({ ...asked, verifyPeer: async () => {} });
    server.receive(client.certificate());
    await server.receiveLater(client.certificateVerify());
    expect(server.receive(client.finished()).state.name).toBe('CONNECTED');
  });

  it('may be missing when it was only requested (§4.5.1.3)', () => {
    const { server, client } = untilClientFlight(asked);
    server.receive(client.certificate([])).receive(client.finished());
    expect(connection(server).info.peerCertificates).toEqual([]);
  });

  it('must not be missing when it is required: certificate_required (§4.5.1.3)', () => {
    const { server, client } = untilClientFlight({ ...asked, clientAuthentication: 'require' });
    expect(server.alertFor(client.certificate([]))).toBe('certificate_required');
  });

  it('with a context that was not sent is an illegal_parameter (§4.5.1)', () => {
    const { server, client } = untilClientFlight(asked);
    const message = client.certificate(undefined, { certificateRequestContext: Uint8Array.of(1) });
    expect(server.alertFor(message)).toBe('illegal_parameter');
  });

  it('with an extension that was not asked for is an unsupported_extension (§4.3)', () => {
    const { server, client } = untilClientFlight(asked);
    const entry = { certData: clientIdentity.certificate, extensions: { statusRequest: Uint8Array.of(1, 0, 0, 1, 0) } };
    expect(server.alertFor(client.certificate([], { certificateList: [entry] }))).toBe('unsupported_extension');
  });

  it('with a wrong signature is a decrypt_error (§4.5.2)', () => {
    const { server, client } = untilClientFlight(asked);
    server.receive(client.certificate());
    expect(server.alertFor(client.certificateVerify({ signature: new Uint8Array(64) }))).toBe('decrypt_error');
  });

  it('needs a CertificateVerify: Finished in its place is an unexpected_message (§4.5.2)', () => {
    const { server, client } = untilClientFlight(asked);
    server.receive(client.certificate());
    expect(server.alertFor(client.finished())).toBe('unexpected_message');
  });

  it('that was not asked for is an unexpected_message (§4.5.1)', () => {
    const { server, client } = untilClientFlight();
    expect(server.alertFor(client.certificate())).toBe('unexpected_message');
  });
});

describe("the client's Finished", () => {
  it('that is wrong in one bit is a decrypt_error (§4.5.3)', () => {
    const { server, client } = untilClientFlight();
    const wrong = client.finished((right) => right.map((byte, index) => (index === 31 ? byte ^ 1 : byte)));
    expect(server.alertFor(wrong)).toBe('decrypt_error');
  });

  it('of another length is a decrypt_error (§4.5.3)', () => {
    const { server, client } = untilClientFlight();
    expect(server.alertFor(client.finished((right) => right.subarray(1)))).toBe('decrypt_error');
  });
});

describe('a connected server', () => {
  it.each([
    ['update_not_requested', false],
    ['update_requested', true],
  ] as const)('takes a KeyUpdate with %s', (requestUpdate, updateRequested) => {
    const { server } = untilConnected();
    server.receive(encodeMessage('key_update', { requestUpdate }));
    expect(server.effects).toEqual([{ type: 'key_update', updateRequested }]);
    expect(server.state.name).toBe('CONNECTED');
  });

  it('refuses another KeyUpdateRequest with illegal_parameter (§4.7.3)', () => {
    const { server } = untilConnected();
    expect(server.alertFor(Uint8Array.of(24, 0, 0, 1, 2))).toBe('illegal_parameter');
  });

  it('refuses every other message with unexpected_message (§4.2.2, §4.6)', () => {
    const { server, client } = untilConnected();
    expect(server.alertFor(client.hello())).toBe('unexpected_message');
    expect(server.alertFor(client.finished())).toBe('unexpected_message');
    expect(server.alertFor(encodeMessage('end_of_early_data', {}))).toBe('unexpected_message');
  });
});
