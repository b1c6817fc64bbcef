/** Headless Chromium for the tests: a fresh profile, and nothing of its own on the network. */
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';
import { type Browser, chromium } from 'playwright-core';

/** Debian's; `CHROMIUM` names another. */
const executablePath = process.env.CHROMIUM ?? '/usr/bin/chromium';

/** @param more arguments of Chromium's own. */
export function launchChromium(more: readonly string[] = []): Promise<Browser> {
  return chromium.launch({
    executablePath,
    // Chromium's sandbox does not start as root, which is what a container's only user is.
    chromiumSandbox: false,
    args: [
      '--no-sandbox',
      '--disable-gpu',
      '--disable-quic',
      '--no-first-run',
      '--disable-background-networking',
      '--disable-component-update',
      '--disable-sync',
      ...more,
    ],
  });
}

/** One program for a page. */
export interface Bundle {
  readonly code: string;
  /** What went in: paths from the repository's root. */
  readonly inputs: readonly string[];
  /** What was left to be found at run time. */
  readonly external: readonly string[];
}

/** Bundles a program of this folder as it would be for the web: an import of Node's fails here. */
export async function bundle(program: string): Promise<Bundle> {
  const { outputFiles, metafile } = await build({
    entryPoints: [join(here, program)],
    absWorkingDir: root,
    bundle: true,
    write: false,
    metafile: true,
    format: 'iife',
    platform: 'browser',
    target: 'es2023',
    logLevel: 'silent',
  });
  const [output] = Object.values(metafile.outputs);
  const [file] = outputFiles;
  if (output === undefined || file === undefined) throw new Error(`esbuild made nothing of ${program}`);
  return {
    code: file.text,
    inputs: Object.keys(metafile.inputs),
    external: output.imports.filter(({ external }) => external === true).map(({ path }) => path),
  };
}

const here = fileURLToPath(new URL('.', import.meta.url));
const root = fileURLToPath(new URL('../..', import.meta.url));
