/** The crypto of Node for tls13-core: providers, credentials, roots, and the verification of certificate chains. */
export { releaseBuffer } from './buffers.js';
export { certificateCompressors, supportedCertificateCompression } from './certificate-compression.js';
export { type CredentialOptions, credential, privateKey } from './credentials.js';
export { type CertificateSource, type PemOrDer, readCertificates } from './pem.js';
export {
  createProvider,
  type NodeCryptoProvider,
  nativeProvider,
  nodeCryptoProvider,
  type ProviderOptions,
  type ProviderReport,
} from './provider.js';
export { keySigner, type SignerOptions } from './public-keys.js';
export { type RootSource, rootCertificates } from './roots.js';
export {
  type ChainOptions,
  type ChainVerdict,
  type ChainVerifierOptions,
  chainVerifier,
  RootStore,
  type RootStoreOptions,
  verifyChain,
} from './verify.js';
