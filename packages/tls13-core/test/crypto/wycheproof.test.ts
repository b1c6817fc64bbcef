import { wycheproofSuite } from '../../../../test/vectors/wycheproof.js';
import { nobleProvider } from '../../src/crypto/noble.js';
import { nobleKeyShareOf } from '../../src/crypto/noble-groups.js';

wycheproofSuite('noble', nobleProvider, { keyShareOf: nobleKeyShareOf });
