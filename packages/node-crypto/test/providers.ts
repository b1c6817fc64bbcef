/** The providers that every test of a provider runs over. */
import { nativeProvider, nodeCryptoProvider } from '../src/index.js';

export const providers = [nativeProvider(), nodeCryptoProvider()];
