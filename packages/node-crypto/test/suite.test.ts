// The suites that every provider must pass, over both of Node's.
import { vi } from 'vitest';
import { providerSuite } from '../../../test/vectors/provider-suite.js';
import { wycheproofSuite } from '../../../test/vectors/wycheproof.js';
import { providers } from './providers.js';

// The suites name the core's classes in its sources, so the providers must throw the same ones.
vi.mock('tls13-core', () => import('../../tls13-core/src/index.js'));

for (const provider of providers) {
  providerSuite(provider.name, provider, { signsRsa: true });
  wycheproofSuite(provider.name, provider);
}
