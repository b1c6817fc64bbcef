// Builds everything: the two native addons, then the TypeScript projects in the order of their references.

import { buildAddons } from './lib/addons.mjs';
import { run } from './lib/run.mjs';

// A person without a compiler still gets a working build (the addons are optional at run time), a test run does not.
const required = process.argv.includes('--require-addons') || process.env.CI !== undefined;

const failed = buildAddons();
if (failed.length > 0 && required) process.exit(1);
process.exit(run(process.execPath, ['node_modules/typescript/bin/tsc', '-b']));
