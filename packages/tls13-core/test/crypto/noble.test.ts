import { providerSuite } from '../../../../test/vectors/provider-suite.js';
import { nobleProvider } from '../../src/crypto/noble.js';

providerSuite('noble', nobleProvider, { signsRsa: false });
