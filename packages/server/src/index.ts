/** TLS 1.3 servers and clients for Node, whose records the Linux kernel seals where it can. */
export type {
  CertificateRequestInfo,
  ConnectionInfo,
  EarlyDataReason,
  EarlyDataUse,
  ExternalPsk,
  OidFilter,
  Psk,
  PskEarlyData,
  PskLookup,
  PskToImport,
  ReflectionGuard,
  ReplayCache,
  Session,
  SessionStore,
} from 'tls13-core';
export {
  createReflectionGuard,
  createReplayCache,
  createSessionStore,
  type EchKey,
  type EchKeys,
  EchRejectedError,
  extendedKeyUsageFilter,
  keyUsageFilter,
  matchesOidFilters,
  parseImportedIdentity,
  TlsError,
} from 'tls13-core';
export { rootCertificates } from 'tls13-node-crypto';
export type { CertificateOptions } from './certificate-options.js';
export type { RequestCertificateOptions } from './certificate-requests.js';
export type { ClientHello, ClientHelloDecision, ConnectionOptions, OnClientHello } from './client-hello-first.js';
export { type ConnectOptions, connect, type OnCertificateRequest } from './connect.js';
export { TlsConnection } from './connection.js';
export {
  createSecureContext,
  type KeySource,
  SecureContext,
  type SecureContextOptions,
  type SniCallback,
} from './credentials.js';
export { type DelegateOptions, type Delegation, delegate } from './delegation.js';
export {
  type AlertMessage,
  type Counters,
  clientTelemetry,
  type HandshakeMessage,
  type OffloadMessage,
} from './diagnostics.js';
export type { EarlyDataOptions } from './early-data.js';
export { type EchClientOptions, type EchKeySource, type EchServerOptions, readEchKeys } from './ech.js';
export { ConnectionError, type ConnectionErrorCode } from './errors.js';
export { createHttpsServer, type HttpApplication, HttpsServer, type HttpsServerOptions } from './https.js';
export { tooEarly } from './https-early-data.js';
export { type ServeFileOptions, sendFile } from './https-send-file.js';
export { keyLogFile } from './key-log.js';
export {
  type ConnectionOffload,
  type DirectionOffload,
  type OffloadPolicy,
  type OffloadReason,
  offloadReasons,
} from './offload.js';
export type { CommonOptions, TlsServerOptions } from './options.js';
export type { CheckServerIdentity } from './peer.js';
export type { PskClientOptions, PskKey, PskServerOptions } from './psk.js';
export type { ExpectedRawPublicKeys, PublicKeySource } from './raw-public-keys.js';
export type { FileSource, SendFileOptions } from './send-file.js';
export { type ConnectionListener, createServer, TlsServer } from './server.js';
export type { StapledOptions } from './stapling.js';
