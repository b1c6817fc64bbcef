/** The engine over the portable provider. */
import { nobleProvider } from '../../src/crypto/noble.js';
import { engineSuite } from './suite/index.js';

engineSuite('noble', nobleProvider);
