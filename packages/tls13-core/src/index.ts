/** TLS 1.3 (RFC 9846) as a value: bytes in, events out. */
export { type AlertName, alertDescriptions, alertName, TlsError, type TlsErrorOptions } from './alert.js';
export { type Awaitable, whenKnown } from './awaitable.js';
export { channelBinding } from './channel-binding.js';
export { type ClientHelloRead, readClientHello } from './client-hello-reader.js';
export type * from './config/index.js';
export type { ConnectionInfo, EarlyDataReason } from './connection-info.js';
export type * from './crypto/provider.js';
export { type CipherSuite, cipherSuite } from './crypto/suites.js';
export { describeEchConfigs, type EchConfigDescription } from './ech/describe.js';
export { type EchConfigOptions, type GeneratedEchKey, generateEchConfig } from './ech/generate.js';
export { createEchKeys, type EchKey, type EchKeys } from './ech/keys.js';
export { EchRejectedError } from './ech/rejected.js';
export { createClientEngine, createServerEngine, type ServerConnectionConfig, serverEngines } from './engine/index.js';
export type { CertificateRequestOptions, DetachOptions, TlsEngine } from './engine/types.js';
export type { Direction, MessageKind, TlsEvent } from './events.js';
export { importPsk, parseImportedIdentity } from './external-psk.js';
export {
  createDelegatedCredential,
  type DelegatedCredentialInfo,
  type DelegationOptions,
  parseDelegatedCredential,
} from './handshake/create-delegated-credential.js';
export { firstUsableCredential } from './handshake/credential-choice.js';
export type { KeyLogLabel } from './handshake/effects.js';
export { ja4 } from './ja4.js';
export { longestRecord } from './record/header.js';
export { createReflectionGuard, type ReflectionGuardOptions } from './reflection-guard.js';
export {
  type CertificateCompressionName,
  type CertificateTypeName,
  type CipherSuiteName,
  certificateCompressionAlgorithms,
  certificateTypes,
  cipherSuites,
  contentTypes,
  type HybridGroupName,
  hybridGroups,
  isHybridGroup,
  isKemGroup,
  type KemGroupName,
  type NamedGroupName,
  namedGroups,
  type SignatureSchemeName,
  signatureSchemes,
} from './registry.js';
export { createReplayCache, type ReplayCacheOptions } from './replay-cache.js';
export { parseSession, type Session, serializeSession } from './session.js';
export { createSessionStore, type SessionStoreOptions } from './session-store.js';
export { createTicketKeys, type TicketKeys, type TicketKeysOptions } from './ticket-keys.js';
export { certificateSubject } from './x509/certificate.js';
export {
  extendedKeyUsageFilter,
  type KeyPurposeName,
  type KeyUsageName,
  keyUsageFilter,
  matchesOidFilters,
  type OidFilter,
} from './x509/oid-filters.js';
