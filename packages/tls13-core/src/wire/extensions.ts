/**
 * Which extension may stand in which message, and what it says there: one table a message, after the RFC's own (§4.3).
 */
import { extensionTypes } from '../registry.js';
import type { Decoded, Encodable } from './codec.js';
import { echClientHello, echConfirmation, echRetryConfigs } from './ech.js';
import { extensionBlock, on } from './extension-block.js';
import * as values from './extension-values.js';

/** In the order in which they are written: pre_shared_key must be the last (§4.3.11). */
const clientHelloTable = {
  serverName: on('server_name', values.serverName),
  supportedVersions: on('supported_versions', values.supportedVersions),
  supportedGroups: on('supported_groups', values.namedGroupList),
  signatureAlgorithms: on('signature_algorithms', values.signatureSchemeList),
  signatureAlgorithmsCert: on('signature_algorithms_cert', values.signatureSchemeList),
  alpn: on('application_layer_protocol_negotiation', values.protocolNameList),
  statusRequest: on('status_request', values.uninterpreted),
  signedCertificateTimestamp: on('signed_certificate_timestamp', values.present),
  clientCertificateTypes: on('client_certificate_type', values.certificateTypeList),
  serverCertificateTypes: on('server_certificate_type', values.certificateTypeList),
  recordSizeLimit: on('record_size_limit', values.recordSizeLimit),
  certificateAuthorities: on('certificate_authorities', values.certificateAuthorities),
  postHandshakeAuth: on('post_handshake_auth', values.present),
  delegatedCredential: on('delegated_credential', values.signatureSchemeList),
  compressCertificate: on('compress_certificate', values.certificateCompressionList),
  cookie: on('cookie', values.cookie),
  keyShare: on('key_share', values.clientShares),
  pskKeyExchangeModes: on('psk_key_exchange_modes', values.pskKeyExchangeModes),
  earlyData: on('early_data', values.present),
  encryptedClientHello: on('encrypted_client_hello', echClientHello),
  ticketRequest: on('ticket_request', values.ticketRequest),
  preSharedKey: on('pre_shared_key', values.offeredPsks),
};

const serverHelloTable = {
  supportedVersions: on('supported_versions', values.selectedVersion),
  keyShare: on('key_share', values.keyShareEntry),
  preSharedKey: on('pre_shared_key', values.selectedIdentity),
};

const helloRetryRequestTable = {
  supportedVersions: on('supported_versions', values.selectedVersion),
  keyShare: on('key_share', values.selectedGroup),
  cookie: on('cookie', values.cookie),
  encryptedClientHello: on('encrypted_client_hello', echConfirmation),
};

const encryptedExtensionsTable = {
  serverName: on('server_name', values.present),
  supportedGroups: on('supported_groups', values.namedGroupList),
  alpn: on('application_layer_protocol_negotiation', values.selectedProtocol),
  clientCertificateType: on('client_certificate_type', values.selectedCertificateType),
  serverCertificateType: on('server_certificate_type', values.selectedCertificateType),
  recordSizeLimit: on('record_size_limit', values.recordSizeLimit),
  earlyData: on('early_data', values.present),
  expectedTickets: on('ticket_request', values.expectedTickets),
  echRetryConfigs: on('encrypted_client_hello', echRetryConfigs),
};

const certificateRequestTable = {
  signatureAlgorithms: on('signature_algorithms', values.signatureSchemeList),
  signatureAlgorithmsCert: on('signature_algorithms_cert', values.signatureSchemeList),
  statusRequest: on('status_request', values.uninterpreted),
  signedCertificateTimestamp: on('signed_certificate_timestamp', values.present),
  certificateAuthorities: on('certificate_authorities', values.certificateAuthorities),
  oidFilters: on('oid_filters', values.oidFilters),
  delegatedCredential: on('delegated_credential', values.signatureSchemeList),
  compressCertificate: on('compress_certificate', values.certificateCompressionList),
};

const certificateTable = {
  statusRequest: on('status_request', values.uninterpreted),
  signedCertificateTimestamp: on('signed_certificate_timestamp', values.signedCertificateTimestampList),
  /** RFC 9345, of the leaf; read where it is known that this is one. */
  delegatedCredential: on('delegated_credential', values.uninterpreted),
};

const newSessionTicketTable = {
  flags: on('tls_flags', values.tlsFlags),
  earlyData: on('early_data', values.maxEarlyDataSize),
};

/**
 * §4.2.2 says <7..2^16-1>, which is what a supported_versions takes: a smaller block only ever comes from a client
 * of an earlier version, which is to be told so (protocol_version) and not that its message is malformed.
 */
export const clientHelloExtensions = extensionBlock('ClientHello', clientHelloTable, {
  floor: 7,
  readFloor: 0,
  duplicates: 'decode_error',
  ignored: ['max_fragment_length', 'padding', 'tls_flags'],
});
export type ClientHelloExtensions = Decoded<typeof clientHelloExtensions>;

/**
 * §4.2.3. A block without supported_versions is that of an earlier version, with other rules: none of its extensions
 * is read, and the handshake refuses the version.
 */
export const serverHelloExtensions = extensionBlock('ServerHello', serverHelloTable, {
  floor: 6,
  readFloor: 0,
  onlyWith: 'supported_versions',
});
export type ServerHelloExtensions = Decoded<typeof serverHelloExtensions>;

/** §4.2.4 */
export const helloRetryRequestExtensions = extensionBlock('HelloRetryRequest', helloRetryRequestTable, { floor: 6 });
export type HelloRetryRequestExtensions = Decoded<typeof helloRetryRequestExtensions>;

/** §4.4.1 */
export const encryptedExtensionsExtensions = extensionBlock('EncryptedExtensions', encryptedExtensionsTable, {
  duplicates: 'decode_error',
  misplaced: 'left',
  ignored: ['max_fragment_length'],
});
/** Known extensions that belong in another message. */
export const misplacedInEncryptedExtensions: ReadonlySet<number> = new Set(
  Object.values(extensionTypes).filter(
    (known) =>
      known !== extensionTypes.max_fragment_length &&
      Object.values(encryptedExtensionsTable).every(({ type }) => type !== known),
  ),
);
export type EncryptedExtensionsExtensions = Decoded<typeof encryptedExtensionsExtensions>;

/** §4.4.2. Its server_name is for exported authenticators (RFC 9261) alone. */
export const certificateRequestExtensions = extensionBlock('CertificateRequest', certificateRequestTable, {
  ignored: ['server_name'],
});
export type CertificateRequestExtensions = Decoded<typeof certificateRequestExtensions>;

/** §4.5.1 */
export const certificateExtensions = extensionBlock('Certificate', certificateTable, {});
export type CertificateExtensions = Decoded<typeof certificateExtensions>;
export type CertificateExtensionsToSend = Encodable<typeof certificateExtensions>;

/** §4.7.1 */
export const newSessionTicketExtensions = extensionBlock('NewSessionTicket', newSessionTicketTable, {});
export type NewSessionTicketExtensions = Decoded<typeof newSessionTicketExtensions>;
