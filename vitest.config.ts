// The test projects. `unit` needs nothing but node; `interop` needs other TLS programs, `interop-newer` those of
// a newer Debian (`npm run interop -- --all`), `browser` needs Chromium,
// `kernel` runs inside a kernel with the tls module (scripts/kernel.mjs).
import { defineConfig } from 'vitest/config';

const project = (name: string, include: string[], timeout: number, exclude: string[] = []) => ({
  test: {
    name,
    include,
    exclude: ['**/node_modules/**', '**/dist/**', ...exclude],
    environment: 'node' as const,
    testTimeout: timeout,
    hookTimeout: timeout,
    // A test file may not leave descriptors, watchers or globals to the next one.
    pool: 'forks' as const,
  },
});

export default defineConfig({
  // Tests run the same on a read-only root (the guest kernels see the repository so).
  cacheDir: process.env.VITE_CACHE ?? '.cache/vite',
  test: {
    projects: [
      project(
        'unit',
        [
          'packages/*/test/**/*.test.ts',
          'test/*.test.ts',
          'test/{attacks,vectors,properties}/**/*.test.ts',
          'fuzz/**/*.test.ts',
          'bench/**/*.test.ts',
        ],
        30_000,
      ),
      project('interop', ['test/interop/**/*.test.ts'], 60_000, ['test/interop/matrix/newer/**']),
      project('interop-newer', ['test/interop/matrix/newer/**/*.test.ts'], 60_000),
      project('browser', ['test/browser/**/*.test.ts'], 120_000),
      project('kernel', ['test/kernel/**/*.test.ts'], 60_000, ['test/kernel/without-tls/**']),
      project('kernel-without-tls', ['test/kernel/without-tls/**/*.test.ts'], 60_000),
    ],
    maxWorkers: 2,
    passWithNoTests: false,
  },
});
