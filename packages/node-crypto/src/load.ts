/** Loads the native addon, once. That it is absent is a value with a reason, never an exception. */
import { createRequire } from 'node:module';
import { fileURLToPath } from 'node:url';
import type { Binding } from './binding.js';

export type Loaded =
  | { readonly binding: Binding; readonly reason?: undefined }
  | { readonly binding?: undefined; readonly reason: string };

/** The addon built for this machine or brought with the package, or why there is none. */
export function loadBinding(): Loaded {
  loaded ??= load();
  return loaded;
}

let loaded: Loaded | undefined;

function load(): Loaded {
  try {
    const require = createRequire(import.meta.url);
    const binding: Binding = require('node-gyp-build')(fileURLToPath(new URL('..', import.meta.url)));
    return { binding };
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    return { reason: `the native addon does not load: ${message.split('\n')[0]}` };
  }
}
