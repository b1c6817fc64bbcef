// For the tests, which use it from TypeScript.
/** Everything that is fetched or written by the scripts and may be deleted at any time. */
export const cacheFolder: string;
