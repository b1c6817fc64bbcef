/** One good message of each type, as two engines and a peer by hand made them, to be damaged. */

import { generateEchConfig } from '../../packages/tls13-core/src/ech/generate.js';
import { createTicketKeys } from '../../packages/tls13-core/src/ticket-keys.js';
import {
  decodeHandshake,
  encodeCertificateStatus,
  encodeMessage,
  type HandshakeMessage,
  ocspStatusType,
} from '../../packages/tls13-core/src/wire/index.js';
import { extendedKeyUsageFilter, oidFiltersToSend } from '../../packages/tls13-core/src/x509/oid-filters.js';
import { credential } from '../../packages/tls13-core/test/engine/support/certificates.js';
import { delegatedCredential } from '../../packages/tls13-core/test/engine/support/delegation.js';
import { HandClient } from '../../packages/tls13-core/test/engine/support/hand-client.js';
import { HandServer } from '../../packages/tls13-core/test/engine/support/hand-server.js';
import { sessionOf } from '../../packages/tls13-core/test/engine/support/pair.js';
import { fastProvider as provider } from './providers.js';

export interface ValidMessage {
  readonly type: HandshakeMessage['type'];
  readonly bytes: Uint8Array;
}

export const validMessages: readonly ValidMessage[] = collect();

function collect(): readonly ValidMessage[] {
  const tickets = { protector: createTicketKeys(provider) };
  const session = sessionOf(provider, { server: { tickets } });
  const clientSide = { alpnProtocols: ['h2', 'http/1.1'], session } as const;
  const server = new HandServer(provider, clientSide).through('encrypted_extensions').certificateRequest();
  server.certificate().certificateVerify().finished();
  const retrying = {
    groups: ['secp256r1'],
    cookies: createTicketKeys(provider),
    clientAuthentication: 'request',
    tickets,
    alpnProtocols: ['h2'],
  } as const;
  const client = new HandClient(provider, retrying).clientHello().clientHello().certificate().certificateVerify();
  client.finished();
  const others: readonly ValidMessage[] = [
    ...ofFeatures(),
    { type: 'key_update', bytes: encodeMessage('key_update', { requestUpdate: 'update_requested' }) },
    { type: 'end_of_early_data', bytes: encodeMessage('end_of_early_data', {}) },
  ];
  return [...server.wire.messages, ...client.wire.messages, ...others].map(({ type, bytes }) => ({ type, bytes }));
}

/** With the extensions and messages that handshakes have only where they are asked for. */
function ofFeatures(): readonly ValidMessage[] {
  const certificate = credential(provider, 'ed25519').certificateChain[0] ?? new Uint8Array(0);
  const echConfigs = generateEchConfig(provider, { publicName: 'public.example' }).configList;
  const asking = new HandServer(provider, {
    grease: true,
    ech: { configs: echConfigs },
    recordSizeLimit: 1_024,
    ticketRequest: { newSession: 2, resumption: 1 },
    postHandshakeAuthentication: true,
    serverCertificateTypes: ['rawPublicKey', 'x509'],
    clientCertificateTypes: ['rawPublicKey', 'x509'],
    delegatedCredentialSchemes: ['ecdsa_secp256r1_sha256'],
    signedCertificateTimestamps: true,
    psks: [{ externalIdentity: Uint8Array.of(1, 2, 3), key: new Uint8Array(32) }],
    certificateCompression: [{ algorithm: 1, decompress: () => undefined }],
  });
  const filters = oidFiltersToSend([extendedKeyUsageFilter('clientAuth')]);
  const made = [
    encodeMessage('encrypted_extensions', {
      extensions: {
        serverCertificateType: 2,
        clientCertificateType: 0,
        recordSizeLimit: 64,
        expectedTickets: 2,
        echRetryConfigs: echConfigs,
        earlyData: true,
      },
    }),
    encodeMessage('certificate_request', {
      certificateRequestContext: Uint8Array.of(1, 2, 3),
      extensions: {
        signatureAlgorithms: [0x0807],
        statusRequest: new Uint8Array(0),
        signedCertificateTimestamp: true,
        certificateAuthorities: [Uint8Array.of(0x30, 0)],
        oidFilters: filters,
        delegatedCredential: [0x0403],
        compressCertificate: [1, 2],
      },
    }),
    encodeMessage('certificate', {
      certificateRequestContext: new Uint8Array(0),
      certificateList: [
        {
          certData: certificate,
          extensions: {
            statusRequest: encodeCertificateStatus({ statusType: ocspStatusType, response: Uint8Array.of(0x30, 0) }),
            signedCertificateTimestamp: [Uint8Array.of(0, 1)],
            delegatedCredential: delegatedCredential().delegatedCredential,
          },
        },
      ],
    }),
    encodeMessage('compressed_certificate', {
      algorithm: 1,
      uncompressedLength: certificate.length + 12,
      compressedCertificateMessage: Uint8Array.of(0x78, 0x9c, 1, 2, 3),
    }),
    encodeMessage('new_session_ticket', {
      ticketLifetime: 7_200,
      ticketAgeAdd: 1,
      ticketNonce: Uint8Array.of(0),
      ticket: Uint8Array.of(1, 2, 3),
      extensions: { earlyData: 16_384, flags: [8] },
    }),
  ];
  return [
    ...asking.wire.messages.map(({ type, bytes }) => ({ type, bytes })),
    ...made.map((bytes) => ({ type: decodeHandshake(bytes).type, bytes })),
  ];
}
