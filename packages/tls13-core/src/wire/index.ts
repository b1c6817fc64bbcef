/** Everything on the wire that is not a record: handshake messages (§4), their extensions (§4.3) and alerts (§6). */
export { type Alert, decodeAlert, encodeAlert } from './alert-message.js';
export {
  type Certificate,
  type CertificateEntry,
  type CertificateRequest,
  type CertificateRequestToSend,
  type CertificateToSend,
  type CertificateVerify,
  type CompressedCertificate,
  decodeCertificate,
  decodeCertificateStatus,
  type EncryptedExtensions,
  type EncryptedExtensionsToSend,
  encodeCertificateStatus,
  type Finished,
  ocspStatusRequest,
  ocspStatusType,
} from './authentication.js';
export {
  type DelegatedCredential,
  type DelegatedCredentialFields,
  decodeDelegatedCredential,
  delegatedCredentialSignedPart,
  encodeDelegatedCredential,
} from './delegated-credential.js';
export type { RawExtension } from './extension-block.js';
export type { CertificateStatus, KeyShareEntry, OfferedPsks, PskIdentity } from './extension-values.js';
export type {
  CertificateExtensions,
  CertificateExtensionsToSend,
  CertificateRequestExtensions,
  ClientHelloExtensions,
  EncryptedExtensionsExtensions,
  HelloRetryRequestExtensions,
  NewSessionTicketExtensions,
  ServerHelloExtensions,
} from './extensions.js';
export { misplacedInEncryptedExtensions } from './extensions.js';
export {
  type DecodeContext,
  decodeHandshake,
  encodeHandshake,
  encodeMessage,
  type HandshakeMessage,
  type HandshakeMessageType,
  handshakeHeaderLength,
  handshakeLength,
  type Message,
  type MessageBodies,
  type MessageBodiesToSend,
} from './handshake.js';
export {
  type ClientHello,
  type ClientHelloToSend,
  downgradeSentinel,
  downgradeSentinels,
  fillBinders,
  type HelloRetryRequest,
  type HelloRetryRequestToSend,
  helloRetryRequestRandom,
  isHelloRetryRequest,
  type ServerHello,
  type ServerHelloToSend,
  truncateClientHello,
} from './hello.js';
export { importedIdentity } from './imported-identity.js';
export type {
  EndOfEarlyData,
  KeyUpdate,
  NewSessionTicket,
  NewSessionTicketToSend,
} from './post-handshake.js';
