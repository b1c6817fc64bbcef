/** The engine over the providers of tls13-node-crypto: the same tests as over the portable one. */
import { nativeProvider, nodeCryptoProvider } from 'tls13-node-crypto';
import { engineSuite } from '../../packages/tls13-core/test/engine/suite/index.js';

engineSuite('native', nativeProvider());
engineSuite('node', nodeCryptoProvider());
