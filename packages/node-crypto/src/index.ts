/** The crypto of Node for tls13-core: providers, credentials, roots, and the verification of certificate chains. */
export { releaseBuffer } from './buffers.js';
export {
  createProvider,
  type NodeCryptoProvider,
  nativeProvider,
  nodeCryptoProvider,
  type ProviderOptions,
  type ProviderReport,
} from './provider.js';
export { keySigner, type SignerOptions } from './public-keys.js';
