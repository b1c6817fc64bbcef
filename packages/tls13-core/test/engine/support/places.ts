/** Every state of both engines, and a peer by hand that brings a fresh engine there. */
import type { Limits } from '../../../src/config/index.js';
import type { CryptoProvider } from '../../../src/crypto/provider.js';
import type { HandPeer } from './hand.js';
import { HandClient } from './hand-client.js';
import { HandServer } from './hand-server.js';
import type { Role } from './pair.js';

export interface Place {
  /** Of the engine. */
  readonly role: Role;
  /** As §A names it. */
  readonly state: string;
  /** What the engine expects: records in clear, or protected ones, of the handshake or of the application. */
  readonly phase: 'clear' | 'keyed' | 'connected';
  /** Handshake messages that the state takes. */
  readonly expected: readonly string[];
  reach(limits?: Partial<Limits>): HandPeer;
}

export function places(provider: CryptoProvider): readonly Place[] {
  const server = (limits: Partial<Limits>) => new HandServer(provider, { limits });
  const client = (limits: Partial<Limits>, groups: readonly ['secp256r1'] | readonly ['x25519'] = ['x25519']) =>
    new HandClient(provider, { limits, groups });
  const asking = (limits: Partial<Limits>) => new HandClient(provider, { limits, clientAuthentication: 'require' });

  const ofClient: readonly Omit<Place, 'role'>[] = [
    { state: 'WAIT_SH', phase: 'clear', expected: ['server_hello'], reach: (limits = {}) => server(limits) },
    {
      state: 'WAIT_SH after HelloRetryRequest',
      phase: 'clear',
      expected: ['server_hello'],
      reach: (limits = {}) => server(limits).helloRetryRequest(),
    },
    {
      state: 'WAIT_EE',
      phase: 'keyed',
      expected: ['encrypted_extensions'],
      reach: (limits = {}) => server(limits).serverHello(),
    },
    {
      state: 'WAIT_CERT_CR',
      phase: 'keyed',
      expected: ['certificate', 'compressed_certificate', 'certificate_request'],
      reach: (limits = {}) => server(limits).through('encrypted_extensions'),
    },
    {
      state: 'WAIT_CERT',
      phase: 'keyed',
      expected: ['certificate', 'compressed_certificate'],
      reach: (limits = {}) => server(limits).through('encrypted_extensions').certificateRequest(),
    },
    {
      state: 'WAIT_CV',
      phase: 'keyed',
      expected: ['certificate_verify'],
      reach: (limits = {}) => server(limits).through('certificate'),
    },
    {
      state: 'WAIT_FINISHED',
      phase: 'keyed',
      expected: ['finished'],
      reach: (limits = {}) => server(limits).through('certificate_verify'),
    },
    {
      state: 'CONNECTED',
      phase: 'connected',
      expected: ['new_session_ticket', 'key_update', 'certificate_request'],
      reach: (limits = {}) => server(limits).through('finished'),
    },
  ];
  const ofServer: readonly Omit<Place, 'role'>[] = [
    { state: 'START', phase: 'clear', expected: ['client_hello'], reach: (limits = {}) => client(limits) },
    {
      state: 'START after HelloRetryRequest',
      phase: 'clear',
      expected: ['client_hello'],
      reach: (limits = {}) => client(limits, ['secp256r1']).clientHello(),
    },
    {
      state: 'WAIT_CERT',
      phase: 'keyed',
      expected: ['certificate', 'compressed_certificate'],
      reach: (limits = {}) => asking(limits).clientHello(),
    },
    {
      state: 'WAIT_CV',
      phase: 'keyed',
      expected: ['certificate_verify'],
      reach: (limits = {}) => asking(limits).clientHello().certificate(),
    },
    {
      state: 'WAIT_FINISHED',
      phase: 'keyed',
      expected: ['finished'],
      reach: (limits = {}) => client(limits).clientHello(),
    },
    {
      state: 'CONNECTED',
      phase: 'connected',
      expected: ['key_update', 'certificate', 'compressed_certificate'],
      reach: (limits = {}) => client(limits).clientHello().finished(),
    },
  ];
  return [
    ...ofClient.map((place) => ({ role: 'client' as const, ...place })),
    ...ofServer.map((place) => ({ role: 'server' as const, ...place })),
  ];
}
