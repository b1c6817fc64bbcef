#!/usr/bin/env node
// The command `tls13`. It is committed, not built, so that package managers can link it before the first build.
import '../dist/cli/main.js';
